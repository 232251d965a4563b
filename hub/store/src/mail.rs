//! Table `mail`: what is to be sent, and what became of it.

use super::{Tx, params, parsed};
use jiff::civil::Date;
use rules::attendance::Counted;
use rules::error::Error;
use rules::reports::Sums;
use uuid::Uuid;
use wire::{StudentId, Wall};

/// A mail, before it is a row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MailLetter {
    /// `absence`, `low_attendance`, `policy`, `account` or `custom`.
    pub kind: &'static str,
    /// What it is about; nothing is said twice.
    pub about: Option<String>,
    /// Whom it is about, if it is about somebody.
    pub student: Option<StudentId>,
    /// Where it goes.
    pub recipient: String,
    /// One line.
    pub subject: String,
    /// Plain text.
    pub body: String,
    /// Not before.
    pub due: Wall,
}

/// Somebody who was absent in a lesson.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Absence {
    /// The lesson.
    pub session: Uuid,
    /// Its name.
    pub lesson: String,
    /// When it began.
    pub starts: Wall,
    /// Who.
    pub student: StudentId,
    /// Their full name.
    pub name: String,
    /// Where mail about them goes.
    pub recipient: String,
}

/// How often somebody was in a class in one month.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MailAttendance {
    /// The class.
    pub class: Uuid,
    /// Its name.
    pub class_name: String,
    /// Who.
    pub student: StudentId,
    /// Their full name.
    pub name: String,
    /// Where mail about them goes.
    pub recipient: String,
    /// What was recorded.
    pub sums: Sums,
}

/// So long whoever took a mail or a message to send has it alone, milliseconds.
pub(crate) const CLAIM_MS: i64 = 120_000;
/// Why a mail was not sent that turned out to be wrong before it left.
pub const UNTRUE: &str = "it is not true any more: nothing was sent";

/// A mail that is due.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MailWaiting {
    /// Own id.
    pub id: Uuid,
    /// Where it goes.
    pub recipient: String,
    /// One line.
    pub subject: String,
    /// Plain text.
    pub body: String,
    /// Tries so far.
    pub attempts: i64,
}

/// A mail as it is listed; never its text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MailListed {
    /// Own id.
    pub id: Uuid,
    /// `absence`, `low_attendance`, `policy`, `account` or `custom`.
    pub kind: String,
    /// Whom it is about.
    pub student: Option<Uuid>,
    /// `waiting`, `sent` or `failed`.
    pub state: String,
    /// Tries so far.
    pub attempts: i64,
    /// When it was written.
    pub created_at: Wall,
    /// When it was sent or given up.
    pub ended_at: Option<Wall>,
    /// Why it was not sent.
    pub error: Option<String>,
}

/// Writes a mail, unless what it is about was said already: its id, if it is new. What was not
/// said because it was untrue by then may be said after all.
pub fn add(
    tx: &Tx<'_>,
    letter: &MailLetter,
    actor: &str,
    now: Wall,
) -> Result<Option<Uuid>, Error> {
    let MailLetter { kind, about, student, recipient, subject, body, due } = letter;
    let id = wire::id::v7(now);
    let sql = "insert into mail (id, kind, about, student, recipient, subject, body, state,
             attempts, next_at, created_at, created_by)
         values ($1, $2, $3, $4, $5, $6, $7, 'waiting', 0, $8, $9, $10)
         on conflict (about) do update set id = excluded.id, recipient = excluded.recipient,
             subject = excluded.subject, body = excluded.body, state = excluded.state,
             attempts = 0, next_at = excluded.next_at, created_at = excluded.created_at,
             created_by = excluded.created_by, ended_at = null, error = null
         where mail.state = 'failed' and mail.error = $11";
    let key = id.to_string();
    let student = student.map(|student| student.to_string());
    let values =
        params![key, kind, about, student, recipient, subject, body, due.0, now.0, actor, UNTRUE];
    Ok((tx.execute(sql, values)? > 0).then_some(id))
}

/// Mails that are due, the longest waiting first.
pub fn due(tx: &Tx<'_>, now: Wall, limit: u32) -> Result<Vec<MailWaiting>, Error> {
    let sql = "select id, recipient, subject, body, attempts from mail
         where state = 'waiting' and next_at <= $1 order by next_at, id limit $2";
    tx.query(sql, params![now.0, limit], |row| {
        let id = parsed(row, 0)?;
        let recipient = row.get(1)?;
        let subject = row.get(2)?;
        Ok(MailWaiting { id, recipient, subject, body: row.get(3)?, attempts: row.get(4)? })
    })
}

/// Takes a mail to be sent now: for two minutes no other hub does.
///
/// Not where another has, nor where what it says does not hold any more: an absence that turned out
/// otherwise is dropped, and so is a suspension that is over.
pub fn take(tx: &Tx<'_>, id: Uuid, now: Wall) -> Result<bool, Error> {
    let sql = "select kind, about from mail where id = $1 and state = 'waiting'";
    let found = tx.row(sql, params![id.to_string()], |row| {
        Ok((row.get::<String>(0)?, row.get::<Option<String>>(1)?))
    })?;
    let Some((kind, about)) = found else { return Ok(false) };
    let claimed = params![id.to_string(), now.plus_ms(CLAIM_MS).0, now.0];
    let sql = "update mail set next_at = $2 where id = $1 and next_at <= $3";
    if tx.execute(sql, claimed)? == 0 {
        return Ok(false);
    }
    let about = about.unwrap_or_default();
    let mut parts = about.split(':').skip(1);
    let (Some(one), Some(other)) = (parts.next(), parts.next()) else { return Ok(true) };
    let sql = match kind.as_str() {
        "absence" => "select 1 from mark where session = $1 and student = $2 and status = 'absent'",
        "policy" => {
            "select 1 from class where id = $1 and suspended_at = cast(cast($2 as text) as bigint)"
        }
        _ => return Ok(true),
    };
    if tx.row(sql, params![one, other], |_| Ok(()))?.is_some() {
        return Ok(true);
    }
    tried(tx, id, Err(UNTRUE.into()), None, now)?;
    Ok(false)
}

/// What became of a try: sent, again at `next` milliseconds from now, or given up.
pub fn tried(
    tx: &Tx<'_>,
    id: Uuid,
    outcome: Result<(), String>,
    next: Option<i64>,
    now: Wall,
) -> Result<(), Error> {
    let (state, error) = match (outcome, next) {
        (Ok(()), _) => ("sent", None),
        (Err(why), Some(_)) => ("waiting", Some(why)),
        (Err(why), None) => ("failed", Some(why)),
    };
    let sql = "update mail set state = $2, attempts = attempts + 1, next_at = $3, ended_at = $4,
             error = $5 where id = $1";
    let ended = (state != "waiting").then_some(now.0);
    let at = now.plus_ms(next.unwrap_or(0)).0;
    tx.execute(sql, params![id.to_string(), state, at, ended, error]).map(drop)
}

/// How many wait.
pub fn waiting(tx: &Tx<'_>) -> Result<i32, Error> {
    let sql = "select count(*) from mail where state = 'waiting'";
    Ok(tx.row(sql, params![], |row| row.get(0))?.unwrap_or(0))
}

/// Mails, the newest first, those before `before`.
pub fn list(tx: &Tx<'_>, before: Option<Uuid>, limit: u32) -> Result<Vec<MailListed>, Error> {
    let sql = "select id, kind, student, state, attempts, created_at, ended_at, error from mail
         where id < $1 order by id desc limit $2";
    let before = before.map_or_else(|| "~".to_owned(), |id| id.to_string());
    tx.query(sql, params![before, limit], |row| {
        Ok(MailListed {
            id: parsed(row, 0)?,
            kind: row.get(1)?,
            student: super::parsed_option(row, 2)?,
            state: row.get(3)?,
            attempts: row.get(4)?,
            created_at: Wall(row.get(5)?),
            ended_at: row.get::<Option<i64>>(6)?.map(Wall),
            error: row.get(7)?,
        })
    })
}

/// Whether no teacher of class `{class}` switched this kind of mail off.
fn wanted(class: &str, kind: &str) -> String {
    format!(
        "not exists (select 1 from teaches t join mail_switch w on w.account = t.teacher
             where t.class = {class} and w.kind = '{kind}' and w.is_on = 0)"
    )
}

/// Verified absences of a lesson that was closed.
///
/// Only of students with an address, in classes whose teachers want such mail; not `unverified`,
/// not `undecided`, not `excused`.
pub fn absences(tx: &Tx<'_>, session: &str) -> Result<Vec<Absence>, Error> {
    let sql = format!(
        "select s.id, s.name, s.starts, p.id, trim(p.first_name || ' ' || p.last_name), p.email
         from mark m join session s on s.id = m.session join student p on p.id = m.student
         where m.session = $1 and m.status = 'absent' and p.is_active = 1
             and coalesce(p.email, '') <> '' and {}",
        wanted("s.class", "absence")
    );
    tx.query(&sql, params![session], |row| {
        Ok(Absence {
            session: parsed(row, 0)?,
            lesson: row.get(1)?,
            starts: Wall(row.get(2)?),
            student: parsed(row, 3)?,
            name: row.get(4)?,
            recipient: row.get(5)?,
        })
    })
}

/// Every class.
pub fn classes(tx: &Tx<'_>) -> Result<Vec<Uuid>, Error> {
    tx.query("select id from class order by id", [], |row| parsed(row, 0))
}

/// What was recorded of each student with an address in `class`, from `first` to `last`.
pub fn month(
    tx: &Tx<'_>,
    class: Uuid,
    first: Date,
    last: Date,
) -> Result<Vec<MailAttendance>, Error> {
    let count = |what| {
        let kinds = super::mark::kinds(|status| status.counted() == Some(what));
        format!("sum(case when m.status in ({kinds}) then 1 else 0 end)")
    };
    let [present, late, absent] = [Counted::InTime, Counted::Late, Counted::Away].map(count);
    let sql = format!(
        "select c.id, c.class_name, p.id, trim(p.first_name || ' ' || p.last_name), p.email,
             {present}, {late}, {absent}
         from session s join class c on c.id = s.class join mark m on m.session = s.id
             join student p on p.id = m.student
         where s.class = $1 and s.day >= $2 and s.day <= $3
             and p.is_active = 1 and coalesce(p.email, '') <> ''
             and {} group by p.id, c.id, c.class_name, p.first_name, p.last_name, p.email
         order by p.id",
        wanted("c.id", "low_attendance")
    );
    let values = params![class.to_string(), first.to_string(), last.to_string()];
    tx.query(&sql, values, |row| {
        Ok(MailAttendance {
            class: parsed(row, 0)?,
            class_name: row.get(1)?,
            student: parsed(row, 2)?,
            name: row.get(3)?,
            recipient: row.get(4)?,
            sums: Sums { present: row.get(5)?, late: row.get(6)?, absent: row.get(7)? },
        })
    })
}

/// Forgets every mail about an erased person, sent or not.
pub fn forget(tx: &Tx<'_>, student: StudentId) -> Result<usize, Error> {
    tx.execute("delete from mail where student = $1", params![student.to_string()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Db;

    #[tokio::test]
    async fn of_two_hubs_one_takes_a_mail_and_the_other_only_when_that_is_silent() {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open(dir.path().join("hub.db")).unwrap();
        let text = || "x".to_owned();
        let letter = MailLetter {
            kind: "account",
            about: None,
            student: None,
            recipient: text(),
            subject: text(),
            body: text(),
            due: Wall(5),
        };
        let id = db.write(move |tx| add(tx, &letter, "t", Wall(5))).await.unwrap().unwrap();
        let taken = |at| db.write(move |tx| take(tx, id, Wall(at)));
        assert!(!taken(4).await.unwrap(), "it is not due");
        assert!(taken(5).await.unwrap());
        assert!(!taken(6).await.unwrap() && !taken(4 + CLAIM_MS).await.unwrap());
        assert!(taken(5 + CLAIM_MS).await.unwrap());
        db.write(move |tx| tried(tx, id, Ok(()), None, Wall(9))).await.unwrap();
        assert!(!taken(9 * CLAIM_MS).await.unwrap(), "it is sent");
    }
}
