//! Table `gallery_release`: what was signed for each door. The files themselves are made again
//! after a restart: plain templates are never on disk.

use super::change::ChangeCounts;
use super::cursor::signed;
use super::{Read, Row, Tx, audit, change, device, params, setting};
use rules::error::{Doing, Error};
use serde_json::json;
use wire::link::Desired;
use wire::sign::Signed;
use wire::{DeviceId, Manifest, StudentId, Wall};

/// The setting that says what the newest releases were made from.
const MADE_FROM: &str = "galleries_made_from";
/// How long it is known who was in a gallery file: 60 days.
pub const KEPT_MS: i64 = 60 * 24 * 3600 * 1000;

/// Remembers a release.
///
/// # Errors
/// `Conflict` when the door has this version already.
pub fn add(tx: &Tx<'_>, manifest: &Manifest, signed: &Signed) -> Result<(), Error> {
    let sql = "insert into gallery_release (device, version, created_at, expires_at, people,
             blake3, signed) values ($1, $2, $3, $4, $5, $6, $7)";
    let bytes = postcard::to_stdvec(signed).doing("storing a gallery release")?;
    let values = params![
        manifest.device.as_str(),
        super::cursor::signed(manifest.version),
        manifest.created.0,
        manifest.expires.0,
        manifest.people,
        manifest.blake3.to_vec(),
        bytes,
    ];
    tx.execute(sql, values).map(drop)
}

/// Remembers that releases are made from what is known at `seen`, unless others were made from more
/// than that: then nothing is remembered, and it says no.
///
/// # Errors
/// When the database fails.
pub fn made_from(tx: &Tx<'_>, seen: ChangeCounts) -> Result<bool, Error> {
    let doing = "reading what galleries were made from";
    let before = setting::get(tx, MADE_FROM)?;
    let before = before.map(|text| serde_json::from_str::<ChangeCounts>(&text).doing(doing));
    let before = before.transpose()?.unwrap_or_default();
    if before.gallery > seen.gallery || before.device > seen.device {
        return Ok(false);
    }
    if before != seen {
        setting::set(tx, MADE_FROM, &json!(seen).to_string())?;
    }
    Ok(true)
}

/// A door's newest release.
pub fn last(tx: &Tx<'_>, device: &DeviceId) -> Result<Option<(Manifest, Signed)>, Error> {
    let decode = |bytes: Vec<u8>| -> Result<_, postcard::Error> {
        let signed: Signed = postcard::from_bytes(&bytes)?;
        Ok((postcard::from_bytes(&signed.bytes)?, signed))
    };
    let doing = "reading a gallery release";
    manifest(tx, device)?.map(|bytes| decode(bytes).doing(doing)).transpose()
}

/// The postcard bytes of a door's newest signed manifest.
pub fn manifest(tx: &Tx<'_>, device: &DeviceId) -> Result<Option<Vec<u8>>, Error> {
    let sql = "select signed from gallery_release where device = $1
         order by version desc limit 1";
    tx.row(sql, [device.as_str()], |row| row.get(0))
}

/// The version of a door's newest release.
pub fn newest(tx: &Tx<'_>, device: &DeviceId) -> Result<Option<u64>, Error> {
    let sql = "select version from gallery_release where device = $1
         order by version desc limit 1";
    tx.row(sql, [device.as_str()], |row| super::unsigned(row, 0))
}

/// The version of a door's newest release that was there at `at`, if any was.
pub fn newest_at(tx: &Tx<'_>, device: &DeviceId, at: Wall) -> Result<Option<u64>, Error> {
    let sql = "select version from gallery_release where device = $1 and created_at <= $2
         order by version desc limit 1";
    tx.row(sql, params![device.as_str(), at.0], |row| super::unsigned(row, 0))
}

/// The newest release of any door, 0 if there is none.
pub fn newest_of_all(tx: &Tx<'_>) -> Result<u64, Error> {
    let sql = "select coalesce(max(version), 0) from gallery_release";
    let newest = tx.row(sql, [], |row| super::unsigned(row, 0))?.unwrap_or(0);
    Ok(newest.max(floor(tx)?))
}

/// The setting below which no release counts.
const FLOOR: &str = "gallery_floor";

/// Releases below this are not counted on: a door may have had later ones of a hub that was
/// lost. 0 where nothing was ever restored.
pub fn floor(tx: &Tx<'_>) -> Result<u64, Error> {
    let text = super::setting::get(tx, FLOOR)?;
    text.map_or(Ok(0), |text| text.parse().doing("reading the first release that counts"))
}

/// Sets [`floor`].
pub fn set_floor(tx: &Tx<'_>, floor: u64) -> Result<(), Error> {
    super::setting::set(tx, FLOOR, &floor.to_string())
}

/// Every door gets a new release, although nobody came or went.
pub fn renew_all(tx: &Tx<'_>) -> Result<(), Error> {
    let next = newest_of_all(tx)?.saturating_add(1).max(floor(tx)?);
    set_floor(tx, next)?;
    super::change::bump(tx, super::change::GALLERY)
}

/// What every active door should run.
pub fn desired(tx: &Tx<'_>) -> Result<Vec<(DeviceId, Desired)>, Error> {
    let sql = "select d.id, d.room, d.direction, coalesce(r.version, 0), r.signed
         from device d left join gallery_release r on r.device = d.id and r.version =
             (select max(version) from gallery_release where device = d.id)
         where d.is_active = 1";
    let rows = tx.query(sql, [], |row| {
        let device = device::device_id(row, 0)?;
        let room = row.get::<String>(1)?;
        let way = row.get::<String>(2)?;
        Ok((device, room, way, super::unsigned(row, 3)?, row.get::<Option<Vec<u8>>>(4)?))
    })?;
    let desired = |(device, room, way, gallery, signed): (_, _, String, _, Option<Vec<u8>>)| {
        let manifest = signed.map_or(Ok([0; 32]), |bytes| digest(&bytes))?;
        let direction = device::direction(&way)?;
        Ok((device, Desired { gallery, manifest, room, direction }))
    };
    rows.into_iter().map(desired).collect()
}

/// Remembers who is in a gallery file, for [`KEPT_MS`].
pub fn remember(
    tx: &Tx<'_>,
    blake3: &[u8; 32],
    people: &[StudentId],
    now: Wall,
) -> Result<(), Error> {
    let bytes = postcard::to_stdvec(people).doing("remembering a gallery's people")?;
    let sql = "insert into gallery_people (blake3, people, created_at) values ($1, $2, $3)
         on conflict (blake3) do update set created_at = excluded.created_at";
    tx.execute(sql, params![blake3.to_vec(), bytes, now.0])?;
    let sql = "delete from gallery_people where created_at < $1 and not exists
         (select 1 from device d where d.held_to = gallery_people.blake3)";
    tx.execute(sql, params![now.plus_ms(-KEPT_MS).0]).map(drop)
}

/// The people a door is held to, if it was taken back.
pub fn held_to(tx: &Tx<'_>, device: &DeviceId) -> Result<Option<Vec<StudentId>>, Error> {
    let sql = "select p.people from device d join gallery_people p on p.blake3 = d.held_to
         where d.id = $1";
    let bytes = tx.row(sql, [device.as_str()], |row| row.get::<Vec<u8>>(0))?;
    let people = bytes.map(|bytes| postcard::from_bytes(&bytes));
    people.transpose().doing("reading a gallery's people")
}

/// Takes `device` back to the people of its release `version`, or of the last one that had
/// others than now.
///
/// Whoever was erased or withdrew since is not brought back: the keeper makes the release of those
/// who are still eligible.
///
/// # Errors
/// `NotFound` for a version it never had, `Conflict` when there is nothing to go back to.
pub fn take_back(
    tx: &Tx<'_>,
    device: &DeviceId,
    version: Option<u64>,
    actor: &str,
    now: Wall,
) -> Result<(), Error> {
    let to = match version {
        Some(version) => release_of(tx, device, version)?,
        None => last_different(tx, device)?,
    };
    let (version, blake3) = to;
    let sql = "select 1 from gallery_people where blake3 = $1";
    if tx.row(sql, params![blake3], |_| Ok(()))?.is_none() {
        let why = format!("it is not known any more who was in release {version} of “{device}”");
        return Err(Error::Conflict(why));
    }
    let sql = "update device set held_to = $2 where id = $1";
    tx.execute(sql, params![device.as_str(), blake3])?;
    change::bump(tx, change::GALLERY)?;
    let table = "device";
    let meta = json!({ "version": version });
    let action = "gallery-rollback";
    audit::add(tx, now, &audit::AuditEntry { actor, action, table, id: device.as_str(), meta })
}

/// Every door gets everybody again.
pub fn push(tx: &Tx<'_>, actor: &str, now: Wall) -> Result<(), Error> {
    tx.execute("update device set held_to = null where held_to is not null", [])?;
    change::bump(tx, change::GALLERY)?;
    let table = "gallery_release";
    let meta = json!({});
    audit::add(tx, now, &audit::AuditEntry { actor, action: "gallery-push", table, id: "*", meta })
}

fn release_of(tx: &Tx<'_>, device: &DeviceId, version: u64) -> Result<(u64, Vec<u8>), Error> {
    let sql = "select version, blake3 from gallery_release where device = $1 and version = $2";
    let values = params![device.as_str(), signed(version)];
    let found = tx.row(sql, values, |row| Ok((super::unsigned(row, 0)?, row.get(1)?)))?;
    found.ok_or_else(|| Error::unknown("release", version))
}

fn last_different(tx: &Tx<'_>, device: &DeviceId) -> Result<(u64, Vec<u8>), Error> {
    let sql = "select r.version, r.blake3 from gallery_release r where r.device = $1
             and r.blake3 <> (select n.blake3 from gallery_release n where n.device = $1
                 order by n.version desc limit 1)
         order by r.version desc limit 1";
    let found =
        tx.row(sql, params![device.as_str()], |row| Ok((super::unsigned(row, 0)?, row.get(1)?)))?;
    let none = || Error::Conflict(format!("“{device}” has no earlier release to go back to"));
    found.ok_or_else(none)
}

/// A release, and how far its door is with it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Progress {
    /// The door.
    pub device: DeviceId,
    /// The release.
    pub version: u64,
    /// When it was signed.
    pub created: Wall,
    /// When its lease ends.
    pub expires: Wall,
    /// People in it.
    pub people: i64,
    /// When the door had the whole file.
    pub fetched: Option<Wall>,
    /// What the door says it uses.
    pub in_use: u64,
    /// Whether the door is connected.
    pub online: bool,
    /// Why it does not use what it should.
    pub trouble: String,
    /// Whether the door is held to people of an earlier release.
    pub held: bool,
}

const PROGRESS: &str = "select r.device, r.version, r.created_at, r.expires_at, r.people,
         r.fetched_at, d.gallery, d.online, d.trouble, d.held_to is not null
     from gallery_release r join device d on d.id = r.device";

/// The newest release of every active door after `after`, by door.
pub fn progress(tx: &Tx<'_>, after: &str, limit: u32) -> Result<Vec<Progress>, Error> {
    let sql = format!(
        "{PROGRESS} where d.is_active = 1 and r.device > $1 and r.version =
             (select max(n.version) from gallery_release n where n.device = r.device)
         order by r.device limit $2"
    );
    tx.query(&sql, params![after, limit], read_progress)
}

/// The releases of one door before version `before`, newest first.
pub fn history(
    tx: &Tx<'_>,
    device: &DeviceId,
    before: u64,
    limit: u32,
) -> Result<Vec<Progress>, Error> {
    let sql = format!(
        "{PROGRESS} where r.device = $1 and r.version < $2 order by r.version desc limit $3"
    );
    tx.query(&sql, params![device.as_str(), signed(before), limit], read_progress)
}

fn read_progress(row: &Row<'_>) -> Read<Progress> {
    Ok(Progress {
        device: device::device_id(row, 0)?,
        version: super::unsigned(row, 1)?,
        created: Wall(row.get(2)?),
        expires: Wall(row.get(3)?),
        people: row.get(4)?,
        fetched: row.get::<Option<i64>>(5)?.map(Wall),
        in_use: super::unsigned(row, 6)?,
        online: row.get(7)?,
        trouble: row.get(8)?,
        held: row.get(9)?,
    })
}

/// Remembers that a door had the whole file of a release; the first time counts.
pub fn fetched(tx: &Tx<'_>, device: &DeviceId, version: u64, now: Wall) -> Result<(), Error> {
    let sql = "update gallery_release set fetched_at = $3
         where device = $1 and version = $2 and fetched_at is null";
    tx.execute(sql, params![device.as_str(), signed(version), now.0]).map(drop)
}

fn digest(signed: &[u8]) -> Result<[u8; 32], Error> {
    let signed: Signed = postcard::from_bytes(signed).doing("reading a gallery release")?;
    Ok(signed.digest())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_was_made_from_more_is_not_made_from_less_again() {
        let dir = tempfile::tempdir().unwrap();
        let db = crate::Db::open(dir.path().join("hub.db")).unwrap();
        let counts = |gallery, device| ChangeCounts { gallery, device };
        for (seen, made) in [
            (counts(3, 1), true),
            (counts(3, 1), true),
            (counts(2, 1), false),
            (counts(3, 0), false),
            (counts(4, 1), true),
            (counts(3, 1), false),
        ] {
            assert_eq!(db.write(move |tx| made_from(tx, seen)).await.unwrap(), made, "{seen:?}");
        }
    }
}
