//! What is known of a door besides its row: what it last said, its certificate, and the gallery
//! it should use.

use super::device::{COLUMNS, Device, device_id, read};
use super::{Read, Row, Tx, door_settings, params, watch};
use rules::attendance::closing::ClosingWhy;
use rules::error::Error;
use std::collections::HashMap;
use wire::{DeviceId, Wall, link::Settings};

/// Doors that are looked at: many times what a school has.
const MOST: u32 = 5_000;
/// Two names with all others between them.
const EVERY: (&str, &str) = ("", "~");

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
    let id = device.id.to_string();
    let all = Facts::read(tx, (&id, &id))?;
    Ok(all.of(device))
}

/// All that is known of every door, in the order of their rooms.
pub fn all(tx: &Tx<'_>) -> Result<Vec<DoorKnown>, Error> {
    let sql = format!("select {COLUMNS} from device where id <> $1 order by room, id limit $2");
    let doors = tx.query(&sql, params![crate::device::PHOTOS, MOST], read)?;
    let all = Facts::read(tx, EVERY)?;
    Ok(doors.into_iter().map(|door| all.of(door)).collect())
}

/// What is known of doors besides their rows, by door. A thousand are read by as many queries as one.
struct Facts {
    settings: HashMap<DeviceId, Settings>,
    wanted: HashMap<DeviceId, Option<u64>>,
    dated: HashMap<DeviceId, Told>,
    loose: HashMap<DeviceId, Told>,
    certificates: HashMap<DeviceId, DoorCertificate>,
}

/// A report, and where in the door's life it ends: boot and moment.
type Told = (LastHealth, (i64, i64));

impl Facts {
    /// Of the doors between these two.
    fn read(tx: &Tx<'_>, (from, to): (&str, &str)) -> Result<Self, Error> {
        let some = params![from, to];
        Ok(Self {
            settings: door_settings::between(tx, (from, to))?,
            wanted: tx.query(WANTED, some, wanted)?.into_iter().collect(),
            dated: tx.query(&dated_sql(), some, dated)?.into_iter().collect(),
            loose: tx.query(&loose_sql(), some, |row| said(row, 0))?.into_iter().collect(),
            certificates: tx.query(CERTIFICATES, some, certificate)?.into_iter().collect(),
        })
    }

    fn of(&self, device: Device) -> DoorKnown {
        let id = &device.id;
        let settings = self.settings.get(id).copied().unwrap_or_default();
        let wanted = self.wanted.get(id).copied().flatten().filter(|_| device.is_active);
        let health = newest(self.dated.get(id), self.loose.get(id));
        let certificate = self.certificates.get(id).copied();
        DoorKnown { settings, wanted, health, certificate, device }
    }
}

/// The newest report. One whose time is not known yet is newer than all that are dated, unless
/// the same boot said something later.
fn newest(dated: Option<&Told>, loose: Option<&Told>) -> Option<LastHealth> {
    let newest = match (dated, loose) {
        (Some(dated), Some(loose)) if dated.1 >= loose.1 => Some(dated),
        (dated, loose) => loose.or(dated),
    };
    newest.map(|(health, _)| health.clone())
}

const WANTED: &str = "select d.id, (select max(version) from gallery_release where device = d.id)
     from device d where d.id >= $1 and d.id <= $2";

const CERTIFICATES: &str = "select device, issued_at, expires_at from device_cert
     where state = 'valid' and device >= $1 and device <= $2 order by expires_at";

const SAID: &str = "device, at, camera, until - since, watched_ms, disk_free_mb, boot, until";

fn dated_sql() -> String {
    let of = "select n from health where device = d.id and at is not null order by at desc limit 1";
    format!(
        "select {}, {SAID} from health where n in
             (select ({of}) from device d where d.id >= $1 and d.id <= $2)",
        watch::COLUMNS
    )
}

fn loose_sql() -> String {
    let of = "select n from health where device = d.id and at is null and boot = d.boot
         and life = d.life order by until desc limit 1";
    format!(
        "select {SAID} from health where n in
             (select ({of}) from device d where d.id >= $1 and d.id <= $2)"
    )
}

fn wanted(row: &Row<'_>) -> Read<(DeviceId, Option<u64>)> {
    let version: Option<i64> = row.get(1)?;
    Ok((device_id(row, 0)?, version.map(|_| super::unsigned(row, 1)).transpose()?))
}

/// A report whose time is known, and why the door could not have recognised anybody then.
fn dated(row: &Row<'_>) -> Read<(DeviceId, Told)> {
    let (id, (health, end)) = said(row, watch::WIDTH)?;
    let why = watch::main_cause(&watch::read(row)?);
    Ok((id, (LastHealth { why, ..health }, end)))
}

/// A report whose columns begin at `first`.
fn said(row: &Row<'_>, first: usize) -> Read<(DeviceId, Told)> {
    let health = LastHealth {
        at: row.get::<Option<i64>>(first + 1)?.map(Wall),
        camera: row.get(first + 2)?,
        span_ms: row.get(first + 3)?,
        watched_ms: row.get(first + 4)?,
        disk_free_mb: row.get(first + 5)?,
        why: None,
    };
    Ok((device_id(row, first)?, (health, (row.get(first + 6)?, row.get(first + 7)?))))
}

fn certificate(row: &Row<'_>) -> Read<(DeviceId, DoorCertificate)> {
    let certificate = DoorCertificate { issued: Wall(row.get(1)?), ends: Wall(row.get(2)?) };
    Ok((device_id(row, 0)?, certificate))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Db, device};
    use wire::Direction;

    const NOW: Wall = Wall(1_790_000_000_000);

    async fn with_doors(doors: &[(&'static str, &'static str)]) -> (tempfile::TempDir, Db) {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open(dir.path().join("hub.db")).unwrap();
        for (name, room) in doors.iter().copied() {
            let (id, location): (DeviceId, _) = (name.parse().unwrap(), String::new());
            let place =
                device::DevicePlace { room: room.into(), location, direction: Direction::Both };
            db.write(move |tx| device::add(tx, &id, &place, "t", NOW)).await.unwrap();
        }
        (dir, db)
    }

    #[tokio::test]
    async fn doors_come_room_by_room() {
        let doors = [("c", "201"), ("a", "202"), ("b", "201"), ("d", "")];
        let (_dir, db) = with_doors(&doors).await;
        let doors = db.read(all).await.unwrap();
        let names: Vec<_> = doors.iter().map(|door| door.device.id.as_str()).collect();
        assert_eq!(names, ["d", "b", "c", "a"]);
    }

    #[tokio::test]
    async fn what_is_known_of_a_thousand_doors_is_found_by_indexes() {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::in_file(&dir.path().join("hub.db")).unwrap();
        let plans = |tx: &Tx<'_>| {
            let plan = |sql: String| {
                let sql = format!("explain query plan {sql}");
                Ok(tx.query(&sql, ["", "~"], |row| row.get::<String>(3))?.join("\n"))
            };
            let all = [WANTED.into(), CERTIFICATES.into(), dated_sql(), loose_sql()];
            all.into_iter().map(plan).collect::<Result<Vec<_>, Error>>()
        };
        for plan in db.read(plans).await.unwrap() {
            assert!(!plan.contains("SCAN"), "{plan}");
        }
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
