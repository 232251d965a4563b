//! The texts of mails, and which follow from what was recorded.

use crate::attendance::budget;
use crate::error::{Doing, Error};
use crate::reports::Sums;
use crate::store::budget::Suspended;
use askama::Template;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use uuid::Uuid;
use wire::{StudentId, Wall};

/// A mail about an absence waits so long, milliseconds: a door that was away may still say that
/// somebody was there.
pub const GRACE_MS: i64 = 30 * 60_000;
/// Attendance strictly below this, in per cent, is low.
pub const LOW: i64 = 75;

/// A mail, before it is a row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Letter {
    /// `absence`, `low_attendance`, `policy` or `custom`.
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
pub struct Attendance {
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

#[derive(Template)]
#[template(path = "mail/absence.txt", escape = "none")]
struct AbsenceText<'a> {
    name: &'a str,
    lesson: &'a str,
    day: String,
    time: String,
}

#[derive(Template)]
#[template(path = "mail/low_attendance.txt", escape = "none")]
struct LowText<'a> {
    name: &'a str,
    class: &'a str,
    month: String,
    present: i64,
    total: i64,
    percentage: String,
}

#[derive(Template)]
#[template(path = "mail/policy.txt", escape = "none")]
struct PolicyText<'a> {
    class: &'a str,
    why: String,
}

/// What a teacher is told when a person decides again in their class.
///
/// # Errors
/// When the text cannot be written, which only a bug can cause.
pub fn suspended(of: &Suspended, now: Wall) -> Result<Letter, Error> {
    let why = budget::reason(of.count, of.budget);
    Ok(Letter {
        kind: "policy",
        about: Some(format!("policy:{}:{}:{}", of.class, of.at.0, of.teacher)),
        student: None,
        recipient: of.recipient.clone(),
        subject: format!("A person decides again: {}", of.class_name),
        body: PolicyText { class: &of.class_name, why }.render().doing("writing a mail")?,
        due: now,
    })
}

/// What is said about an absence.
///
/// # Errors
/// When the text cannot be written, which only a bug can cause.
pub fn absence(of: &Absence, zone: &TimeZone, now: Wall) -> Result<Letter, Error> {
    let at = Timestamp::from_millisecond(of.starts.0).unwrap_or(Timestamp::UNIX_EPOCH);
    let at = at.to_zoned(zone.clone());
    let (day, time) = (at.date().to_string(), at.strftime("%H:%M").to_string());
    let text = AbsenceText { name: &of.name, lesson: &of.lesson, day: day.clone(), time };
    Ok(Letter {
        kind: "absence",
        about: Some(format!("absence:{}:{}", of.session, of.student)),
        student: Some(of.student),
        recipient: of.recipient.clone(),
        subject: format!("Absence on {day}: {}", of.lesson),
        body: text.render().doing("writing a mail")?,
        due: now.plus_ms(GRACE_MS),
    })
}

/// What is said about a month, if attendance was low in it.
///
/// # Errors
/// When the text cannot be written, which only a bug can cause.
pub fn low_attendance(of: &Attendance, month: Date, now: Wall) -> Result<Option<Letter>, Error> {
    let rate = of.sums.attended();
    if of.sums.total() == 0 || !rate.is_below(LOW) {
        return Ok(None);
    }
    let month = month.strftime("%Y-%m").to_string();
    let text = LowText {
        name: &of.name,
        class: &of.class_name,
        month: month.clone(),
        present: of.sums.present + of.sums.late,
        total: of.sums.total(),
        percentage: format!("{:.2}", rate.percent()),
    };
    Ok(Some(Letter {
        kind: "low_attendance",
        about: Some(format!("low:{month}:{}:{}", of.class, of.student)),
        student: Some(of.student),
        recipient: of.recipient.clone(),
        subject: format!("Attendance in {month}: {}", of.class_name),
        body: text.render().doing("writing a mail")?,
        due: now,
    }))
}

/// First and last day of the month before that of `today`.
#[must_use]
pub fn last_month(today: Date) -> (Date, Date) {
    let last = today.first_of_month().yesterday().unwrap_or(today);
    (last.first_of_month(), last)
}
