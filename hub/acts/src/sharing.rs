//! Hubs that share the keys of a school: the first puts them beside the data, others are let in.

use crate::pki;
use rules::error::{Doing, Error};
use serde_json::json;
use store::keys::Keys;
use store::{Db, Server, Tx, audit};
use wire::Wall;

/// What the settings of the first hub are kept as, sealed like every key.
const SETTINGS: &str = "settings";

/// Puts the keys of the hub `name` on `server`, with its certificates and the text of its settings
/// for those that come later. Those here count until the settings say otherwise.
///
/// # Errors
/// `Conflict` when other keys lie there; when the server or the disk refuses.
pub fn share(
    keys: &Keys,
    server: &Server,
    name: &str,
    settings: &str,
    now: Wall,
) -> Result<(), Error> {
    keys.forget(SETTINGS, 1)?;
    keys.put(SETTINGS, 1, settings.as_bytes(), now)?;
    let papers = pki::PAPERS.map(|paper| Ok((paper, keys.paper(paper)?)));
    let papers = papers.into_iter().collect::<Result<Vec<_>, Error>>()?;
    keys.share(&server.keys()?, name, &papers, now)
}

/// The text of the first hub's settings.
///
/// # Errors
/// When there is none.
pub fn settings(keys: &Keys) -> Result<String, Error> {
    let text = keys.get(SETTINGS, 1)?;
    String::from_utf8(text.to_vec()).doing("reading the settings of the first hub")
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
