//! Tables `class`, `roster` and `teaches`: who is in a class, and who teaches it.

use super::{Read, Row, Tx, audit, params, parsed};
use crate::reader::Reader;
use jiff::civil::Date;
use rules::attendance::budget::BudgetCount;
use rules::attendance::placing::Policy;
use rules::auth::Role;
use rules::error::Error;
use serde_json::json;
use uuid::Uuid;
use wire::{StudentId, Wall};

/// A class.
#[derive(Clone, PartialEq, Debug)]
pub struct Class {
    /// Own id.
    pub id: Uuid,
    /// What people call it.
    pub class_name: String,
    /// Unique in the school.
    pub class_code: String,
    /// Where it usually is.
    pub room: Option<String>,
    /// Whether it still meets.
    pub is_active: bool,
    /// Students on its roster.
    pub students: i64,
    /// Minutes after the start when people are not late yet.
    pub grace_min: i64,
    /// How it treats what doors say.
    pub policy: Policy,
    /// Since when wrong names count against the budget of `auto`.
    pub auto_since: Option<Wall>,
    /// Whether a person decides again although the school said `auto`.
    pub suspended: Option<Suspension>,
    /// Counts changes.
    pub version: i64,
}

/// Why a person decides again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Suspension {
    /// Since when.
    pub at: Wall,
    /// What was counted then.
    pub count: BudgetCount,
}

impl Class {
    /// Whether the class can be as it is typed.
    ///
    /// # Errors
    /// `Invalid` naming the field.
    pub fn check(&self) -> Result<(), Error> {
        let invalid = |what: &str| Err(Error::Invalid(what.into()));
        let name = self.class_name.trim();
        let code = self.class_code.trim();
        if name.is_empty() || code.is_empty() || name.len() + code.len() > 300 {
            return invalid("class_name, class_code: give both, and keep them short");
        }
        if self.room.as_ref().is_some_and(|room| room.len() > ROOM) {
            return invalid("room: keep its name short");
        }
        if !(0..=240).contains(&self.grace_min) {
            return invalid("grace_min: give 0 to 240 minutes");
        }
        match self.policy {
            Policy::Auto { line, .. } if !(0.5..=1.0).contains(&line) => {
                invalid("auto_line: give a confidence from 0.5 to 1")
            }
            Policy::Auto { budget, .. } if !(0.0..=1000.0).contains(&budget) => {
                invalid("error_budget: give 0 to 1000 wrong names per 1,000 passages")
            }
            _ => Ok(()),
        }
    }
}

/// Somebody on a roster.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Member {
    /// Who.
    pub student: StudentId,
    /// Their number.
    pub number: String,
    /// Their full name.
    pub name: String,
    /// Whether they have a photo that counts.
    pub enrolled: bool,
    /// Whether a teacher said that the face in it is theirs.
    pub verified: bool,
}

/// Bytes of a room's name, as doors send it.
const ROOM: usize = 128;

const COLUMNS: &str = "c.id, c.class_name, c.class_code, c.room, c.is_active,
     (select count(*) from roster r where r.class = c.id), c.grace_min, c.policy, c.auto_line,
     c.error_budget, c.version, c.auto_since, c.suspended_at, c.suspended_of, c.suspended_errors";

/// Whether the reader (`$1` role, `$2` account, `$3` day) may see class `c`.
pub(super) const VISIBLE: &str =
    "($1 = 'admin' or ($1 = 'teacher' and exists (select 1 from teaches t
     where t.class = c.id and t.teacher = $2 and t.from_day <= $3
       and (t.to_day is null or t.to_day >= $3))))";

fn keys(reader: Reader) -> (&'static str, String, String) {
    let Reader { actor, today } = reader;
    (actor.role.as_str(), actor.user.to_string(), today.to_string())
}

/// The classes the reader may see, by name.
pub fn list(tx: &Tx<'_>, reader: Reader) -> Result<Vec<Class>, Error> {
    let (role, user, today) = keys(reader);
    let sql = format!(
        "select {COLUMNS} from class c where {VISIBLE} and c.is_active = 1
         order by c.class_name, c.id"
    );
    tx.query(&sql, params![role, user, today], read)
}

/// Of those, the ones that mark too many wrong names without a person, so that one decides again.
pub fn suspended(tx: &Tx<'_>, reader: Reader) -> Result<Vec<Class>, Error> {
    let (role, user, today) = keys(reader);
    let sql = format!(
        "select {COLUMNS} from class c
         where {VISIBLE} and c.is_active = 1 and c.suspended_at is not null
         order by c.class_name, c.id"
    );
    tx.query(&sql, params![role, user, today], read)
}

/// A page of the classes the reader may see, by name, those after `after`.
///
/// # Errors
/// `Field` when there is no class that it could follow.
pub fn page(
    tx: &Tx<'_>,
    reader: Reader,
    after: Option<Uuid>,
    limit: u32,
) -> Result<Vec<Class>, Error> {
    let (role, user, today) = keys(reader);
    let after = after.map(|id| id.to_string());
    if let Some(after) = &after {
        let there = tx.row("select 1 from class where id = $1", params![after], |_| Ok(()))?;
        there.ok_or_else(Error::cut_off)?;
    }
    let sql = format!(
        "select {COLUMNS} from class c where {VISIBLE} and c.is_active = 1
             and (exists (select 1 from class a where a.id = $4
                 and (c.class_name > a.class_name
                     or (c.class_name = a.class_name and c.id > a.id))) or $4 is null)
         order by c.class_name, c.id limit $5"
    );
    tx.query(&sql, params![role, user, today, after, limit], read)
}

/// Writes a class as it is now, one version later. Lessons that lie ahead take its name and
/// grace.
///
/// # Errors
/// `Invalid` naming a field, `Conflict` when the code is taken or the class is not at its version
/// any more.
pub fn change(tx: &Tx<'_>, class: &Class, actor: &str, now: Wall) -> Result<(), Error> {
    class.check()?;
    let id = class.id.to_string();
    let code = class.class_code.trim();
    let taken = "select 1 from class where class_code = $1 and id <> $2";
    if tx.row(taken, params![code, id], |_| Ok(()))?.is_some() {
        return Err(Error::Conflict(format!("the class code “{code}” is taken")));
    }
    let room = class.room.as_deref().map(str::trim).filter(|room| !room.is_empty());
    let (policy, line, budget) = match class.policy {
        Policy::Review => ("review", None, None),
        Policy::Auto { line, budget } => ("auto", Some(line), Some(budget)),
    };
    let sql = "update class set class_name = $3, class_code = $4, room = $5, is_active = $6,
             grace_min = $7, policy = $8, auto_line = $9, error_budget = $10, auto_since = $11,
             suspended_at = $12, suspended_of = $13, suspended_errors = $14,
             version = version + 1
         where id = $1 and version = $2";
    let name = class.class_name.trim();
    let grace = class.grace_min;
    let since = class.auto_since.map(|at| at.0);
    let suspended = class.suspended;
    let values = params![
        id,
        class.version,
        name,
        code,
        room,
        class.is_active,
        grace,
        policy,
        line,
        budget,
        since,
        suspended.map(|s| s.at.0),
        suspended.map(|s| s.count.passages),
        suspended.map(|s| s.count.errors),
    ];
    if tx.execute(sql, values)? == 0 {
        return Err(Error::Conflict("this class was changed meanwhile: look again".into()));
    }
    let sql = "update session set late_after = starts + $3
         where class = $1 and starts > $2 and closed_at is null";
    tx.execute(sql, params![id, now.0, grace * 60_000])?;
    let meta = json!({ "policy": policy, "grace_min": grace, "is_active": class.is_active });
    noted(tx, now, actor, "change", class.id, meta)
}

/// Accounts that teach the class on `day`.
pub fn teachers(tx: &Tx<'_>, class: Uuid, day: Date) -> Result<Vec<Uuid>, Error> {
    let sql = "select distinct teacher from teaches where class = $1 and from_day <= $2
             and (to_day is null or to_day >= $2) order by teacher";
    tx.query(sql, params![class.to_string(), day.to_string()], |row| parsed(row, 0))
}

/// Lets exactly `wanted` teach the class from `day` on.
///
/// # Errors
/// `Invalid` when one of them is no teacher.
pub fn set_teachers(
    tx: &Tx<'_>,
    class: Uuid,
    wanted: &[Uuid],
    day: Date,
    actor: &str,
    now: Wall,
) -> Result<(), Error> {
    let before = teachers(tx, class, day)?;
    for teacher in before.iter().filter(|teacher| !wanted.contains(teacher)) {
        let id = class.to_string();
        let who = teacher.to_string();
        let today = "delete from teaches where class = $1 and teacher = $2 and from_day >= $3";
        tx.execute(today, params![id, who, day.to_string()])?;
        let yesterday = day.yesterday().unwrap_or(day).to_string();
        let end = "update teaches set to_day = $3 where class = $1 and teacher = $2
             and (to_day is null or to_day > $3)";
        tx.execute(end, params![id, who, yesterday])?;
        noted(tx, now, actor, "stop_teaching", class, json!({ "teacher": teacher }))?;
    }
    for teacher in wanted.iter().filter(|teacher| !before.contains(teacher)) {
        add_teacher(tx, class, *teacher, day, actor, now)?;
    }
    Ok(())
}

/// The class that `name` names: an own id or a class code.
///
/// # Errors
/// `NotFound`, for a foreign one too.
pub fn find(tx: &Tx<'_>, reader: Reader, name: &str) -> Result<Class, Error> {
    let (role, user, today) = keys(reader);
    let sql = format!(
        "select {COLUMNS} from class c where {VISIBLE} and (c.class_code = $4 or c.id = $4)
         order by c.id = $4 desc limit 1"
    );
    let found = tx.row(&sql, params![role, user, today, name.trim()], read)?;
    found.ok_or_else(|| Error::unknown("class", name))
}

/// Adds a class.
///
/// # Errors
/// `Conflict` when the code is taken, `Invalid` without a name.
pub fn add(
    tx: &Tx<'_>,
    class_name: &str,
    class_code: &str,
    room: Option<&str>,
    actor: &str,
    now: Wall,
) -> Result<Uuid, Error> {
    let class_name = class_name.trim();
    let class_code = class_code.trim();
    if class_name.is_empty() || class_code.is_empty() || class_name.len() + class_code.len() > 300 {
        return Err(Error::Invalid(
            "class_name, class_code: give both, and keep them short".into(),
        ));
    }
    let taken = "select 1 from class where class_code = $1";
    if tx.row(taken, params![class_code], |_| Ok(()))?.is_some() {
        return Err(Error::Conflict(format!("the class code “{class_code}” is taken")));
    }
    let id = wire::id::v7(now);
    let sql = "insert into class (id, class_name, class_code, room, is_active, version)
         values ($1, $2, $3, $4, 1, 1)";
    tx.execute(sql, params![id.to_string(), class_name, class_code, room])?;
    noted(tx, now, actor, "add", id, json!({}))?;
    Ok(id)
}

/// Lets an account teach a class from `day` on.
///
/// # Errors
/// `Invalid` when the account is no teacher.
pub fn add_teacher(
    tx: &Tx<'_>,
    class: Uuid,
    teacher: Uuid,
    day: Date,
    actor: &str,
    now: Wall,
) -> Result<(), Error> {
    match super::account::get(tx, teacher)?.map(|account| account.role) {
        Some(Role::Teacher | Role::Admin) => {}
        _ => return Err(Error::Invalid("teacher_id: there is no such teacher".into())),
    }
    super::teaches::add(tx, class, teacher, (day, None), actor, now).map(drop)
}

/// Puts a student on a roster; twice is the same as once.
pub fn add_member(
    tx: &Tx<'_>,
    class: Uuid,
    student: StudentId,
    actor: &str,
    now: Wall,
) -> Result<(), Error> {
    let sql = "insert into roster (class, student, verified) values ($1, $2, 0)
         on conflict (class, student) do nothing";
    tx.execute(sql, params![class.to_string(), student.to_string()])?;
    super::change::bump(tx, super::change::GALLERY)?;
    noted(tx, now, actor, "enter", class, json!({ "student": student }))
}

/// Takes a student off a roster.
///
/// # Errors
/// `NotFound` when they are not on it.
pub fn remove_member(
    tx: &Tx<'_>,
    class: Uuid,
    student: StudentId,
    actor: &str,
    now: Wall,
) -> Result<(), Error> {
    let sql = "delete from roster where class = $1 and student = $2";
    if tx.execute(sql, params![class.to_string(), student.to_string()])? == 0 {
        return Err(Error::unknown("student on this roster", student));
    }
    super::change::bump(tx, super::change::GALLERY)?;
    noted(tx, now, actor, "leave", class, json!({ "student": student }))
}

/// Takes an erased person off every roster. Returns how many.
pub fn leave_all(tx: &Tx<'_>, student: StudentId) -> Result<usize, Error> {
    tx.execute("delete from roster where student = $1", params![student.to_string()])
}

/// The roster, by name.
pub fn members(tx: &Tx<'_>, class: Uuid) -> Result<Vec<Member>, Error> {
    let sql = "select s.id, s.student_number, trim(s.first_name || ' ' || s.last_name), r.verified,
             exists (select 1 from enrolment e where e.student = s.id and e.is_active = 1)
         from roster r join student s on s.id = r.student where r.class = $1
         order by s.last_name, s.first_name, s.id";
    tx.query(sql, params![class.to_string()], |row| {
        let student = parsed(row, 0)?;
        let number = row.get(1)?;
        let verified: bool = row.get(3)?;
        let enrolled: bool = row.get(4)?;
        Ok(Member { student, number, name: row.get(2)?, enrolled, verified: verified && enrolled })
    })
}

/// Who is on the roster and active, by id.
pub fn roster(tx: &Tx<'_>, class: Uuid) -> Result<Vec<StudentId>, Error> {
    let sql = "select r.student from roster r join student p on p.id = r.student
         where r.class = $1 and p.is_active = 1 order by r.student";
    tx.query(sql, params![class.to_string()], |row| parsed(row, 0))
}

/// Whether `student` is on the roster of `class`.
pub fn has(tx: &Tx<'_>, class: Uuid, student: StudentId) -> Result<bool, Error> {
    let sql = "select 1 from roster where class = $1 and student = $2";
    Ok(tx.row(sql, params![class.to_string(), student.to_string()], |_| Ok(()))?.is_some())
}

/// How the class treats what doors say now.
pub fn policy(tx: &Tx<'_>, class: Uuid) -> Result<Policy, Error> {
    let sql = "select auto_line, error_budget from class
         where id = $1 and policy = 'auto' and suspended_at is null";
    let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
    let auto = tx.row(sql, params![class.to_string()], read)?;
    Ok(match auto {
        Some((Some(line), Some(budget))) => Policy::Auto { line, budget },
        _ => Policy::Review,
    })
}

/// The class with this code, active or not.
pub fn by_code(tx: &Tx<'_>, code: &str) -> Result<Option<Uuid>, Error> {
    tx.row("select id from class where class_code = $1", params![code.trim()], |row| parsed(row, 0))
}

/// Lets a class follow what another program says of it; a room it does not say stays. False when
/// nothing differs.
pub fn follow(
    tx: &Tx<'_>,
    id: Uuid,
    name: &str,
    room: Option<&str>,
    active: bool,
    actor: &str,
    now: Wall,
) -> Result<bool, Error> {
    let sql =
        "update class set class_name = $2, room = coalesce(cast($3 as text), room), is_active = $4,
             version = version + 1
         where id = $1 and (class_name <> $2 or is_active <> $4
             or coalesce(room, '') <> $3)";
    let changed = tx.execute(sql, params![id.to_string(), name.trim(), room, active])? > 0;
    if changed {
        noted(tx, now, actor, "follow", id, json!({ "is_active": active }))?;
    }
    Ok(changed)
}

fn noted(
    tx: &Tx<'_>,
    now: Wall,
    actor: &str,
    action: &str,
    class: Uuid,
    meta: serde_json::Value,
) -> Result<(), Error> {
    let id = class.to_string();
    audit::add(tx, now, &audit::AuditEntry { actor, action, table: "class", id: &id, meta })
}

fn read(row: &Row<'_>) -> Read<Class> {
    Ok(Class {
        id: parsed(row, 0)?,
        class_name: row.get(1)?,
        class_code: row.get(2)?,
        room: row.get(3)?,
        is_active: row.get(4)?,
        students: row.get(5)?,
        grace_min: row.get(6)?,
        policy: match (row.get::<String>(7)?.as_str(), row.get(8)?, row.get(9)?) {
            ("auto", Some(line), Some(budget)) => Policy::Auto { line, budget },
            _ => Policy::Review,
        },
        version: row.get(10)?,
        auto_since: row.get::<Option<i64>>(11)?.map(Wall),
        suspended: match row.get::<Option<i64>>(12)?.map(Wall) {
            Some(at) => Some(Suspension {
                at,
                count: BudgetCount { passages: row.get(13)?, errors: row.get(14)? },
            }),
            None => None,
        },
    })
}
