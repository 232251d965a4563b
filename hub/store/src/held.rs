//! Table `held`: doors whose passages wait, because they were made with a model of which nobody
//! here has a template, and name people who have one of another.

use super::{Tx, params, parsed};
use rules::care::Held;
use rules::error::Error;
use wire::{DeviceId, ModelId, Wall};

/// A door sends again within two minutes what waits: after this it no longer does.
const OVER_MS: i64 = 10 * 60 * 1000;

/// Something of `device` waits now.
pub fn note(tx: &Tx<'_>, device: &DeviceId, model: &ModelId, now: Wall) -> Result<(), Error> {
    let sql = "insert into held (device, model, since, at) values ($1, $2, $3, $3)
         on conflict (device, model) do update set at = excluded.at,
             since = case when held.at < $4 then excluded.since else held.since end";
    let over = now.plus_ms(-OVER_MS).0;
    tx.execute(sql, params![device.as_str(), model.as_str(), now.0, over]).map(drop)
}

/// The doors that wait now.
pub fn list(tx: &Tx<'_>, now: Wall) -> Result<Vec<Held>, Error> {
    let sql = "select device, model, since from held where at >= $1 order by device, model";
    tx.query(sql, params![now.plus_ms(-OVER_MS).0], |row| {
        Ok(Held { device: parsed(row, 0)?, model: parsed(row, 1)?, since: Wall(row.get(2)?) })
    })
}
