//! Table `identity`: who an account is at an OpenID provider.

use super::account::{self, Account, COLUMNS};
use super::shut::{self, ShutKind};
use super::{Tx, audit, params};
use data_encoding::HEXLOWER;
use rules::auth::elsewhere::{Opens, ProviderIdentity, opens};
use rules::error::Error;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use std::collections::HashSet;
use uuid::Uuid;
use wire::Wall;

/// The account that `identity` opens; the first time it is linked.
pub fn open(tx: &Tx<'_>, identity: &ProviderIdentity, now: Wall) -> Result<Option<Account>, Error> {
    match opens(linked(tx, identity)?, invited(tx, identity)?) {
        Opens::Account(account) => Ok(Some(account)),
        Opens::Links(account) => link(tx, identity, account.id, now).map(|()| Some(account)),
        Opens::Nothing => Ok(None),
    }
}

fn linked(tx: &Tx<'_>, identity: &ProviderIdentity) -> Result<Option<Account>, Error> {
    let sql = format!(
        "select {COLUMNS} from identity i join user_account a on a.id = i.account
         where i.issuer = $1 and i.subject = $2 and a.is_active = 1"
    );
    tx.row(&sql, params![identity.issuer, identity.subject], account::read)
}

/// The account that waits for the first sign-in with this address.
fn invited(tx: &Tx<'_>, identity: &ProviderIdentity) -> Result<Option<Account>, Error> {
    let Some(email) = &identity.verified_email else { return Ok(None) };
    let sql = format!(
        "select {COLUMNS} from user_account a
         where a.email = $1 and a.may_link = 1 and a.is_active = 1"
    );
    tx.row(&sql, params![email.trim().to_lowercase()], account::read)
}

/// Links them; the invitation is used up.
fn link(tx: &Tx<'_>, identity: &ProviderIdentity, account: Uuid, now: Wall) -> Result<(), Error> {
    let id = account.to_string();
    let sql = "insert into identity (issuer, subject, account, linked_at) values ($1, $2, $3, $4)
         on conflict (issuer, subject) do update set account = excluded.account,
             linked_at = excluded.linked_at";
    tx.execute(sql, params![identity.issuer, identity.subject, id, now.0])?;
    let sql = "update user_account set may_link = 0, version = version + 1 where id = $1";
    tx.execute(sql, params![id])?;
    shut::note(tx, ShutKind::Linked, &mark(&id, &identity.issuer, &identity.subject), now)?;
    noted(tx, now, &id, "link", &id)
}

/// What names an identity of an account and tells nobody who it is.
#[must_use]
pub fn mark(account: &str, issuer: &str, subject: &str) -> String {
    let all = [account, issuer, subject].join("\0");
    HEXLOWER.encode(&Sha256::digest(all))
}

/// Takes off what an account was at a provider and is no more: all but `since`; how many.
pub fn unlink_old(tx: &Tx<'_>, account: &str, since: &HashSet<&str>) -> Result<usize, Error> {
    let sql = "select issuer, subject from identity where account = $1";
    let all: Vec<(String, String)> =
        tx.query(sql, params![account], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut gone = 0;
    for (issuer, subject) in all {
        if !since.contains(mark(account, &issuer, &subject).as_str()) {
            let sql = "delete from identity where issuer = $1 and subject = $2";
            gone += tx.execute(sql, params![issuer, subject])?;
        }
    }
    Ok(gone)
}

/// Takes every identity off an account.
pub fn unlink(tx: &Tx<'_>, account: Uuid, actor: &str, now: Wall) -> Result<(), Error> {
    let id = account.to_string();
    if tx.execute("delete from identity where account = $1", params![id])? > 0 {
        shut::note(tx, ShutKind::Link, &id, now)?;
        noted(tx, now, actor, "unlink", &id)?;
    }
    Ok(())
}

fn noted(tx: &Tx<'_>, now: Wall, actor: &str, action: &str, id: &str) -> Result<(), Error> {
    let table = "user_account";
    let meta = json!({});
    audit::add(tx, now, &audit::AuditEntry { actor, action, table, id, meta })
}
