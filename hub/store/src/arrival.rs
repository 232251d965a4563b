//! What arrives from doors, as rows: sightings with candidates and evidence, health, losses and
//! anchors; and the dates that later anchors change.

use super::{Read, Row, Tx, cursor::signed, device::direction_text, params, setting};
use crate::evidence::{self, Evidence};
use rules::attendance::{Authority, marking::HUB};
use rules::error::{Doing, Error};
use rules::review::Status;
use rules::sighting::judge::JudgedSeen;
use rules::sighting::time::{KnownTime, TimePoint, When};
use uuid::Uuid;
use wire::record::{Anchor, CameraState, Health, Loss, Watch};
use wire::seal::Part;
use wire::{
    Candidate, ClockState, DeviceId, Epoch, Mono, Reason, RecordId, RecordKey, Stamp, StudentId,
    Verdict, Wall,
};

/// How far back dates are changed by a new anchor.
const REDATE_MS: i64 = 30 * 24 * 3600 * 1000;

/// A boot of a door. Its number counts within one life of its card: a card that was put back gives
/// numbers out again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Boot {
    /// Which life, see [`super::cursor::Cursor::life`].
    pub life: i64,
    /// Which boot of it.
    pub number: u32,
}

/// How a person stands who may have been seen.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Standing {
    /// Whether the school has them, and has not let them go.
    pub is_active: bool,
    /// Whether they work here.
    pub is_staff: bool,
    /// Whether their consent stands.
    pub consents: bool,
}

impl Standing {
    /// Whether they may be recognised now.
    #[must_use]
    pub fn may_be_seen(self) -> bool {
        self.is_active && self.consents
    }
}

/// How `student` stands now; nobody we know is nothing of it all.
pub fn standing(tx: &Tx<'_>, student: StudentId) -> Result<Standing, Error> {
    let sql = "select is_active, kind = 'staff', coalesce(
             (select given from consent where student = $1 order by n desc limit 1), 0)
         from student where id = $1";
    let read = |row: &Row<'_>| {
        Ok(Standing { is_active: row.get(0)?, is_staff: row.get(1)?, consents: row.get(2)? })
    };
    Ok(tx.row(sql, [student.to_string()], read)?.unwrap_or_default())
}

/// A sighting as it is stored.
pub struct ArrivalRow<'a> {
    /// Who may still be recognised, best first.
    pub candidates: &'a [Candidate],
    /// Sorted.
    pub reasons: &'a [Reason],
    /// The rest.
    pub seen: &'a JudgedSeen,
    /// The lesson it fell into.
    pub session: Option<Uuid>,
    /// Whether it waits, is approved by the class's policy, or is only a log.
    pub status: Status,
    /// Of a log: whether the person may be there.
    pub authority: Option<Authority>,
}

/// The next number of the hub's own pictures at `device`.
///
/// # Errors
/// When the database fails, or the hub's own epoch cannot be read.
pub fn next_key(tx: &Tx<'_>, device: DeviceId) -> Result<RecordKey, Error> {
    let epoch = setting::get(tx, "hub_epoch")?;
    let epoch = epoch.unwrap_or_else(|| Epoch([0; 16]).to_string());
    let epoch: Epoch = epoch.parse().doing("reading the hub's own epoch")?;
    let sql = "select coalesce(max(seq), 0) + 1 from sighting where device = $1 and epoch = $2";
    let n = tx.row(sql, params![device.as_str(), epoch.0.to_vec()], |row| row.get::<i64>(0))?;
    let seq = n.and_then(|n| u64::try_from(n).ok()).unwrap_or(1);
    Ok(RecordKey { device, epoch, seq })
}

/// Stores a sighting, in the lesson and the state that were decided before.
pub fn add_sighting(
    tx: &Tx<'_>,
    key: &RecordKey,
    (life, stamp): (i64, &Stamp),
    when: &When,
    row: &ArrivalRow<'_>,
    now: Wall,
) -> Result<RecordId, Error> {
    let id = key.id();
    let seen = row.seen;
    let sql = "insert into sighting (id, device, epoch, seq, boot, mono, at, at_low, at_high,
             clock, order_at, room, direction, reasons, quality, confidence, verdict, frames,
             model, gallery, review_status, predicted_student, received_at, version, session,
             decided_student, reviewer, reviewed_at, auto_class, authority, life)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
             $18, $19, $20, $23, $21, $22, 1, $24, $25, $26, $27,
             case when $23 = 'approved' then (select class from session where id = $24) end, $28,
             $29)";
    let at = when.at().map(|wall| wall.0);
    let best = row.candidates.first().map(|best| best.student.to_string());
    let at_once = row.status == Status::Approved;
    let doing = "storing a sighting";
    let values = params![
        id.to_string(),
        key.device.as_str(),
        key.epoch.0.to_vec(),
        signed(key.seq),
        stamp.boot,
        signed(stamp.mono.0),
        at,
        when.low().map(|wall| wall.0),
        when.high().0,
        clock_text(stamp.clock),
        at.unwrap_or(now.0),
        seen.room,
        direction_text(seen.direction),
        serde_json::to_string(row.reasons).doing(doing)?,
        serde_json::to_string(&seen.quality).doing(doing)?,
        f64::from(seen.confidence),
        verdict_text(seen.verdict),
        seen.frames,
        seen.model.as_str(),
        signed(seen.gallery),
        best,
        now.0,
        row.status.as_str(),
        row.session.map(|id| id.to_string()),
        best.as_ref().filter(|_| at_once),
        at_once.then_some(HUB),
        at_once.then_some(now.0),
        row.authority.map(Authority::as_str),
        life,
    ];
    tx.execute(sql, values)?;
    let sql = "insert into candidate (sighting, rank, student, score) values ($1, $2, $3, $4)";
    for (rank, candidate) in (1i64..).zip(row.candidates) {
        let student = candidate.student.to_string();
        tx.execute(sql, params![id.to_string(), rank, student, f64::from(candidate.score)])?;
    }
    Ok(id)
}

/// Stores a sealed part of a sighting.
pub fn add_evidence(
    tx: &Tx<'_>,
    record: RecordId,
    part: Part,
    evidence: &Evidence,
) -> Result<(), Error> {
    let sql = "insert into evidence (sighting, part, student, wrapped, sealed)
         values ($1, $2, $3, $4, $5)";
    let id = record.to_string();
    let student = evidence.student.to_string();
    let values = params![id, evidence::name(part), student, evidence.wrapped, evidence.sealed];
    tx.execute(sql, values).map(drop)
}

/// Stores what a door could see.
pub fn add_health(
    tx: &Tx<'_>,
    key: &RecordKey,
    at: (i64, &Stamp),
    when: &When,
    health: &Health,
) -> Result<(), Error> {
    add_report(tx, key, at, when, health, None)
}

/// Stores what a door could have recognised.
pub fn add_watch(
    tx: &Tx<'_>,
    key: &RecordKey,
    at: (i64, &Stamp),
    when: &When,
    watch: &Watch,
) -> Result<(), Error> {
    let since = watch.since;
    let watched_ms = watch.usable_ms;
    let camera = watch.camera;
    let disk_free_mb = watch.disk_free_mb;
    let health = Health { since, watched_ms, camera, disk_free_mb };
    add_report(tx, key, at, when, &health, Some(watch))
}

/// What the door and the hub know of its clock: the worse counts.
fn add_report(
    tx: &Tx<'_>,
    key: &RecordKey,
    (life, stamp): (i64, &Stamp),
    when: &When,
    health: &Health,
    watch: Option<&Watch>,
) -> Result<(), Error> {
    let sql = "insert into health (device, epoch, seq, boot, since, until, at, watched_ms,
             camera, disk_free_mb, at_high, usable_ms, blind, gallery, model, fired, looks,
             dropped, refused, err_ms, life)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
             $18, $19, $20, $21)";
    let camera = match health.camera {
        CameraState::Watching => "watching",
        CameraState::Blind => "blind",
    };
    let blind = watch.map(|watch| serde_json::to_string(&watch.blind)).transpose();
    let err_ms = |watch: &Watch| when.err_ms().max(i64::from(watch.err_ms.unwrap_or(0)));
    let values = params![
        key.device.as_str(),
        key.epoch.0.to_vec(),
        signed(key.seq),
        stamp.boot,
        signed(health.since.0),
        signed(stamp.mono.0),
        when.at().map(|wall| wall.0),
        signed(health.watched_ms),
        camera,
        health.disk_free_mb,
        when.high().0,
        watch.map(|watch| signed(watch.usable_ms)),
        blind.doing("storing what a door could see")?,
        watch.map(|watch| signed(watch.gallery)),
        watch.map(|watch| watch.model.as_str()),
        watch.map(|watch| watch.fired),
        watch.map(|watch| watch.looks),
        watch.map(|watch| watch.dropped),
        watch.map(|watch| watch.refused),
        watch.map(err_ms),
        life,
    ];
    tx.execute(sql, values).map(drop)
}

/// Whether the report that was made `at` under the number of `key` is stored, in that life or
/// beside it. It was dated `about` then: anchors that came since may have moved that.
pub fn is_reported(tx: &Tx<'_>, key: &RecordKey, at: &Stamp, about: Wall) -> Result<bool, Error> {
    let sql = "select 1 from health where device = $1 and at between $2 and $3
             and seq = $4 and boot = $5 and until = $6 limit 1";
    let (from, to) = (about.plus_ms(-REDATED_MS).0, about.plus_ms(REDATED_MS).0);
    let values =
        params![key.device.as_str(), from, to, signed(key.seq), at.boot, signed(at.mono.0)];
    Ok(tx.row(sql, values, |row| row.get::<i64>(0))?.is_some())
}

/// Stores the proof of a loss.
pub fn add_loss(tx: &Tx<'_>, key: &RecordKey, loss: &Loss, now: Wall) -> Result<(), Error> {
    let sql = "insert into loss (device, epoch, seq, gone, unnumbered, from_at, to_at, cause,
             received_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    let doing = "storing a loss";
    let cause = serde_json::to_value(loss.cause).doing(doing)?;
    let values = params![
        key.device.as_str(),
        key.epoch.0.to_vec(),
        signed(key.seq),
        serde_json::to_string(&loss.gone).doing(doing)?,
        signed(loss.unnumbered),
        loss.from.wall.map(|wall| wall.0),
        loss.to.wall.map(|wall| wall.0),
        cause.as_str().unwrap_or_default(),
        now.0,
    ];
    tx.execute(sql, values).map(drop)
}

/// Stores an anchor.
pub fn add_anchor(
    tx: &Tx<'_>,
    key: &RecordKey,
    (life, stamp): (i64, &Stamp),
    anchor: &Anchor,
) -> Result<(), Error> {
    let sql = "insert into anchor (device, epoch, seq, boot, mono, wall, clock, err_ms, stepped,
             life)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    let values = params![
        key.device.as_str(),
        key.epoch.0.to_vec(),
        signed(key.seq),
        stamp.boot,
        signed(stamp.mono.0),
        stamp.wall.map(|wall| wall.0),
        clock_text(stamp.clock),
        anchor.err_ms,
        anchor.stepped,
        life,
    ];
    tx.execute(sql, values).map(drop)
}

/// What is known about the time of `device` in `boot`: the nearest anchors on both sides of `mono`,
/// and the boots of the same life around it.
pub fn known(
    tx: &Tx<'_>,
    device: &DeviceId,
    boot: Boot,
    mono: Mono,
    received: Wall,
) -> Result<KnownTime, Error> {
    let mut points = around(tx, device, boot, mono)?;
    points.extend(sides(tx, device, boot, mono, "('rtc')")?);
    let wall = |row: &Row<'_>| row.get::<Option<i64>>(0);
    let sql = "select max(wall) from anchor where device = $1 and life = $2 and boot < $3";
    let before =
        tx.row(sql, params![device.as_str(), boot.life, boot.number], wall)?.flatten().map(Wall);
    let sql = "select min(wall) from anchor where device = $1 and life = $2 and boot > $3";
    let after = tx.row(sql, params![device.as_str(), boot.life, boot.number], wall)?.flatten();
    Ok(KnownTime {
        points,
        before,
        after: after.map_or(received, |after| Wall(after).min(received)),
    })
}

/// The nearest anchors of a synchronised clock on both sides of `mono`.
pub fn around(
    tx: &Tx<'_>,
    device: &DeviceId,
    boot: Boot,
    mono: Mono,
) -> Result<Vec<TimePoint>, Error> {
    sides(tx, device, boot, mono, "('ntp', 'hub')")
}

fn sides(
    tx: &Tx<'_>,
    device: &DeviceId,
    boot: Boot,
    mono: Mono,
    clocks: &str,
) -> Result<Vec<TimePoint>, Error> {
    let mut points = Vec::new();
    for (side, order) in [("<=", "desc"), (">", "asc")] {
        let sql = format!(
            "select mono, wall, clock, err_ms, stepped from anchor where device = $1 and life = $2
                 and boot = $3 and mono {side} $4 and clock in {clocks} order by mono {order} limit 1"
        );
        let values = params![device.as_str(), boot.life, boot.number, signed(mono.0)];
        points.extend(tx.row(&sql, values, point)?);
    }
    Ok(points)
}

fn point(row: &Row<'_>) -> Read<TimePoint> {
    Ok(TimePoint {
        mono: Mono(super::unsigned(row, 0)?),
        wall: Wall(row.get(1)?),
        clock: clock(&row.get::<String>(2)?),
        err_ms: row.get(3)?,
        stepped: row.get(4)?,
    })
}

/// A sighting whose date a new anchor may change.
#[derive(Clone, Debug)]
pub struct Undated {
    /// Which.
    pub id: String,
    /// When, as its door knew it; without the wall time where its clock was not synchronised.
    pub stamp: Stamp,
    /// When it came.
    pub received: Wall,
}

/// Boot and monotonic time of the sighting `id`, if it is there.
pub fn made(tx: &Tx<'_>, id: RecordId) -> Result<Option<(u32, Mono)>, Error> {
    let sql = "select boot, mono from sighting where id = $1";
    tx.row(sql, params![id.to_string()], |row| Ok((row.get(0)?, Mono(super::unsigned(row, 1)?))))
}

/// A report is not dated anew by more than that.
const REDATED_MS: i64 = 3_600_000;

/// In two, so that each goes through the index.
const UNDATED: &str = "select id, boot, mono, clock, received_at, at from sighting
     where device = $1 and life = $2 and order_at > $3 and clock in ('unset', 'floor', 'rtc')
         and boot = $4 and mono > $5 and mono < $6
     union all
     select id, boot, mono, clock, received_at, at from sighting
     where device = $1 and life = $2 and order_at > $3 and clock in ('unset', 'floor', 'rtc')
         and boot > $7 and boot < $8 and boot <> $4 and at is null";

/// Sightings of `device` that the new `anchor` of its `life` may date anew: those of its boot that
/// lie nearer to it than to the anchors it came between, and those of boots without a time around
/// it.
pub fn undated(
    tx: &Tx<'_>,
    device: &DeviceId,
    (life, anchor): (i64, &Stamp),
    now: Wall,
) -> Result<Vec<Undated>, Error> {
    let boot = anchor.boot;
    let ArrivalReach { from, to, earlier, later } = reach(tx, device, (life, anchor))?;
    let since = now.plus_ms(-REDATE_MS).0;
    let values = params![device.as_str(), life, since, boot, from, to, earlier, later];
    tx.query(UNDATED, values, |row| {
        let mut undated = read_undated(row)?;
        undated.stamp.wall = None;
        Ok(undated)
    })
}

/// How far the word of an anchor goes: monotonic times of its boot, and boots around it.
struct ArrivalReach {
    from: i64,
    to: i64,
    earlier: i64,
    later: i64,
}

fn reach(
    tx: &Tx<'_>,
    device: &DeviceId,
    (life, anchor): (i64, &Stamp),
) -> Result<ArrivalReach, Error> {
    let number = |sql: &str, at: i64| {
        let values = params![device.as_str(), life, anchor.boot, at];
        let found = tx.row(sql, values, |row| row.get(0))?;
        Ok::<_, Error>(found.flatten())
    };
    // Nothing less than a synchronised clock comes in the way of one.
    let as_good = match anchor.clock {
        ClockState::Ntp | ClockState::Hub => "('ntp', 'hub')",
        _ => "('rtc', 'ntp', 'hub')",
    };
    let mono = signed(anchor.mono.0);
    let beside = |pick: &str, side: &str| {
        let sql = format!(
            "select {pick}(mono) from anchor where device = $1 and life = $2 and boot = $3
                 and mono {side} $4 and clock in {as_good}"
        );
        number(&sql, mono)
    };
    let (from, to) = (beside("max", "<")?, beside("min", ">")?);
    let sql = "select max(boot) from anchor
         where device = $1 and life = $2 and boot < $3 and boot >= $4";
    let earlier = match (from, to) {
        // The first of its boot: no boot before it had a time from there.
        (None, None) => number(sql, 0)?.unwrap_or(-1),
        _ => i64::from(anchor.boot),
    };
    let sql = "select min(boot) from anchor
         where device = $1 and life = $2 and boot > $3 and boot >= $4";
    let later = number(sql, 0)?.unwrap_or(i64::MAX);
    Ok(ArrivalReach { from: from.unwrap_or(-1), to: to.unwrap_or(i64::MAX), earlier, later })
}

/// Sightings of `device` that were dated by a synchronised clock which then jumped, at `mono` of
/// `boot`: those since the anchor before.
pub fn doubted(
    tx: &Tx<'_>,
    device: &DeviceId,
    (boot, mono): (Boot, Mono),
    now: Wall,
) -> Result<Vec<Undated>, Error> {
    let before = tx.row(
        "select coalesce(max(mono), 0) from anchor where device = $1 and life = $2 and boot = $3
             and mono < $4 and clock in ('ntp', 'hub')",
        params![device.as_str(), boot.life, boot.number, signed(mono.0)],
        |row| row.get::<i64>(0),
    )?;
    let (low, high) = (before.unwrap_or(0), signed(mono.0));
    let since = now.plus_ms(-REDATE_MS).0;
    let sql = "select id, boot, mono, clock, received_at, at from sighting
         where device = $1 and order_at > $3 and clock in ('ntp', 'hub') and boot = $2
             and life = $6 and mono >= $4 and mono < $5";
    let values = params![device.as_str(), boot.number, since, low, high, boot.life];
    tx.query(sql, values, read_undated)
}

fn read_undated(row: &Row<'_>) -> Read<Undated> {
    let clock = clock(&row.get::<String>(3)?);
    let (mono, wall) = (Mono(super::unsigned(row, 2)?), row.get::<Option<i64>>(5)?.map(Wall));
    let stamp = Stamp { boot: row.get(1)?, mono, wall, clock };
    Ok(Undated { id: row.get(0)?, stamp, received: Wall(row.get(4)?) })
}

/// What a door said of its own time is as wrong as its clock turned out to be when it jumped.
pub fn doubt(
    tx: &Tx<'_>,
    device: &DeviceId,
    (boot, from, to): (Boot, Mono, Mono),
    err_ms: i64,
) -> Result<(), Error> {
    let sql = "update health set err_ms = $5 where device = $1 and boot = $2 and until > $3
             and until <= $4 and err_ms < $5 and life = $6";
    let (from, to) = (signed(from.0), signed(to.0));
    let values = params![device.as_str(), boot.number, from, to, err_ms, boot.life];
    tx.execute(sql, values).map(drop)
}

/// Dates a sighting anew.
pub fn redate(tx: &Tx<'_>, id: &str, when: &When) -> Result<(), Error> {
    let sql = "update sighting set at = $2, at_low = $3, at_high = $4,
             order_at = coalesce($2, received_at) where id = $1";
    let at = when.at().map(|wall| wall.0);
    tx.execute(sql, params![id, at, when.low().map(|wall| wall.0), when.high().0]).map(drop)
}

fn clock_text(clock: ClockState) -> &'static str {
    match clock {
        ClockState::Unset => "unset",
        ClockState::Floor => "floor",
        ClockState::Rtc => "rtc",
        ClockState::Ntp => "ntp",
        ClockState::Hub => "hub",
    }
}

fn clock(text: &str) -> ClockState {
    match text {
        "floor" => ClockState::Floor,
        "rtc" => ClockState::Rtc,
        "ntp" => ClockState::Ntp,
        "hub" => ClockState::Hub,
        _ => ClockState::Unset,
    }
}

fn verdict_text(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::High => "high",
        Verdict::Review => "review",
        Verdict::Unknown => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Db;

    #[tokio::test]
    async fn what_an_anchor_may_date_is_found_by_its_boot() {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::in_file(&dir.path().join("hub.db")).unwrap();
        let plan = |sql: String| {
            db.read(move |tx| {
                let values = params!["d1", 0, 0, 0, 0, 0, 0, 0];
                tx.query(&sql, values, |row| row.get::<String>(3))
            })
        };
        let lines = plan(format!("explain query plan {UNDATED}")).await.unwrap();
        let through = lines.iter().filter(|line| line.contains("sighting_undated")).count();
        assert!(through == 2 && !lines.join("").contains("SCAN"), "{lines:?}");
        let any = UNDATED.replace(" and clock in ('unset', 'floor', 'rtc')", "");
        let control = plan(format!("explain query plan {any}")).await.unwrap().join("");
        assert!(!control.contains("sighting_undated"), "{control}");
    }
}
