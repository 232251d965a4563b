//! Shuts again what an older copy of the data brought back.

use super::shut::{Shut, ShutKind, put};
use super::{Tx, identity, params, parsed, totp};
use rules::error::Error;
use std::collections::HashSet;
use uuid::Uuid;
use wire::Wall;

/// What was done to an older copy of the data.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ReshutBack {
    /// What it brought back and is shut again.
    pub shut: usize,
    /// Accounts that lost their last second factor by that, and so their password as well.
    pub bare: usize,
}

/// Shuts again what an older copy of the data brought back.
///
/// What this data knows of, or what was opened again since, stays as it is. An account is never left
/// to its password alone that had a second factor in the copy: it may have another one since.
pub fn again(tx: &Tx<'_>, shut: &[Shut]) -> Result<ReshutBack, Error> {
    let mut back = ReshutBack::default();
    let mut factors = HashSet::new();
    for one @ Shut { kind, what, at } in shut {
        let sql = "select 1 from shut where kind = $1 and what = $2 and at >= $3";
        let known = tx.row(sql, params![kind.as_str(), what, at.0], |_| Ok(()))?.is_some();
        if known || is_open_since(shut, one) {
            continue;
        }
        factors.extend(factor_of(tx, one)?);
        if *kind == ShutKind::Link {
            back.shut += identity::unlink_old(tx, what, &linked_since(shut, *at))?;
        }
        let mut open = 0;
        for sql in kind.again() {
            open = tx.execute(sql, params![what])?;
        }
        back.shut += open;
        put(tx, *kind, what, *at)?;
    }
    for account in factors {
        if !totp::has_factor(tx, account)? {
            let account = account.to_string();
            for sql in ShutKind::Password.again() {
                back.bare += tx.execute(sql, params![account])?;
            }
        }
    }
    Ok(back)
}

/// Whether the account that was closed was opened again.
fn is_open_since(all: &[Shut], one: &Shut) -> bool {
    let reopened =
        |it: &Shut| it.kind == ShutKind::Reopened && it.what == one.what && it.at > one.at;
    one.kind == ShutKind::Account && all.iter().any(reopened)
}

/// What accounts became at a provider after `at`.
fn linked_since(all: &[Shut], at: Wall) -> HashSet<&str> {
    let since = all.iter().filter(|it| it.kind == ShutKind::Linked && it.at > at);
    since.map(|it| it.what.as_str()).collect()
}

/// The account whose second factor this is, if it has one that counts.
fn factor_of(tx: &Tx<'_>, one: &Shut) -> Result<Option<Uuid>, Error> {
    let sql = match one.kind {
        ShutKind::Passkey => "select account from passkey where id = $1",
        ShutKind::Codes => {
            "select account from totp where account = $1 and confirmed_at is not null"
        }
        _ => return Ok(None),
    };
    tx.row(sql, params![one.what], |row| parsed(row, 0))
}
