//! Lives of an outbox that are over, because its door's card was replaced, emptied, or put back to
//! an old copy: what the hub heard of and never got is told as lost.

use super::cursor::{self, signed};
use super::loss::CARD;
use super::{Tx, params};
use rules::error::{Doing, Error};
use wire::link::{Hello, Run};
use wire::{DeviceId, Epoch, Ranges, Wall};

/// A life that is over.
struct Life {
    epoch: Epoch,
    /// What is stored of it.
    stored: Ranges,
    /// The last number that the hub heard of.
    heard: u64,
    /// When anything of it came last.
    last: Wall,
}

/// What is known of a life when its door greets with it.
#[derive(Default)]
pub struct OutboxKnown {
    /// The runs that were heard of.
    pub runs: Vec<Run>,
    /// The last number that was heard of.
    pub heard: u64,
}

/// What is known of `epoch` of `device`.
pub fn known(tx: &Tx<'_>, device: &DeviceId, epoch: Epoch) -> Result<OutboxKnown, Error> {
    let sql = "select runs, case when told > max_seq then told else max_seq end from cursor
         where device = $1 and epoch = $2";
    let row = tx.row(sql, params![device.as_str(), epoch.0.to_vec()], |row| {
        Ok((row.get::<Option<Vec<u8>>>(0)?, super::unsigned(row, 1)?))
    })?;
    let Some((runs, heard)) = row else { return Ok(OutboxKnown::default()) };
    let read = |bytes: Vec<u8>| postcard::from_bytes(&bytes).doing("reading a door's runs");
    Ok(OutboxKnown { runs: runs.map(read).transpose()?.unwrap_or_default(), heard })
}

/// Keeps the runs of a life.
pub fn keep(tx: &Tx<'_>, device: &DeviceId, epoch: Epoch, runs: &[Run]) -> Result<(), Error> {
    let sql = "update cursor set runs = $3 where device = $1 and epoch = $2";
    let runs = postcard::to_stdvec(runs).doing("storing a door's runs")?;
    tx.execute(sql, params![device.as_str(), epoch.0.to_vec(), runs]).map(drop)
}

/// From `first` on an old copy of the card gave numbers of this life out again.
pub fn part(tx: &Tx<'_>, device: &DeviceId, epoch: Epoch, first: u64) -> Result<(), Error> {
    let sql = "update cursor set parted = $3
         where device = $1 and epoch = $2 and (parted is null or parted > $3)";
    tx.execute(sql, params![device.as_str(), epoch.0.to_vec(), signed(first)]).map(drop)
}

/// The door greets with its `life`, in which it gave out the numbers up to `max_seq`. How far it
/// ever said that it was.
pub fn greeted(
    tx: &Tx<'_>,
    device: &DeviceId,
    hello: &Hello,
    life: i64,
    now: Wall,
) -> Result<u64, Error> {
    let Hello { epoch, max_seq, boot, .. } = *hello;
    let none = postcard::to_stdvec(&Ranges::default()).doing("storing a cursor")?;
    let sql = "insert into cursor (device, epoch, ranges, cum, max_seq, updated_at, told, life,
             born)
         values ($1, $2, $3, 0, 0, $4, $5, $6, $7)
         on conflict (device, epoch) do update set told = case
             when cursor.told > excluded.told then cursor.told else excluded.told end,
             born = coalesce(cursor.born, excluded.born)";
    let id = device.as_str();
    let told = signed(max_seq);
    tx.execute(sql, params![id, epoch.0.to_vec(), none, now.0, told, life, boot])?;
    let sql = "select told from cursor where device = $1 and epoch = $2";
    let key = params![device.as_str(), epoch.0.to_vec()];
    Ok(tx.row(sql, key, |row| super::unsigned(row, 0))?.unwrap_or(max_seq))
}

/// Tells what is lost of the lives before `epoch`, once all that it had when it greeted is here:
/// it may have brought some of theirs.
///
/// Of what the door recorded after the last number of theirs that was heard of, nobody knows.
pub fn end_former(tx: &Tx<'_>, device: &DeviceId, epoch: Epoch, now: Wall) -> Result<(), Error> {
    for life in over(tx, device, epoch)? {
        let gone = missing(tx, device, &life)?;
        metrics::counter!("rollcall_lost_records_total").increment(gone.count());
        tell(tx, device, &life, &gone, now)?;
        let sql = "update cursor set ended = $3 where device = $1 and epoch = $2";
        let id = device.as_str();
        let epoch = life.epoch.0.to_vec();
        tx.execute(sql, params![id, epoch, signed(life.heard)])?;
    }
    Ok(())
}

/// The lives before `epoch` whose end is not told. Of a damaged outbox its door told it itself.
fn over(tx: &Tx<'_>, device: &DeviceId, epoch: Epoch) -> Result<Vec<Life>, Error> {
    let sql = "select c.epoch, c.ranges,
             case when c.told > c.max_seq then c.told else c.max_seq end, c.updated_at
         from cursor c join cursor n on n.device = c.device and n.epoch = $2
         where c.device = $1 and c.epoch <> $2 and n.told is not null and n.cum >= n.told
             and (c.max_seq > c.ended or c.told > c.ended)
             and not exists (select 1 from loss l where l.device = c.device
                 and l.epoch = c.epoch and l.cause = 'damaged')";
    let rows = tx.query(sql, params![device.as_str(), epoch.0.to_vec()], |row| {
        let epoch = row.get(0)?;
        let ranges = row.get::<Vec<u8>>(1)?;
        Ok((Epoch(epoch), ranges, super::unsigned(row, 2)?, Wall(row.get(3)?)))
    })?;
    let life = |(epoch, ranges, heard, last): (_, Vec<u8>, _, _)| {
        let stored = postcard::from_bytes(&ranges).doing("reading a cursor")?;
        Ok(Life { epoch, stored, heard, last })
    };
    rows.into_iter().map(life).collect()
}

/// The numbers that came neither as themselves nor moved into a later life.
fn missing(tx: &Tx<'_>, device: &DeviceId, life: &Life) -> Result<Ranges, Error> {
    let mut here = life.stored.clone();
    for (first, last) in life.stored.gaps(life.heard).as_slice() {
        let moved = cursor::receipts(tx, device, life.epoch, *first, *last)?;
        moved.into_keys().for_each(|seq| here.insert(seq, seq));
    }
    Ok(here.gaps(life.heard))
}

/// From the last passage before the first number that is gone, or from the last word, until now.
fn tell(
    tx: &Tx<'_>,
    device: &DeviceId,
    life: &Life,
    gone: &Ranges,
    now: Wall,
) -> Result<(), Error> {
    let id = device.as_str();
    let epoch = life.epoch.0.to_vec();
    let first = gone.as_slice().first().map_or(life.heard, |range| range.0);
    let before = "select at from sighting where device = $1 and epoch = $2 and seq < $3
             and at is not null order by seq desc limit 1";
    let before = tx.row(before, params![id, epoch, signed(first)], |row| row.get(0))?;
    let from = before.map_or(life.last, |at| life.last.min(Wall(at)));
    let sql = "insert into loss (device, epoch, seq, gone, unnumbered, from_at, to_at, cause,
             received_at) values ($1, $2, 0, $3, 0, $4, $5, $6, $5)
         on conflict (device, epoch, seq) do update set gone = excluded.gone,
             to_at = excluded.to_at, received_at = excluded.received_at";
    let gone = serde_json::to_string(gone).doing("storing a loss")?;
    tx.execute(sql, params![id, epoch, gone, from.0, now.0, CARD]).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Db, loss};
    use refinery::{Runner, Target};
    use rusqlite::Connection;
    use std::path::Path;
    use wire::Mono;

    fn door() -> DeviceId {
        "door-1".parse().unwrap()
    }

    /// A database of before lives were counted: a door with three, of each of which 1 to 5 are
    /// stored and 9 were heard of.
    fn of_before(path: &Path) {
        let migrations = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/sqlite");
        let migrations = refinery::load_sql_migrations(migrations).unwrap();
        let mut db = Connection::open(path).unwrap();
        Runner::new(&migrations).set_target(Target::Version(39)).run(&mut db).unwrap();
        let sql = "insert into device (id, room, location, direction, is_active, online, boot,
                 connection, software, model, gallery, trouble, created_at, version)
             values ('door-1', '', '', 'both', 1, 0, 0, 0, '', '', 0, '', 0, 1)";
        db.execute(sql, []).unwrap();
        let stored = postcard::to_stdvec(&Ranges::from(vec![(1, 5)])).unwrap();
        for life in 1..=3u8 {
            let sql = "insert into cursor (device, epoch, ranges, cum, max_seq, updated_at)
                 values ('door-1', ?1, ?2, 5, 9, ?3)";
            db.execute(sql, rusqlite::params![[life; 16], stored, life]).unwrap();
        }
    }

    /// The door greets with this life, without a number of its own; which numbers of which lives
    /// are told as lost then.
    async fn greet(db: &Db, life: u8) -> Vec<Vec<(u64, u64)>> {
        let (software, model) = ("1".into(), "dlib-1".parse().unwrap());
        let epoch = Epoch([life; 16]);
        let hello = Hello {
            epoch,
            boot: 1,
            max_seq: 0,
            cum: 0,
            mono: Mono(1),
            software,
            gallery: 0,
            model,
        };
        let told = db.write(move |tx| {
            greeted(tx, &door(), &hello, i64::from(life), Wall(99))?;
            end_former(tx, &door(), epoch, Wall(99))?;
            loss::list(tx, Some(&door()), Wall(0), 9)
        });
        told.await.unwrap().into_iter().map(|loss| loss.gone.into()).collect()
    }

    #[tokio::test]
    async fn lives_that_were_over_before_they_were_counted_are_not_told_at_the_upgrade() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("hub.db");
        of_before(&path);
        let db = Db::in_file(&path).unwrap();
        assert_eq!(greet(&db, 3).await, [] as [Vec<_>; 0], "two are over since long");
        assert_eq!(greet(&db, 4).await, [vec![(6, 9)]], "the one that ends now, and no other");
        db.write(|tx| tx.execute("update cursor set ended = 0", [])).await.unwrap();
        assert_eq!(greet(&db, 4).await.len(), 3, "the control: without that line all were told");
    }
}
