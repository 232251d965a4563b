//! Table `student`: people who are seen, students and staff alike.

use super::{Param, Read, Row, Tx, Value, audit, change, params, parsed};
use crate::reader::{Reader, visible_student};
use rules::error::Error;
use rules::person::PersonDetails;
use serde_json::json;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;
use uuid::Uuid;
use wire::{StudentId, Wall};

/// A person.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Student {
    /// Own id.
    pub id: StudentId,
    /// What people may change.
    pub profile: StudentProfile,
    /// May be recognised and listed.
    pub is_active: bool,
    /// Has an active template.
    pub face_enrolled: bool,
    /// A teacher said that the face is theirs.
    pub verified: bool,
    /// The newest entry of the consent ledger; nothing before the first.
    pub consent: Option<bool>,
    /// Counts changes.
    pub version: i64,
    /// When the person was added.
    pub created_at: Wall,
    /// When somebody changed something last.
    pub updated_at: Wall,
}

/// What people may change about a person.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct StudentProfile {
    /// Unique in the school (staff: the personnel code).
    pub student_number: String,
    /// Given name.
    pub first_name: String,
    /// Family name.
    pub last_name: String,
    /// A member of staff, not a student.
    pub is_staff: bool,
    /// Everything else.
    pub details: PersonDetails,
}

/// Which people to list.
#[derive(Clone, Debug, Default)]
pub struct StudentFilter {
    /// Only these: active or not.
    pub is_active: Option<bool>,
    /// Only staff, or only students.
    pub is_staff: Option<bool>,
    /// Only of this department.
    pub department: Option<String>,
    /// Only whom this reader may see; everybody for the hub's own use.
    pub reader: Option<Reader>,
    /// Only those whose name or number holds each of these words.
    pub search: Option<String>,
    /// Only those on the roster of this class.
    pub class: Option<Uuid>,
    /// Only those with an active template, or only the others.
    pub enrolled: Option<bool>,
    /// Only those whose newest word on consent is yes, or only the others.
    pub agrees: Option<bool>,
}

/// What is read of a person, each column by its name.
static COLUMNS: LazyLock<String> = LazyLock::new(|| {
    let details = PersonDetails::NAMES.map(|name| format!("s.{name}")).join(", ");
    format!(
        "s.id, s.student_number, s.first_name, s.last_name, s.kind, s.is_active, {details},
         {ENROLLED} as enrolled,
         (select c.given from consent c where c.student = s.id order by c.n desc limit 1)
             as consent,
         exists (select 1 from roster r where r.student = s.id and r.verified = 1) as verified,
         s.version, s.created_at, s.updated_at"
    )
});
const ENROLLED: &str =
    "exists (select 1 from enrolment e where e.student = s.id and e.is_active = 1)";
const AGREES: &str =
    "coalesce((select c.given from consent c where c.student = s.id order by c.n desc limit 1), 0)";
/// Words of a search that count.
const WORDS: usize = 5;

impl StudentProfile {
    /// Given name, then family name.
    #[must_use]
    pub fn full_name(&self) -> String {
        format!("{} {}", self.first_name, self.last_name).trim().to_owned()
    }

    /// Trimmed, and refused where it cannot be.
    ///
    /// # Errors
    /// `Invalid` naming the field.
    pub fn checked(self) -> Result<Self, Error> {
        let trim = |text: String| text.trim().to_owned();
        let profile = Self {
            student_number: trim(self.student_number),
            first_name: trim(self.first_name),
            last_name: trim(self.last_name),
            is_staff: self.is_staff,
            details: self.details.trimmed(),
        };
        let invalid = |what: &str| Err(Error::Invalid(what.into()));
        match &profile {
            p if p.student_number.is_empty() => invalid("student_number: every person needs one"),
            p if p.student_number.len() > 64 => invalid("student_number: use at most 64 bytes"),
            p if p.full_name().is_empty() => invalid("first_name, last_name: give at least one"),
            p if p.full_name().len() > 200 => invalid("the name is longer than 200 bytes"),
            p if p.details.email.as_ref().is_some_and(|email| !email.contains('@')) => {
                invalid("email: this is no e-mail address")
            }
            _ => Ok(profile),
        }
    }
}

/// The person with this own id.
pub fn get(tx: &Tx<'_>, id: StudentId) -> Result<Option<Student>, Error> {
    let sql = format!("select {} from student s where s.id = $1 and s.erased_at is null", *COLUMNS);
    tx.row(&sql, params![id.to_string()], read)
}

/// The person that `name` names: an own id, or else a student number. The id comes first: a number
/// may be any text, somebody else's id too.
///
/// # Errors
/// `NotFound` when there is none.
pub fn find(tx: &Tx<'_>, name: &str) -> Result<Student, Error> {
    let name = name.trim();
    let own = name.parse().ok().map(|id| get(tx, id)).transpose()?.flatten();
    let numbered = || {
        let sql = format!(
            "select {} from student s
             where s.student_number = $1 and s.erased_at is null",
            *COLUMNS
        );
        tx.row(&sql, params![name], read)
    };
    own.map_or_else(numbered, |student| Ok(Some(student)))?
        .ok_or_else(|| Error::unknown("student", name))
}

/// Who has this number.
pub fn by_number(tx: &Tx<'_>, number: &str) -> Result<Option<StudentId>, Error> {
    let sql = "select id from student where student_number = $1";
    tx.row(sql, params![number.trim()], |row| parsed(row, 0))
}

/// How many people have each (given, family) name: on the roster of `class`, or at the school.
pub fn namesakes(
    tx: &Tx<'_>,
    class: Option<Uuid>,
) -> Result<HashMap<(String, String), usize>, Error> {
    let of = match class {
        Some(_) => "join roster r on r.student = s.id where r.class = $1",
        None => "where cast($1 as text) is null",
    };
    let sql = format!("select s.first_name, s.last_name from student s {of}");
    let class = class.map(|id| id.to_string());
    let names = tx.query(&sql, params![class], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut counts = HashMap::new();
    names.into_iter().for_each(|name| *counts.entry(name).or_default() += 1);
    Ok(counts)
}

/// The same, if the reader may see them.
///
/// # Errors
/// `NotFound`, for a foreign one too.
pub fn find_for(tx: &Tx<'_>, reader: Reader, name: &str) -> Result<Student, Error> {
    let found = find(tx, name)?;
    let seen = crate::reader::visible_to(tx, reader, found.id)?;
    if seen { Ok(found) } else { Err(Error::unknown("student", name)) }
}

/// People by family name, given name and id, those after `after`.
///
/// # Errors
/// `Field` once whoever it follows is erased.
pub fn list(
    tx: &Tx<'_>,
    filter: &StudentFilter,
    after: Option<StudentId>,
    limit: u32,
) -> Result<Vec<Student>, Error> {
    let mut wanted = StudentWanted::of(filter);
    if let Some(after) = after {
        get(tx, after)?.ok_or_else(Error::cut_off)?;
        let after = wanted.bind(after.to_string());
        wanted.conditions.push(format!(
            "(s.last_name, s.first_name, s.id) >
               (select a.last_name, a.first_name, a.id from student a where a.id = {after})"
        ));
    }
    let limit = wanted.bind(i64::from(limit));
    let sql = format!(
        "select {} from student s where s.erased_at is null and {}
         order by s.last_name, s.first_name, s.id limit {limit}",
        *COLUMNS,
        wanted.conditions.join(" and ")
    );
    tx.query(&sql, wanted.values, read)
}

/// The conditions of a list, those that are there and no others.
#[derive(Default)]
struct StudentWanted {
    conditions: Vec<String>,
    values: Vec<Value>,
}

impl StudentWanted {
    fn of(filter: &StudentFilter) -> Self {
        let everybody = || ("admin", String::new(), String::new());
        let (role, user, today) = filter.reader.map_or_else(everybody, Reader::keys);
        let mut wanted = Self { conditions: vec![visible_student("s.id")], ..Self::default() };
        for key in [role.to_owned(), user, today] {
            wanted.bind(key);
        }
        let flags = [
            ("s.is_active", filter.is_active),
            (ENROLLED, filter.enrolled),
            (AGREES, filter.agrees),
        ];
        for (what, flag) in flags {
            wanted.equal(what, flag.map(i64::from));
        }
        wanted.equal("s.kind", filter.is_staff.map(|staff| kind(staff).to_owned()));
        wanted.equal("s.department", filter.department.clone());
        if let Some(class) = filter.class {
            let class = wanted.bind(class.to_string());
            let on = "exists (select 1 from roster o where o.student = s.id and o.class =";
            wanted.conditions.push(format!("{on} {class})"));
        }
        for word in filter.search.iter().flat_map(|text| text.split_whitespace()).take(WORDS) {
            wanted.holding(word);
        }
        wanted
    }

    fn bind(&mut self, value: impl Into<Value>) -> String {
        self.values.push(value.into());
        format!("${}", self.values.len())
    }

    fn equal(&mut self, what: &str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            let value = self.bind(value);
            self.conditions.push(format!("{what} = {value}"));
        }
    }

    /// Name or number holds `word`, however it is spelt.
    fn holding(&mut self, word: &str) {
        let like = |spelling: String| {
            let spelling = self.bind(spelling);
            format!(
                "lower(s.last_name || ' ' || s.first_name || ' ' || s.student_number) like {spelling} escape '!'"
            )
        };
        let ways: Vec<_> = spellings(word).into_iter().map(like).collect();
        self.conditions.push(format!("({})", ways.join(" or ")));
    }
}

/// Patterns that find `word` in small, capital and mixed letters. The database makes small letters
/// of A to Z only, so those of other alphabets are asked for in each case.
fn spellings(word: &str) -> Vec<String> {
    let small = word.to_lowercase();
    let mut letters = small.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    let mut ways = vec![small.clone(), first + letters.as_str(), word.to_uppercase()];
    for way in &mut ways {
        way.make_ascii_lowercase();
        *way = format!("%{}%", way.replace('!', "!!").replace('%', "!%").replace('_', "!_"));
    }
    ways.sort();
    ways.dedup();
    ways
}

/// How many people there are, of each kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct StudentCounts {
    /// Active.
    pub active: i64,
    /// Active, enrolled, and agreed: whom the doors know.
    pub known: i64,
    /// Active, without a template.
    pub not_enrolled: i64,
    /// Active, without consent.
    pub no_consent: i64,
    /// Not active.
    pub inactive: i64,
}

/// Counts everybody.
pub fn counts(tx: &Tx<'_>) -> Result<StudentCounts, Error> {
    let sql = format!(
        "select count(*) filter (where s.is_active = 1),
             count(*) filter (where s.is_active = 1 and {ENROLLED} and {AGREES} = 1),
             count(*) filter (where s.is_active = 1 and not {ENROLLED}),
             count(*) filter (where s.is_active = 1 and {AGREES} = 0),
             count(*) filter (where s.is_active = 0)
         from student s where s.erased_at is null"
    );
    let read = |row: &Row<'_>| {
        let active = row.get(0)?;
        let known = row.get(1)?;
        let not_enrolled = row.get(2)?;
        let no_consent = row.get(3)?;
        let inactive = row.get(4)?;
        Ok(StudentCounts { active, known, not_enrolled, no_consent, inactive })
    };
    Ok(tx.row(&sql, [], read)?.unwrap_or_default())
}

/// Adds a person.
///
/// # Errors
/// `Invalid` when the profile cannot be, `Conflict` when the number is taken.
pub fn add(
    tx: &Tx<'_>,
    profile: StudentProfile,
    actor: &str,
    now: Wall,
) -> Result<StudentId, Error> {
    let id = StudentId::new(now);
    let p = profile.checked()?;
    refuse_taken(tx, &p.student_number, id)?;
    let details = details_from(7);
    let sql = format!(
        "insert into student (id, student_number, first_name, last_name, kind, created_at,
             updated_at, is_active, version, {})
         values ($1, $2, $3, $4, $5, $6, $6, 1, 1, {})",
        PersonDetails::NAMES.join(", "),
        details.map(|(_, place)| place).join(", ")
    );
    let id_text = id.to_string();
    let kind = kind(p.is_staff);
    let values: [&dyn Param; 6] =
        [&id_text, &p.student_number, &p.first_name, &p.last_name, &kind, &now.0];
    let said = p.details.values();
    tx.execute(&sql, values.into_iter().chain(said.iter().map(as_sql)).collect::<Vec<_>>())?;
    noted(tx, now, actor, "add", id)?;
    Ok(id)
}

/// Replaces a person's profile.
///
/// # Errors
/// `NotFound`; `Conflict` when the number is taken or the person is not at `version` any more.
pub fn change(
    tx: &Tx<'_>,
    id: StudentId,
    profile: StudentProfile,
    version: Option<i64>,
    actor: &str,
    now: Wall,
) -> Result<(), Error> {
    let p = profile.checked()?;
    refuse_taken(tx, &p.student_number, id)?;
    let details = details_from(8).map(|(name, place)| format!("{name} = {place}")).join(", ");
    let sql = format!(
        "update student set student_number = $3, first_name = $4, last_name = $5, kind = $6,
             updated_at = $7, version = version + 1, {details}
         where id = $1 and (version = $2 or $2 is null)"
    );
    let id_text = id.to_string();
    let kind = kind(p.is_staff);
    let values: [&dyn Param; 7] =
        [&id_text, &version, &p.student_number, &p.first_name, &p.last_name, &kind, &now.0];
    let said = p.details.values();
    let values = values.into_iter().chain(said.iter().map(as_sql)).collect::<Vec<_>>();
    changed(tx, id, tx.execute(&sql, values)?)?;
    noted(tx, now, actor, "change", id)
}

/// Lets a person be recognised, or not.
///
/// # Errors
/// `NotFound`.
pub fn set_active(
    tx: &Tx<'_>,
    id: StudentId,
    active: bool,
    actor: &str,
    now: Wall,
) -> Result<(), Error> {
    let sql = "update student set is_active = $2, updated_at = $3, version = version + 1
         where id = $1";
    changed(tx, id, tx.execute(sql, params![id.to_string(), active, now.0])?)?;
    change::bump(tx, change::GALLERY)?;
    noted(tx, now, actor, if active { "activate" } else { "deactivate" }, id)
}

/// Takes the name of an erased person away; if marks count with the row it stays with its id
/// alone (`row_kept`), else it goes.
///
/// # Errors
/// `NotFound`.
pub fn erase(tx: &Tx<'_>, id: StudentId, row_kept: bool, now: Wall) -> Result<(), Error> {
    let details = PersonDetails::NAMES.map(|name| format!("{name} = null")).join(", ");
    let sql = format!(
        "update student set student_number = 'erased-' || id, first_name = '',
             last_name = 'Erased', {details}, is_active = 0, erased_at = $2, updated_at = $2,
             version = version + 1
         where id = $1 and erased_at is null"
    );
    let key = id.to_string();
    changed(tx, id, tx.execute(&sql, params![key, now.0])?)?;
    if !row_kept {
        tx.execute("delete from student where id = $1", params![key])?;
    }
    change::bump(tx, change::GALLERY)
}

/// Everybody's own ids.
pub fn ids(tx: &Tx<'_>) -> Result<HashSet<StudentId>, Error> {
    let ids = tx.query("select id from student", [], |row| parsed(row, 0))?;
    Ok(ids.into_iter().collect())
}

fn refuse_taken(tx: &Tx<'_>, number: &str, by: StudentId) -> Result<(), Error> {
    let sql = "select 1 from student where student_number = $1 and id <> $2";
    match tx.row(sql, params![number, by.to_string()], |_| Ok(()))? {
        None => Ok(()),
        Some(()) => Err(Error::Conflict(format!("the student number “{number}” is taken"))),
    }
}

fn changed(tx: &Tx<'_>, id: StudentId, rows: usize) -> Result<(), Error> {
    if rows > 0 {
        return Ok(());
    }
    get(tx, id)?.ok_or_else(|| Error::unknown("student", id))?;
    Err(Error::Conflict("this person was changed meanwhile: look again".into()))
}

fn noted(tx: &Tx<'_>, now: Wall, actor: &str, action: &str, id: StudentId) -> Result<(), Error> {
    let id = id.to_string();
    let meta = json!({});
    audit::add(tx, now, &audit::AuditEntry { actor, action, table: "student", id: &id, meta })
}

fn kind(is_staff: bool) -> &'static str {
    if is_staff { "staff" } else { "student" }
}

/// Name and place of each detail in a statement whose own values end before `first`.
fn details_from(first: usize) -> [(&'static str, String); PersonDetails::NAMES.len()] {
    let mut place = first..;
    PersonDetails::NAMES.map(|name| (name, format!("${}", place.next().unwrap_or_default())))
}

fn as_sql<'a>(text: &'a Option<&str>) -> &'a dyn Param {
    text
}

fn read(row: &Row<'_>) -> Read<Student> {
    let profile = StudentProfile {
        student_number: row.get("student_number")?,
        first_name: row.get("first_name")?,
        last_name: row.get("last_name")?,
        is_staff: row.get::<String>("kind")? == "staff",
        details: PersonDetails::try_of(|name| row.get(name))?,
    };
    let face_enrolled = row.get("enrolled")?;
    Ok(Student {
        id: parsed(row, 0)?,
        profile,
        is_active: row.get("is_active")?,
        face_enrolled,
        verified: face_enrolled && row.get("verified")?,
        consent: row.get("consent")?,
        version: row.get("version")?,
        created_at: Wall(row.get("created_at")?),
        updated_at: Wall(row.get("updated_at")?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Db;

    const NOW: Wall = Wall(1_790_000_000_000);

    fn profile(number: &str, last: &str) -> StudentProfile {
        let (student_number, last_name) = (number.to_owned(), last.to_owned());
        StudentProfile { student_number, last_name, ..StudentProfile::default() }
    }

    fn temp() -> (tempfile::TempDir, Db) {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open(dir.path().join("hub.db")).unwrap();
        (dir, db)
    }

    #[tokio::test]
    async fn a_person_is_found_by_number_and_by_id() {
        let (_dir, db) = temp();
        let id = db.write(|tx| add(tx, profile(" 17 ", "Lovelace"), "t", NOW)).await.unwrap();
        for name in ["17".to_owned(), id.to_string()] {
            assert_eq!(db.read(move |tx| find(tx, &name)).await.unwrap().id, id);
        }
        assert!(matches!(db.read(|tx| find(tx, "18")).await, Err(Error::NotFound(_))));
    }

    #[tokio::test]
    async fn a_number_belongs_to_one_person() {
        let (_dir, db) = temp();
        let add =
            |number: &'static str| db.write(move |tx| add(tx, profile(number, "X"), "t", NOW));
        let first = add("1").await.unwrap();
        assert!(matches!(add("1").await, Err(Error::Conflict(_))));
        add("2").await.unwrap();
        let to = |number: &'static str, version| {
            db.write(move |tx| change(tx, first, profile(number, "Y"), version, "t", NOW))
        };
        assert!(matches!(to("2", None).await, Err(Error::Conflict(_))));
        to("1", Some(1)).await.unwrap();
        assert!(matches!(to("3", Some(1)).await, Err(Error::Conflict(_))), "changed meanwhile");
    }

    #[tokio::test]
    async fn an_erased_row_holds_no_text_that_was_written_of_the_person() {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::in_file(&dir.path().join("hub.db")).unwrap();
        let look = |tx: &Tx<'_>| {
            let id = add(tx, profile("1", "X"), "t", NOW)?;
            let texts = "select name from pragma_table_info('student')
                 where lower(type) = 'text' and name not in ('id', 'kind')";
            let columns = tx.query(texts, [], |row| row.get::<String>(0))?;
            let fill: Vec<_> = columns.iter().map(|name| format!("{name} = 'secret'")).collect();
            tx.execute(&format!("update student set {}", fill.join(", ")), [])?;
            erase(tx, id, true, NOW)?;
            let left = |name: &String| {
                let sql = format!("select 1 from student where {name} = 'secret'");
                Ok((name.clone(), tx.row(&sql, [], |_| Ok(()))?.is_some()))
            };
            columns.iter().map(left).collect::<Result<Vec<_>, Error>>()
        };
        let left = db.write(look).await.unwrap();
        assert!(left.len() > PersonDetails::NAMES.len(), "every column was looked at");
        assert!(left.iter().all(|(_, kept)| !kept), "{left:?}");
    }

    #[tokio::test]
    async fn pages_join_without_a_gap_even_for_people_of_one_name() {
        let (_dir, db) = temp();
        let fill = |tx: &Tx<'_>| {
            let names = ["B", "A", "B", "C", "B"].into_iter().zip(1..);
            names.map(|(name, n)| add(tx, profile(&n.to_string(), name), "t", NOW)).collect()
        };
        let all: Vec<_> = db.write(fill).await.unwrap();
        let (mut after, mut seen) = (None, Vec::new());
        while let Some(last) = {
            let page =
                db.read(move |tx| list(tx, &StudentFilter::default(), after, 2)).await.unwrap();
            seen.extend(page.iter().map(|person| person.id));
            page.last().map(|person| person.id)
        } {
            after = Some(last);
        }
        assert_eq!((seen[0], seen[4], seen.len()), (all[1], all[3], 5));
    }

    async fn numbers(db: &Db, filter: StudentFilter) -> Vec<String> {
        let found = db.read(move |tx| list(tx, &filter, None, 9)).await.unwrap();
        found.into_iter().map(|person| person.profile.student_number).collect()
    }

    #[tokio::test]
    async fn people_are_found_by_parts_of_name_and_number_in_any_case() {
        let (_dir, db) = temp();
        let fill = |tx: &Tx<'_>| {
            for (number, first, last) in
                [("A-17", "Ömer", "Şahin"), ("B_2", "ada", "LOVELACE"), ("B12", "علی", "رضایی")]
            {
                let first_name = first.to_owned();
                add(tx, StudentProfile { first_name, ..profile(number, last) }, "t", NOW)?;
            }
            Ok(())
        };
        db.write(fill).await.unwrap();
        let found = |search: &str| {
            numbers(
                &db,
                StudentFilter { search: Some(search.to_owned()), ..StudentFilter::default() },
            )
        };
        for (search, wanted) in [
            ("ömer", vec!["A-17"]),
            ("şahin 17", vec!["A-17"]),
            ("Love ada", vec!["B_2"]),
            ("علی", vec!["B12"]),
            ("b_", vec!["B_2"]),
            ("%", vec![]),
        ] {
            assert_eq!(found(search).await, wanted, "{search}");
        }
        assert_eq!(found("").await.len(), 3);
    }

    #[tokio::test]
    async fn people_are_listed_and_counted_by_what_is_missing() {
        let (_dir, db) = temp();
        let fill = |tx: &Tx<'_>| {
            let agreed = add(tx, profile("1", "A"), "t", NOW)?;
            super::super::consent::add(
                tx,
                agreed,
                &super::super::consent::ConsentSaid::yes("x"),
                "t",
                NOW,
            )?;
            let left = add(tx, profile("2", "B"), "t", NOW)?;
            set_active(tx, left, false, "t", NOW)?;
            add(tx, profile("3", "C"), "t", NOW)
        };
        db.write(fill).await.unwrap();
        let wanted =
            StudentCounts { active: 2, known: 0, not_enrolled: 2, no_consent: 1, inactive: 1 };
        assert_eq!(db.read(counts).await.unwrap(), wanted);
        let active = || StudentFilter { is_active: Some(true), ..StudentFilter::default() };
        assert_eq!(numbers(&db, StudentFilter { agrees: Some(false), ..active() }).await, ["3"]);
        assert_eq!(
            numbers(&db, StudentFilter { enrolled: Some(false), ..active() }).await,
            ["1", "3"]
        );
        assert!(
            numbers(&db, StudentFilter { class: Some(Uuid::nil()), ..active() }).await.is_empty()
        );
    }

    #[test]
    fn a_profile_that_cannot_be_is_refused_by_field() {
        let no_address = PersonDetails { email: Some("x".into()), ..PersonDetails::default() };
        for (profile, field) in [
            (profile(" ", "X"), "student_number"),
            (profile("1", " "), "last_name"),
            (StudentProfile { details: no_address, ..profile("1", "X") }, "email"),
        ] {
            let refused = profile.checked().unwrap_err().to_string();
            assert!(refused.contains(field), "{refused}");
        }
    }
}
