//! Classroom that are planned or changed by hand, and that begin and end when a person says so.

use super::Classroom;
use super::typed::{self, LessonChanges, NewLesson, is_moved};
use crate::events::Event;
use crate::marks::{self, Marked};
use crate::planning::booking;
use rules::error::Error;
use rules::timetable::Change as Differs;
use rules::version::as_read;
use serde_json::json;
use store::reader::Reader;
use store::session::{self, Session};
use store::{Tx, class};
use wire::{RecordId, Wall};

impl Classroom {
    /// A new lesson; sightings that were only logged wait in it.
    ///
    /// Answers what `shown` makes of it in the same transaction: a repeat after an answer that could
    /// not be made finds nothing in its way.
    ///
    /// # Errors
    /// `NotFound` for a class that the reader does not see, `Conflict` when class or room are
    /// taken, `Invalid` for times that cannot be.
    pub async fn add<T: Send + 'static>(
        &self,
        reader: Reader,
        new: NewLesson,
        shown: impl FnOnce(&Tx<'_>, Session) -> Result<T, Error> + Send + 'static,
        now: Wall,
    ) -> Result<T, Error> {
        let zone = self.zone.clone();
        let work = move |tx: &Tx<'_>| {
            let lesson = typed::plan(tx, reader, new, &zone, now)?;
            typed::check(tx, &lesson)?;
            booking::lesson(tx, &lesson, now, &zone)?;
            session::add(tx, &lesson)?;
            noted(tx, reader, "add", &lesson, now)?;
            let records = marks::adopt(tx, &lesson, now)?;
            Ok((shown(tx, lesson)?, records))
        };
        let (lesson, records) = self.db.write(work).await?;
        self.events.waiting(records);
        Ok(lesson)
    }

    /// Changes a lesson; the marks of its students follow if its times or its room are others.
    ///
    /// Answers what `shown` makes of it in the same transaction: a repeat after an answer that could
    /// not be made finds nothing in its way.
    ///
    /// # Errors
    /// `NotFound`, `Conflict` when it was changed meanwhile or class or room are taken, `Invalid`
    /// for times that cannot be.
    pub async fn change<T: Send + 'static>(
        &self,
        reader: Reader,
        to: LessonChanges,
        shown: impl FnOnce(&Tx<'_>, Session) -> Result<T, Error> + Send + 'static,
        now: Wall,
    ) -> Result<T, Error> {
        let zone = self.zone.clone();
        let work = move |tx: &Tx<'_>| {
            let old = session::find(tx, reader, &to.lesson)?;
            let id = old.id.to_string();
            let new = typed::patched(tx, &old, to, &zone, now)?;
            typed::check(tx, &new)?;
            if is_moved(&old, &new) {
                booking::lesson(tx, &new, now, &zone)?;
            }
            typed::differ(tx, &old, &new, &zone, reader, now)?;
            session::change(tx, &new)?;
            noted(tx, reader, "change", &new, now)?;
            let new = session::find(tx, reader, &id)?;
            let (marked, records) = match is_moved(&old, &new) {
                true => moved(tx, &new, &reader.actor.user.to_string(), now)?,
                false => Default::default(),
            };
            Ok((shown(tx, new)?, marked, records))
        };
        let (lesson, marked, records) = self.db.write(work).await?;
        self.events.marked(marked);
        self.events.waiting(records);
        Ok(lesson)
    }

    /// Takes a lesson away with its marks; one of the timetable is cancelled on that day.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn remove(
        &self,
        reader: Reader,
        lesson: String,
        version: Option<i64>,
        now: Wall,
    ) -> Result<(), Error> {
        let work = move |tx: &Tx<'_>| {
            let lesson = session::find(tx, reader, &lesson)?;
            as_read(lesson.version, version)?;
            if let Some(of) = lesson.period {
                typed::except(tx, of, lesson.day, &Differs::Cancelled, reader, now)?;
            }
            session::remove(tx, lesson.id)?;
            noted(tx, reader, "remove", &lesson, now)
        };
        self.db.write(work).await
    }

    /// Begins a lesson of a class without a plan; if one is due, it is that one.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn begin(&self, reader: Reader, class: String, now: Wall) -> Result<Session, Error> {
        let work = move |tx: &Tx<'_>| {
            let class = class::find(tx, reader, &class)?;
            let by = reader.actor.user.to_string();
            let lesson = marks::lesson_now(tx, &class, now, reader.today, &by)?;
            let records: Vec<RecordId> = marks::adopt(tx, &lesson, now)?;
            Ok((lesson, records))
        };
        let (lesson, records) = self.db.write(work).await?;
        self.events.waiting(records);
        Ok(lesson)
    }

    /// Closes a lesson before its end: whoever has no mark gets one. One that is closed stays as
    /// it is.
    ///
    /// # Errors
    /// `NotFound`, `Conflict` before it begins.
    pub async fn close(&self, reader: Reader, lesson: String, now: Wall) -> Result<Session, Error> {
        let work = move |tx: &Tx<'_>| {
            let lesson = session::find(tx, reader, &lesson)?;
            if now < lesson.starts {
                return Err(Error::Conflict("this lesson has not begun yet".into()));
            }
            if lesson.closed_at.is_none() {
                marks::close(tx, &lesson, &reader.actor.user.to_string(), now)?;
            }
            Ok(lesson)
        };
        let lesson = self.db.write(work).await?;
        if lesson.closed_at.is_none() {
            self.events.say(Event::SessionClosed(lesson.id));
        }
        Ok(lesson)
    }

    /// Opens a closed lesson again while it lasts: what its end said counts no more. One that is
    /// open stays as it is.
    ///
    /// # Errors
    /// `NotFound`, `Conflict` once it is over.
    pub async fn open(&self, reader: Reader, lesson: String, now: Wall) -> Result<Session, Error> {
        let work = move |tx: &Tx<'_>| {
            let lesson = session::find(tx, reader, &lesson)?;
            if lesson.ends <= now {
                let say = "this lesson is over: correct its marks instead";
                return Err(Error::Conflict(say.into()));
            }
            let marked = match lesson.closed_at {
                Some(_) => marks::open(tx, &lesson, &reader.actor.user.to_string(), now)?,
                None => Vec::new(),
            };
            Ok((lesson, marked))
        };
        let (lesson, marked) = self.db.write(work).await?;
        self.events.marked(marked);
        Ok(lesson)
    }
}

/// Lets what hangs on a lesson follow it to other times or another room.
fn moved(
    tx: &Tx<'_>,
    lesson: &Session,
    actor: &str,
    now: Wall,
) -> Result<(Vec<Marked>, Vec<RecordId>), Error> {
    let records = marks::adopt(tx, lesson, now)?; // first: nobody of whom one waits is absent
    let mut marked = Vec::new();
    for student in class::roster(tx, lesson.class)? {
        if marks::can_tell(tx, lesson, student)? {
            marked.extend(marks::follow(tx, lesson, student, actor, now)?);
        }
    }
    Ok((marked, records))
}

fn noted(
    tx: &Tx<'_>,
    reader: Reader,
    action: &str,
    lesson: &Session,
    now: Wall,
) -> Result<(), Error> {
    store::change::bump(tx, store::change::GALLERY)?; // doors are told who is due
    let actor = reader.actor.user.to_string();
    let id = lesson.id.to_string();
    let meta = json!({ "class": lesson.class, "starts": lesson.starts.0 });
    let entry = store::audit::AuditEntry { actor: &actor, action, table: "session", id: &id, meta };
    store::audit::add(tx, now, &entry)
}
