//! What waits for a person who runs the system, counted across its tables.

use super::door::{self, DoorKnown};
use super::{Row, Tx, mail, params};
use rules::error::Error;
use wire::Wall;

/// A mail that was given up longer ago is no worry any more, milliseconds: a week.
const LATELY_MS: i64 = 7 * 24 * 3_600_000;

/// Mails that were given up lately; not those that turned out to be untrue.
pub fn mails(tx: &Tx<'_>, now: Wall) -> Result<u64, Error> {
    let sql = "select count(*) from mail where ended_at > $1 and state = 'failed' and error <> $2";
    let since = now.plus_ms(-LATELY_MS).0;
    Ok(tx.row(sql, params![since, mail::UNTRUE], |row| super::unsigned(row, 0))?.unwrap_or(0))
}

/// Sightings that wait for somebody.
pub fn waiting(tx: &Tx<'_>) -> Result<u64, Error> {
    let sql = "select count(*) from sighting where review_status = 'pending'";
    Ok(tx.row(sql, params![], |row| super::unsigned(row, 0))?.unwrap_or(0))
}

/// Addresses of webhooks that fail, or were switched off because they did.
pub fn hooks(tx: &Tx<'_>) -> Result<Vec<String>, Error> {
    let sql = "select url from webhook
         where (is_active = 1 and failing_since is not null)
             or (is_active = 0 and disabled_at is not null) order by id";
    tx.query(sql, [], |row| row.get(0))
}

/// When this hub was first used, and its newest backup.
pub fn began_and_backup(tx: &Tx<'_>) -> Result<(Option<Wall>, Option<Wall>), Error> {
    let wall = |row: &Row<'_>| Ok(Wall(row.get(0)?));
    let began = tx.row("select at from audit where n = 1", [], wall)?;
    let sql = "select at from audit where action = 'backup' order by n desc limit 1";
    Ok((began, tx.row(sql, [], wall)?))
}

/// Every door that should be at work.
pub fn doors(tx: &Tx<'_>) -> Result<Vec<DoorKnown>, Error> {
    let all = door::all(tx)?.into_iter();
    Ok(all.filter(|known| known.device.is_active).collect())
}
