//! A dead letter, taken up again when its cause is mended: judged and settled like any record that
//! comes from its door, and the letter is done in the same transaction.

use super::commit::Clerk;
use super::memo::Memo;
use super::school::Schools;
use super::{judge_safely, secrets};
use crate::events::Event;
use rules::error::{Doing, Error};
use rules::sighting::judge::{Context, JudgedFinding};
use std::collections::HashMap;
use store::keys::Keys;
use store::{Db, Tx, dead_letter};
use wire::Wall;

/// What came of a letter.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Replayed {
    /// Whether it was not stored before.
    pub is_new: bool,
    /// To be said to whoever listens.
    pub events: Vec<Event>,
}

/// Replays letter `n`.
///
/// # Errors
/// `NotFound` when there is no such letter; `Conflict` when it was replayed before; `Invalid`
/// when it holds no record or its record still cannot be used: then it stays as it is.
pub async fn replay(
    db: &Db,
    keys: &Keys,
    schools: &Schools,
    n: i64,
    actor: String,
    now: Wall,
) -> Result<Replayed, Error> {
    let find = move |tx: &Tx<'_>| Ok((dead_letter::get(tx, n)?, dead_letter::item(tx, n)?));
    let (letter, item) = db.read(find).await?;
    if letter.replayed_at.is_some() {
        return Err(Error::Conflict(format!("dead letter {n} was replayed before")));
    }
    let (Some((epoch, _)), Some(item)) = (letter.of, item) else {
        let say = "it holds no whole record: its door sends again what it still has; drop it";
        return Err(Error::Invalid(say.into()));
    };
    let device = letter.device;
    let keys = keys.clone();
    let schools = schools.now();
    let of = device.clone();
    let vault = keys.clone();
    let judge = move || {
        let context = Context { secrets: &secrets(&vault)?, schools: &schools };
        Ok::<_, Error>(judge_safely(&of, epoch, &[item], &context).remove(0))
    };
    let judged = tokio::task::spawn_blocking(judge).await.doing("judging a dead letter")??;
    if let JudgedFinding::Dead(_, why) = &judged.finding {
        return Err(Error::Invalid(format!("it still cannot be used: {why}")));
    }
    let settle = move |tx: &Tx<'_>| {
        let none = HashMap::new();
        let mut memo = Memo::new(&keys, &none);
        let mut clerk = Clerk::new(tx, &mut memo, now);
        let is_new = clerk.again(&device, epoch, &judged)?;
        let events = clerk.events;
        dead_letter::replayed(tx, n, &actor, now)?;
        Ok(Replayed { is_new, events })
    };
    db.write(settle).await
}
