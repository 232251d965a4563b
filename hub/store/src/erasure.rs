//! Tables `erasure` and `erasure_door`: who was erased, and which doors have said that they
//! forgot them.

use super::{Read, Row, Tx, device, params, parsed};
use rules::error::{Doing, Error};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use wire::sign::Signed;
use wire::{DeviceId, StudentId, Wall};

/// What went, counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct Gone {
    /// Enrolments and their templates.
    pub templates: u64,
    /// Crops and templates of sightings and class photos.
    pub crops: u64,
    /// Sightings.
    pub sightings: u64,
    /// Entries of the consent ledger.
    pub consents: u64,
    /// Accounts that were this person.
    pub accounts: u64,
    /// Places on rosters.
    pub rosters: u64,
}

/// Why somebody is erased.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = Reason)]
pub enum ErasureReason {
    /// Somebody asked for it.
    Asked,
    /// They left the school long enough ago.
    Left,
}

impl ErasureReason {
    /// As the database writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Left => "left",
        }
    }
}

impl std::str::FromStr for ErasureReason {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "asked" => Ok(Self::Asked),
            "left" => Ok(Self::Left),
            _ => Err(format!("“{text}” is no reason to erase somebody")),
        }
    }
}

/// An erasure.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Erasure {
    /// Own id.
    pub id: Uuid,
    /// Whose data; the id is all that is left of them.
    pub student: StudentId,
    /// When it was asked for, which is when the data went.
    pub asked_at: Wall,
    /// The account that asked, or `hub`.
    pub asked_by: String,
    /// Why.
    pub reason: ErasureReason,
    /// What went.
    pub gone: Gone,
    /// A row without a name stays, because marks count with it.
    pub row_kept: bool,
    /// When the key went.
    pub key_erased_at: Option<Wall>,
    /// When the doors were told.
    pub released_at: Option<Wall>,
    /// When the last door had forgotten them.
    pub done_at: Option<Wall>,
}

/// A door that must forget somebody.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ErasureDoor {
    /// Which.
    pub device: DeviceId,
    /// The release with which it has.
    pub release: u64,
    /// When it has in any case, if it runs.
    pub lease_ends: Wall,
    /// When it said that it runs that release or a later one.
    pub confirmed_at: Option<Wall>,
    /// BLAKE3 of the manifest it runs.
    pub manifest: Option<Vec<u8>>,
}

const COLUMNS: &str = "id, student, asked_at, asked_by, reason, gone, row_kept, key_erased_at,
     released_at, done_at";

/// Writes an erasure down, instead of an earlier one of the same person (whom a backup brought
/// back).
pub fn renew(tx: &Tx<'_>, new: &Erasure) -> Result<(), Error> {
    let id = new.student.to_string();
    let sql = "delete from erasure_door where erasure in
         (select id from erasure where student = $1)";
    tx.execute(sql, params![id])?;
    tx.execute("delete from erasure where student = $1", params![id])?;
    let sql = "insert into erasure (id, student, asked_at, asked_by, reason, gone, row_kept)
         values ($1, $2, $3, $4, $5, $6, $7)";
    let gone = serde_json::to_string(&new.gone).doing("writing an erasure down")?;
    let id = new.id.to_string();
    let student = new.student.to_string();
    let reason = new.reason.as_str();
    let values = params![id, student, new.asked_at.0, new.asked_by, reason, gone, new.row_kept];
    tx.execute(sql, values).map(drop)
}

/// The erasure of `student`.
pub fn of(tx: &Tx<'_>, student: StudentId) -> Result<Option<Erasure>, Error> {
    let sql = format!("select {COLUMNS} from erasure where student = $1");
    tx.row(&sql, params![student.to_string()], read)
}

/// Erasures that some door has not confirmed, oldest first.
pub fn open(tx: &Tx<'_>) -> Result<Vec<Erasure>, Error> {
    let sql = format!("select {COLUMNS} from erasure where done_at is null order by asked_at");
    tx.query(&sql, [], read)
}

/// Remembers that the key of an erased student is gone.
pub fn key_erased(tx: &Tx<'_>, student: StudentId, now: Wall) -> Result<(), Error> {
    let sql = "update erasure set key_erased_at = $2 where student = $1 and key_erased_at is null";
    tx.execute(sql, params![student.to_string(), now.0]).map(drop)
}

/// Names the doors that must forget; call it after the gallery was made anew.
///
/// An open door has with the release made since; one that is cut off gets none, and never
/// confirms. Doors whose gallery did not change had nothing to forget. What a door runs already
/// is confirmed at once.
pub fn tell_doors(tx: &Tx<'_>, erasure: Uuid, now: Wall) -> Result<(), Error> {
    let id = erasure.to_string();
    let sql = "insert into erasure_door (erasure, device, release, lease_ends)
         select e.id, d.id, case when l.created_at >= e.asked_at then l.version
                 else l.version + 1 end,
             (select max(o.expires_at) from gallery_release o where o.device = d.id
                 and (o.version < l.version or l.created_at < e.asked_at))
         from erasure e cross join device d join gallery_release l on l.device = d.id
             and l.version = (select max(n.version) from gallery_release n where n.device = d.id)
         where e.id = $1 and case when l.created_at >= e.asked_at then l.version > 1
                 else d.is_active = 0 end
         on conflict (erasure, device) do nothing";
    tx.execute(sql, params![id])?;
    let sql = "update erasure_door set confirmed_at = $2 where erasure = $1 and exists
         (select 1 from device d where d.id = erasure_door.device and d.gallery >= release)";
    tx.execute(sql, params![id, now.0])?;
    let sql = "update erasure set released_at = $2 where id = $1";
    tx.execute(sql, params![id, now.0]).map(drop)
}

/// The doors of an erasure, by name.
pub fn doors(tx: &Tx<'_>, erasure: Uuid) -> Result<Vec<ErasureDoor>, Error> {
    let sql = "select device, release, lease_ends, confirmed_at, manifest from erasure_door
         where erasure = $1 order by device";
    tx.query(sql, params![erasure.to_string()], |row| {
        Ok(ErasureDoor {
            device: device::device_id(row, 0)?,
            release: super::unsigned(row, 1)?,
            lease_ends: Wall(row.get(2)?),
            confirmed_at: row.get::<Option<i64>>(3)?.map(Wall),
            manifest: row.get(4)?,
        })
    })
}

/// A door says that it runs `release`, by the manifest with this digest. Counts for every
/// erasure that waits for it, if that is the manifest we signed.
pub fn confirm(
    tx: &Tx<'_>,
    device: &DeviceId,
    release: u64,
    manifest: &[u8; 32],
    now: Wall,
) -> Result<usize, Error> {
    let version = super::cursor::signed(release);
    let waits = "select 1 from erasure_door where device = $1 and release <= $2
         and confirmed_at is null limit 1";
    if tx.row(waits, params![device.as_str(), version], |_| Ok(()))?.is_none() {
        return Ok(0);
    }
    let sql = "select signed from gallery_release where device = $1 and version = $2";
    let signed = tx.row(sql, params![device.as_str(), version], |row| row.get::<Vec<u8>>(0))?;
    let Some(signed) = signed else { return Ok(0) };
    let signed: Signed = postcard::from_bytes(&signed).doing("reading a gallery release")?;
    if signed.digest() != *manifest {
        return Ok(0);
    }
    let sql = "update erasure_door set confirmed_at = $3, manifest = $4
         where device = $1 and release <= $2 and confirmed_at is null";
    tx.execute(sql, params![device.as_str(), version, now.0, manifest.to_vec()])
}

/// Closes erasures whose doors have all confirmed or run out. Returns how many.
pub fn close(tx: &Tx<'_>, now: Wall) -> Result<usize, Error> {
    let sql = "update erasure set done_at = $1
         where done_at is null and released_at is not null and key_erased_at is not null
           and not exists (select 1 from erasure_door d where d.erasure = erasure.id
               and d.confirmed_at is null and d.lease_ends > $1)";
    tx.execute(sql, params![now.0])
}

fn read(row: &Row<'_>) -> Read<Erasure> {
    let wall = |ms: Option<i64>| ms.map(Wall);
    let gone: String = row.get(5)?;
    Ok(Erasure {
        id: parsed(row, 0)?,
        student: parsed(row, 1)?,
        asked_at: Wall(row.get(2)?),
        asked_by: row.get(3)?,
        reason: parsed(row, 4)?,
        gone: serde_json::from_str(&gone).map_err(|why| super::odd(5, why))?,
        row_kept: row.get(6)?,
        key_erased_at: wall(row.get(7)?),
        released_at: wall(row.get(8)?),
        done_at: wall(row.get(9)?),
    })
}
