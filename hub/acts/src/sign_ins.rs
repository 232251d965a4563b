//! Sign-ins that are ended, and what signing in asks of people.

use rules::auth::Role;
use rules::auth::session::SessionLimits;
use rules::error::Error;
use serde_json::json;
use store::login::{self, LoginKeep, SignIn};
use store::{Db, Tx, audit, setting, totp};
use uuid::Uuid;
use wire::Wall;

/// Whose sign-ins end, and by whom.
#[derive(Clone, Debug)]
pub struct SignInsEnd {
    /// Whose.
    pub account: Uuid,
    /// The account that ends them.
    pub by: Uuid,
    /// The sign-in that asks: it stays.
    pub keep: LoginKeep,
}

/// The sign-ins of `account` that would still open anything; `keep` is the one it asks by.
pub fn open(
    tx: &Tx<'_>,
    account: Uuid,
    keep: &LoginKeep,
    limits: SessionLimits,
    now: Wall,
) -> Result<Vec<SignIn>, Error> {
    let mut found = login::of(tx, account, keep)?;
    found.retain(|one| one.seen.is_none_or(|seen| limits.alive(one.began, seen, now)));
    Ok(found)
}

/// Ends the sign-in of this name.
///
/// # Errors
/// `NotFound`, for a foreign one too.
pub async fn end_one(db: &Db, name: String, of: SignInsEnd, now: Wall) -> Result<(), Error> {
    let work = move |tx: &Tx<'_>| {
        login::end_one(tx, of.account, &name, now)?;
        noted(tx, &of, now)
    };
    db.write(work).await
}

/// Ends every sign-in of an account, but the one that asks.
pub async fn end_all(db: &Db, of: SignInsEnd, now: Wall) -> Result<(), Error> {
    let work = move |tx: &Tx<'_>| {
        login::end_all(tx, of.account, &of.keep, now)?;
        noted(tx, &of, now)
    };
    db.write(work).await
}

fn noted(tx: &Tx<'_>, of: &SignInsEnd, now: Wall) -> Result<(), Error> {
    let actor = of.by.to_string();
    let id = of.account.to_string();
    let action = "end-sign-ins";
    let table = "user_account";
    let meta = json!({});
    audit::add(tx, now, &audit::AuditEntry { actor: &actor, action, table, id: &id, meta })
}

/// The roles that must have a second factor.
pub fn demanded(tx: &Tx<'_>) -> Result<Vec<Role>, Error> {
    let said = setting::get(tx, login::FACTOR)?.unwrap_or_default();
    Ok(said.split(',').filter_map(|role| role.parse().ok()).collect())
}

/// Says which roles must have a second factor.
///
/// # Errors
/// `Conflict` when the admin who asks would be kept out by it.
pub async fn demand(db: &Db, of: Vec<Role>, by: Uuid, now: Wall) -> Result<(), Error> {
    let roles: Vec<_> = Role::ALL.into_iter().filter(|role| of.contains(role)).collect();
    let work = move |tx: &Tx<'_>| {
        let has = totp::has_factor(tx, by)?;
        if roles.contains(&Role::Admin) && !has {
            let say = "switch the second step of your own account on first: you would be kept out";
            return Err(Error::Conflict(say.into()));
        }
        let words: Vec<_> = roles.iter().map(|role| role.as_str()).collect();
        setting::set(tx, login::FACTOR, &words.join(","))?;
        let actor = by.to_string();
        let meta = json!({ "second_factor": words });
        let action = "change";
        let table = "setting";
        let id = login::FACTOR;
        audit::add(tx, now, &audit::AuditEntry { actor: &actor, action, table, id, meta })
    };
    db.write(work).await
}
