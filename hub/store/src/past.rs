//! What is kept of a door's past, from every table that speaks of it.

use super::audit::{self, AuditFilter};
use super::{Tx, loss, params};
use rules::error::Error;
use wire::{DeviceId, Wall};

/// Reports looked through for changes of the camera: those of a day, one a minute.
const REPORTS: u32 = 24 * 60;

/// Something that happened at a door.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Past {
    /// When; what doors say of themselves, by their clock as the hub corrected it.
    pub at: Wall,
    /// What.
    pub what: DoorPast,
}

/// What happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DoorPast {
    /// Somebody did something about it, as the audit log says.
    Done {
        /// Who: an account's id, `cli:` with a number, or `hub`.
        actor: String,
        /// A verb.
        action: String,
    },
    /// A record could not be used and was put aside.
    Letter {
        /// One word.
        error: String,
        /// A sentence.
        detail: String,
    },
    /// Records are lost.
    Loss {
        /// One word.
        cause: String,
        /// Their numbers, as people read them.
        records: String,
    },
    /// Its camera changed to `watching` or `blind`.
    Camera(String),
}

/// The newest `limit` things about `id`, newest first.
pub fn of(tx: &Tx<'_>, id: &DeviceId, limit: u32) -> Result<Vec<Past>, Error> {
    let kinds =
        [done(tx, id, limit)?, letters(tx, id, limit)?, losses(tx, id, limit)?, camera(tx, id)?];
    let mut all = kinds.concat();
    all.sort_by_key(|past| std::cmp::Reverse(past.at));
    all.truncate(limit as usize);
    Ok(all)
}

fn done(tx: &Tx<'_>, id: &DeviceId, limit: u32) -> Result<Vec<Past>, Error> {
    let table = Some("device".to_owned());
    let id = Some(id.to_string());
    let rows = audit::list(tx, &AuditFilter { table, id, ..AuditFilter::default() }, None, limit)?;
    let what = |row: audit::AuditRow| DoorPast::Done { actor: row.actor, action: row.action };
    Ok(rows.into_iter().map(|row| Past { at: row.at, what: what(row) }).collect())
}

fn letters(tx: &Tx<'_>, id: &DeviceId, limit: u32) -> Result<Vec<Past>, Error> {
    let sql = "select at, error, detail from dead_letter where device = $1
         order by at desc limit $2";
    tx.query(sql, params![id.as_str(), limit], |row| {
        let what = DoorPast::Letter { error: row.get(1)?, detail: row.get(2)? };
        Ok(Past { at: Wall(row.get(0)?), what })
    })
}

fn losses(tx: &Tx<'_>, id: &DeviceId, limit: u32) -> Result<Vec<Past>, Error> {
    let all = loss::list(tx, Some(id), Wall(0), limit)?;
    let what = |loss: loss::LossRow| DoorPast::Loss { records: loss.numbers(), cause: loss.cause };
    Ok(all.into_iter().map(|loss| Past { at: loss.received_at, what: what(loss) }).collect())
}

/// When the camera changed, in the last day's reports.
fn camera(tx: &Tx<'_>, id: &DeviceId) -> Result<Vec<Past>, Error> {
    let sql = "select at, camera from health where device = $1 and at is not null
         order by at desc limit $2";
    let reports: Vec<(i64, String)> =
        tx.query(sql, params![id.as_str(), REPORTS], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let changes = reports.windows(2).filter(|pair| pair[0].1 != pair[1].1);
    let change = |pair: &[(i64, String)]| Past {
        at: Wall(pair[0].0),
        what: DoorPast::Camera(pair[0].1.clone()),
    };
    Ok(changes.map(change).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Db, dead_letter, device};
    use wire::Direction;

    const NOW: Wall = Wall(1_790_000_000_000);

    #[tokio::test]
    async fn everything_about_one_door_comes_in_the_order_it_happened() {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open(dir.path().join("hub.db")).unwrap();
        let id: DeviceId = "a".parse().unwrap();
        let write = |tx: &Tx<'_>| {
            let (id, other) = ("a".parse().unwrap(), "b".parse().unwrap());
            let (room, location) = (String::new(), String::new());
            let place = device::DevicePlace { room, location, direction: Direction::Both };
            device::add(tx, &id, &place, "ada", NOW)?;
            device::add(tx, &other, &place, "ada", NOW)?;
            let letter = dead_letter::DeadLetterLetter {
                content: dead_letter::DeadLetterContent::Bytes(b""),
                error: "x",
                detail: "why",
            };
            dead_letter::add(tx, &id, &letter, NOW.plus_ms(2))?;
            for (seq, camera) in [(1, "watching"), (2, "blind"), (3, "blind"), (4, "watching")] {
                let sql = "insert into health (device, epoch, seq, boot, since, until, at,
                     watched_ms, camera, disk_free_mb)
                     values ('a', x'01', $1, 1, 0, 1, $2, 1, $3, 9)";
                tx.execute(sql, params![seq, NOW.0 - 10 + seq, camera])?;
            }
            Ok(())
        };
        db.write(write).await.unwrap();
        let name = id.clone();
        let past = db.read(move |tx| of(tx, &name, 50)).await.unwrap();
        let said: Vec<_> = past.iter().map(|past| (past.at.0 - NOW.0, &past.what)).collect();
        let letter = DoorPast::Letter { error: "x".into(), detail: "why".into() };
        let added = DoorPast::Done { actor: "ada".into(), action: "add".into() };
        let (blind, sees) = (DoorPast::Camera("blind".into()), DoorPast::Camera("watching".into()));
        assert_eq!(said, [(2, &letter), (0, &added), (-6, &sees), (-8, &blind)]);
        assert_eq!(db.read(move |tx| of(tx, &id, 1)).await.unwrap().len(), 1);
    }
}
