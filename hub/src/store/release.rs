//! Table `gallery_release`: what each door should run. The files themselves lie beside the
//! database, because they are large and can be made again.

use super::{Tx, device, params};
use crate::error::{Doing, Error};
use std::path::{Path, PathBuf};
use wire::link::Desired;
use wire::sign::Signed;
use wire::{DeviceId, Wall};

/// One release for one door.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Release {
    /// For whom.
    pub device: DeviceId,
    /// Counts from 1.
    pub version: u64,
    /// When it was made.
    pub created: Wall,
    /// When its lease ends.
    pub expires: Wall,
    /// People in it.
    pub people: u32,
    /// BLAKE3 of the file.
    pub blake3: [u8; 32],
    /// The manifest.
    pub signed: Signed,
}

/// Where the file of a release lies.
#[must_use]
pub fn path(data: &Path, device: &DeviceId, version: u64) -> PathBuf {
    data.join("galleries").join(device.as_str()).join(format!("{version}.rcg"))
}

/// Remembers a release whose file is already there.
///
/// # Errors
/// `Conflict` when the door has this version already.
pub fn add(tx: &Tx<'_>, release: &Release) -> Result<(), Error> {
    let sql = "insert into gallery_release (device, version, created_at, expires_at, people,
             blake3, signed) values ($1, $2, $3, $4, $5, $6, $7)";
    let signed = postcard::to_stdvec(&release.signed).doing("storing a gallery release")?;
    let values = params![
        release.device.as_str(),
        super::cursor::signed(release.version),
        release.created.0,
        release.expires.0,
        release.people,
        release.blake3.to_vec(),
        signed,
    ];
    tx.execute(sql, values).map(drop)
}

/// The postcard bytes of a door's newest signed manifest.
///
/// # Errors
/// When the database fails.
pub fn manifest(tx: &Tx<'_>, device: &DeviceId) -> Result<Option<Vec<u8>>, Error> {
    let sql = "select signed from gallery_release where device = $1
         order by version desc limit 1";
    tx.row(sql, [device.as_str()], |row| row.get(0))
}

/// Whether a door has this release.
///
/// # Errors
/// When the database fails.
pub fn has(tx: &Tx<'_>, device: &DeviceId, version: u64) -> Result<bool, Error> {
    let sql = "select 1 from gallery_release where device = $1 and version = $2";
    let key = params![device.as_str(), super::cursor::signed(version)];
    Ok(tx.row(sql, key, |_| Ok(()))?.is_some())
}

/// What every active door should run.
///
/// # Errors
/// When the database fails or a row is damaged.
pub fn desired(tx: &Tx<'_>) -> Result<Vec<(DeviceId, Desired)>, Error> {
    let sql = "select d.id, d.room, d.direction, coalesce(r.version, 0), r.signed
         from device d left join gallery_release r on r.device = d.id and r.version =
             (select max(version) from gallery_release where device = d.id)
         where d.is_active = 1";
    let rows = tx.query(sql, [], |row| {
        let device = device::device_id(row, 0)?;
        let (room, way) = (row.get::<_, String>(1)?, row.get::<_, String>(2)?);
        Ok((device, room, way, super::unsigned(row, 3)?, row.get::<_, Option<Vec<u8>>>(4)?))
    })?;
    let desired = |(device, room, way, gallery, signed): (_, _, String, _, Option<Vec<u8>>)| {
        let manifest = signed.map_or(Ok([0; 32]), |bytes| digest(&bytes))?;
        let direction = device::direction(&way)?;
        Ok((device, Desired { gallery, manifest, room, direction }))
    };
    rows.into_iter().map(desired).collect()
}

fn digest(signed: &[u8]) -> Result<[u8; 32], Error> {
    let signed: Signed = postcard::from_bytes(signed).doing("reading a gallery release")?;
    Ok(signed.digest())
}
