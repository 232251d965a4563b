//! Table `gallery_release`: what was signed for each door. The files themselves are made again
//! after a restart: plain templates are never on disk.

use super::{Tx, device, params};
use crate::error::{Doing, Error};
use wire::link::Desired;
use wire::sign::Signed;
use wire::{DeviceId, Manifest};

/// Remembers a release.
///
/// # Errors
/// `Conflict` when the door has this version already.
pub fn add(tx: &Tx<'_>, manifest: &Manifest, signed: &Signed) -> Result<(), Error> {
    let sql = "insert into gallery_release (device, version, created_at, expires_at, people,
             blake3, signed) values ($1, $2, $3, $4, $5, $6, $7)";
    let signed = postcard::to_stdvec(signed).doing("storing a gallery release")?;
    let values = params![
        manifest.device.as_str(),
        super::cursor::signed(manifest.version),
        manifest.created.0,
        manifest.expires.0,
        manifest.people,
        manifest.blake3.to_vec(),
        signed,
    ];
    tx.execute(sql, values).map(drop)
}

/// A door's newest release.
///
/// # Errors
/// When the database fails or the row is damaged.
pub fn last(tx: &Tx<'_>, device: &DeviceId) -> Result<Option<(Manifest, Signed)>, Error> {
    let decode = |bytes: Vec<u8>| -> Result<_, postcard::Error> {
        let signed: Signed = postcard::from_bytes(&bytes)?;
        Ok((postcard::from_bytes(&signed.bytes)?, signed))
    };
    let doing = "reading a gallery release";
    manifest(tx, device)?.map(|bytes| decode(bytes).doing(doing)).transpose()
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
