//! Whether the hub's clock can be believed: what cannot be undone waits until it can.
//!
//! A clock that leaps ahead would make records, keys and people go whose time is not over, and
//! close lessons that have not been. It is held against the monotonic clock while the hub runs,
//! against the newest row of the audit chain when it starts, and against the doors. A leap is
//! noted, and stays until the clock comes back or an admin says that it is right.

use rules::clock::{ClockAnchor, ClockFacts, Leap, judge};
use rules::error::Error;
use serde_json::json;
use std::sync::{Arc, Mutex, PoisonError};
use store::{Db, Tx, audit, clock};
use wire::{Mono, Wall};

/// What this process remembers of the clock; cheap to clone.
#[derive(Clone, Default, Debug)]
pub struct Timekeeper(Arc<Mutex<ClockKept>>);

#[derive(Clone, Copy, Default, Debug)]
struct ClockKept {
    anchor: Option<ClockAnchor>,
    confirmed: Option<Wall>,
}

/// The leap that keeps what cannot be undone from being done now, if there is one. It is noted
/// when it is first seen, and forgotten when the clock is back.
///
/// # Errors
/// When the database fails; then nothing should be done that cannot be undone.
pub async fn leap(
    db: &Db,
    timekeeper: &Timekeeper,
    (now, mono): (Wall, Mono),
) -> Result<Option<Leap>, Error> {
    let stored = db.read(clock::facts).await?;
    let before = timekeeper.remembered();
    // What an admin said since begins a new count.
    let anchor = before.anchor.filter(|_| before.confirmed == stored.confirmed);
    let facts = ClockFacts { anchor, ..stored };
    let leap = judge(&facts, now, mono);
    if leap.is_none() {
        let anchor = Some(ClockAnchor { wall: now, mono });
        timekeeper.remember(ClockKept { anchor, confirmed: facts.confirmed });
    }
    if leap.is_some() != facts.noted.is_some() {
        db.write(move |tx| clock::note(tx, leap.as_ref())).await?;
    }
    Ok(leap)
}

/// The same for a command, which knows nothing of the machine's time before. The leap is noted
/// first: what the command then writes down would make it believed the next time.
///
/// # Errors
/// When the database fails; then nothing should be done that cannot be undone.
pub async fn leap_at(db: &Db, now: Wall) -> Result<Option<Leap>, Error> {
    let facts = db.read(clock::facts).await?;
    let leap = judge(&facts, now, Mono(0));
    if leap.is_some() && facts.noted.is_none() {
        db.write(move |tx| clock::note(tx, leap.as_ref())).await?;
    }
    Ok(leap)
}

/// Says that the clock is right as it is.
pub async fn confirm(db: &Db, by: String, now: Wall) -> Result<(), Error> {
    let work = move |tx: &Tx<'_>| {
        let leap = clock::facts(tx)?.noted;
        clock::confirm(tx, now)?;
        let meta =
            leap.map_or_else(|| json!({}), |leap| json!({ "from": leap.from.0, "to": leap.to.0 }));
        let actor = &by;
        let action = "confirm_clock";
        let table = "setting";
        let id = "clock";
        audit::add(tx, now, &audit::AuditEntry { actor, action, table, id, meta })
    };
    db.write(work).await
}

/// Refuses while the clock is not believed.
///
/// # Errors
/// `Conflict` with what to do.
pub fn refuse(leap: Option<Leap>) -> Result<(), Error> {
    match leap {
        None => Ok(()),
        Some(_) => Err(Error::Conflict(
            "the hub's clock has leapt, and what goes now cannot come back: set the clock right, \
             or say on the page “What needs care” (or by rollcall-hub clock confirm) that it is"
                .into(),
        )),
    }
}

impl Timekeeper {
    fn remembered(&self) -> ClockKept {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remember(&self, kept: ClockKept) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = kept;
    }
}
