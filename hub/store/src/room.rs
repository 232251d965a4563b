//! Table `room`: where lessons and doors are.

use super::{Read, Row, Tx, audit, params, parsed};
use rules::error::Error;
use serde_json::json;
use uuid::Uuid;
use wire::Wall;

/// Longest name, bytes: as doors report it.
const NAME: usize = 100;
/// Longest description, bytes.
const LOCATION: usize = 200;
const COLUMNS: &str = "id, name, location, version";

/// A room.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Room {
    /// Own id.
    pub id: Uuid,
    /// Unique: what doors, classes and periods say.
    pub name: String,
    /// How to get there.
    pub location: String,
    /// Counts changes.
    pub version: i64,
}

/// Rooms by name, after `after`.
pub fn list(tx: &Tx<'_>, after: &str, limit: u32) -> Result<Vec<Room>, Error> {
    let sql = format!("select {COLUMNS} from room where name > $1 order by name limit $2");
    tx.query(&sql, params![after, limit], read)
}

/// The room that `name` names: an own id or its name.
///
/// # Errors
/// `NotFound` when there is none.
pub fn find(tx: &Tx<'_>, name: &str) -> Result<Room, Error> {
    let sql = format!("select {COLUMNS} from room where name = $1 or id = $1");
    tx.row(&sql, params![name.trim()], read)?.ok_or_else(|| Error::unknown("room", name))
}

/// Makes sure that a room of this name is known; an empty name is none.
///
/// # Errors
/// `Invalid` for a name that is too long.
pub fn ensure(tx: &Tx<'_>, name: &str, now: Wall) -> Result<(), Error> {
    let name = name.trim();
    if name.len() > NAME {
        return Err(Error::Invalid(format!("room: use at most {NAME} bytes")));
    }
    if name.is_empty() {
        return Ok(());
    }
    let sql = "insert into room (id, name, location, version) values ($1, $2, '', 1)
         on conflict (name) do nothing";
    tx.execute(sql, params![wire::id::v7(now).to_string(), name]).map(drop)
}

/// Adds a room.
///
/// # Errors
/// `Conflict` when the name is taken, `Invalid` for one that cannot be.
pub fn add(tx: &Tx<'_>, name: &str, location: &str, actor: &str, now: Wall) -> Result<Room, Error> {
    let (name, location) = checked(name, location)?;
    if tx.row("select 1 from room where name = $1", params![name], |_| Ok(()))?.is_some() {
        return Err(Error::Conflict(format!("there is a room “{name}” already")));
    }
    ensure(tx, name, now)?;
    let sql = "update room set location = $2 where name = $1";
    tx.execute(sql, params![name, location])?;
    let room = find(tx, name)?;
    noted(tx, "add", room.id, actor, now)?;
    Ok(room)
}

/// Describes a room anew. Its name stays: doors, classes and lessons use it.
///
/// # Errors
/// `Conflict` when it was changed since `version`.
pub fn describe(
    tx: &Tx<'_>,
    room: &Room,
    location: &str,
    version: Option<i64>,
    actor: &str,
    now: Wall,
) -> Result<Room, Error> {
    let (_, location) = checked(&room.name, location)?;
    let sql = "update room set location = $3, version = version + 1 where id = $1 and version = $2";
    let seen = version.unwrap_or(room.version);
    if tx.execute(sql, params![room.id.to_string(), seen, location])? == 0 {
        return Err(Error::Conflict("this was changed meanwhile: look again".into()));
    }
    noted(tx, "describe", room.id, actor, now)?;
    find(tx, &room.name)
}

/// Whether a class meets in it.
pub(super) const CLASSES: &str = "select 1 from class where room = $1 and is_active = 1 limit 1";

/// Removes a room that nothing uses.
///
/// # Errors
/// `Conflict` naming what uses it.
pub fn remove(tx: &Tx<'_>, room: &Room, actor: &str, now: Wall) -> Result<(), Error> {
    let uses = [
        ("a door", "select 1 from device where room = $1 and is_active = 1 limit 1"),
        ("a class", CLASSES),
        ("the timetable", "select 1 from period where room = $1 limit 1"),
    ];
    for (user, sql) in uses {
        if tx.row(sql, params![room.name], |_| Ok(()))?.is_some() {
            let say = format!("room “{}” is used by {user}: change that first", room.name);
            return Err(Error::Conflict(say));
        }
    }
    tx.execute("delete from room where id = $1", params![room.id.to_string()])?;
    noted(tx, "remove", room.id, actor, now)
}

fn checked<'a>(name: &'a str, location: &'a str) -> Result<(&'a str, &'a str), Error> {
    let name = name.trim();
    let location = location.trim();
    if name.is_empty() || name.len() > NAME || name.chars().any(char::is_control) {
        return Err(Error::Invalid(format!("name: give one of at most {NAME} bytes")));
    }
    if location.len() > LOCATION {
        return Err(Error::Invalid(format!("location: use at most {LOCATION} bytes")));
    }
    Ok((name, location))
}

fn noted(tx: &Tx<'_>, action: &str, id: Uuid, actor: &str, now: Wall) -> Result<(), Error> {
    let id = id.to_string();
    let meta = json!({});
    audit::add(tx, now, &audit::AuditEntry { actor, action, table: "room", id: &id, meta })
}

fn read(row: &Row<'_>) -> Read<Room> {
    Ok(Room { id: parsed(row, 0)?, name: row.get(1)?, location: row.get(2)?, version: row.get(3)? })
}
