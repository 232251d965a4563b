//! The hub's commands as an admin types them: the real program on a data directory of its own.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use house::school::School;
use house::{models, portraits, process};
use insta::assert_snapshot;
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};
use tempfile::TempDir;
use wire::record::{CameraState, Health};
use wire::{Body, ClockState, Item, Mono, Stamp};

/// A school in a folder; `@` before a name is that folder, in what is typed and in what is said.
struct Desk {
    dir: TempDir,
    school: School,
    models: PathBuf,
}

impl Desk {
    fn new() -> Self {
        let _another_is_in_use = rustls::crypto::ring::default_provider().install_default();
        let dir = tempfile::tempdir().unwrap();
        let school = School::found(dir.path()).unwrap();
        Self { dir, school, models: models() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn file(&self, name: &str, text: &str) {
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        fs::write(self.path(name), text).unwrap();
    }

    fn command(&self, typed: &str) -> Command {
        let here = format!("{}/", self.dir.path().display());
        let typed = format!(" {typed}").replace(" @", &format!(" {here}"));
        let words: Vec<_> = typed.split_whitespace().collect();
        let mut command = self.school.hub_command(&words);
        command.env("ROLLCALL_MODELS", &self.models);
        command
    }

    /// What a command prints.
    fn says(&self, typed: &str) -> String {
        let said = process::run(&mut self.command(typed)).unwrap();
        self.steady(&said)
    }

    /// What a command says that ends with exit code 1.
    fn refuses(&self, typed: &str) -> String {
        let output = self.command(typed).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{typed}: {said}");
        self.steady(&said)
    }

    /// The same text each time: without the folder's name, and without numbers of many digits.
    fn steady(&self, said: &str) -> String {
        let here = format!("{}/", self.dir.path().display());
        let (said, mut steady) = (said.replace(&here, "@"), String::new());
        for word in said.split_inclusive(|c: char| !c.is_ascii_alphanumeric()) {
            let long = word.chars().filter(char::is_ascii_digit).count() > 4;
            let end = word.trim_start_matches(|c: char| c.is_ascii_alphanumeric());
            if long { steady.extend(["#", end]) } else { steady.push_str(word) }
        }
        steady
    }
}

#[test]
fn accounts_are_made_changed_and_closed() {
    let desk = Desk::new();
    let made = desk.says("user add bob@home.test --role teacher --name Bob --teacher-id T-1");
    assert!(made.starts_with("bob@home.test may sign in as teacher.\n"), "{made}");
    assert!(made.contains("The password, printed only now: "), "{made}");
    assert_snapshot!(desk.says("user role T-1 admin"), @"bob@home.test may sign in as admin.");
    assert_snapshot!(desk.says("user list"), @"
    admin@school.test	admin	active	-	admin
    bob@home.test	admin	active	-	Bob
    ");
    assert_snapshot!(desk.says("user disable bob@home.test"), @"bob@home.test may not sign in any more.");
    assert_snapshot!(desk.says("user unlock bob@home.test --second-factor"), @"
    There was no second factor.
    bob@home.test may sign in as admin.
    A wait after wrong passwords ends by itself, after a minute at most.
    ");
    let refused = desk.refuses("user role nobody@home.test admin");
    assert_snapshot!(refused, @"rollcall-hub: there is no account “nobody@home.test”");
    let refused = desk.refuses("user add bob@home.test --role admin");
    assert_snapshot!(refused, @"rollcall-hub: there is an account for this address already");
}

#[test]
fn nothing_empty_takes_the_place_of_what_is_lost() {
    let desk = Desk::new();
    fs::rename(desk.path("hub/hub.db"), desk.path("hub.db")).unwrap();
    for typed in ["device list", "serve", "migrate", "backup @backup --keys @keys"] {
        let said = desk.refuses(typed);
        assert!(said.starts_with("rollcall-hub: @hub/hub.db is missing: "), "{typed}: {said}");
    }
    fs::rename(desk.path("hub.db"), desk.path("hub/hub.db")).unwrap();
    fs::rename(desk.path("hub/keys.db"), desk.path("keys.db")).unwrap();
    for typed in ["serve", "audit verify", "backup @backup --keys @keys"] {
        let said = desk.refuses(typed);
        assert!(said.contains("keys.db"), "{typed}: {said}");
    }
    assert!(!desk.path("hub/keys.db").exists());
}

const USERS: &str = "sourcedId,status,dateLastModified,enabledUser,username,givenName,familyName,identifier,email,grades
u1,active,,true,ali,Ali,Rezaei,STU1,,09
u2,active,,true,zoe,Zoe,Quist,STU2,,09
u3,active,,true,tea,Tea,Cher,,tea@home.test,
u4,active,,true,nomail,No,Mail,,,
";
const ROLES: &str = "sourcedId,userSourcedId,roleType,role,orgSourcedId
r1,u1,primary,student,o1
r2,u2,primary,student,o1
r3,u3,primary,teacher,o1
r4,u4,primary,teacher,o1
";
const CLASSES: &str = "sourcedId,status,title,classCode,classType,location,termSourcedIds
c1,active,Maths,MATH101,scheduled,204,t1
";
const ENROLLMENTS: &str =
    "sourcedId,status,classSourcedId,schoolSourcedId,userSourcedId,role,beginDate,endDate
e1,active,c1,o1,u1,student,,
e2,active,c1,o1,u2,student,,
e3,active,c1,o1,u3,teacher,,
";
const TERMS: &str = "sourcedId,status,title,type,startDate,endDate
t1,active,Autumn,term,2026-09-01,2036-12-20
";

/// A school with a class of two, taken over from a folder of OneRoster files.
fn taken_over(desk: &Desk) -> String {
    let files = [
        ("users", USERS),
        ("roles", ROLES),
        ("classes", CLASSES),
        ("enrollments", ENROLLMENTS),
        ("academicSessions", TERMS),
    ];
    files.iter().for_each(|(name, text)| desk.file(&format!("roster/{name}.csv"), text));
    desk.says("import oneroster @roster")
}

#[test]
fn a_school_is_taken_over_and_taken_away_again() {
    let desk = Desk::new();
    assert_snapshot!(taken_over(&desk), @"
    teachers u4: an account needs an e-mail address
    classes: 1 new, 0 changed, 0 as they were.
    rosters: 2 new, 0 changed, 0 as they were.
    students: 2 new, 0 changed, 0 as they were.
    teachers: 1 new, 0 changed, 0 as they were.
    teaches: 1 new, 0 changed, 0 as they were.
    ");
    let again = taken_over(&desk);
    assert!(again.contains("students: 0 new, 0 changed, 2 as they were."), "{again}");

    let people = "first_name,last_name,student_id\nAda,King,STU3\nZoe,Quist,STU2\n,,\n";
    desk.file("people.csv", people);
    assert_snapshot!(desk.says("import students @people.csv --class MATH101"), @"
    line 3: already there
    1 people were added, 0 entered, 1 rows changed nothing.
    ");
    let refused = desk.refuses("import students @people.csv --class NONE");
    assert_snapshot!(refused, @"rollcall-hub: there is no class “NONE”");
    let refused = desk.refuses("import students @nothing.csv");
    assert_snapshot!(refused, @"rollcall-hub: @nothing.csv cannot be read: No such file or directory (os error 2)");

    let week = "class_code,weekday,starts,ends,room,from_day,to_day\n\
                MATH101,1,08:00,08:45,204,2026-09-01,\nNONE,2,08:00,08:45,,,\n";
    desk.file("week.csv", week);
    assert_snapshot!(desk.says("import timetable @week.csv"), @"
    line 3 was left out: there is no class “NONE”
    1 weekly lessons, 0 single lessons and 0 holidays were taken over; 0 were there already; 1 were left out.
    ");
    let table = desk.says("export students");
    let mut lines: Vec<_> = table.trim_start_matches('\u{feff}').lines().collect();
    lines[1..].sort_unstable();
    assert_snapshot!(lines.join("\n"), @"
    student_number,first_name,last_name,email,phone,department,position,year,is_staff,is_active,face_enrolled,consent
    STU1,Ali,Rezaei,,,,,09,false,true,false,
    STU2,Zoe,Quist,,,,,09,false,true,false,
    STU3,Ada,King,,,,,,false,true,false,
    ");
    let said = desk.says("export students --format xlsx --out @people.xlsx");
    assert_snapshot!(said, @"3 rows are in @people.xlsx.");
    assert_snapshot!(desk.says("import students @people.xlsx"), @"
    line 2: already there
    line 3: already there
    line 4: already there
    0 people were added, 0 entered, 3 rows changed nothing.
    ");
    let refused = desk.refuses("export students --out @people.xlsx");
    assert_snapshot!(refused, @"rollcall-hub: @people.xlsx is there: nothing is overwritten");
}

#[test]
fn attendance_is_taken_away_as_a_table() {
    let desk = Desk::new();
    taken_over(&desk);
    let hub = desk.school.open().unwrap();
    attended(&desk.school);
    hub.stop().unwrap();
    let table = desk.says("export attendance --class MATH101 --from 2030-03-04 --to 2030-03-04");
    let rows: Vec<_> = table.lines().collect();
    assert_eq!(rows.len(), 2, "{table}");
    assert!(rows[1].starts_with("2030-03-04,2030-03-04T10:00:00Z,MATH101,Maths,"), "{table}");
    assert!(rows[1].contains("STU1,Rezaei,Ali,late,manual"), "{table}");
    assert_eq!(desk.says("export attendance --to 2030-03-03").lines().count(), 1);
    let refused = desk.refuses("export attendance --class NONE");
    assert_snapshot!(refused, @"rollcall-hub: there is no class “NONE”");
}

/// One lesson in which one was late.
fn attended(school: &School) {
    let api = school.admin().unwrap();
    let lesson = json!({ "class_id": "MATH101", "date": "2030-03-04", "start_time": "10:00",
        "end_time": "10:45" });
    let lesson = api.post("/api/sessions", &lesson).unwrap();
    let marks = format!("/api/sessions/{}/marks", lesson["id"].as_str().unwrap());
    api.post(&marks, &json!({ "student_id": "STU1", "status": "late" })).unwrap();
}

#[test]
fn what_is_over_is_shown_counted_and_taken() {
    let desk = Desk::new();
    assert_snapshot!(desk.says("retention show"), @"
    crops              1 day
    pending          30 days
    logged           30 days
    decided             kept
    health           90 days
    dead_letters     30 days
    leavers         365 days
    undo_steps        7 days
    sign_ins         30 days
    mail             30 days
    copies           30 days
    ");
    let copy = fs::File::create(desk.path("hub/hub.db.before-v2")).unwrap();
    #[expect(clippy::disallowed_methods, reason = "the file's age is the system's")]
    copy.set_modified(SystemTime::now() - Duration::from_hours(31 * 24)).unwrap();
    let counted = desk.says("retention run --dry-run");
    assert!(counted.ends_with("These rows would go; nothing was touched.\n"), "{counted}");
    assert!(desk.path("hub/hub.db.before-v2").exists(), "nothing was touched");
    assert_snapshot!(desk.says("retention run"), @"
    crops                  0
    pending                0
    logged                 0
    health                 0
    dead_letters           0
    leavers                0
    undo_steps             0
    sign_ins               0
    mail                   0
    copies                 1
    These rows are gone.
    ");
    assert!(!desk.path("hub/hub.db.before-v2").exists());
}

#[test]
fn whoever_could_not_be_erased_is_named_and_not_said_to_be_gone() {
    let desk = Desk::new();
    desk.says("student add S-1 First Person");
    let db = rusqlite::Connection::open(desk.path("hub/hub.db")).unwrap();
    db.execute_batch(
        "update student set is_active = 0, updated_at = 0;
         create trigger poison before update of erased_at on student
         begin select raise(abort, 'poisoned'); end",
    )
    .unwrap();
    let id: String = db.query_row("select id from student", [], |row| row.get(0)).unwrap();
    drop(db);
    let output = desk.command("retention run").output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains(&format!("left: leaver {id}: ")), "{said}");
    let why = desk.refuses("retention run");
    assert!(why.contains("1 could not be erased and is still here"), "{why}");
}

#[test]
fn a_key_of_backups_that_cannot_be_kept_locks_nothing() {
    let desk = Desk::new();
    desk.file("there.key", "an older key");
    let public = || fs::read(desk.path("hub/backup.pub")).unwrap();
    let before = public();
    let why = desk.refuses("keys rotate backup --identity @there.key");
    assert!(why.contains("writing @there.key"), "{why}");
    assert_eq!(public(), before, "copies open with the key of before");
    desk.says("keys rotate backup --identity @new.key");
    assert_ne!(public(), before);
    let mut another = Command::new(house::bin("rollcall-hub"));
    another.arg("--data").arg(desk.path("another")).args(["init", "--backup-identity"]);
    let why = another.arg(desk.path("new.key")).output().unwrap().stderr;
    let why = String::from_utf8(why).unwrap();
    assert!(why.contains("new.key is there") && !desk.path("another/ca.pem").exists(), "{why}");
}

/// A record that was set aside: a report of the door, whole, or one whose hash is wrong.
fn letter(desk: &Desk, seq: u64, hash: Option<[u8; 16]>) {
    let at = Stamp { boot: 1, mono: Mono(9_000), wall: None, clock: ClockState::Unset };
    let camera = CameraState::Watching;
    let health = Health { since: Mono(1_000), watched_ms: 8_000, camera, disk_free_mb: 9 };
    let body = Body::Health(health).encode();
    let hash = hash.unwrap_or_else(|| Item::digest(seq, &at, &body));
    let item = postcard::to_stdvec(&Item { seq, at, body, hash, crop: None }).unwrap();
    let db = rusqlite::Connection::open(desk.path("hub/hub.db")).unwrap();
    let sql = "insert into dead_letter
             (device, epoch, seq, at, error, detail, software, bytes, item)
         values ('door-1', ?1, ?2, 1790000000000, 'malformed', 'a bug', '0.1.0', x'', ?3)";
    db.execute(sql, rusqlite::params![[1u8; 16], seq.cast_signed(), item]).unwrap();
}

#[test]
fn dead_letters_are_listed_shown_replayed_and_dropped() {
    let desk = Desk::new();
    assert_snapshot!(desk.says("dead-letters list"), @"No record waits for anybody.");
    desk.says("device add door-1");
    letter(&desk, 7, None);
    letter(&desk, 8, Some([0; 16]));
    assert_snapshot!(desk.says("dead-letters list"), @"
         1 2026-09-21T14:13:20Z door-1                   malformed  record 7
         2 2026-09-21T14:13:20Z door-1                   malformed  record 8
    ");
    let shown = desk.says("dead-letters show 1");
    assert!(shown.contains("sent by version 0.1.0\nmalformed: a bug"), "{shown}");
    assert_snapshot!(desk.says("dead-letters replay --all"), @"
    Dead letter 1: its record is stored.
    Dead letter 2 stays: it still cannot be used: the hash is not that of the content
    ");
    let db = rusqlite::Connection::open(desk.path("hub/hub.db")).unwrap();
    let health = |row: &rusqlite::Row<'_>| row.get::<_, i64>(0);
    assert_eq!(db.query_row("select count(*) from health", [], health).unwrap(), 1);
    let again = desk.refuses("dead-letters replay 1");
    assert_snapshot!(again, @"rollcall-hub: dead letter 1 was replayed before");
    desk.says("dead-letters drop 2");
    assert_snapshot!(desk.says("dead-letters list"), @"No record waits for anybody.");
    assert_snapshot!(desk.refuses("dead-letters show 2"), @"rollcall-hub: there is no dead letter “2”");
}

/// The two files of `../shared/models` beside the project.
fn onnx() -> Option<[PathBuf; 2]> {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let folders = ["../shared/models", "../../shared/models"].map(|folder| root.join(folder));
    let names = ["face_detection_yunet_2023mar.onnx", "mobilefacenet_128.onnx"];
    let found = folders.iter().map(|folder| names.map(|name| folder.join(name)));
    found.into_iter().find(|files| files.iter().all(|file| file.is_file()))
}

#[test]
#[expect(clippy::print_stdout, reason = "a test that finds no files says so")]
fn another_pack_is_brought_prepared_and_chosen() {
    let mut desk = Desk::new();
    desk.models = desk.path("models");
    fs::create_dir(&desk.models).unwrap();
    for entry in fs::read_dir(models()).unwrap().flatten().filter(|entry| entry.path().is_file()) {
        fs::copy(entry.path(), desk.models.join(entry.file_name())).unwrap();
    }
    assert!(desk.says("models list").contains(", in use)\n"));
    let refused = desk.refuses("models import @nothing.onnx");
    assert_snapshot!(refused, @"rollcall-hub: reading @nothing.onnx failed: No such file or directory (os error 2)");
    let refused = desk.refuses("models use nothing");
    assert_snapshot!(refused, @"rollcall-hub: there is no pack “nothing” in @models; here are: dlib");
    let Some([detector, embedder]) = onnx() else {
        println!("skipped: the files of ../shared/models are not there");
        return;
    };
    let import = format!("models import {} {}", detector.display(), embedder.display());
    let said = desk.says(&import);
    assert!(said.contains("pack mobilefacenet128-yunet is ready"), "{said}");
    desk.says("student add STU1 Barack Obama");
    let photo = portraits().join("obama.jpg").display().to_string();
    desk.says(&format!("enrol STU1 {photo} --consent-by himself"));
    let refused = desk.refuses("models use mobilefacenet128-yunet");
    assert_snapshot!(refused, @"rollcall-hub: 0 of 1 people (0 %) are enrolled for this pack, 95 % are needed: enrol the others first (rollcall-hub enrol --pack mobilefacenet128-yunet), or say --force");
    desk.says(&format!("enrol STU1 {photo} --pack mobilefacenet128-yunet"));
    assert_snapshot!(desk.says("models use mobilefacenet128-yunet"), @"
    1 of 1 people are enrolled for mobilefacenet128-yunet
    mobilefacenet128-yunet is in use from the next start of the hub on: restart it
    ");
    let list = desk.says("models list");
    let line = list.lines().find(|line| line.starts_with("pack mobilefacenet128-yunet"));
    assert!(line.unwrap().ends_with(", in use)"), "{list}");
}

#[test]
fn what_waits_for_whoever_runs_the_hub_is_said_with_what_to_do() {
    let mut desk = Desk::new();
    desk.models = desk.path("no-models");
    let output = desk.command("doctor").output().unwrap();
    let (said, why) = (String::from_utf8(output.stdout).unwrap(), output.stderr);
    assert!(said.contains("Nobody can be recognised in pictures\n  The model pack"), "{said}");
    assert!(String::from_utf8(why).unwrap().contains("cannot wait"));
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn a_clock_is_believed_or_confirmed() {
    let desk = Desk::new();
    assert!(desk.says("clock show").starts_with("The clock is believed: "));
    assert!(desk.says("clock confirm").starts_with("The clock is believed: "));
    desk.says("audit verify");
}
