//! Tables `totp` and `recovery_code`: the second factor of an account.

use super::shut::{self, ShutKind};
use super::{Tx, audit, params, passkey};
use rules::error::Error;
use serde_json::json;
use uuid::Uuid;
use wire::Wall;

/// A second factor.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Totp {
    /// Its secret, sealed for [`place`].
    pub sealed: Vec<u8>,
    /// Whether it counts.
    pub confirmed: bool,
    /// The newest step whose code was used.
    pub last_step: i64,
}

/// What a secret is sealed for.
#[must_use]
pub fn place(account: Uuid) -> String {
    format!("totp {account}")
}

/// The second factor of `account`, confirmed or not.
pub fn get(tx: &Tx<'_>, account: Uuid) -> Result<Option<Totp>, Error> {
    let sql = "select sealed, confirmed_at, last_step from totp where account = $1";
    tx.row(sql, params![account.to_string()], |row| {
        let confirmed = row.get::<Option<i64>>(1)?.is_some();
        Ok(Totp { sealed: row.get(0)?, confirmed, last_step: row.get(2)? })
    })
}

/// Whether `account` has a second factor that counts: codes, or a passkey.
pub fn has_factor(tx: &Tx<'_>, account: Uuid) -> Result<bool, Error> {
    let codes = get(tx, account)?.is_some_and(|totp| totp.confirmed);
    Ok(codes || passkey::any(tx, account)?)
}

/// Takes every second factor away, for whoever lost them; whether there was one.
pub fn remove_every(tx: &Tx<'_>, account: Uuid, actor: &str, now: Wall) -> Result<bool, Error> {
    let codes = remove(tx, account, actor, now)?;
    Ok(passkey::remove_all(tx, account, actor, now)? || codes)
}

/// Begins: the secret waits for its first code.
///
/// # Errors
/// `Conflict` when there is one already.
pub fn start(tx: &Tx<'_>, account: Uuid, sealed: &[u8], now: Wall) -> Result<(), Error> {
    if get(tx, account)?.is_some_and(|totp| totp.confirmed) {
        let say = "this account has a second factor already: remove that one first";
        return Err(Error::Conflict(say.into()));
    }
    let sql = "insert into totp (account, sealed, created_at, last_step) values ($1, $2, $3, 0)
         on conflict (account) do update set sealed = excluded.sealed,
             created_at = excluded.created_at, last_step = 0";
    tx.execute(sql, params![account.to_string(), sealed, now.0]).map(drop)
}

/// The first code was right: the factor counts from now on. `digests` are those of its recovery
/// codes.
pub fn confirm(
    tx: &Tx<'_>,
    account: Uuid,
    step: i64,
    digests: &[Vec<u8>],
    now: Wall,
) -> Result<(), Error> {
    let id = account.to_string();
    let sql = "update totp set confirmed_at = $2, last_step = $3 where account = $1";
    tx.execute(sql, params![id, now.0, step])?;
    tx.execute("delete from recovery_code where account = $1", params![id])?;
    for digest in digests {
        let sql = "insert into recovery_code (account, digest) values ($1, $2)";
        tx.execute(sql, params![id, digest])?;
    }
    noted(tx, now, &id, "totp on", &id)
}

/// Uses up the step of a code; false if that step or a later one was used before.
pub fn use_step(tx: &Tx<'_>, account: Uuid, step: i64) -> Result<bool, Error> {
    let sql = "update totp set last_step = $2 where account = $1 and last_step < $2";
    Ok(tx.execute(sql, params![account.to_string(), step])? == 1)
}

/// Uses up a recovery code; false if it is unknown or was used.
pub fn use_recovery(tx: &Tx<'_>, account: Uuid, digest: &[u8], now: Wall) -> Result<bool, Error> {
    let id = account.to_string();
    let sql = "update recovery_code set used_at = $3
         where account = $1 and digest = $2 and used_at is null";
    let used = tx.execute(sql, params![id, digest, now.0])? == 1;
    if used {
        noted(tx, now, &id, "recovery code", &id)?;
    }
    Ok(used)
}

/// Recovery codes left.
pub fn left(tx: &Tx<'_>, account: Uuid) -> Result<i64, Error> {
    let sql = "select count(*) from recovery_code where account = $1 and used_at is null";
    Ok(tx.row(sql, params![account.to_string()], |row| row.get(0))?.unwrap_or(0))
}

/// Takes the second factor away; whether there was one.
pub fn remove(tx: &Tx<'_>, account: Uuid, actor: &str, now: Wall) -> Result<bool, Error> {
    let id = account.to_string();
    tx.execute("delete from recovery_code where account = $1", params![id])?;
    let was = tx.execute("delete from totp where account = $1", params![id])? == 1;
    if was {
        shut::note(tx, ShutKind::Codes, &id, now)?;
        noted(tx, now, actor, "totp off", &id)?;
    }
    Ok(was)
}

fn noted(tx: &Tx<'_>, now: Wall, actor: &str, action: &str, id: &str) -> Result<(), Error> {
    let table = "user_account";
    let meta = json!({});
    audit::add(tx, now, &audit::AuditEntry { actor, action, table, id, meta })
}
