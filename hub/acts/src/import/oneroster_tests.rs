use super::*;
use jiff::civil::date;
use rules::auth::Actor;
use store::reader::Reader;
use store::{Db, params};

const NOW: Wall = Wall(1_790_000_000_000);
const TODAY: Date = date(2026, 9, 21);

const USERS: &str = "sourcedId,status,dateLastModified,enabledUser,username,givenName,familyName,identifier,email,grades
u1,active,,true,ali,Ali,Rezaei,STU1,,09
u2,active,,true,ali2,Ali,Rezaei,,,09
u3,active,,true,tea,Tea,Cher,,tea@school.test,
u4,active,,true,nomail,No,Mail,,,
u5,active,,true,mum,Mum,Rezaei,,,
";
const ROLES: &str = "sourcedId,userSourcedId,roleType,role,orgSourcedId
r1,u1,primary,student,o1
r2,u2,primary,student,o1
r3,u3,primary,teacher,o1
r4,u4,primary,teacher,o1
r5,u5,primary,parent,o1
";
const CLASSES: &str = "sourcedId,status,title,classCode,classType,location,termSourcedIds
c1,active,Maths,MATH101,scheduled,204,t1
";
const ENROLLMENTS: &str =
    "sourcedId,status,classSourcedId,schoolSourcedId,userSourcedId,role,beginDate,endDate
e1,active,c1,o1,u1,student,,
e2,active,c1,o1,u2,student,,
e3,active,c1,o1,u3,teacher,,
e4,active,c9,o1,u1,student,,
";
const TERMS: &str = "sourcedId,status,title,type,startDate,endDate
t1,active,Autumn,term,2026-09-01,2026-12-20
";

fn export(changes: &[(&str, &str)]) -> OneRosterExport {
    let all = [
        ("users.csv", USERS),
        ("roles.csv", ROLES),
        ("classes.csv", CLASSES),
        ("enrollments.csv", ENROLLMENTS),
        ("academicsessions.csv", TERMS),
    ];
    let file = |(name, text): (&str, &str)| {
        let text = changes.iter().fold(text.to_owned(), |text, (a, b)| text.replace(a, b));
        (name.to_owned(), ArchiveFile { name: name.into(), bytes: text.into_bytes() })
    };
    read(&all.into_iter().map(file).collect()).unwrap()
}

struct School {
    _dir: tempfile::TempDir,
    db: Db,
}

impl School {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open(dir.path().join("hub.db")).unwrap();
        Self { _dir: dir, db }
    }

    async fn take(&self, export: OneRosterExport) -> OneRosterDone {
        self.db.write(move |tx| take(tx, &export, TODAY, "t", NOW)).await.unwrap()
    }

    async fn count(&self, sql: &'static str) -> i64 {
        self.db.read(move |tx| tx.row(sql, params![], |row| row.get(0))).await.unwrap().unwrap()
    }
}

fn counts(done: &OneRosterDone) -> Vec<(&'static str, usize, usize, usize)> {
    done.counts.iter().map(|(kind, c)| (*kind, c.made, c.changed, c.unchanged)).collect()
}

#[tokio::test]
async fn a_school_is_taken_over_and_a_second_time_nothing_changes() {
    let school = School::new();
    let first = school.take(export(&[])).await;
    let new = [("classes", 1), ("rosters", 2), ("students", 2), ("teachers", 1), ("teaches", 1)];
    assert_eq!(counts(&first), new.map(|(kind, n)| (kind, n, 0, 0)));
    assert_eq!(first.skipped.len(), 2, "no mail, no class: {:?}", first.skipped);
    assert!(first.skipped.iter().all(|say| !say.contains("Mail")), "ids only");
    let again = school.take(export(&[])).await;
    assert_eq!(counts(&again), new.map(|(kind, n)| (kind, 0, 0, n)));
    let until = "select count(*) from teaches where to_day = '2026-12-20'";
    assert_eq!(school.count(until).await, 1, "until the term ends");
    assert_eq!(school.count("select count(*) from student where last_name = 'Mail'").await, 0);
}

#[tokio::test]
async fn what_changed_there_changes_here_and_nobody_is_erased() {
    let school = School::new();
    school.take(export(&[])).await;
    let changed = export(&[
        ("u1,active,,true,ali,Ali,Rezaei", "u1,active,,true,ali,Ali Reza,Rezaei"),
        ("u2,active", "u2,tobedeleted"),
        ("e2,active", "e2,tobedeleted"),
        ("c1,active,Maths,MATH101,scheduled,204", "c1,active,Maths,MATH101,scheduled,305"),
        ("e3,active", "e3,tobedeleted"),
    ]);
    let done = school.take(changed).await;
    let said = counts(&done);
    assert!(said.contains(&("students", 0, 2, 0)) && said.contains(&("classes", 0, 1, 0)));
    assert!(said.contains(&("rosters", 0, 1, 1)) && said.contains(&("teaches", 0, 1, 0)));
    assert_eq!(school.count("select count(*) from student").await, 2);
    assert_eq!(school.count("select count(*) from student where is_active = 1").await, 1);
    assert_eq!(school.count("select count(*) from teaches where to_day < '2026-09-21'").await, 1);
}

#[test]
fn roles_of_version_1_1_stand_in_the_users_file() {
    let users = "sourcedId,status,role,givenName,familyName\nu1,active,student,Ali,Rezaei\n";
    let file = ArchiveFile { name: "users.csv".into(), bytes: users.into() };
    let export = read(&HashMap::from([("users.csv".to_owned(), file)])).unwrap();
    assert_eq!(export.role(&export.users[0]), Some(Role::Student));
    assert!(read(&HashMap::new()).unwrap_err().to_string().contains("users.csv is missing"));
}

#[tokio::test]
async fn two_people_of_one_name_are_two_and_the_same_table_again_changes_nothing() {
    use crate::import::{people, table::TableFile};
    let school = School::new();
    let actor = Actor { user: Uuid::nil(), role: Role::Admin };
    let reader = Reader { actor, today: TODAY };
    let rows = || {
        let text = b"first_name,last_name,student_id\nAli,Rezaei,\nAli,Rezaei,\nZoe,Q,7\n,,9\n";
        people::rows(&TableFile::read(text, true, 9).unwrap())
    };
    let bring = |rows| {
        school.db.write(move |tx| {
            let class = match class::by_code(tx, "M")? {
                Some(class) => class,
                None => class::add(tx, "M", "M", None, "t", NOW)?,
            };
            people::bring(tx, reader, Some(class), rows, "t", NOW)
        })
    };
    let first = bring(rows()).await.unwrap();
    assert_eq!((first.created.len(), first.skipped.len()), (3, 1));
    let again = bring(rows()).await.unwrap();
    assert_eq!((again.created.len(), again.entered.len(), again.skipped.len()), (0, 0, 4));
    assert_eq!(school.count("select count(*) from roster").await, 3);
}
