//! Carries decisions out: what a person says about sightings becomes rows, all or nothing.
//!
//! One transaction reads, checks who may see what, decides ([`review`]), writes,
//! and adds to the audit chain. Whatever a person may not see is not found.

use crate::events::{Event, Events};
use crate::marks;
use crate::marks::Marked;
use crate::marks::budget;
use rules::error::{Doing, Error};
use rules::review::{
    self, FormerReview, ReviewAsk, ReviewChange, ReviewEvidence, ReviewFacts, ReviewSay, Status,
};
use rules::version::as_read;
use serde_json::json;
use store::keys::Keys;
use store::{self, Db, Tx, audit};
use store::{
    desk::visible,
    reader::{Reader, visible_to},
};
use uuid::Uuid;
use wire::seal::Part;
use wire::{RecordId, StudentId, Wall};
use zeroize::Zeroizing;

/// How long the face of a rejected sighting is kept, unseen, in case that was a mistake.
const SECOND_THOUGHTS_MS: i64 = 60 * 60 * 1000;

/// Sightings in one step at most.
pub const STEP: usize = 200;

/// Where decisions are made; cheap to clone.
#[derive(Clone)]
pub struct Desk {
    /// The database.
    pub db: Db,
    /// The students' keys.
    pub keys: Keys,
    /// Who is told.
    pub events: Events,
}

/// A sighting after a decision.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeskDone {
    /// Which.
    pub record: RecordId,
    /// Its version now.
    pub version: i64,
    /// Where it stands.
    pub status: Status,
    /// Who a person said it was.
    pub decided: Option<StudentId>,
    /// Whose marks changed with it.
    pub marked: Vec<Marked>,
    /// The class that lets a person decide again because of it.
    pub suspended: Option<Uuid>,
}

impl Desk {
    /// Makes these decisions as one step: all of them, or none.
    ///
    /// Answers what `shown` makes of it in the same transaction: a repeat after an answer that could
    /// not be made finds nothing in its way.
    ///
    /// # Errors
    /// The first that cannot be: `NotFound`, `Conflict` naming who was faster, `Invalid`.
    pub async fn decide<T: Send + 'static>(
        &self,
        reader: Reader,
        asks: Vec<ReviewAsk>,
        shown: impl FnOnce(&Tx<'_>, &[DeskDone]) -> Result<T, Error> + Send + 'static,
        now: Wall,
    ) -> Result<T, Error> {
        if asks.is_empty() || asks.len() > STEP {
            return Err(Error::Invalid(format!("decide on 1 to {STEP} records at once")));
        }
        let keys = self.keys.clone();
        let work = move |tx: &Tx<'_>| {
            let hand = DeskHand { tx, keys: &keys, reader, now };
            let mut former = Vec::new();
            let mut done = Vec::new();
            for ask in &asks {
                let facts = hand.seen(ask.record)?;
                hand.check_student(&ask.say)?;
                let by = reader.actor.user.to_string();
                let change = review::decide(&facts, ask, &by, now)?;
                let record = ask.record;
                let lesson = facts.lesson;
                let before = facts.state.clone();
                former.push(FormerReview { record, lesson, before, after: change.state.clone() });
                done.push(hand.carry_out(&facts, change, None)?);
            }
            store::review::add_step(tx, reader.actor.user, &former, now)?;
            Ok((shown(tx, &done)?, done))
        };
        let (shown, done) = self.db.write(work).await?;
        self.tell(&done, reader);
        Ok(shown)
    }

    /// The student whom `name` names, an own id or a student number, if there is one.
    ///
    /// # Errors
    /// `NotFound`, for somebody whom the reader may not see too.
    pub async fn named(
        &self,
        reader: Reader,
        name: Option<String>,
    ) -> Result<Option<StudentId>, Error> {
        let Some(name) = name else { return Ok(None) };
        let read = self.db.read(move |tx| store::student::find_for(tx, reader, &name));
        Ok(Some(read.await?.id))
    }

    /// Takes back the reader's newest step, or the newest that changed `record`: the whole step.
    ///
    /// Answers what `shown` makes of it in the same transaction: a repeat after an answer that could
    /// not be made finds nothing in its way.
    ///
    /// # Errors
    /// `NotFound` when there is none; `Conflict` when somebody decided since, or `record` was changed
    /// since `version`.
    pub async fn undo<T: Send + 'static>(
        &self,
        reader: Reader,
        record: Option<RecordId>,
        version: Option<i64>,
        shown: impl FnOnce(&Tx<'_>, &[DeskDone]) -> Result<T, Error> + Send + 'static,
        now: Wall,
    ) -> Result<T, Error> {
        let keys = self.keys.clone();
        let work = move |tx: &Tx<'_>| {
            let hand = DeskHand { tx, keys: &keys, reader, now };
            let step = store::review::last_step(tx, reader.actor.user, record)?;
            let none = || Error::NotFound("there is no step of yours to take back".into());
            let (n, former) = step.ok_or_else(none)?;
            let mut done = Vec::new();
            for former in former.iter().rev() {
                let facts = hand.own(former)?;
                if record == Some(former.record) {
                    as_read(facts.version, version)?;
                }
                let change = review::undo(&facts, former)?;
                done.push(hand.carry_out(&facts, change, former.lesson)?);
            }
            store::review::forget_step(tx, n)?;
            Ok((shown(tx, &done)?, done))
        };
        let (shown, done) = self.db.write(work).await?;
        self.tell(&done, reader);
        Ok(shown)
    }

    /// Deletes a sighting for good, with its evidence; marks that followed from it are taken back.
    /// Its receipt stays, so that its door does not send it anew.
    ///
    /// # Errors
    /// `NotFound`, for a foreign record too; `Conflict` when it was changed since `version`.
    pub async fn remove(
        &self,
        reader: Reader,
        record: RecordId,
        version: Option<i64>,
        now: Wall,
    ) -> Result<(), Error> {
        let work = move |tx: &Tx<'_>| {
            if !visible(tx, reader, record)? {
                return Err(Error::unknown("record", record));
            }
            let actor = reader.actor.user.to_string();
            let id = record.to_string();
            let facts = store::review::facts(tx, record)?;
            as_read(facts.version, version)?;
            let place = store::passage::place(tx, record)?;
            store::passage::remove(tx, record)?;
            let meta = json!({ "student": review::holder(&facts.state) });
            let entry = audit::AuditEntry {
                actor: &actor,
                action: "delete",
                table: "sighting",
                id: &id,
                meta,
            };
            audit::add(tx, now, &entry)?;
            marks::removed(tx, place.session, &facts.state, &actor, now)
        };
        self.events.marked(self.db.write(work).await?);
        Ok(())
    }

    /// The face crop of a sighting, JPEG, where one is kept.
    ///
    /// # Errors
    /// `NotFound`, for a foreign record too.
    pub async fn crop(
        &self,
        reader: Reader,
        record: RecordId,
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        let keys = self.keys.clone();
        let read = move |tx: &Tx<'_>| {
            let gone = || Error::NotFound("there is no picture of this record any more".into());
            if !visible(tx, reader, record)? {
                return Err(Error::unknown("record", record));
            }
            let crop = store::review::evidence(tx, record, Part::Crop)?.ok_or_else(gone)?;
            let key = keys.student(crop.student)?.ok_or_else(gone)?;
            crop.open(record, Part::Crop, &key).doing("opening a crop")
        };
        self.db.read(read).await
    }

    fn tell(&self, done: &[DeskDone], reader: Reader) {
        for done in done {
            self.events.say(Event::Decided { record: done.record, by: reader.actor.user });
            self.events.marked(done.marked.iter().copied());
            self.events.suspended(done.suspended);
        }
    }
}

/// One person's hand in one transaction.
struct DeskHand<'a, 't> {
    tx: &'a Tx<'t>,
    keys: &'a Keys,
    reader: Reader,
    now: Wall,
}

impl DeskHand<'_, '_> {
    fn seen(&self, record: RecordId) -> Result<ReviewFacts, Error> {
        if !visible(self.tx, self.reader, record)? {
            return Err(Error::unknown("record", record));
        }
        store::review::facts(self.tx, record)
    }

    /// A sighting of a step of one's own: who it was taken to be before may be seen, whoever it
    /// was passed on to.
    fn own(&self, former: &FormerReview) -> Result<ReviewFacts, Error> {
        let before = review::holder(&former.before);
        let may = before.map(|student| visible_to(self.tx, self.reader, student)).transpose()?;
        match may {
            Some(true) => store::review::facts(self.tx, former.record),
            _ => self.seen(former.record),
        }
    }

    /// A named student must be one whom the person may see, and active.
    fn check_student(&self, say: &ReviewSay) -> Result<(), Error> {
        let ReviewSay::Approve(Some(student)) = *say else { return Ok(()) };
        if !visible_to(self.tx, self.reader, student)? {
            return Err(Error::unknown("student", student));
        }
        match store::review::is_active(self.tx, student)? {
            true => Ok(()),
            false => Err(Error::Invalid("this student is not active: nothing is recorded".into())),
        }
    }

    /// Makes the change; `home` is the lesson that the sighting goes back to, if it does.
    fn carry_out(
        &self,
        facts: &ReviewFacts,
        change: ReviewChange,
        home: Option<Uuid>,
    ) -> Result<DeskDone, Error> {
        let ReviewChange { state, evidence, action } = change;
        let record = facts.record;
        let version = facts.version + 1;
        store::review::set(self.tx, record, facts.version, &state)?;
        let goes = self.now.plus_ms(SECOND_THOUGHTS_MS);
        let hidden = matches!(evidence, ReviewEvidence::Hide).then_some(goes);
        store::review::hide_evidence(self.tx, record, hidden)?;
        if let ReviewEvidence::Wrap(student) = evidence {
            wrap(self.tx, self.keys, record, student, self.now)?;
        }
        let actor = self.reader.actor.user.to_string();
        let id = record.to_string();
        let meta = json!({ "version": version, "student": state.decided,
            "ruled_out": state.ruled_out });
        let entry = audit::AuditEntry { actor: &actor, action, table: "sighting", id: &id, meta };
        audit::add(self.tx, self.now, &entry)?;
        let states = (&facts.state, &state);
        let marked = marks::decided(self.tx, record, states, home, &actor, self.now)?;
        let suspended = budget::corrected(self.tx, record, self.now)?;
        Ok(DeskDone {
            record,
            version,
            status: state.status,
            decided: state.decided,
            marked,
            suspended,
        })
    }
}

/// Wraps the keys of what is kept of `record` for `student`. What cannot be opened any more,
/// because its student was erased, goes.
pub fn wrap(
    tx: &Tx<'_>,
    keys: &Keys,
    record: RecordId,
    student: StudentId,
    now: Wall,
) -> Result<(), Error> {
    for part in [Part::Template, Part::Crop] {
        let Some(kept) = store::review::evidence(tx, record, part)? else { continue };
        if kept.student == student {
            continue;
        }
        let Some(old) = keys.student(kept.student)? else {
            return store::review::delete_evidence(tx, record);
        };
        let new = crate::keyring::key_for(tx, keys, student, now)?;
        let kept = kept.rewrap(record, part, &old, student, &new).doing("rewrapping a key")?;
        store::review::rewrap(tx, record, part, &kept)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
