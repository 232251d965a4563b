//! Hubs that share the keys of a school: the first puts them beside the data, others are let in.

use crate::pki;
use rules::error::Error;
use serde_json::json;
use store::keys::Keys;
use store::{Db, Server, Tx, audit};
use wire::Wall;

/// Puts the keys of the hub `name` on `server`, and its certificates. Those here count until the
/// settings say otherwise.
///
/// # Errors
/// `Conflict` when other keys lie there; when the server or the disk refuses.
pub fn share(keys: &Keys, server: &Server, name: &str, now: Wall) -> Result<(), Error> {
    let papers = pki::PAPERS.map(|paper| Ok((paper, keys.paper(paper)?)));
    let papers = papers.into_iter().collect::<Result<Vec<_>, Error>>()?;
    keys.share(&server.keys()?, name, &papers, now)
}

/// Lets the hub in that asks as `name` and shows `code`.
///
/// # Errors
/// `NotFound` when none asks, `Invalid` when it shows another code.
pub async fn admit(
    db: &Db,
    keys: &Keys,
    name: &str,
    code: &str,
    by: String,
    now: Wall,
) -> Result<(), Error> {
    keys.admit(name, code, now)?;
    note(db, "admit", name, by, now).await
}

/// Shuts the hub `name` out.
///
/// # Errors
/// `NotFound` when there is none, `Conflict` when it is this one.
pub async fn dismiss(db: &Db, keys: &Keys, name: &str, by: String, now: Wall) -> Result<(), Error> {
    keys.dismiss(name)?;
    note(db, "dismiss", name, by, now).await
}

async fn note(
    db: &Db,
    action: &'static str,
    name: &str,
    by: String,
    now: Wall,
) -> Result<(), Error> {
    let name = name.to_owned();
    let note = move |tx: &Tx<'_>| {
        let (actor, table, id, meta) = (&by, "hub", &name, json!({}));
        audit::add(tx, now, &audit::AuditEntry { actor, action, table, id, meta })
    };
    db.write(note).await
}
