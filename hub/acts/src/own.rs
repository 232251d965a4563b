//! What teachers set for themselves: who they are, which mail goes out, and their lessons.

use crate::planning::booking;
use crate::planning::maker::{MakeFor, make};
use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use rules::auth::{Actor, Role};
use rules::error::Error;
use rules::timetable::Period;
use rules::timetable::own::{Replaced, replace};
use store::accounts::{self, AccountPerson};
use store::period::{self, PeriodFilter};
use store::preference::{self, Choices, PreferenceMail};
use store::reader::Reader;
use store::{Db, Tx, class};
use uuid::Uuid;
use wire::Wall;
use words::language::Language;

/// Lessons of one teacher in a week at most.
const LESSONS: usize = 200;

/// Everything a teacher sets.
#[derive(Clone)]
pub struct OwnSettings {
    /// Their account.
    pub person: AccountPerson,
    /// Telephone and department.
    pub choices: Choices,
    /// Which mail goes out for their classes.
    pub mail: PreferenceMail,
    /// The lessons of the classes they teach.
    pub schedule: Vec<Period>,
    /// Counts changes of profile and preferences.
    pub version: i64,
}

/// What changes; what is left out stays.
#[derive(Clone, Debug, Default)]
pub struct OwnChanges {
    /// What pages call them.
    pub name: Option<String>,
    /// Telephone; empty takes it away.
    pub phone: Option<String>,
    /// Department or faculty; empty takes it away.
    pub department: Option<String>,
    /// Whether mail about absences goes out.
    pub mail_absence: Option<bool>,
    /// Whether mail about low attendance goes out.
    pub mail_low_attendance: Option<bool>,
    /// Whether mail about doors comes to them.
    pub mail_alerts: Option<bool>,
    /// The language in which mail comes to them.
    pub language: Option<Language>,
    /// All lessons of the classes they teach: those left out end.
    pub schedule: Option<Vec<OwnLesson>>,
    /// The version that was read.
    pub version: Option<i64>,
}

/// A weekly lesson. One with the id of a lesson that is there changes that one.
#[derive(Clone, Debug)]
pub struct OwnLesson {
    /// Of the lesson that is there.
    pub id: Option<Uuid>,
    /// Own id or code of a class they teach.
    pub class: String,
    /// 1 is Monday.
    pub weekday: i8,
    /// Local time.
    pub starts: Time,
    /// Local time.
    pub ends: Time,
    /// The class's usual room if it is left out.
    pub room: Option<String>,
    /// Today if it is left out.
    pub from: Option<Date>,
    /// The last day, inclusive; until further notice if it is left out.
    pub to: Option<Date>,
}

/// `reader` as a teacher: an admin's own schedule is that of the classes they teach, too.
fn teacher(reader: Reader) -> Reader {
    Reader { actor: Actor { role: Role::Teacher, ..reader.actor }, ..reader }
}

/// What `reader` sets.
pub fn settings(tx: &Tx<'_>, reader: Reader) -> Result<OwnSettings, Error> {
    let id = reader.actor.user;
    let reader = teacher(reader);
    let (choices, version) = preference::get(tx, id)?;
    Ok(OwnSettings {
        person: accounts::find(tx, &id.to_string())?,
        choices,
        mail: preference::mail(tx, id)?,
        schedule: there(tx, reader)?,
        version,
    })
}

/// Changes what `reader` sets.
///
/// # Errors
/// `Invalid` for what cannot be, `Conflict` when it was changed meanwhile.
pub async fn change(
    db: &Db,
    reader: Reader,
    to: OwnChanges,
    zone: TimeZone,
    now: Wall,
) -> Result<OwnSettings, Error> {
    let work = move |tx: &Tx<'_>| {
        let id = reader.actor.user;
        let (old, _) = preference::get(tx, id)?;
        preference::put(tx, id, &to.choices(old), to.version, now)?;
        if let Some(name) = to.name {
            let person = accounts::find(tx, &id.to_string())?;
            let profile = accounts::AccountProfile { name, ..person.profile() };
            accounts::change(tx, id, profile, None, &id.to_string(), now)?;
        }
        let mail = preference::mail(tx, id)?;
        let mail = PreferenceMail {
            absence: to.mail_absence.unwrap_or(mail.absence),
            low_attendance: to.mail_low_attendance.unwrap_or(mail.low_attendance),
            alerts: to.mail_alerts.unwrap_or(mail.alerts),
        };
        preference::set_mail(tx, id, mail)?;
        if let Some(lessons) = to.schedule {
            reschedule(tx, teacher(reader), lessons, &zone, now)?;
        }
        settings(tx, reader)
    };
    db.write(work).await
}

impl OwnChanges {
    fn choices(&self, old: Choices) -> Choices {
        let chosen = |new: &Option<String>, old: Option<String>| match new.as_deref() {
            None => old,
            Some(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        };
        Choices {
            phone: chosen(&self.phone, old.phone),
            department: chosen(&self.department, old.department),
            language: self.language.map(|language| language.tag().to_owned()).or(old.language),
        }
    }
}

/// The lessons of the classes they teach that are not over for ever.
fn there(tx: &Tx<'_>, reader: Reader) -> Result<Vec<Period>, Error> {
    let limit = u32::try_from(LESSONS).unwrap_or(u32::MAX);
    let filter = PeriodFilter { class: None, room: None, after: None, limit };
    let mut periods = period::list(tx, reader, &filter)?;
    periods.retain(|period| period.to.is_none_or(|to| to >= reader.today));
    periods.sort_by_key(|p| (p.weekday.to_monday_one_offset(), p.starts, p.id));
    Ok(periods)
}

/// Makes the lessons of their classes those that were typed, by the timetable's rules.
fn reschedule(
    tx: &Tx<'_>,
    reader: Reader,
    typed: Vec<OwnLesson>,
    zone: &TimeZone,
    now: Wall,
) -> Result<(), Error> {
    if typed.len() > LESSONS {
        return Err(Error::Invalid(format!("schedule: at most {LESSONS} lessons")));
    }
    let there = there(tx, reader)?;
    let wanted = typed.into_iter().map(|typed| wanted(tx, reader, typed, now));
    let Replaced { remove, put } = replace(&there, wanted.collect::<Result<_, _>>()?);
    let actor = reader.actor.user.to_string();
    for id in remove {
        period::remove(tx, id, reader.today, &actor, now)?;
    }
    for period in put {
        let id = period.id;
        booking::weekly(tx, &period, now, zone)?;
        period::put(tx, &Period { version: period.version.max(1), ..period }, &actor, now)?;
        make(tx, MakeFor::Period(id), zone, now)?;
    }
    Ok(())
}

fn wanted(tx: &Tx<'_>, reader: Reader, typed: OwnLesson, now: Wall) -> Result<Period, Error> {
    let class = class::find(tx, reader, &typed.class).map_err(|error| match error {
        Error::NotFound(_) => Error::Invalid("schedule: class_id: you teach no such class".into()),
        other => other,
    })?;
    let weekday = Weekday::from_monday_one_offset(typed.weekday)
        .map_err(|_| Error::Invalid("schedule: weekday: 1 is Monday and 7 is Sunday".into()))?;
    let known = typed.id.map(|id| period::find(tx, reader, id)).transpose();
    let known =
        known.map_err(|_| Error::Invalid("schedule: id: there is no such lesson".into()))?;
    // A lesson does not go over to another class: the old one ends, and a new one begins.
    let known = known.filter(|period| period.class == class.id);
    let usual = known.as_ref().map(|period| (period.id, period.from));
    let (id, from) = usual.unwrap_or((wire::id::v7(now), reader.today));
    Ok(Period {
        id,
        class: class.id,
        weekday,
        starts: typed.starts,
        ends: typed.ends,
        room: typed.room.or(class.room).unwrap_or_default().trim().to_owned(),
        from: typed.from.unwrap_or(from),
        to: typed.to,
        version: 0,
    })
}
