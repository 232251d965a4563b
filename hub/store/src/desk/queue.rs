//! What waits, in the order of the review desk: by lesson, the newest first, and then by day and
//! door where there was no lesson; in each group the surest first.
//!
//! A page begins after a [`Spot`], so that what is decided meanwhile moves nothing.

use super::{COLUMNS, PERSON, SightingQuery, SightingSeen, TABLES, candidates, read};
use crate::reader::Reader;
use crate::{Row, Tx, parsed};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use rules::auth::Role;
use rules::error::Error;
use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use uuid::Uuid;
use wire::{RecordId, Wall};

/// What belongs together on the desk.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum QueueGroup {
    /// A lesson.
    Lesson(QueueLesson),
    /// A door on a day of the school.
    Door(QueueDoor),
}

/// A lesson, as far as the desk names it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct QueueLesson {
    /// Its id.
    pub id: Uuid,
    /// The class, where the reader may know it.
    pub class: Option<String>,
    /// What people call it; nothing where the class may not be known.
    pub name: String,
    /// Where.
    pub room: String,
    /// First moment.
    pub starts: Wall,
    /// Last moment.
    pub ends: Wall,
}

/// A door on a day.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct QueueDoor {
    /// The door.
    pub device: String,
    /// First moment of the day.
    pub from: Wall,
    /// First moment of the next.
    pub until: Wall,
}

/// Where a page ends: after this card of this group.
#[derive(Clone, PartialEq, Debug)]
pub struct Spot {
    /// The group.
    pub place: QueuePlace,
    /// How sure the last card was.
    pub sure: f64,
    /// The last card.
    pub id: RecordId,
}

/// Where a group stands on the desk. Its text, from high to low, is the order of the desk.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum QueuePlace {
    /// A lesson: when it began, and which.
    Lesson(Wall, Uuid),
    /// A day's first moment, and the door.
    Door(Wall, String),
}

impl QueueGroup {
    /// Where it stands.
    #[must_use]
    pub fn place(&self) -> QueuePlace {
        match self {
            Self::Lesson(lesson) => QueuePlace::Lesson(lesson.starts, lesson.id),
            Self::Door(door) => QueuePlace::Door(door.from, door.device.clone()),
        }
    }
}

impl fmt::Display for QueuePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lesson(starts, id) => write!(f, "l{:015}-{id}", starts.0),
            Self::Door(from, device) => write!(f, "d{:015}-{device}", from.0),
        }
    }
}

impl FromStr for QueuePlace {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parse = || {
            let (kind, rest) = text.split_at_checked(1)?;
            let (at, name) = rest.split_at_checked(15)?;
            let at = Wall(at.parse().ok()?);
            let name = name.strip_prefix('-')?;
            match kind {
                "l" => Some(Self::Lesson(at, name.parse().ok()?)),
                "d" => Some(Self::Door(at, name.to_owned())),
                _ => None,
            }
        };
        parse().ok_or_else(|| format!("“{text}” is no group of the desk"))
    }
}

impl fmt::Display for Spot {
    /// The number by its bits, so that it comes back as it was.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}.{}.{}", self.sure.to_bits(), self.id, self.place)
    }
}

impl FromStr for Spot {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parse = || {
            let (sure, rest) = text.split_once('.')?;
            let (id, place) = rest.split_once('.')?;
            let sure = f64::from_bits(u64::from_str_radix(sure, 16).ok()?);
            let id = id.parse().ok()?;
            let place = place.parse().ok()?;
            sure.is_finite().then_some(Self { place, sure, id })
        };
        parse().ok_or_else(|| format!("“{text}” is no place on the desk"))
    }
}

/// A group and what of it is on the page.
pub type QueuePart = (QueueGroup, Vec<SightingSeen>);

/// At most `limit` cards after `after`, gathered by group.
pub fn page(
    tx: &Tx<'_>,
    reader: Reader,
    zone: &TimeZone,
    after: Option<&Spot>,
    limit: u32,
) -> Result<Vec<QueuePart>, Error> {
    let mut desk = QueueDesk { tx, reader, zone, after, left: limit, found: Vec::new() };
    if !matches!(after, Some(Spot { place: QueuePlace::Door(..), .. })) {
        desk.lessons()?;
    }
    desk.doors()?;
    let ids: Vec<_> = desk.found.iter().flat_map(|(_, ids)| ids.iter().copied()).collect();
    let mut seen = rows(tx, reader, &ids)?;
    let mut take = |ids: Vec<RecordId>| ids.iter().filter_map(|id| seen.remove(id)).collect();
    Ok(desk.found.into_iter().map(|(group, ids)| (group, take(ids))).collect())
}

/// The group that `seen` belongs to.
pub fn group_of(
    tx: &Tx<'_>,
    reader: Reader,
    zone: &TimeZone,
    seen: &SightingSeen,
) -> Result<QueueGroup, Error> {
    let mut asked = SightingQuery::default();
    if let Some(session) = seen.session {
        let id = asked.bind(session.to_string());
        asked.conditions.push(format!("l.id = {id}"));
        if let Some(lesson) = lessons(tx, reader, asked)?.into_iter().next() {
            return Ok(QueueGroup::Lesson(lesson));
        }
    }
    let (from, until) = day(seen.order_at, zone);
    Ok(QueueGroup::Door(QueueDoor { device: seen.device.clone(), from, until }))
}

/// A walk along the desk until the page is full.
struct QueueDesk<'a, 't> {
    tx: &'a Tx<'t>,
    reader: Reader,
    zone: &'a TimeZone,
    after: Option<&'a Spot>,
    left: u32,
    found: Vec<(QueueGroup, Vec<RecordId>)>,
}

impl QueueDesk<'_, '_> {
    fn lessons(&mut self) -> Result<(), Error> {
        let mut asked = SightingQuery::default();
        let waiting = self.waiting(&mut asked, "s.session is not null");
        asked
            .conditions
            .push(format!("l.id in (select s.session from sighting s where {waiting})"));
        if let Some(Spot { place: QueuePlace::Lesson(starts, id), .. }) = self.after {
            let starts = asked.bind(starts.0);
            let id = asked.bind(id.to_string());
            asked.conditions.push(format!("(l.starts, l.id) <= ({starts}, {id})"));
        }
        for lesson in lessons(self.tx, self.reader, asked)? {
            if self.left == 0 {
                break;
            }
            let id = lesson.id.to_string();
            self.cards(QueueGroup::Lesson(lesson), |asked| {
                let id = asked.bind(id);
                format!("s.session = {id}")
            })?;
        }
        Ok(())
    }

    /// Day by day back in time, each found by the newest card before the last one.
    fn doors(&mut self) -> Result<(), Error> {
        let mut before = i64::MAX;
        let mut upto = None;
        if let Some(Spot { place: QueuePlace::Door(from, device), .. }) = self.after {
            (before, upto) = (day(*from, self.zone).1.0, Some(device.clone()));
        }
        while self.left > 0 {
            let Some(newest) = self.newest(before)? else { break };
            let (from, until) = day(newest, self.zone);
            for device in self.devices(from, until, upto.take())? {
                if self.left == 0 {
                    break;
                }
                let name = device.clone();
                self.cards(QueueGroup::Door(QueueDoor { device, from, until }), |asked| {
                    let device = asked.bind(name);
                    let from = asked.bind(from.0);
                    let until = asked.bind(until.0);
                    format!(
                        "s.session is null and s.device = {device}
                         and s.order_at >= {from} and s.order_at < {until}"
                    )
                })?;
            }
            before = from.0;
        }
        Ok(())
    }

    /// When the newest card without a lesson before `before` was.
    fn newest(&self, before: i64) -> Result<Option<Wall>, Error> {
        let mut asked = SightingQuery::default();
        let before = asked.bind(before);
        let waiting =
            self.waiting(&mut asked, &format!("s.session is null and s.order_at < {before}"));
        let sql = format!(
            "select s.order_at from sighting s where {waiting} order by s.order_at desc limit 1"
        );
        let read = |row: &Row<'_>| row.get(0).map(Wall);
        self.tx.row(&sql, asked.values, read)
    }

    fn devices(&self, from: Wall, until: Wall, upto: Option<String>) -> Result<Vec<String>, Error> {
        let mut asked = SightingQuery::default();
        let from = asked.bind(from.0);
        let until = asked.bind(until.0);
        let day = format!("s.session is null and s.order_at >= {from} and s.order_at < {until}");
        let mut waiting = self.waiting(&mut asked, &day);
        if let Some(upto) = upto {
            waiting += &format!(" and s.device <= {}", asked.bind(upto));
        }
        let sql =
            format!("select distinct s.device from sighting s where {waiting} order by 1 desc");
        self.tx.query(&sql, asked.values, |row| row.get(0))
    }

    /// The next cards of `group`, those after the spot if the page begins in it.
    fn cards(
        &mut self,
        group: QueueGroup,
        of: impl FnOnce(&mut SightingQuery) -> String,
    ) -> Result<(), Error> {
        let mut asked = SightingQuery::default();
        let of = of(&mut asked);
        let mut waiting = self.waiting(&mut asked, &of);
        if let Some(spot) = self.after.filter(|spot| spot.place == group.place()) {
            let sure = asked.bind(spot.sure);
            let id = asked.bind(spot.id.to_string());
            waiting += &format!(" and (s.confidence, s.id) < ({sure}, {id})");
        }
        let limit = asked.bind(i64::from(self.left));
        let sql = format!(
            "select s.id from sighting s where {waiting}
             order by s.confidence desc, s.id desc limit {limit}"
        );
        let ids: Vec<RecordId> = self.tx.query(&sql, asked.values, |row| parsed(row, 0))?;
        self.left -= u32::try_from(ids.len()).unwrap_or(self.left);
        if !ids.is_empty() {
            self.found.push((group, ids));
        }
        Ok(())
    }

    /// What waits for the reader, of those `of` speaks of.
    fn waiting(&self, asked: &mut SightingQuery, of: &str) -> String {
        let mine = asked.mine(self.reader);
        let mine = mine.map_or_else(String::new, |mine| format!(" and {PERSON} in ({mine})"));
        format!("s.review_status = 'pending' and {of}{mine}")
    }
}

/// Lessons under these conditions, the newest first.
fn lessons(
    tx: &Tx<'_>,
    reader: Reader,
    mut asked: SightingQuery,
) -> Result<Vec<QueueLesson>, Error> {
    let known = match reader.actor.role {
        Role::Admin => "1 = 1".to_owned(),
        _ => {
            let (_, user, day) = reader.keys();
            let user = asked.bind(user);
            let day = asked.bind(day);
            format!(
                "exists (select 1 from teaches t where t.class = l.class and t.teacher = {user}
                     and t.from_day <= {day} and (t.to_day is null or t.to_day >= {day}))"
            )
        }
    };
    let sql = format!(
        "select l.id, case when {known} then c.class_name end, l.name, l.room, l.starts, l.ends
         from session l join class c on c.id = l.class where {}
         order by l.starts desc, l.id desc limit 200",
        asked.conditions()
    );
    tx.query(&sql, asked.values, |row| {
        let id = parsed(row, 0)?;
        let class = row.get::<Option<String>>(1)?;
        let (starts, ends) = (Wall(row.get(4)?), Wall(row.get(5)?));
        let name = if class.is_some() { row.get(2)? } else { String::new() };
        Ok(QueueLesson { id, class, name, room: row.get(3)?, starts, ends })
    })
}

fn rows(
    tx: &Tx<'_>,
    reader: Reader,
    ids: &[RecordId],
) -> Result<HashMap<RecordId, SightingSeen>, Error> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let mut asked = SightingQuery::default();
    let list: Vec<_> = ids.iter().map(|id| asked.bind(id.to_string())).collect();
    let sql = format!("select {COLUMNS} from {TABLES} where s.id in ({})", list.join(", "));
    let rows = tx.query(&sql, asked.values, read)?;
    let mut named = candidates(tx, reader, ids)?;
    let with = |mut row: SightingSeen| {
        row.candidates = named.remove(&row.id).unwrap_or_default();
        (row.id, row)
    };
    Ok(rows.into_iter().map(with).collect())
}

/// The day of the school that `at` falls on: its first moment, and that of the next.
fn day(at: Wall, zone: &TimeZone) -> (Wall, Wall) {
    let time = Timestamp::from_millisecond(at.0).unwrap_or(Timestamp::UNIX_EPOCH);
    let day = time.to_zoned(zone.clone()).date();
    let start = |day: Date| {
        let start = day.to_zoned(zone.clone()).map(|start| start.timestamp().as_millisecond());
        Wall(start.unwrap_or(at.0))
    };
    (start(day), day.tomorrow().map_or(Wall(i64::MAX), start))
}

#[cfg(test)]
#[path = "queue_tests.rs"]
mod tests;
