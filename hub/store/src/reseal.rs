//! Secrets of accounts and webhooks that were sealed with the key store's own key, as hubs did
//! before that could be replaced.

use super::{Tx, params, totp, webhook};
use crate::keys::Keys;
use rules::error::{Doing, Error};
use uuid::Uuid;

/// Seals them with the key that stays. Returns how many; the second time none.
pub fn all(tx: &Tx<'_>, keys: &Keys) -> Result<usize, Error> {
    let totp =
        ("select account, sealed from totp", "update totp set sealed = $2 where account = $1");
    let hook = ("select id, secret from webhook", "update webhook set secret = $2 where id = $1");
    Ok(some(tx, keys, totp, totp::place)? + some(tx, keys, hook, webhook::place)?)
}

fn some(
    tx: &Tx<'_>,
    keys: &Keys,
    (select, update): (&str, &str),
    place: fn(Uuid) -> String,
) -> Result<usize, Error> {
    let mut count = 0;
    for (id, sealed) in tx.query(select, [], |row| Ok((row.get::<String>(0)?, row.get(1)?)))? {
        let uuid: Uuid = id.parse().doing("reading an id")?;
        let sealed: Vec<u8> = sealed;
        if let Some(new) = keys.reseal(&place(uuid), &sealed)? {
            count += tx.execute(update, params![id, new])?;
        }
    }
    Ok(count)
}
