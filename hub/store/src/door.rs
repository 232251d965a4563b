//! What is known of a door besides its row: what it last said, its certificate, and the gallery
//! it should use.

use super::device::{COLUMNS, Device, read};
use super::{Tx, door_settings, params, release};
use rules::attendance::closing::ClosingWhy;
use rules::error::Error;
use wire::{Wall, link::Settings};

/// A door with everything that tells how it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DoorKnown {
    /// Its row.
    pub device: Device,
    /// What the hub says of its settings.
    pub settings: Settings,
    /// The gallery release it should use; nothing before the first, and while it is cut off.
    pub wanted: Option<u64>,
    /// What it last said about itself.
    pub health: Option<LastHealth>,
    /// Its newest certificate that counts.
    pub certificate: Option<DoorCertificate>,
}

/// What a door last said about itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LastHealth {
    /// At the end of the span it speaks of; nothing while the door's clock is not set.
    pub at: Option<Wall>,
    /// `watching` or `blind`.
    pub camera: String,
    /// The span, milliseconds.
    pub span_ms: i64,
    /// How much of it the door watched, milliseconds.
    pub watched_ms: i64,
    /// Free on its card, MiB.
    pub disk_free_mb: i64,
    /// Why it could not have recognised anybody then, although it is connected.
    pub why: Option<ClosingWhy>,
}

/// From when to when a door may prove who it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DoorCertificate {
    /// When it was made.
    pub issued: Wall,
    /// When it ends.
    pub ends: Wall,
}

/// All that is known of `device`.
pub fn known(tx: &Tx<'_>, device: Device) -> Result<DoorKnown, Error> {
    let wanted = release::newest(tx, &device.id)?.filter(|_| device.is_active);
    let health = health(tx, &device)?;
    let certificate = certificate(tx, &device)?;
    let settings = door_settings::get(tx, &device.id)?;
    Ok(DoorKnown { device, settings, wanted, health, certificate })
}

/// Doors in the order of their rooms, those after the door `after` is called in the room it is in.
pub fn by_room(tx: &Tx<'_>, after: (&str, &str), limit: u32) -> Result<Vec<DoorKnown>, Error> {
    let sql = format!(
        "select {COLUMNS} from device
         where (room > $1 or (room = $1 and id > $2)) and id <> $3 order by room, id limit $4"
    );
    let (room, id) = after;
    let doors = tx.query(&sql, params![room, id, crate::device::PHOTOS, limit], read)?;
    doors.into_iter().map(|door| known(tx, door)).collect()
}

/// How many doors there are, and how many of them are connected.
pub fn tally(tx: &Tx<'_>) -> Result<(i64, i64), Error> {
    let sql = "select count(*), coalesce(sum(online), 0) from device where id <> $1";
    let counted = tx.row(sql, [crate::device::PHOTOS], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(counted.unwrap_or_default())
}

/// The newest report. One whose time is not known yet is newer than all that are dated, unless
/// the same boot said something later.
fn health(tx: &Tx<'_>, device: &Device) -> Result<Option<LastHealth>, Error> {
    let columns = "at, camera, until - since, watched_ms, disk_free_mb, boot, until";
    let dated = format!(
        "select {columns} from health where device = $1 and at is not null
         order by at desc limit 1"
    );
    let loose = format!(
        "select {columns} from health where device = $1 and at is null and boot = $2
             and life = $3 order by until desc limit 1"
    );
    let id = device.id.as_str();
    let boot = device.connection.0;
    let dated = tx.row(&dated, params![id], said)?;
    let loose = tx.row(&loose, params![id, boot, device.life], said)?;
    let newest = match (dated, loose) {
        (Some(dated), Some(loose)) if dated.1 >= loose.1 => Some(dated),
        (dated, loose) => loose.or(dated),
    };
    let why =
        super::watch::newest(tx, &device.id)?.and_then(|said| super::watch::main_cause(&said));
    Ok(newest.map(|(health, _)| LastHealth { why: why.filter(|_| health.at.is_some()), ..health }))
}

/// A report, and where in the door's life it ends: boot and moment.
fn said(row: &rusqlite::Row<'_>) -> rusqlite::Result<(LastHealth, (i64, i64))> {
    let health = LastHealth {
        at: row.get::<_, Option<i64>>(0)?.map(Wall),
        camera: row.get(1)?,
        span_ms: row.get(2)?,
        watched_ms: row.get(3)?,
        disk_free_mb: row.get(4)?,
        why: None,
    };
    Ok((health, (row.get(5)?, row.get(6)?)))
}

fn certificate(tx: &Tx<'_>, device: &Device) -> Result<Option<DoorCertificate>, Error> {
    let sql = "select issued_at, expires_at from device_cert
         where device = $1 and state = 'valid' order by expires_at desc limit 1";
    tx.row(sql, [device.id.as_str()], |row| {
        Ok(DoorCertificate { issued: Wall(row.get(0)?), ends: Wall(row.get(1)?) })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Db, device};
    use wire::{DeviceId, Direction};

    const NOW: Wall = Wall(1_790_000_000_000);

    async fn with_doors(doors: &[(&'static str, &'static str)]) -> (tempfile::TempDir, Db) {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open(&dir.path().join("hub.db")).unwrap();
        for (name, room) in doors.iter().copied() {
            let (id, location): (DeviceId, _) = (name.parse().unwrap(), String::new());
            let place =
                device::DevicePlace { room: room.into(), location, direction: Direction::Both };
            db.write(move |tx| device::add(tx, &id, &place, "t", NOW)).await.unwrap();
        }
        (dir, db)
    }

    #[tokio::test]
    async fn doors_come_room_by_room_and_page_by_page() {
        let all = [("c", "201"), ("a", "202"), ("b", "201"), ("d", "")];
        let (_dir, db) = with_doors(&all).await;
        let page = async |room: &'static str, id: &'static str| {
            let doors = db.read(move |tx| by_room(tx, (room, id), 2)).await.unwrap();
            doors.iter().map(|door| door.device.id.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(page("", "").await, ["d", "b"]);
        assert_eq!(page("201", "b").await, ["c", "a"]);
        assert_eq!(page("202", "a").await, [""; 0]);
        assert_eq!(db.read(tally).await.unwrap(), (4, 0));
    }

    #[tokio::test]
    async fn a_report_without_a_time_counts_until_the_same_boot_knows_better() {
        let (_dir, db) = with_doors(&[("a", "")]).await;
        let report = async |seq: i64, boot: i64, until: i64, at: Option<i64>, camera: &str| {
            let camera = camera.to_owned();
            let sql = "insert into health (device, epoch, seq, boot, since, until, at, watched_ms,
                 camera, disk_free_mb) values ('a', x'01', $1, $2, 0, $3, $4, 1, $5, 9)";
            let add = move |tx: &Tx<'_>| tx.execute(sql, params![seq, boot, until, at, camera]);
            db.write(add).await.unwrap();
        };
        let said = async || {
            let read = |tx: &Tx<'_>| {
                let device = device::get(tx, &"a".parse().unwrap())?;
                known(tx, device.unwrap())
            };
            let health = db.read(read).await.unwrap().health.unwrap();
            (health.at.is_some(), health.camera)
        };
        let again = |tx: &Tx<'_>| device::connected(tx, &"a".parse().unwrap(), true, (2, 1), NOW);
        report(1, 1, 60, Some(1_000), "watching").await;
        db.write(again).await.unwrap();
        assert_eq!(said().await, (true, "watching".into()));
        report(2, 2, 60, None, "blind").await;
        assert_eq!(said().await, (false, "blind".into()));
        report(3, 2, 120, Some(2_000), "watching").await;
        assert_eq!(said().await, (true, "watching".into()));
    }
}
