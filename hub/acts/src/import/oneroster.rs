//! OneRoster 1.2 CSV: a school's people, classes and enrolments as other programs export them.
//!
//! [`read`] understands the files (`users`, `roles`, `classes`, `enrollments`,
//! `academicSessions`; the roles of version 1.1 stand in `users`). [`take`] makes ours follow:
//! ids of theirs are remembered, so a second run changes nothing. Only what the files name is
//! touched; `tobedeleted` takes off a roster or out of use, and erases nobody.

use super::archive::{self, ArchiveFile};
use jiff::civil::Date;
use rules::auth::Role;
use rules::error::Error;
use rules::person::PersonDetails;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use store::account::{self, NewAccount};
use store::foreign::{self, ForeignKind};
use store::student::{self, StudentProfile};
use store::{Tx, class, teaches};
use uuid::Uuid;
use wire::{StudentId, Wall};

/// Bytes that an archive may unpack to.
const UNPACKED: u64 = 256 * 1024 * 1024;
/// Rows of one file at most.
const ROWS: usize = 500_000;

/// Somebody, as OneRoster says it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct User {
    sourced_id: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    given_name: String,
    #[serde(default)]
    family_name: String,
    #[serde(default)]
    identifier: String,
    #[serde(default)]
    email: String,
    #[serde(default)]
    phone: String,
    #[serde(default)]
    grades: String,
    /// Of version 1.1.
    #[serde(default)]
    role: String,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RoleOf {
    user_sourced_id: String,
    #[serde(default)]
    status: String,
    role: String,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct OneRosterClass {
    sourced_id: String,
    #[serde(default)]
    status: String,
    title: String,
    #[serde(default)]
    class_code: String,
    #[serde(default)]
    location: String,
    #[serde(default)]
    term_sourced_ids: String,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Enrollment {
    #[serde(default)]
    status: String,
    class_sourced_id: String,
    user_sourced_id: String,
    role: String,
    #[serde(default)]
    begin_date: String,
    #[serde(default)]
    end_date: String,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Term {
    sourced_id: String,
    #[serde(default)]
    start_date: String,
    #[serde(default)]
    end_date: String,
}

/// What an export holds.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct OneRosterExport {
    users: Vec<User>,
    roles: HashMap<String, Vec<String>>,
    classes: Vec<OneRosterClass>,
    enrollments: Vec<Enrollment>,
    terms: HashMap<String, Term>,
}

/// Reads an export: a ZIP archive of its files.
///
/// # Errors
/// `Invalid` naming the file and line that cannot be read.
pub fn read_zip(bytes: &[u8]) -> Result<OneRosterExport, Error> {
    let files = archive::files(bytes, UNPACKED).map_err(|why| Error::Invalid(why.to_string()))?;
    read(&files)
}

/// Reads an export from its files, by their names in lower case.
///
/// # Errors
/// As [`read_zip`].
pub fn read(files: &HashMap<String, ArchiveFile>) -> Result<OneRosterExport, Error> {
    let users: Vec<User> = rows(files, "users.csv")?;
    if users.is_empty() {
        return Err(Error::Invalid("this is no OneRoster export: users.csv is missing".into()));
    }
    let mut roles = HashMap::<String, Vec<String>>::new();
    for role in rows::<RoleOf>(files, "roles.csv")? {
        if !gone(&role.status) {
            roles.entry(role.user_sourced_id).or_default().push(role.role);
        }
    }
    let terms: Vec<Term> = rows(files, "academicsessions.csv")?;
    Ok(OneRosterExport {
        users,
        roles,
        classes: rows(files, "classes.csv")?,
        enrollments: rows(files, "enrollments.csv")?,
        terms: terms.into_iter().map(|term| (term.sourced_id.clone(), term)).collect(),
    })
}

fn rows<T: for<'de> Deserialize<'de>>(
    files: &HashMap<String, ArchiveFile>,
    name: &str,
) -> Result<Vec<T>, Error> {
    let Some(file) = files.get(name) else { return Ok(Vec::new()) };
    let bytes = file.bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&file.bytes);
    let mut reader =
        csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(bytes);
    let mut rows = Vec::new();
    for row in reader.deserialize() {
        let row = row.map_err(|error| {
            let line = error.position().map_or(0, csv::Position::line);
            Error::Invalid(format!("{name}, line {line}: this is not what OneRoster says there"))
        })?;
        rows.push(row);
        if rows.len() > ROWS {
            return Err(Error::Invalid(format!("{name} has more than {ROWS} rows")));
        }
    }
    Ok(rows)
}

fn gone(status: &str) -> bool {
    status.eq_ignore_ascii_case("tobedeleted")
}

impl OneRosterExport {
    /// What somebody is, from the roles file or, in version 1.1, their own row.
    fn role(&self, user: &User) -> Option<Role> {
        let said = self.roles.get(&user.sourced_id).cloned();
        let said = said.unwrap_or_else(|| vec![user.role.clone()]);
        let is = |names: &[&str]| said.iter().any(|role| names.contains(&role.as_str()));
        if is(&["student"]) {
            Some(Role::Student)
        } else if is(&["teacher", "aide", "proctor"]) {
            Some(Role::Teacher)
        } else {
            None
        }
    }

    /// First and last day of somebody in a class: their own, or the terms' of the class.
    fn days(&self, enrollment: &Enrollment, today: Date) -> (Date, Option<Date>) {
        let class = self.classes.iter().find(|c| c.sourced_id == enrollment.class_sourced_id);
        let terms = class.map(|class| class.term_sourced_ids.as_str()).unwrap_or("");
        let terms: Vec<_> = terms.split(',').filter_map(|id| self.terms.get(id.trim())).collect();
        let day = |text: &str| text.parse::<Date>().ok();
        let first = terms.iter().filter_map(|term| day(&term.start_date)).min();
        let last = terms.iter().filter_map(|term| day(&term.end_date)).max();
        let from = day(&enrollment.begin_date).or(first).unwrap_or(today);
        (from, day(&enrollment.end_date).or(last))
    }
}

/// What became of an export: of each kind how many were made, changed, and left as they were.
#[derive(Clone, PartialEq, Eq, Debug, Default, serde::Serialize)]
pub struct OneRosterDone {
    /// By kind: students, teachers, classes, rosters, teaches.
    pub counts: BTreeMap<&'static str, OneRosterCount>,
    /// What was left out, in sentences with their ids, never names.
    pub skipped: Vec<String>,
}

/// How many.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Serialize)]
pub struct OneRosterCount {
    /// New.
    pub made: usize,
    /// Different from before.
    pub changed: usize,
    /// As they were.
    pub unchanged: usize,
}

enum OneRosterCame {
    Made,
    Changed,
    Unchanged,
}

/// Makes ours follow the export.
///
/// # Errors
/// When the database fails; what is wrong with single rows is in the answer.
pub fn take(
    tx: &Tx<'_>,
    export: &OneRosterExport,
    today: Date,
    actor: &str,
    now: Wall,
) -> Result<OneRosterDone, Error> {
    let mut hand = OneRosterHand { tx, export, today, actor, now, done: OneRosterDone::default() };
    for user in &export.users {
        match export.role(user) {
            Some(Role::Student) => {
                let came = hand.student(user);
                hand.count("students", &user.sourced_id, came)?;
            }
            Some(_) => {
                let came = hand.teacher(user);
                hand.count("teachers", &user.sourced_id, came)?;
            }
            None => {}
        }
    }
    for class in &export.classes {
        let came = hand.class(class);
        hand.count("classes", &class.sourced_id, came)?;
    }
    for enrollment in &export.enrollments {
        let of = format!("{} in {}", enrollment.user_sourced_id, enrollment.class_sourced_id);
        match enrollment.role.as_str() {
            "student" => {
                let came = hand.member(enrollment);
                hand.count("rosters", &of, came)?;
            }
            "teacher" => {
                let came = hand.teaches(enrollment);
                hand.count("teaches", &of, came)?;
            }
            _ => {}
        }
    }
    Ok(hand.done)
}

struct OneRosterHand<'a, 't> {
    tx: &'a Tx<'t>,
    export: &'a OneRosterExport,
    today: Date,
    actor: &'a str,
    now: Wall,
    done: OneRosterDone,
}

impl OneRosterHand<'_, '_> {
    fn count(
        &mut self,
        kind: &'static str,
        of: &str,
        came: Result<OneRosterCame, Error>,
    ) -> Result<(), Error> {
        let count = self.done.counts.entry(kind).or_default();
        match came {
            Ok(OneRosterCame::Made) => count.made += 1,
            Ok(OneRosterCame::Changed) => count.changed += 1,
            Ok(OneRosterCame::Unchanged) => count.unchanged += 1,
            Err(error) if error.is_ours() => return Err(error),
            Err(why) => self.done.skipped.push(format!("{kind} {of}: {why}")),
        }
        Ok(())
    }

    fn student(&self, user: &User) -> Result<OneRosterCame, Error> {
        let tx = self.tx;
        let actor = self.actor;
        let now = self.now;
        let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let number = some(&user.identifier).unwrap_or_else(|| user.sourced_id.clone());
        let wanted = StudentProfile {
            student_number: number,
            first_name: user.given_name.clone(),
            last_name: user.family_name.clone(),
            ..StudentProfile::default()
        };
        let said = |old| PersonDetails {
            email: some(&user.email),
            phone: some(&user.phone),
            year: some(&user.grades),
            ..old
        };
        let known = match foreign::get(tx, ForeignKind::Student, &user.sourced_id)? {
            Some(id) => Some(StudentId(id)),
            None => student::by_number(tx, &wanted.student_number)?,
        };
        let known = known.map(|id| student::get(tx, id)).transpose()?.flatten();
        let Some(known) = known else {
            if gone(&user.status) {
                return Ok(OneRosterCame::Unchanged);
            }
            let details = said(PersonDetails::default());
            let id = student::add(tx, StudentProfile { details, ..wanted }, actor, now)?;
            foreign::put(tx, ForeignKind::Student, &user.sourced_id, id.0)?;
            return Ok(OneRosterCame::Made);
        };
        foreign::put(tx, ForeignKind::Student, &user.sourced_id, known.id.0)?;
        let active = !gone(&user.status);
        let details = said(known.profile.details.clone());
        let wanted = StudentProfile { details, is_staff: known.profile.is_staff, ..wanted };
        if known.profile == wanted && known.is_active == active {
            return Ok(OneRosterCame::Unchanged);
        }
        if known.profile != wanted {
            student::change(tx, known.id, wanted, None, actor, now)?;
        }
        if known.is_active != active {
            student::set_active(tx, known.id, active, actor, now)?;
        }
        Ok(OneRosterCame::Changed)
    }

    fn teacher(&self, user: &User) -> Result<OneRosterCame, Error> {
        let tx = self.tx;
        let theirs = &user.sourced_id;
        if let Some(id) = foreign::get(tx, ForeignKind::Account, theirs)? {
            if account::get(tx, id)?.is_some() && gone(&user.status) {
                let say = "leaves the school: disable the account if it is not needed any more";
                return Err(Error::Invalid(say.into()));
            }
            return Ok(OneRosterCame::Unchanged);
        }
        if gone(&user.status) {
            return Ok(OneRosterCame::Unchanged);
        }
        if !user.email.contains('@') {
            return Err(Error::Invalid("an account needs an e-mail address".into()));
        }
        let (account, came) = match account::by_email(tx, &user.email)? {
            Some((account, _)) => (account, OneRosterCame::Unchanged),
            None => {
                let name = format!("{} {}", user.given_name, user.family_name);
                let email = user.email.clone();
                let role = Role::Teacher;
                let new = NewAccount { email, name, role, student: None, password: None };
                (account::add(tx, &new, self.actor, self.now)?, OneRosterCame::Made)
            }
        };
        foreign::put(tx, ForeignKind::Account, theirs, account.id)?;
        Ok(came)
    }

    fn class(&self, class: &OneRosterClass) -> Result<OneRosterCame, Error> {
        let tx = self.tx;
        let actor = self.actor;
        let now = self.now;
        let code = if class.class_code.is_empty() { &class.sourced_id } else { &class.class_code };
        let room = Some(class.location.as_str()).filter(|room| !room.is_empty());
        let known = match foreign::get(tx, ForeignKind::Class, &class.sourced_id)? {
            Some(id) => Some(id),
            None => class::by_code(tx, code)?,
        };
        let Some(id) = known else {
            if gone(&class.status) {
                return Ok(OneRosterCame::Unchanged);
            }
            let id = class::add(tx, &class.title, code, room, actor, now)?;
            foreign::put(tx, ForeignKind::Class, &class.sourced_id, id)?;
            return Ok(OneRosterCame::Made);
        };
        foreign::put(tx, ForeignKind::Class, &class.sourced_id, id)?;
        let changed = class::follow(tx, id, &class.title, room, !gone(&class.status), actor, now)?;
        Ok(if changed { OneRosterCame::Changed } else { OneRosterCame::Unchanged })
    }

    fn of_class(&self, enrollment: &Enrollment) -> Result<Uuid, Error> {
        let class = foreign::get(self.tx, ForeignKind::Class, &enrollment.class_sourced_id)?;
        class.ok_or_else(|| Error::Invalid("the class is in none of the files".into()))
    }

    fn member(&self, enrollment: &Enrollment) -> Result<OneRosterCame, Error> {
        let class = self.of_class(enrollment)?;
        let student = foreign::get(self.tx, ForeignKind::Student, &enrollment.user_sourced_id)?;
        let student = student.ok_or_else(|| Error::Invalid("there is no such student".into()))?;
        let (student, there) =
            (StudentId(student), class::has(self.tx, class, StudentId(student))?);
        let (_, last) = self.export.days(enrollment, self.today);
        let over = gone(&enrollment.status) || last.is_some_and(|last| last < self.today);
        match (there, over) {
            (true, true) => {
                class::remove_member(self.tx, class, student, self.actor, self.now)?;
                Ok(OneRosterCame::Changed)
            }
            (false, false) => {
                class::add_member(self.tx, class, student, self.actor, self.now)?;
                Ok(OneRosterCame::Made)
            }
            _ => Ok(OneRosterCame::Unchanged),
        }
    }

    fn teaches(&self, enrollment: &Enrollment) -> Result<OneRosterCame, Error> {
        let class = self.of_class(enrollment)?;
        let account = foreign::get(self.tx, ForeignKind::Account, &enrollment.user_sourced_id)?;
        let account = account.ok_or_else(|| Error::Invalid("there is no such teacher".into()))?;
        if gone(&enrollment.status) {
            let ended = teaches::stop(self.tx, class, account, self.today, self.actor, self.now)?;
            return Ok(if ended { OneRosterCame::Changed } else { OneRosterCame::Unchanged });
        }
        let days = self.export.days(enrollment, self.today);
        let new = teaches::add(self.tx, class, account, days, self.actor, self.now)?;
        Ok(if new { OneRosterCame::Made } else { OneRosterCame::Unchanged })
    }
}

#[cfg(test)]
#[path = "oneroster_tests.rs"]
mod tests;
