//! Table `shut`: what opened an account and does no more, so that a backup of the data from before
//! then brings it back for nobody.
//!
//! The key store remembers it beside the certificates that ended: it is backed up apart.

use super::{Row, Tx, change, params};
use rules::error::Error;
use wire::Wall;

/// How long it is remembered, milliseconds: no copy of the data is restored that is older.
pub const KEPT_MS: i64 = 400 * 24 * 3600 * 1000;

/// Kinds of it. What a row names is an id of its own, or that of the account.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ShutKind {
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
    /// An account that was opened again: not shut, but after its closing.
    Reopened,
    /// What an account is at an OpenID provider since, by [`crate::identity::mark`].
    Linked,
}

impl ShutKind {
    const ALL: [Self; 8] = [
        Self::Passkey,
        Self::Codes,
        Self::Password,
        Self::Link,
        Self::Account,
        Self::Feed,
        Self::Reopened,
        Self::Linked,
    ];

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
            Self::Reopened => "reopened",
            Self::Linked => "linked",
        }
    }

    /// What the databases say; nothing for what an older program does not know.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// What shuts it in a copy of the data in which it is still open.
    pub(crate) fn again(self) -> &'static [&'static str] {
        match self {
            Self::Passkey => &["delete from passkey where id = $1"],
            Self::Codes => &[
                "delete from recovery_code where account = $1",
                "delete from totp where account = $1",
            ],
            Self::Password => &["update user_account set password = null, version = version + 1
                 where id = $1 and password is not null"],
            Self::Account => &["update user_account set is_active = 0, version = version + 1
                 where id = $1 and is_active = 1"],
            Self::Feed => &["delete from calendar_feed where id = $1"],
            Self::Link | Self::Reopened | Self::Linked => &[],
        }
    }

    /// The two of which the later one counts.
    fn pair(self) -> Option<[Self; 2]> {
        match self {
            Self::Account | Self::Reopened => Some([Self::Account, Self::Reopened]),
            Self::Link | Self::Linked => Some([Self::Link, Self::Linked]),
            _ => None,
        }
    }
}

/// Something that was shut.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shut {
    /// What it is.
    pub kind: ShutKind,
    /// Which one.
    pub what: String,
    /// When.
    pub at: Wall,
}

/// Remembers that `what` opens nothing any more, in the transaction that shuts it.
///
/// What bears an id of its own is forgotten in time: nothing else ever bears it. Times only rise,
/// as beside the keys, though a clock that leapt said the one before.
pub fn note(tx: &Tx<'_>, kind: ShutKind, what: &str, now: Wall) -> Result<(), Error> {
    put(tx, kind, what, after(tx, kind, now)?)
}

/// `now`, but after whatever it follows, though the clock went back.
fn after(tx: &Tx<'_>, kind: ShutKind, now: Wall) -> Result<Wall, Error> {
    let Some([one, other]) = kind.pair() else { return Ok(now) };
    let sql = "select coalesce(max(at), 0) from shut where kind in ($1, $2)";
    let last = tx.row(sql, params![one.as_str(), other.as_str()], |row| row.get(0))?;
    Ok(now.max(Wall(last.unwrap_or_default()).plus_ms(1)))
}

pub(crate) fn put(tx: &Tx<'_>, kind: ShutKind, what: &str, now: Wall) -> Result<(), Error> {
    let old = "delete from shut where at < $1 and kind in ('passkey', 'feed')";
    tx.execute(old, params![now.plus_ms(-KEPT_MS).0])?;
    let sql = "insert into shut (kind, what, at) values ($1, $2, $3)
         on conflict (kind, what) do update set at =
             case when shut.at < excluded.at then excluded.at else shut.at + 1 end";
    tx.execute(sql, params![kind.as_str(), what, now.0])?;
    change::bump(tx, change::SHUT)
}

/// Everything that is remembered.
pub fn all(tx: &Tx<'_>) -> Result<Vec<Shut>, Error> {
    let one = |row: &Row<'_>| {
        let what = row.get(1)?;
        let at = Wall(row.get(2)?);
        Ok(ShutKind::of(&row.get::<String>(0)?).map(|kind| Shut { kind, what, at }))
    };
    let found = tx.query("select kind, what, at from shut order by at", [], one)?;
    Ok(found.into_iter().flatten().collect())
}
