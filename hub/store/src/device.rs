//! Tables `device`, `device_cert` and `join_token`: doors, and how they prove who they are.

pub mod capture_token;

use super::{Read, Row, Tx, audit, change, params};
use rules::error::Error;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use std::collections::HashSet;
use wire::{DeviceId, Direction, ModelId, Wall};

/// The door that stands for photos which no door took.
pub const PHOTOS: &str = "hub.photos";

/// A door.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Device {
    /// Its name, everywhere.
    pub id: DeviceId,
    /// Room behind it; empty when nobody said.
    pub room: String,
    /// Where it hangs, in people's words.
    pub location: String,
    /// Which way it counts.
    pub direction: Direction,
    /// False once revoked.
    pub is_active: bool,
    /// Connected now.
    pub online: bool,
    /// Boot number and connection number of the newest connection.
    pub connection: (u32, u64),
    /// The life of its card that these are counted in, see [`super::cursor::Cursor::life`].
    pub life: i64,
    /// When it was last heard of.
    pub last_seen: Option<Wall>,
    /// Version of its daemon; empty before it reported.
    pub software: String,
    /// Network it runs; empty before it reported.
    pub model: String,
    /// Gallery it runs, 0 if none.
    pub gallery: u64,
    /// Why it does not run what it should, in a sentence; empty if it does.
    pub trouble: String,
    /// Counts changes by people.
    pub version: i64,
}

impl Device {
    /// Where it is.
    #[must_use]
    pub fn place(&self) -> DevicePlace {
        let room = self.room.clone();
        let location = self.location.clone();
        DevicePlace { room, location, direction: self.direction }
    }
}

/// Where a door is, as a person says it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DevicePlace {
    /// Room behind it.
    pub room: String,
    /// Where it hangs.
    pub location: String,
    /// Which way it counts.
    pub direction: Direction,
}

pub(super) const COLUMNS: &str =
    "id, room, location, direction, is_active, online, boot, connection,
     last_seen, software, model, gallery, trouble, version, life";

/// A join token is good this long.
pub const TOKEN_MS: i64 = 15 * 60 * 1000;
/// One in an invitation, which lies on a card until its unit starts for the first time.
pub const INVITATION_MS: i64 = 7 * 24 * 3600 * 1000;

/// The door `id`.
pub fn get(tx: &Tx<'_>, id: &DeviceId) -> Result<Option<Device>, Error> {
    let sql = format!("select {COLUMNS} from device where id = $1");
    tx.row(&sql, params![id.as_str()], read)
}

/// Doors by name, those after `after`.
pub fn page(tx: &Tx<'_>, after: &str, limit: u32) -> Result<Vec<Device>, Error> {
    let sql =
        format!("select {COLUMNS} from device where id > $1 and id <> $2 order by id limit $3");
    tx.query(&sql, params![after, PHOTOS, limit], read)
}

/// Remembers that somebody told a door to do something.
///
/// # Errors
/// `NotFound` when there is no such door.
pub fn told(
    tx: &Tx<'_>,
    id: &DeviceId,
    command: &str,
    actor: &str,
    now: Wall,
) -> Result<(), Error> {
    get(tx, id)?.ok_or_else(|| Error::unknown("door", id))?;
    noted(tx, now, actor, command, id, json!({}))
}

/// All doors, by name.
pub fn list(tx: &Tx<'_>) -> Result<Vec<Device>, Error> {
    tx.query(&format!("select {COLUMNS} from device order by id"), [], read)
}

/// Adds a door.
///
/// # Errors
/// `Conflict` when the name is taken.
pub fn add(
    tx: &Tx<'_>,
    id: &DeviceId,
    place: &DevicePlace,
    actor: &str,
    now: Wall,
) -> Result<(), Error> {
    if get(tx, id)?.is_some() {
        return Err(Error::Conflict(format!("there is a door “{id}” already")));
    }
    let sql = "insert into device (id, room, location, direction, is_active, online, boot,
             connection, software, model, gallery, trouble, created_at, version)
         values ($1, $2, $3, $4, 1, 0, 0, 0, '', '', 0, '', $5, 1)";
    let direction = direction_text(place.direction);
    tx.execute(sql, params![id.as_str(), place.room, place.location, direction, now.0])?;
    change::bump(tx, change::DEVICE)?;
    change::bump(tx, change::GALLERY)?;
    noted(tx, now, actor, "add", id, json!({}))
}

/// Changes where a door is.
///
/// # Errors
/// `NotFound`, or `Conflict` when it is not at `version` any more.
pub fn place(
    tx: &Tx<'_>,
    id: &DeviceId,
    place: &DevicePlace,
    version: i64,
    actor: &str,
    now: Wall,
) -> Result<(), Error> {
    let sql = "update device set room = $3, location = $4, direction = $5, version = version + 1
         where id = $1 and version = $2";
    let direction = direction_text(place.direction);
    let values = params![id.as_str(), version, place.room, place.location, direction];
    if tx.execute(sql, values)? == 0 {
        get(tx, id)?.ok_or_else(|| Error::unknown("door", id))?;
        return Err(Error::Conflict(format!("“{id}” was changed meanwhile: look again")));
    }
    change::bump(tx, change::DEVICE)?;
    noted(tx, now, actor, "place", id, json!({ "room": place.room, "direction": direction }))
}

/// Makes a join token of `secret` for `id`, good until `ends`; one that was not used yet ends now.
/// Brings a revoked door back.
///
/// # Errors
/// `NotFound` when there is no such door.
pub fn add_token(
    tx: &Tx<'_>,
    id: &DeviceId,
    secret: &str,
    ends: Wall,
    actor: &str,
    now: Wall,
) -> Result<(), Error> {
    get(tx, id)?.ok_or_else(|| Error::unknown("door", id))?;
    tx.execute("delete from join_token where device = $1 and used_at is null", [id.as_str()])?;
    let sql = "insert into join_token (digest, device, created_at, expires_at)
         values ($1, $2, $3, $4)";
    tx.execute(sql, params![digest(secret), id.as_str(), now.0, ends.0])?;
    let minutes = (ends.0 - now.0) / 60_000;
    noted(tx, now, actor, "token", id, json!({ "minutes": minutes }))
}

/// Ends every token that was not used yet, whichever door it is for.
pub fn end_tokens(tx: &Tx<'_>) -> Result<(), Error> {
    tx.execute("delete from join_token where used_at is null", []).map(drop)
}

/// Uses up the token `secret`: whose it was, or nothing if it is unknown, used, or too old.
pub fn use_token(tx: &Tx<'_>, secret: &str, now: Wall) -> Result<Option<DeviceId>, Error> {
    let sql = "update join_token set used_at = $2
         where digest = $1 and used_at is null and expires_at > $2 returning device";
    tx.row(sql, params![digest(secret), now.0], |row| device_id(row, 0))
}

/// Remembers the certificate that `id` got when it joined; those it had before end now.
pub fn add_cert(
    tx: &Tx<'_>,
    id: &DeviceId,
    serial: &str,
    expires: Wall,
    now: Wall,
) -> Result<(), Error> {
    let sql = "insert into device_cert (serial, device, state, issued_at, expires_at)
         values ($1, $2, 'valid', $3, $4)";
    end_certs(tx, id, &[], now)?;
    tx.execute(sql, params![serial, id.as_str(), now.0, expires.0])?;
    tx.execute("update device set is_active = 1 where id = $1", [id.as_str()])?;
    change::bump(tx, change::DEVICE)?;
    noted(tx, now, "hub", "join", id, json!({ "serial": serial }))
}

/// Remembers the certificate that `id` got for `old`, which stays until the door uses the new
/// one: the answer may be lost. Every other ends now.
///
/// # Errors
/// `Unauthorised` when `old` does not count any more.
pub fn renew_cert(
    tx: &Tx<'_>,
    id: &DeviceId,
    (old, new): (&str, &str),
    expires: Wall,
    now: Wall,
) -> Result<(), Error> {
    let sql = "select 1 from device_cert where serial = $1 and device = $2 and state = 'valid'";
    let counts = tx.row(sql, params![old, id.as_str()], |_| Ok(()))?;
    counts.ok_or_else(|| Error::Unauthorised("this certificate does not count any more".into()))?;
    end_certs(tx, id, &[old], now)?;
    let sql = "insert into device_cert (serial, device, state, issued_at, expires_at, found_at)
         select $1, device, 'valid', $2, $3, found_at from device_cert where serial = $4";
    tx.execute(sql, params![new, now.0, expires.0, old])?;
    change::bump(tx, change::DEVICE)?;
    noted(tx, now, "hub", "renew", id, json!({ "serial": new }))
}

/// Ends the valid certificates of `id` but those to keep. Returns how many.
fn end_certs(tx: &Tx<'_>, id: &DeviceId, keep: &[&str], now: Wall) -> Result<usize, Error> {
    let sql = "update device_cert set state = 'revoked', revoked_at = $2
         where device = $1 and state = 'valid' and serial <> $3";
    let keep = keep.first().copied().unwrap_or("");
    tx.execute(sql, params![id.as_str(), now.0, keep])
}

/// Cuts a door off: all its certificates and tokens end. Returns how many certificates.
///
/// # Errors
/// `NotFound` when there is no such door.
pub fn revoke(tx: &Tx<'_>, id: &DeviceId, actor: &str, now: Wall) -> Result<usize, Error> {
    get(tx, id)?.ok_or_else(|| Error::unknown("door", id))?;
    let ended = end_certs(tx, id, &[], now)?;
    capture_token::end_all(tx, id, now)?;
    tx.execute("delete from join_token where device = $1 and used_at is null", [id.as_str()])?;
    let sql = "update device set is_active = 0, online = 0, version = version + 1 where id = $1";
    tx.execute(sql, [id.as_str()])?;
    change::bump(tx, change::DEVICE)?;
    noted(tx, now, actor, "revoke", id, json!({ "certificates": ended }))?;
    Ok(ended)
}

/// Serials of every revoked certificate.
pub fn revoked(tx: &Tx<'_>) -> Result<HashSet<String>, Error> {
    let sql = "select serial from device_cert where state = 'revoked'";
    Ok(tx.query(sql, [], |row| row.get(0))?.into_iter().collect())
}

/// Remembers that a door greeted in boot number `boot` of `life`. Whether that is another life than
/// before.
///
/// If so it is connected, and its numbers count from there: nothing of the life before says more.
pub fn greeted(
    tx: &Tx<'_>,
    id: &DeviceId,
    (life, boot): (i64, u32),
    now: Wall,
) -> Result<bool, Error> {
    heard(tx, id, now)?;
    let sql = "update device set life = $2, boot = $3, connection = 0, online = 1
         where id = $1 and life <> $2";
    Ok(tx.execute(sql, params![id.as_str(), life, boot])? > 0)
}

/// Remembers that a door came or went. What is older than the newest connection says nothing.
/// Returns whether it changed anything.
pub fn connected(
    tx: &Tx<'_>,
    id: &DeviceId,
    online: bool,
    (boot, connection): (u32, u64),
    now: Wall,
) -> Result<bool, Error> {
    let sql = "update device set online = $2, boot = $3, connection = $4, last_seen = $5
         where id = $1 and (boot < $3 or (boot = $3 and connection <= $4))";
    let connection = i64::try_from(connection).unwrap_or(i64::MAX);
    Ok(tx.execute(sql, params![id.as_str(), online, boot, connection, now.0])? > 0)
}

/// Remembers that a door was heard of.
pub fn heard(tx: &Tx<'_>, id: &DeviceId, now: Wall) -> Result<(), Error> {
    tx.execute("update device set last_seen = $2 where id = $1", params![id.as_str(), now.0])
        .map(drop)
}

/// Remembers what a door runs.
pub fn reported(
    tx: &Tx<'_>,
    id: &DeviceId,
    gallery: u64,
    model: &ModelId,
    software: &str,
    trouble: &str,
    now: Wall,
) -> Result<(), Error> {
    let sql = "update device set gallery = $2, model = $3, software = $4, trouble = $5,
             last_seen = $6 where id = $1";
    let gallery = i64::try_from(gallery).unwrap_or(i64::MAX);
    let values = params![id.as_str(), gallery, model.as_str(), software, trouble, now.0];
    tx.execute(sql, values).map(drop)
}

/// At start nobody is connected.
pub fn all_offline(tx: &Tx<'_>) -> Result<(), Error> {
    tx.execute("update device set online = 0 where online = 1", []).map(drop)
}

/// Remembers at which of several hubs a door is connected.
pub fn at_hub(tx: &Tx<'_>, id: &DeviceId, hub: &str) -> Result<(), Error> {
    tx.execute("update device set hub = $2 where id = $1 and hub <> $2", params![id.as_str(), hub])
        .map(drop)
}

/// Of the doors that were connected to `hub`, only those in `connected` are.
pub fn offline_at(tx: &Tx<'_>, hub: &str, connected: &[DeviceId]) -> Result<(), Error> {
    let sql = "select id from device where online = 1 and (hub = $1 or hub = '')";
    let online = tx.query(sql, params![hub], |row| super::parsed(row, 0))?;
    let gone = online.into_iter().filter(|id: &DeviceId| !connected.contains(id));
    gone.into_iter().try_for_each(|id| {
        tx.execute("update device set online = 0 where id = $1", [id.as_str()]).map(drop)
    })
}

fn noted(
    tx: &Tx<'_>,
    now: Wall,
    actor: &str,
    action: &str,
    id: &DeviceId,
    meta: serde_json::Value,
) -> Result<(), Error> {
    audit::add(
        tx,
        now,
        &audit::AuditEntry { actor, action, table: "device", id: id.as_str(), meta },
    )
}

fn digest(secret: &str) -> Vec<u8> {
    Sha256::digest(secret.as_bytes()).to_vec()
}

/// The direction as the database and the API write it.
#[must_use]
pub fn direction_text(direction: Direction) -> &'static str {
    match direction {
        Direction::Entry => "entry",
        Direction::Exit => "exit",
        Direction::Both => "both",
    }
}

/// The direction that `text` names.
///
/// # Errors
/// When it names none.
pub fn direction(text: &str) -> Result<Direction, Error> {
    match text {
        "entry" => Ok(Direction::Entry),
        "exit" => Ok(Direction::Exit),
        "both" => Ok(Direction::Both),
        _ => Err(Error::Invalid(format!("“{text}” is no direction: use entry, exit or both"))),
    }
}

pub(super) fn device_id(row: &Row<'_>, column: usize) -> Read<DeviceId> {
    super::parsed(row, column)
}

pub(super) fn read(row: &Row<'_>) -> Read<Device> {
    let way: String = row.get(3)?;
    Ok(Device {
        id: device_id(row, 0)?,
        room: row.get(1)?,
        location: row.get(2)?,
        direction: direction(&way).map_err(|why| super::odd(3, why))?,
        is_active: row.get(4)?,
        online: row.get(5)?,
        connection: (row.get(6)?, super::unsigned(row, 7)?),
        last_seen: row.get::<Option<i64>>(8)?.map(Wall),
        software: row.get(9)?,
        model: row.get(10)?,
        gallery: super::unsigned(row, 11)?,
        trouble: row.get(12)?,
        version: row.get(13)?,
        life: row.get(14)?,
    })
}

/// The secret and the pin in a join token as it is typed: `SECRET-PIN`.
///
/// # Errors
/// `Invalid` when it is not of that form.
pub fn split_token(token: &str) -> Result<(&str, &str), Error> {
    token
        .split_once(['-', '.'])
        .ok_or_else(|| Error::Invalid("a join token is two words joined by “-”".into()))
}

/// The door under which photos are filed that were taken in a class.
#[must_use]
pub fn photos() -> DeviceId {
    PHOTOS.parse().expect("a plain name")
}

/// Makes sure that [`PHOTOS`] is there: no unit ever joins it, and no gallery goes to it.
pub fn for_photos(tx: &Tx<'_>, now: Wall) -> Result<(), Error> {
    let id = photos();
    if get(tx, &id)?.is_none() {
        let room = String::new();
        let location = "Photos sent to the hub".to_owned();
        let place = DevicePlace { room, location, direction: Direction::Both };
        add(tx, &id, &place, "hub", now)?;
        tx.execute("update device set is_active = 0 where id = $1", params![PHOTOS])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Db;

    const NOW: Wall = Wall(1_790_000_000_000);

    fn door() -> DeviceId {
        "door-1".parse().unwrap()
    }

    async fn with_door() -> (tempfile::TempDir, Db) {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open(dir.path().join("hub.db")).unwrap();
        let place =
            DevicePlace { room: "204".into(), location: String::new(), direction: Direction::Both };
        db.write(move |tx| add(tx, &door(), &place, "t", NOW)).await.unwrap();
        (dir, db)
    }

    #[tokio::test]
    async fn a_token_works_once_and_until_its_end() {
        let (_dir, db) = with_door().await;
        let ends = NOW.plus_ms(TOKEN_MS);
        let add = |secret: &'static str| {
            db.write(move |tx| add_token(tx, &door(), secret, ends, "t", NOW))
        };
        let take =
            |secret: &'static str, ms| db.write(move |tx| use_token(tx, secret, NOW.plus_ms(ms)));
        add("OLD").await.unwrap();
        add("NEW").await.unwrap();
        assert_eq!(take("OLD", 1).await.unwrap(), None, "a newer one ends it");
        assert_eq!(take("NEW", TOKEN_MS).await.unwrap(), None, "too late");
        assert_eq!(take("NEW", TOKEN_MS - 1).await.unwrap(), Some(door()));
        assert_eq!(take("NEW", 2).await.unwrap(), None, "used");
    }

    #[tokio::test]
    async fn revoking_ends_every_certificate_and_token() {
        let (_dir, db) = with_door().await;
        let (certs, ended, left) = db
            .write(|tx| {
                add_cert(tx, &door(), "aa", NOW, NOW)?;
                renew_cert(tx, &door(), ("aa", "bb"), NOW, NOW)?;
                add_token(tx, &door(), "T", NOW.plus_ms(TOKEN_MS), "t", NOW)?;
                let ended = revoke(tx, &door(), "t", NOW)?;
                Ok((revoked(tx)?, ended, use_token(tx, "T", NOW)?))
            })
            .await
            .unwrap();
        assert_eq!((ended, left), (2, None));
        assert_eq!(certs, ["aa".to_owned(), "bb".to_owned()].into());
        let door = db.read(|tx| get(tx, &door())).await.unwrap().unwrap();
        assert!(!door.is_active);
    }

    #[tokio::test]
    async fn joining_again_ends_the_certificate_before_and_renewing_keeps_it_once() {
        let (_dir, db) = with_door().await;
        let after = db.write(|tx| {
            add_cert(tx, &door(), "a", NOW, NOW)?;
            add_cert(tx, &door(), "b", NOW, NOW)?;
            let joined = revoked(tx)?;
            renew_cert(tx, &door(), ("b", "c"), NOW, NOW)?;
            let renewed = revoked(tx)?;
            renew_cert(tx, &door(), ("c", "d"), NOW, NOW)?;
            let again = revoked(tx)?;
            let stale = renew_cert(tx, &door(), ("a", "e"), NOW, NOW).is_err();
            Ok((joined, renewed, again, stale))
        });
        let set = |serials: &[&str]| serials.iter().map(|s| (*s).to_owned()).collect();
        assert_eq!(after.await.unwrap(), (set(&["a"]), set(&["a"]), set(&["a", "b"]), true));
    }

    #[tokio::test]
    async fn an_older_will_says_nothing_about_a_newer_connection() {
        let (_dir, db) = with_door().await;
        let say = |online, connection| {
            db.write(move |tx| connected(tx, &door(), online, connection, NOW))
        };
        assert!(say(true, (1, 5)).await.unwrap());
        assert!(say(true, (2, 1)).await.unwrap());
        assert!(!say(false, (1, 5)).await.unwrap());
        assert!(db.read(|tx| get(tx, &door())).await.unwrap().unwrap().online);
        assert!(say(false, (2, 1)).await.unwrap());
    }

    #[tokio::test]
    async fn two_people_cannot_move_a_door_at_once() {
        let (_dir, db) = with_door().await;
        let put = |room: &'static str| {
            let place = DevicePlace {
                room: room.into(),
                location: String::new(),
                direction: Direction::Exit,
            };
            db.write(move |tx| super::place(tx, &door(), &place, 1, "t", NOW))
        };
        put("205").await.unwrap();
        assert!(matches!(put("206").await, Err(Error::Conflict(_))));
        let door = db.read(|tx| get(tx, &door())).await.unwrap().unwrap();
        assert_eq!((door.room.as_str(), door.version), ("205", 2));
    }

    #[test]
    fn a_token_is_two_words() {
        assert_eq!(split_token("SECRET-PIN").unwrap(), ("SECRET", "PIN"));
        assert_eq!(split_token("SECRET.PIN").unwrap(), ("SECRET", "PIN"));
        assert!(split_token("SECRET").is_err());
    }
}
