//! Table `loss`: what will never come, told by doors, and by the hub where it is the one that
//! could not keep something.

use super::{Read, Row, Tx, cursor::signed, params, parsed};
use rules::error::{Doing, Error};
use std::collections::BTreeMap;
use wire::{DeviceId, Ranges, RecordKey, Wall};

/// Dead letters beyond the day's limit.
pub const NOT_KEPT: &str = "not_kept";
/// Passages that came while nobody was enrolled whom they could have been.
pub const NOBODY_ENROLLED: &str = "nobody_enrolled";
/// What was on a door's card that was replaced, emptied or put back, and never came.
pub const CARD: &str = "card";

/// Reports that were given up for space: no passage is gone.
const HEALTH: &str = "health_trimmed";

/// Ranges that are written out.
const RANGES: usize = 3;
/// Losses that are looked at for what went lately: the newest of them.
const LATELY: u32 = 1000;
const DAY_MS: i64 = 24 * 3600 * 1000;

/// A loss, as people are shown it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LossRow {
    /// Whose.
    pub device: DeviceId,
    /// Numbers that are gone.
    pub gone: Ranges,
    /// Passages that never had a number.
    pub unnumbered: u64,
    /// When it began and ended, where that is known.
    pub span: (Option<Wall>, Option<Wall>),
    /// One word.
    pub cause: String,
    /// When the hub heard of it.
    pub received_at: Wall,
}

impl LossRow {
    /// How many records it is.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.gone.count().saturating_add(self.unnumbered)
    }

    /// Its numbers, the first few ranges of them, and how many never had one.
    #[must_use]
    pub fn numbers(&self) -> String {
        let range = |(first, last): &(u64, u64)| match first == last {
            true => first.to_string(),
            false => format!("{first}–{last}"),
        };
        let ranges = self.gone.as_slice();
        let mut all: Vec<_> = ranges.iter().take(RANGES).map(range).collect();
        all.extend((ranges.len() > RANGES).then(|| "…".to_owned()));
        all.extend((self.unnumbered > 0).then(|| format!("+{}", self.unnumbered)));
        all.join(", ")
    }
}

/// The hub itself could not keep the record `key`: told in one row for each door, epoch, cause
/// and day.
pub fn note(
    tx: &Tx<'_>,
    key: &RecordKey,
    cause: &str,
    at: Option<Wall>,
    now: Wall,
) -> Result<(), Error> {
    let doing = "storing a loss";
    metrics::counter!("rollcall_lost_records_total").increment(1);
    let sql = "select seq, gone from loss where device = $1 and received_at > $2
             and epoch = $3 and cause = $4";
    let epoch = key.epoch.0.to_vec();
    let day = params![key.device.as_str(), now.plus_ms(-DAY_MS).0, epoch, cause];
    let known = tx.row(sql, day, |row| Ok((row.get::<i64>(0)?, row.get::<String>(1)?)))?;
    let (row, mut gone) = match known {
        Some((row, text)) => (row, serde_json::from_str(&text).doing(doing)?),
        None => (signed(key.seq), Ranges::default()),
    };
    gone.insert(key.seq, key.seq);
    let sql = "insert into loss (device, epoch, seq, gone, unnumbered, from_at, to_at, cause,
             received_at) values ($1, $2, $3, $4, 0, $5, $5, $6, $7)
         on conflict (device, epoch, seq) do update set
             gone = case when loss.cause = excluded.cause then excluded.gone else loss.gone end,
             unnumbered = loss.unnumbered
                 + case when loss.cause = excluded.cause then 0 else 1 end,
             from_at = case when excluded.from_at < loss.from_at then excluded.from_at
                 else coalesce(loss.from_at, excluded.from_at) end,
             to_at = case when excluded.to_at > loss.to_at then excluded.to_at
                 else coalesce(loss.to_at, excluded.to_at) end";
    let gone = serde_json::to_string(&gone).doing(doing)?;
    let at = at.map(|wall| wall.0);
    tx.execute(sql, params![key.device.as_str(), epoch, row, gone, at, cause, now.0]).map(drop)
}

/// The newest losses since `since`, of `device` or of every door.
pub fn list(
    tx: &Tx<'_>,
    device: Option<&DeviceId>,
    since: Wall,
    limit: u32,
) -> Result<Vec<LossRow>, Error> {
    let whose = if device.is_some() { "device = $3" } else { "cast($3 as text) is null" };
    let sql = format!(
        "select device, gone, unnumbered, from_at, to_at, cause, received_at from loss
         where {whose} and received_at > $1 order by received_at desc, seq desc limit $2"
    );
    tx.query(&sql, params![since.0, limit, device.map(DeviceId::as_str)], read)
}

/// How many records of each door are gone of which the hub heard since `since`, and when it heard
/// last. Reports that were given up for space are not among them.
pub fn lately(tx: &Tx<'_>, since: Wall) -> Result<Vec<(DeviceId, u64, Wall)>, Error> {
    let mut doors: BTreeMap<DeviceId, (u64, Wall)> = BTreeMap::new();
    for loss in list(tx, None, since, LATELY)? {
        if loss.cause == HEALTH {
            continue;
        }
        let count = loss.count();
        let last = loss.received_at;
        let door = doors.entry(loss.device).or_insert((0, last));
        *door = (door.0.saturating_add(count), door.1.max(last));
    }
    Ok(doors.into_iter().map(|(door, (count, last))| (door, count, last)).collect())
}

fn read(row: &Row<'_>) -> Read<LossRow> {
    let gone = serde_json::from_str(&row.get::<String>(1)?);
    let wall = |n| row.get::<Option<i64>>(n).map(|at| at.map(Wall));
    Ok(LossRow {
        device: parsed(row, 0)?,
        gone: gone.map_err(|why| super::odd(1, why))?,
        unnumbered: super::unsigned(row, 2)?,
        span: (wall(3)?, wall(4)?),
        cause: row.get(5)?,
        received_at: Wall(row.get(6)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_of_a_loss_are_few_words() {
        let numbers = |gone: &[(u64, u64)], unnumbered| {
            let (device, gone) = ("a".parse().unwrap(), Ranges::from(gone.to_vec()));
            let (span, cause) = ((None, None), String::new());
            LossRow { device, gone, unnumbered, span, cause, received_at: Wall(0) }.numbers()
        };
        assert_eq!(numbers(&[(5, 900), (903, 903)], 0), "5–900, 903");
        assert_eq!(numbers(&[(1, 1), (3, 3), (5, 5), (7, 7)], 2), "1, 3, 5, …, +2");
        assert_eq!(numbers(&[], 0), "");
    }
}
