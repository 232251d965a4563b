//! The roll of a class on one day, as a teacher calls it: who is there, and who is not.

use super::Classroom;
use super::mark::{Speaker, speak};
use crate::marks::{self, budget};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rules::attendance::Status;
use rules::attendance::spoken::{Details, Over, SpokenWord};
use rules::error::Error;
use std::collections::HashSet;
use store::class::{self, Class};
use store::reader::Reader;
use store::session::{self, Session, SessionFilter};
use store::{Tx, student};
use wire::{StudentId, Wall};

/// Lessons of a class on one day that are looked at.
const LESSONS: u32 = 50;

/// Who is there on a day, and who is not.
#[derive(Clone, Debug)]
pub struct Roll {
    /// The class: own id or code.
    pub class: String,
    /// The day; not one that has yet to come.
    pub day: Date,
    /// Own ids or student numbers.
    pub present: Vec<String>,
    /// Own ids or student numbers.
    pub absent: Vec<String>,
}

/// What became of it.
#[derive(Clone, Debug)]
pub struct Taken {
    /// Whose roll it is.
    pub class: Class,
    /// The lesson it was taken in.
    pub lesson: Session,
    /// Students said to be there.
    pub present: usize,
    /// Students said not to be there.
    pub absent: usize,
    /// Marks that changed.
    pub marked: usize,
}

impl Classroom {
    /// Takes the roll in the lesson that runs, or the last one of that day, or an ad-hoc one.
    ///
    /// # Errors
    /// `NotFound` for a class that the reader may not see; `Invalid` for whoever is not on its
    /// roster, or on both lists.
    pub async fn take_roll(&self, reader: Reader, roll: Roll, now: Wall) -> Result<Taken, Error> {
        let zone = self.zone.clone();
        let work = move |tx: &Tx<'_>| {
            let class = class::find(tx, reader, &roll.class)?;
            let present = members(tx, &class, &roll.present, "present_students")?;
            let absent = members(tx, &class, &roll.absent, "absent_students")?;
            if !present.is_disjoint(&absent) {
                let say =
                    "a student is in present_students and in absent_students: say one of the two";
                return Err(Error::Invalid(say.into()));
            }
            let lesson = lesson(tx, reader, &class, &RollWhen { now, day: roll.day, zone })?;
            let by = reader.actor.user.to_string();
            let mut marked = Vec::new();
            for (people, status) in [(&present, Status::Present), (&absent, Status::Absent)] {
                for who in people {
                    let details = Details::Said { arrived_at: None, notes: None };
                    let word = SpokenWord { status, details, over: Over::Other };
                    marked.extend(speak(tx, &lesson, *who, word, Speaker { by: &by, now })?);
                }
            }
            let suspended = budget::suspend_if_overrun(tx, class.id, now)?;
            let present = present.len();
            let absent = absent.len();
            let taken = Taken { class, lesson, present, absent, marked: marked.len() };
            Ok((taken, marked, suspended))
        };
        let (taken, marked, suspended) = self.db.write(work).await?;
        self.tell(marked, suspended);
        Ok(taken)
    }
}

/// Whom `names` name on the roster of `class`.
fn members(
    tx: &Tx<'_>,
    class: &Class,
    names: &[String],
    field: &str,
) -> Result<HashSet<StudentId>, Error> {
    names.iter().map(|name| member(tx, class, name, field)).collect()
}

fn member(tx: &Tx<'_>, class: &Class, name: &str, field: &str) -> Result<StudentId, Error> {
    let strange =
        || Error::Invalid(format!("{field}: there is no “{name}” on the roster of this class"));
    let who = match student::find(tx, name) {
        Ok(student) => student.id,
        Err(Error::NotFound(_)) => return Err(strange()),
        Err(error) => return Err(error),
    };
    if class::has(tx, class.id, who)? { Ok(who) } else { Err(strange()) }
}

/// The moment, and the day that is spoken of.
struct RollWhen {
    now: Wall,
    day: Date,
    zone: TimeZone,
}

/// The lesson that is spoken of: the one that runs, or the last one of that day, or an ad-hoc one.
fn lesson(tx: &Tx<'_>, reader: Reader, class: &Class, when: &RollWhen) -> Result<Session, Error> {
    let RollWhen { now, day, zone } = when;
    let by = reader.actor.user.to_string();
    if *day == reader.today
        && let Some(lesson) = session::of_class_at(tx, class.id, *now)?
    {
        return Ok(lesson);
    }
    let start =
        |day: Date| day.to_zoned(zone.clone()).map(|at| Wall(at.timestamp().as_millisecond()));
    let odd = |_| Error::Invalid("date: this day has no beginning".into());
    let next = day.tomorrow().map_err(odd)?;
    let from = start(*day).map_err(odd)?;
    let end = start(next).map_err(odd)?;
    let filter = SessionFilter {
        class: Some(class.id),
        from: Some(from),
        until: Some(end.min(now.plus_ms(1))),
        ..SessionFilter::default()
    };
    if let Some(last) = session::list(tx, reader, &filter, LESSONS)?.pop() {
        return Ok(last);
    }
    let local = rules::timetable::day(*now, zone);
    let at = if *day == local { *now } else { from.plus_ms((end.0 - from.0) / 2) };
    marks::lesson_now(tx, class, at, *day, &by)
}
