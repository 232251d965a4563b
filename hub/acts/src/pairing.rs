//! Whether the database and the key store belong together: both carry one id.
//!
//! With the keys of one school and the people of another, everybody's keys would look like those
//! of people who are gone, and be erased. A directory from before there were ids gets one at its
//! first start, if its people and keys fit.

use rules::error::Error;
use store::keys::Keys;
use store::{Db, Tx, setting};
use uuid::Uuid;
use wire::Wall;

/// The setting that holds the database's id.
const SETTING: &str = "pairing";
/// With keys of so many people, none of whom is known, it is another school's store. One may be
/// left of somebody who was about to be added.
const STRANGERS: usize = 2;

/// What is known of the two.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PairingFacts {
    /// The database's id.
    pub database: Option<String>,
    /// The key store's id.
    pub keys: Option<String>,
    /// People who have a key.
    pub keyed: usize,
    /// Those of them whom the database knows.
    pub known: usize,
}

/// What follows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PairingVerdict {
    /// They belong together, and say so.
    Pair,
    /// They fit, and get this id, or else a new one.
    Mark(Option<String>),
    /// They are of two hubs.
    Foreign,
}

/// Whether the two belong together.
#[must_use]
pub fn judge(facts: PairingFacts) -> PairingVerdict {
    match (facts.database, facts.keys) {
        (Some(one), Some(other)) if one == other => PairingVerdict::Pair,
        (Some(_), Some(_)) => PairingVerdict::Foreign,
        _ if facts.keyed >= STRANGERS && facts.known == 0 => PairingVerdict::Foreign,
        (one, other) => PairingVerdict::Mark(one.or(other)),
    }
}

/// The id that both carry: it stays the same for the life of a hub, and after a restore.
///
/// # Errors
/// When the database fails, or was never marked.
pub fn id(tx: &Tx<'_>) -> Result<String, Error> {
    let none = || Error::internal("reading the hub's id", "the database was never marked");
    setting::get(tx, SETTING)?.ok_or_else(none)
}

/// Checks that the two belong together, and marks them where they are not marked yet.
///
/// # Errors
/// `Conflict` when they are of two hubs; when the database or the key store fails.
pub async fn settle(db: &Db, keys: &Keys, now: Wall) -> Result<(), Error> {
    let keyed = keys.students()?;
    let mark = keys.pairing()?;
    let count = keyed.len();
    let read = move |tx: &Tx<'_>| {
        let ids = store::student::ids(tx)?;
        let known = keyed.iter().filter(|id| ids.contains(id)).count();
        Ok((setting::get(tx, SETTING)?, known))
    };
    let (database, known) = db.read(read).await?;
    match judge(PairingFacts { database, keys: mark.clone(), keyed: count, known }) {
        PairingVerdict::Pair => Ok(()),
        PairingVerdict::Foreign => Err(foreign(db)),
        PairingVerdict::Mark(id) => {
            let id = id.unwrap_or_else(|| Uuid::from_bytes(rand::random()).to_string());
            if mark.is_none() {
                keys.pair(&id, now)?;
            }
            db.write(move |tx| setting::set(tx, SETTING, &id)).await
        }
    }
}

/// The same for a command beside a running hub: it marks nothing. Blocking.
///
/// # Errors
/// As [`settle`].
pub fn check(db: &Db, keys: &Keys) -> Result<(), Error> {
    let database = db.place().read(|tx| setting::get(tx, SETTING))?;
    match (database, keys.pairing()?) {
        (Some(one), Some(other)) if one != other => Err(foreign(db)),
        _ => Ok(()),
    }
}

fn foreign(db: &Db) -> Error {
    Error::Conflict(format!(
        "{} and the keys beside hub.toml are of two different hubs: with them keys of people \
         would be erased. Look at --data and at the setting “database”, or restore both from one \
         backup",
        db.place()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(
        database: Option<&str>,
        keys: Option<&str>,
        keyed: usize,
        known: usize,
    ) -> PairingVerdict {
        let (database, keys) = (database.map(str::to_owned), keys.map(str::to_owned));
        judge(PairingFacts { database, keys, keyed, known })
    }

    #[test]
    fn only_what_carries_one_id_belongs_together() {
        assert_eq!(of(Some("a"), Some("a"), 9, 0), PairingVerdict::Pair);
        assert_eq!(of(Some("a"), Some("b"), 9, 9), PairingVerdict::Foreign);
    }

    #[test]
    fn what_is_not_marked_yet_is_marked_if_it_fits() {
        assert_eq!(of(None, None, 0, 0), PairingVerdict::Mark(None), "a new hub");
        assert_eq!(
            of(None, None, 300, 299),
            PairingVerdict::Mark(None),
            "one person was just erased"
        );
        assert_eq!(
            of(None, None, 1, 0),
            PairingVerdict::Mark(None),
            "somebody was about to be added"
        );
        assert_eq!(of(None, None, 2, 0), PairingVerdict::Foreign);
        assert_eq!(
            of(None, Some("a"), 9, 5),
            PairingVerdict::Mark(Some("a".into())),
            "an older backup"
        );
        assert_eq!(of(Some("a"), None, 9, 5), PairingVerdict::Mark(Some("a".into())), "older keys");
        assert_eq!(of(None, Some("a"), 9, 0), PairingVerdict::Foreign);
    }
}
