//! Column `device.settings`: what the hub says of a door's settings.

use super::{Tx, audit, change, device, params};
use rules::error::{Doing, Error};
use serde_json::json;
use std::collections::HashMap;
use wire::{DeviceId, Wall, link::Settings};

/// What the hub says of each active door.
pub fn all(tx: &Tx<'_>) -> Result<HashMap<DeviceId, Settings>, Error> {
    let sql = "select id, settings from device where is_active = 1";
    let rows = tx.query(sql, [], |row| Ok((device::device_id(row, 0)?, row.get::<String>(1)?)))?;
    rows.into_iter().map(|(id, text)| Ok((id, read(&text)?))).collect()
}

/// What the hub says of each door between these two.
pub fn between(
    tx: &Tx<'_>,
    (from, to): (&str, &str),
) -> Result<HashMap<DeviceId, Settings>, Error> {
    let sql = "select id, settings from device where id >= $1 and id <= $2";
    let some = params![from, to];
    let rows =
        tx.query(sql, some, |row| Ok((device::device_id(row, 0)?, row.get::<String>(1)?)))?;
    rows.into_iter().map(|(id, text)| Ok((id, read(&text)?))).collect()
}

/// Says other settings of the door that is at `version`.
///
/// # Errors
/// `NotFound`, or `Conflict` when it is not at `version` any more.
pub fn set(
    tx: &Tx<'_>,
    id: &DeviceId,
    settings: &Settings,
    version: i64,
    actor: &str,
    now: Wall,
) -> Result<(), Error> {
    let said = json!(settings);
    let sql = "update device set settings = $3, version = version + 1
         where id = $1 and version = $2";
    if tx.execute(sql, params![id.as_str(), version, said.to_string()])? == 0 {
        device::get(tx, id)?.ok_or_else(|| Error::unknown("door", id))?;
        return Err(Error::Conflict(format!("“{id}” was changed meanwhile: look again")));
    }
    change::bump(tx, change::DEVICE)?;
    let action = "settings";
    let table = "device";
    audit::add(tx, now, &audit::AuditEntry { actor, action, table, id: id.as_str(), meta: said })
}

fn read(text: &str) -> Result<Settings, Error> {
    serde_json::from_str(text).doing("reading what the hub says of a door's settings")
}
