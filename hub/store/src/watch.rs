//! What doors could have recognised: the evidence behind an absence, from `health`, `loss` and the
//! galleries that doors had.

use super::{Read, Row, Tx, cursor::signed, odd, params, parsed, parsed_option};
use rules::attendance::closing::{ClosingDoor, ClosingWhy, DoorReport, Pupil};
use rules::attendance::placing;
use rules::error::{Doing, Error};
use std::collections::BTreeMap;
use uuid::Uuid;
use wire::{DeviceId, ModelId, StudentId, Wall};

/// How many columns [`COLUMNS`] are.
pub(super) const WIDTH: usize = 11;

pub(super) const COLUMNS: &str =
    "at - (until - since), at, coalesce(err_ms, 0), usable_ms, blind, gallery,
     model, fired, looks, dropped, refused";

/// What every door by which people come into `room` says of `span`.
pub fn doors(tx: &Tx<'_>, room: &str, span: (Wall, Wall)) -> Result<Vec<ClosingDoor>, Error> {
    let sql = "select id from device where room = $1 and is_active = 1 and direction <> 'exit'
         order by id";
    let ids: Vec<String> = tx.query(sql, params![room], |row| row.get(0))?;
    let door = |id: String| {
        let lost = lost(tx, &id, span)?;
        let passed = passed(tx, &id, span)?;
        let reports = reports(tx, &id, span)?;
        Ok(ClosingDoor { id, lost, passed, reports })
    };
    ids.into_iter().map(door).collect()
}

fn reports(tx: &Tx<'_>, door: &str, (from, to): (Wall, Wall)) -> Result<Vec<DoorReport>, Error> {
    let sql = format!(
        "select {COLUMNS} from health
         where device = $1 and at > $2 and at < $3 and at - (until - since) < $4"
    );
    tx.query(&sql, params![door, from.0, to.plus_ms(placing::LONGEST_MS).0, to.0], read)
}

/// Whether the door gave up records of that time, for whatever reason.
fn lost(tx: &Tx<'_>, door: &str, (from, to): (Wall, Wall)) -> Result<bool, Error> {
    let sql = "select 1 from loss where device = $1 and cause <> 'health_trimmed'
             and coalesce(from_at, 0) < $3 and coalesce(to_at, received_at) > $2 limit 1";
    // A letter that waits may be anybody's passage: it came after what it tells of.
    let letter = "select 1 from dead_letter where device = $1 and epoch is not null
             and replayed_at is null and at > $2 limit 1";
    Ok(tx.row(sql, params![door, from.0, to.0], |_| Ok(()))?.is_some()
        || tx.row(letter, params![door, from.0], |_| Ok(()))?.is_some())
}

/// Whether somebody was recognised at the door in that time, whoever it was.
fn passed(tx: &Tx<'_>, door: &str, (from, to): (Wall, Wall)) -> Result<bool, Error> {
    let sql = "select 1 from sighting where device = $1 and order_at >= $2 and order_at <= $3
             and at is not null limit 1";
    Ok(tx.row(sql, params![door, from.0, to.0], |_| Ok(()))?.is_some())
}

pub(super) fn read(row: &Row<'_>) -> Read<DoorReport> {
    let count = |n| -> Read<u64> {
        Ok(u64::try_from(row.get::<Option<i64>>(n)?.unwrap_or(0)).unwrap_or(0))
    };
    let blind: Option<String> = row.get(4)?;
    let blind = blind.map(|json| serde_json::from_str(&json).map_err(|why| odd(4, why)));
    Ok(DoorReport {
        from: Wall(row.get(0)?),
        to: Wall(row.get(1)?),
        err_ms: row.get(2)?,
        usable_ms: row.get(3)?,
        blind: blind.transpose()?.unwrap_or_default(),
        gallery: count(5)?,
        model: parsed_option(row, 6)?,
        fired: count(7)?,
        looks: count(8)?,
        dropped: count(9)?,
        refused: count(10)?,
    })
}

/// Who was in release `version` of `door`, in order; nobody where that is not known any more.
pub fn members(tx: &Tx<'_>, door: &str, version: u64) -> Result<Vec<StudentId>, Error> {
    let sql = "select p.people from gallery_release r join gallery_people p on p.blake3 = r.blake3
         where r.device = $1 and r.version = $2";
    let bytes = tx.row(sql, params![door, signed(version)], |row| row.get::<Vec<u8>>(0))?;
    let people = bytes.map(|bytes| postcard::from_bytes::<Vec<StudentId>>(&bytes));
    let mut people = people.transpose().doing("reading a gallery's people")?.unwrap_or_default();
    people.sort_unstable();
    Ok(people)
}

/// How everybody on the roster of `class` stands with doors now.
pub fn pupils(tx: &Tx<'_>, class: Uuid) -> Result<BTreeMap<StudentId, Pupil>, Error> {
    let class = class.to_string();
    let sql = "select r.student, s.is_active, coalesce((select c.given from consent c
             where c.student = r.student order by c.n desc limit 1), 0)
         from roster r join student s on s.id = r.student where r.class = $1";
    let rows = tx.query(sql, params![class], |row| {
        let is_active = row.get(1)?;
        let consents = row.get(2)?;
        Ok((parsed(row, 0)?, Pupil { is_active, consents, templates: Vec::new() }))
    })?;
    let mut pupils: BTreeMap<StudentId, Pupil> = rows.into_iter().collect();
    let sql = "select r.student, e.model, e.created_at
         from roster r join enrolment e on e.student = r.student
         where r.class = $1 and e.is_active = 1";
    let rows = tx.query(sql, params![class], |row| {
        Ok((parsed(row, 0)?, (parsed(row, 1)?, Wall(row.get(2)?))))
    })?;
    for (student, template) in rows {
        pupils.entry(student).or_default().templates.push(template);
    }
    Ok(pupils)
}

/// Whom no door of `room` can recognise now, of everybody on the roster of `class`: why, and by
/// which door. Nobody where people come in by no door: nobody counts on one.
pub fn unknown(
    tx: &Tx<'_>,
    class: Uuid,
    room: &str,
    now: Wall,
) -> Result<BTreeMap<StudentId, (ClosingWhy, String)>, Error> {
    let sql = "select id, gallery, model from device
         where room = $1 and is_active = 1 and direction <> 'exit' order by id";
    let doors: Vec<(String, u64, String)> = tx.query(sql, params![room], |row| {
        Ok((row.get(0)?, super::unsigned(row, 1)?, row.get(2)?))
    })?;
    let Some((first, ..)) = doors.first().filter(|_| !room.is_empty()) else {
        return Ok(BTreeMap::new());
    };
    // A door that runs nothing yet says nothing about anybody.
    let mut running = Vec::new();
    for (id, gallery, model) in doors.iter().filter(|(_, gallery, _)| *gallery > 0) {
        running.push((id, model.parse().ok(), members(tx, id, *gallery)?));
    }
    let why = |student: &StudentId, pupil: &Pupil| {
        let one = |(id, model, held): &(&String, Option<ModelId>, Vec<StudentId>)| {
            let holds = held.binary_search(student).is_ok();
            Some((pupil.unknown_to(model.as_ref(), now, holds)?, (*id).clone()))
        };
        match running.iter().map(one).collect::<Option<Vec<_>>>() {
            Some(all) if !running.is_empty() => all.into_iter().next(),
            Some(_) => Some((pupil.unknowable()?, first.clone())),
            None => None,
        }
    };
    let pupils = pupils(tx, class)?;
    Ok(pupils.iter().filter_map(|(id, pupil)| Some((*id, why(id, pupil)?))).collect())
}

/// A door that could not recognise anybody for a good part of the time it last spoke of.
#[derive(Clone, PartialEq, Debug)]
pub struct BlindDoor {
    /// Which.
    pub device: DeviceId,
    /// The room behind it.
    pub room: String,
    /// Until when that is known; nothing where it never said anything with a time.
    pub until: Option<Wall>,
    /// The main cause.
    pub why: ClosingWhy,
}

/// After so long without a word nobody knows what an online door sees.
pub const SILENT_MS: i64 = 15 * 60 * 1000;

/// Every door that is connected and blind, by the newest evidence, and why. Doors that are away
/// are told of elsewhere.
pub fn blind(tx: &Tx<'_>, now: Wall) -> Result<Vec<BlindDoor>, Error> {
    let sql = "select id, room from device where is_active = 1 and online = 1 and id <> $1
         order by room, id";
    let doors: Vec<(DeviceId, String)> = tx.query(sql, [crate::device::PHOTOS], |row| {
        Ok((super::device::device_id(row, 0)?, row.get(1)?))
    })?;
    let mut blind = Vec::new();
    for (device, room) in doors {
        let newest = newest(tx, &device)?;
        let until = newest.as_ref().map(|report| report.to);
        let why = newest.filter(|report| now.0 - report.to.0 <= SILENT_MS);
        let why = why.map_or(Some(ClosingWhy::NoReport), |report| main_cause(&report));
        blind.extend(why.map(|why| BlindDoor { device, room, until, why }));
    }
    Ok(blind)
}

/// What `device` could last recognise.
pub fn newest(tx: &Tx<'_>, device: &DeviceId) -> Result<Option<DoorReport>, Error> {
    let sql = format!(
        "select {COLUMNS} from health where device = $1 and at is not null
         order by at desc limit 1"
    );
    tx.row(&sql, params![device.as_str()], read)
}

/// Why a door was blind in most of a report, if it was; a door that nobody passed is not.
#[must_use]
pub fn main_cause(report: &DoorReport) -> Option<ClosingWhy> {
    let id = String::new();
    let reports = vec![report.clone()];
    let door = ClosingDoor { id, lost: false, passed: false, reports };
    let span = (report.from, report.to);
    let why = rules::attendance::closing::ground(&door, span, |_| None).why;
    why.filter(|why| *why != ClosingWhy::Idle)
}

#[cfg(test)]
pub mod tests;
