//! Table `passkey`: public halves of the keys by which accounts sign in.

use super::account::{self, Account, COLUMNS};
use super::shut::{self, ShutKind};
use super::{Read, Row, Tx, audit, params, parsed};
use rules::error::Error;
use serde_json::json;
use uuid::Uuid;
use wire::Wall;

/// What is kept of a passkey; none of it opens anything.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PasskeyKept {
    /// Its name between the device and us.
    pub credential: Vec<u8>,
    /// Its public key.
    pub key: Vec<u8>,
    /// Its counter, and whether it is backed up.
    pub state: Vec<u8>,
}

/// Passkeys one account may have.
pub const MOST: usize = 10;
/// Bytes of a name.
const NAME: usize = 100;

/// A passkey, to its owner.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Passkey {
    /// Own id.
    pub id: Uuid,
    /// What its owner calls it.
    pub name: String,
    /// When it was made.
    pub created_at: Wall,
    /// When it was last used.
    pub used_at: Option<Wall>,
    /// What is kept of it.
    pub kept: PasskeyKept,
}

const MORE: &str = "k.id, k.name, k.created_at, k.used_at, k.credential, k.key, k.state";

/// Reads [`MORE`], whose first column is `at`.
fn read(row: &Row<'_>, at: usize) -> Read<Passkey> {
    Ok(Passkey {
        id: parsed(row, at)?,
        name: row.get(at + 1)?,
        created_at: Wall(row.get(at + 2)?),
        used_at: row.get::<Option<i64>>(at + 3)?.map(Wall),
        kept: PasskeyKept {
            credential: row.get(at + 4)?,
            key: row.get(at + 5)?,
            state: row.get(at + 6)?,
        },
    })
}

/// The passkeys of `account`, the oldest first.
pub fn of(tx: &Tx<'_>, account: Uuid) -> Result<Vec<Passkey>, Error> {
    let sql = format!("select {MORE} from passkey k where k.account = $1 order by k.id");
    tx.query(&sql, params![account.to_string()], |row| read(row, 0))
}

/// Whether `account` has one.
pub fn any(tx: &Tx<'_>, account: Uuid) -> Result<bool, Error> {
    let sql = "select 1 from passkey where account = $1 limit 1";
    Ok(tx.row(sql, params![account.to_string()], |_| Ok(()))?.is_some())
}

/// The passkey with this name between device and hub, and its account while that is active.
pub fn find(tx: &Tx<'_>, credential: &[u8]) -> Result<Option<(Account, Passkey)>, Error> {
    let sql = format!(
        "select {COLUMNS}, {MORE} from passkey k join user_account a on a.id = k.account
         where k.credential = $1 and a.is_active = 1"
    );
    tx.row(&sql, params![credential], |row| Ok((account::read(row)?, read(row, 5)?)))
}

/// Whether `account` may have one more.
///
/// # Errors
/// `Conflict` when it has [`MOST`].
pub fn may_add(tx: &Tx<'_>, account: Uuid) -> Result<(), Error> {
    if of(tx, account)?.len() < MOST {
        return Ok(());
    }
    Err(Error::Conflict(format!("you have {MOST} passkeys already: remove one first")))
}

/// Adds a passkey to `account`.
///
/// # Errors
/// `Invalid` for a name that cannot be, `Conflict` for one too many or one that is here already.
pub fn add(
    tx: &Tx<'_>,
    account: Uuid,
    name: &str,
    kept: &PasskeyKept,
    now: Wall,
) -> Result<Passkey, Error> {
    let name = named(name)?;
    may_add(tx, account)?;
    let taken = "select 1 from passkey where credential = $1";
    if tx.row(taken, params![kept.credential], |_| Ok(()))?.is_some() {
        return Err(Error::Conflict("this passkey is here already".into()));
    }
    let id = wire::id::v7(now);
    let sql = "insert into passkey (id, account, credential, name, key, state, created_at)
         values ($1, $2, $3, $4, $5, $6, $7)";
    let key = id.to_string();
    let owner = account.to_string();
    let PasskeyKept { credential, key: public, state } = kept;
    tx.execute(sql, params![key, owner, credential, name, public, state, now.0])?;
    noted(tx, now, (&owner, &owner), "add", &key)?;
    Ok(Passkey { id, name, created_at: now, used_at: None, kept: kept.clone() })
}

/// Remembers a use; false when another came between.
pub fn used(tx: &Tx<'_>, old: &Passkey, new: &PasskeyKept, now: Wall) -> Result<bool, Error> {
    let sql = "update passkey set state = $3, used_at = $4 where id = $1 and state = $2";
    let row = params![old.id.to_string(), old.kept.state, new.state, now.0];
    Ok(tx.execute(sql, row)? == 1)
}

/// Calls a passkey of `account` something else.
///
/// # Errors
/// `NotFound`, for a foreign one too; `Invalid` for a name that cannot be.
pub fn rename(tx: &Tx<'_>, account: Uuid, id: Uuid, name: &str, now: Wall) -> Result<(), Error> {
    let sql = "update passkey set name = $3 where account = $1 and id = $2";
    let owner = account.to_string();
    let key = id.to_string();
    if tx.execute(sql, params![owner, key, named(name)?])? == 0 {
        return Err(Error::unknown("passkey", id));
    }
    noted(tx, now, (&owner, &owner), "rename", &key)
}

/// Takes a passkey of `account` away.
///
/// # Errors
/// `NotFound`, for a foreign one too.
pub fn remove(tx: &Tx<'_>, account: Uuid, id: Uuid, now: Wall) -> Result<(), Error> {
    let owner = account.to_string();
    let key = id.to_string();
    let sql = "delete from passkey where account = $1 and id = $2";
    if tx.execute(sql, params![owner, key])? == 0 {
        return Err(Error::unknown("passkey", id));
    }
    shut::note(tx, ShutKind::Passkey, &key, now)?;
    noted(tx, now, (&owner, &owner), "remove", &key)
}

/// Takes all passkeys of `account` away, for whoever lost them; whether there were any.
pub fn remove_all(tx: &Tx<'_>, account: Uuid, actor: &str, now: Wall) -> Result<bool, Error> {
    let had = of(tx, account)?;
    let owner = account.to_string();
    tx.execute("delete from passkey where account = $1", params![owner])?;
    for one in &had {
        let key = one.id.to_string();
        shut::note(tx, ShutKind::Passkey, &key, now)?;
        noted(tx, now, (actor, &owner), "remove", &key)?;
    }
    Ok(!had.is_empty())
}

fn named(name: &str) -> Result<String, Error> {
    let name = name.trim();
    if name.is_empty() || name.len() > NAME || name.chars().any(char::is_control) {
        return Err(Error::Invalid(format!("name: give one of at most {NAME} bytes")));
    }
    Ok(name.to_owned())
}

/// Notes what `actor` did to a passkey of `owner`.
fn noted(
    tx: &Tx<'_>,
    now: Wall,
    (actor, owner): (&str, &str),
    action: &str,
    id: &str,
) -> Result<(), Error> {
    let table = "passkey";
    let meta = json!({ "account": owner });
    audit::add(tx, now, &audit::AuditEntry { actor, action, table, id, meta })
}
