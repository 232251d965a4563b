//! Table `shut`: what opened an account and does no more, so that a backup of the data from before
//! then brings it back for nobody.
//!
//! The key store remembers it beside the certificates that ended: it is backed up apart.

use super::{Tx, change, params};
use crate::error::Error;
use wire::Wall;

/// How long it is remembered, milliseconds: no copy of the data is restored that is older.
pub const KEPT_MS: i64 = 400 * 24 * 3600 * 1000;

/// Kinds of it. What a row names is an id of its own, or that of the account.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A passkey, by its id.
    Passkey,
    /// The codes of an account.
    Codes,
    /// The password of an account.
    Password,
    /// What an account is at an OpenID provider.
    Link,
    /// An account that was closed.
    Account,
    /// A calendar address, by its id.
    Feed,
}

impl Kind {
    const ALL: [Self; 6] =
        [Self::Passkey, Self::Codes, Self::Password, Self::Link, Self::Account, Self::Feed];

    /// As the databases say it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Passkey => "passkey",
            Self::Codes => "codes",
            Self::Password => "password",
            Self::Link => "link",
            Self::Account => "account",
            Self::Feed => "feed",
        }
    }

    /// What the databases say; nothing for what an older program does not know.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// What shuts it in a copy of the data in which it is still open.
    fn again(self) -> &'static [&'static str] {
        match self {
            Self::Passkey => &["delete from passkey where id = $1"],
            Self::Codes => &[
                "delete from recovery_code where account = $1",
                "delete from totp where account = $1",
            ],
            Self::Password => &["update user_account set password = null, version = version + 1
                 where id = $1 and password is not null"],
            Self::Link => &["delete from identity where account = $1"],
            Self::Account => &["update user_account set is_active = 0, version = version + 1
                 where id = $1 and is_active = 1"],
            Self::Feed => &["delete from calendar_feed where id = $1"],
        }
    }
}

/// Something that was shut.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shut {
    /// What it is.
    pub kind: Kind,
    /// Which one.
    pub what: String,
    /// When.
    pub at: Wall,
}

/// Remembers that `what` opens nothing any more, in the transaction that shuts it.
///
/// What bears an id of its own is forgotten in time: nothing else ever bears it. Times only rise,
/// as beside the keys, though a clock that leapt said the one before.
///
/// # Errors
/// When the database fails.
pub fn note(tx: &Tx<'_>, kind: Kind, what: &str, now: Wall) -> Result<(), Error> {
    let old = "delete from shut where at < $1 and kind in ('passkey', 'feed')";
    tx.execute(old, params![now.plus_ms(-KEPT_MS).0])?;
    let sql = "insert into shut (kind, what, at) values ($1, $2, $3)
         on conflict (kind, what) do update set at =
             case when shut.at < excluded.at then excluded.at else shut.at + 1 end";
    tx.execute(sql, params![kind.as_str(), what, now.0])?;
    change::bump(tx, change::SHUT)
}

/// Everything that is remembered.
///
/// # Errors
/// When the database fails.
pub fn all(tx: &Tx<'_>) -> Result<Vec<Shut>, Error> {
    let one = |row: &rusqlite::Row<'_>| {
        let (what, at) = (row.get(1)?, Wall(row.get(2)?));
        Ok(Kind::of(&row.get::<_, String>(0)?).map(|kind| Shut { kind, what, at }))
    };
    let found = tx.query("select kind, what, at from shut order by at", [], one)?;
    Ok(found.into_iter().flatten().collect())
}

/// Shuts again what an older copy of the data brought back; how many. What this data knows of,
/// such as an account that was opened again since, stays as it is.
///
/// # Errors
/// When the database fails.
pub fn again(tx: &Tx<'_>, shut: &[Shut]) -> Result<usize, Error> {
    let mut back = 0;
    for Shut { kind, what, at } in shut {
        let sql = "select 1 from shut where kind = $1 and what = $2 and at >= $3";
        if tx.row(sql, params![kind.as_str(), what, at.0], |_| Ok(()))?.is_some() {
            continue;
        }
        let mut open = 0;
        for sql in kind.again() {
            open = tx.execute(sql, params![what])?;
        }
        back += open;
        note(tx, *kind, what, *at)?;
    }
    Ok(back)
}
