//! What galleries need to know of the timetable: who is taught in which room, and when.

use super::class::VISIBLE;
use super::{Tx, params, parsed, setting};
use crate::reader::Reader;
use rules::attendance::placing::{EARLY_MS, LONGEST_MS};
use rules::error::Error;
use rules::gallery::scope::{AHEAD_MS, Scope, ScopeHouse, ScopeRoom};
use std::collections::HashMap;
use wire::{StudentId, Wall};

/// Name of the setting that says which people a door gets.
const SETTING: &str = "gallery_scope";
/// Milliseconds of a day.
const DAY_MS: i64 = 24 * 3600 * 1000;
/// Ruled-out pairs that doors are told of at most.
const PAIRS: u32 = 20_000;

/// Which people a door gets: those of its room unless the school said otherwise.
pub fn scope(tx: &Tx<'_>) -> Result<Scope, Error> {
    let said = setting::get(tx, SETTING)?;
    Ok(if said.as_deref() == Some("all") { Scope::All } else { Scope::Room })
}

/// Says which people a door gets.
pub fn set_scope(tx: &Tx<'_>, scope: Scope) -> Result<(), Error> {
    super::change::bump(tx, super::change::GALLERY)?;
    setting::set(tx, SETTING, if scope == Scope::All { "all" } else { "room" })
}

/// What is taught in `room` in the 14 days from the UTC day of `now` on: so that a door gets a
/// new gallery once a day, and not with each lesson.
pub fn room(tx: &Tx<'_>, room: &str, now: Wall) -> Result<ScopeRoom, Error> {
    if room.is_empty() {
        return Ok(ScopeRoom::default());
    }
    let from = now.0 - now.0.rem_euclid(DAY_MS);
    let sql = "select starts, ends, class from session where room = $1 and starts >= $2
             and starts < $3 and source <> 'adhoc' order by starts";
    let lessons = tx.query(sql, params![room, from, from + AHEAD_MS], |row| {
        let (starts, ends) = (Wall(row.get(0)?), Wall(row.get(1)?));
        Ok((starts.plus_ms(-EARLY_MS), ends.plus_ms(1), parsed(row, 2)?))
    })?;
    let sql = "select distinct class from period where room = $1";
    let planned = tx.query(sql, params![room], |row| parsed(row, 0))?;
    let sql = "select 1 from session where room = $1 and source <> 'adhoc' limit 1";
    let ever = !planned.is_empty() || tx.row(sql, params![room], |_| Ok(()))?.is_some();
    let classes = planned.into_iter().chain(lessons.iter().map(|(_, _, class)| *class)).collect();
    Ok(ScopeRoom { timetabled: ever, classes, lessons })
}

/// Whom `reader` teaches in `room` at `at`: those on the roster of a class of theirs that usually
/// is there, or has a lesson there then.
pub fn taught_in(
    tx: &Tx<'_>,
    reader: Reader,
    room: &str,
    at: Wall,
) -> Result<Vec<StudentId>, Error> {
    if room.is_empty() {
        return Ok(Vec::new());
    }
    let (role, user, today) = reader.keys();
    let sql = format!(
        "select distinct r.student from class c join roster r on r.class = c.id
         where {VISIBLE} and c.is_active = 1 and (c.room = $4 or exists (select 1 from session s
             where s.class = c.id and s.room = $4 and s.starts >= $5 and s.starts <= $6
                 and s.ends >= $7))"
    );
    let (first, last) = (at.plus_ms(-LONGEST_MS), at.plus_ms(EARLY_MS));
    let values = params![role, user, today, room, first.0, last.0, at.0];
    tx.query(&sql, values, |row| parsed(row, 0))
}

/// What doors of these rooms need to know of the school.
pub fn house<'a>(
    tx: &Tx<'_>,
    rooms: impl Iterator<Item = &'a ScopeRoom>,
) -> Result<ScopeHouse, Error> {
    let mut rosters = HashMap::new();
    for class in rooms.flat_map(|room| &room.classes) {
        if !rosters.contains_key(class) {
            rosters.insert(*class, super::class::roster(tx, *class)?);
        }
    }
    let sql = "select id from student where kind = 'staff' and is_active = 1";
    let staff = tx.query(sql, [], |row| parsed(row, 0))?.into_iter().collect();
    Ok(ScopeHouse { rosters, staff, ruled_out: ruled_out(tx)? })
}

/// What people ruled out, newest first: who was seen, and who they are not.
pub fn ruled_out(tx: &Tx<'_>) -> Result<Vec<(StudentId, StudentId)>, Error> {
    let sql = "select seen, other from cannot_link order by sighting desc limit $1";
    tx.query(sql, params![PAIRS], |row| Ok((parsed(row, 0)?, parsed(row, 1)?)))
}
