//! Sightings as a reviewer sees them: read-only joins, each with its reader in it.
//!
//! A teacher sees sightings of the students of the classes they teach on that day, and among the
//! candidates only those; a student sees what was decided to be them; an admin sees all. What
//! somebody may not see is as if it were not there.

pub mod queue;

use super::{Read, Row, Tx, Value, odd, params, parsed, parsed_option, student};
use crate::reader::Reader;
use crate::reader::visible_student;
use rules::attendance::Authority;
use rules::auth::{Actor, Role};
use rules::error::Error;
use rules::review::Status;
use std::collections::HashMap;
use uuid::Uuid;
use wire::{Reason, RecordId, StudentId, Wall};

/// A sighting with everything a person needs to decide it.
#[derive(Clone, Debug)]
pub struct SightingSeen {
    /// Its id.
    pub id: RecordId,
    /// Counts decisions.
    pub version: i64,
    /// The door.
    pub device: String,
    /// Where the door hangs.
    pub location: String,
    /// The room behind it.
    pub room: String,
    /// `entry`, `exit` or `both`.
    pub direction: String,
    /// When it happened, if that is known.
    pub at: Option<Wall>,
    /// When it happened, or else when it came.
    pub order_at: Wall,
    /// How the time is known.
    pub clock: String,
    /// Of the first candidate, 0..=1.
    pub confidence: f64,
    /// Why it waits.
    pub reasons: Vec<Reason>,
    /// Where it stands.
    pub status: Status,
    /// Who the hub thinks it was.
    pub predicted: Option<PersonSeen>,
    /// Who a person said it was.
    pub decided: Option<PersonSeen>,
    /// The account that decided, and its name.
    pub reviewer: Option<(String, String)>,
    /// When it was decided.
    pub reviewed_at: Option<Wall>,
    /// What the reviewer noted.
    pub notes: Option<String>,
    /// Whether a crop is kept.
    pub crop: bool,
    /// The lesson it fell into.
    pub session: Option<Uuid>,
    /// Of a log: whether the person may be there.
    pub authority: Option<Authority>,
    /// The network that compared.
    pub model: String,
    /// Best first.
    pub candidates: Vec<CandidateSeen>,
}

/// Somebody enrolled.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PersonSeen {
    /// Own id.
    pub student: StudentId,
    /// Number in the register.
    pub number: String,
    /// Full name.
    pub name: String,
}

/// A person it may have been.
#[derive(Clone, Debug)]
pub struct CandidateSeen {
    /// Who.
    pub person: PersonSeen,
    /// Cosine to the mean template.
    pub score: f64,
}

/// Which sightings to list.
#[derive(Clone, Debug, Default)]
pub struct SightingFilter {
    /// Of this state.
    pub status: Option<Status>,
    /// Of this door.
    pub device: Option<String>,
    /// Predicted or decided to be this person.
    pub student: Option<StudentId>,
    /// Of a student of this class.
    pub class: Option<Uuid>,
    /// Not before.
    pub from: Option<Wall>,
    /// Before.
    pub until: Option<Wall>,
}

/// A page: newest first, those after `after`.
#[derive(Clone, Copy, Debug)]
pub struct SightingPage {
    /// Time and id of the last one seen.
    pub after: Option<(Wall, RecordId)>,
    /// At most this many.
    pub limit: u32,
}

const COLUMNS: &str = "s.id, s.version, s.device, d.location, s.room, s.direction, s.at,
     s.order_at, s.clock, s.confidence, s.reasons, s.review_status,
     p.id, p.student_number, trim(p.first_name || ' ' || p.last_name),
     q.id, q.student_number, trim(q.first_name || ' ' || q.last_name),
     s.reviewer, (select u.name from user_account u where u.id = s.reviewer), s.reviewed_at,
     s.notes, exists (select 1 from evidence e
         where e.sighting = s.id and e.part = 'crop' and e.goes_at is null),
     s.session, s.authority, s.model";
const TABLES: &str = "sighting s join device d on d.id = s.device
     left join student p on p.id = s.predicted_student
     left join student q on q.id = s.decided_student";

/// Whose sighting `s` is taken to be.
const PERSON: &str = "coalesce(s.decided_student, s.predicted_student)";
/// Whose it is and where it stands in one text, written as the index `sighting_by_person` has
/// it. Without the cast it would have no type, and the index would not be used.
const PERSON_STATUS: &str =
    "cast(coalesce(s.decided_student, s.predicted_student) || ' ' || s.review_status as text)";
/// The same person as the index `sighting_waiting_of` has them.
const PERSON_TEXT: &str = "cast(coalesce(s.decided_student, s.predicted_student) as text)";

fn visible_sighting() -> String {
    visible_student(PERSON)
}

/// Sightings, newest first.
pub fn list(
    tx: &Tx<'_>,
    reader: Reader,
    filter: &SightingFilter,
    page: SightingPage,
) -> Result<Vec<SightingSeen>, Error> {
    let asked = SightingQuery::page(reader, filter, page);
    let mut rows = tx.query(&asked.rows(), asked.values, read)?;
    let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
    let mut candidates = candidates(tx, reader, &ids)?;
    for row in &mut rows {
        row.candidates = candidates.remove(&row.id).unwrap_or_default();
    }
    Ok(rows)
}

/// A question made of the conditions that are there and of no others, so that each kind of
/// question has an index of its own (`explain` in the tests says which).
#[derive(Default)]
struct SightingQuery {
    conditions: Vec<String>,
    values: Vec<Value>,
    limit: String,
}

impl SightingQuery {
    /// The page of `filter` after `page.after`.
    fn page(reader: Reader, filter: &SightingFilter, page: SightingPage) -> Self {
        let mut asked = Self::of(reader, filter);
        if let Some((at, id)) = page.after {
            let at = asked.bind(at.0);
            let id = asked.bind(id.to_string());
            asked.conditions.push(format!("(s.order_at, s.id) < ({at}, {id})"));
        }
        asked.limit = asked.bind(i64::from(page.limit));
        asked
    }

    /// What the reader may see of `filter`.
    fn of(reader: Reader, filter: &SightingFilter) -> Self {
        let mut asked = Self::default();
        match asked.people(reader, filter) {
            Some(people) => asked.of_people(&people, filter),
            None => asked.of_all(filter),
        }
        if let Some(from) = filter.from {
            let from = asked.bind(from.0);
            asked.conditions.push(format!("s.order_at >= {from}"));
        }
        if let Some(until) = filter.until {
            let until = asked.bind(until.0);
            asked.conditions.push(format!("s.order_at < {until}"));
        }
        asked
    }

    fn bind(&mut self, value: impl Into<Value>) -> String {
        self.values.push(value.into());
        format!("${}", self.values.len())
    }

    /// Conditions on a student `p`, if only some people's sightings are asked for.
    fn people(&mut self, reader: Reader, filter: &SightingFilter) -> Option<String> {
        let mut people = Vec::new();
        if let Some(mine) = self.mine(reader) {
            people.push(format!("p.id in ({mine})"));
        }
        if let Some(class) = filter.class {
            let class = self.bind(class.to_string());
            people
                .push(format!("p.id in (select c.student from roster c where c.class = {class})"));
        }
        if let Some(student) = filter.student {
            let student = self.bind(student.to_string());
            people.push(format!("p.id = {student}"));
        }
        (!people.is_empty()).then(|| people.join(" and "))
    }

    /// The students a reader may see; none when that is everybody.
    fn mine(&mut self, reader: Reader) -> Option<String> {
        let Actor { user, role } = reader.actor;
        match role {
            Role::Admin => None,
            Role::Teacher => {
                let user = self.bind(user.to_string());
                let day = self.bind(reader.today.to_string());
                Some(format!(
                    "select r.student from teaches t join roster r on r.class = t.class
                     where t.teacher = {user} and t.from_day <= {day}
                       and (t.to_day is null or t.to_day >= {day})"
                ))
            }
            Role::Student => {
                let user = self.bind(user.to_string());
                Some(format!("select me.student from user_account me where me.id = {user}"))
            }
        }
    }

    /// Of some people: their sightings are found by person, and the page is sorted. What waits
    /// has a small index of its own, because that is what teachers ask for all day.
    fn of_people(&mut self, people: &str, filter: &SightingFilter) {
        let condition = match filter.status {
            Some(Status::Pending) => format!(
                "s.review_status || '' = 'pending'
                 and {PERSON_TEXT} in (select p.id from student p where {people})"
            ),
            status => format!(
                "{PERSON_STATUS} in (select p.id || ' ' || v.word
                     from student p cross join ({}) v where {people})",
                self.states(status)
            ),
        };
        self.conditions.push(condition);
        if let Some(device) = &filter.device {
            let device = self.bind(device.clone());
            self.conditions.push(format!("s.device || '' = {device}"));
        }
    }

    /// One state, or each there is, as a table of words.
    fn states(&mut self, one: Option<Status>) -> String {
        match one {
            Some(status) => format!("select {} as word", self.bind(status.as_str().to_owned())),
            None => {
                let word = |status: Status| format!("select '{}' as word", status.as_str());
                Status::ALL.map(word).join(" union all ")
            }
        }
    }

    /// Of everybody: by door or by state, each in the order of the page. `|| ''` keeps an index
    /// from being used: few sightings wait, and a door has fewer than are decided.
    fn of_all(&mut self, filter: &SightingFilter) {
        let waiting = filter.status == Some(Status::Pending);
        let both = filter.status.is_some() && filter.device.is_some();
        if let Some(status) = filter.status {
            let plain = !both || waiting;
            let status = self.bind(status.as_str().to_owned());
            self.conditions.push(equal("s.review_status", plain, &status));
        }
        if let Some(device) = &filter.device {
            let plain = !both || !waiting;
            let device = self.bind(device.clone());
            self.conditions.push(equal("s.device", plain, &device));
        }
    }

    /// The page's ids are found in indexes alone; only their rows are read.
    fn rows(&self) -> String {
        let conditions = self.conditions();
        let limit = &self.limit;
        format!(
            "select {COLUMNS} from {TABLES} where s.id in (select f.id from (
                 select s.id from sighting s where {conditions}
                 order by s.order_at desc, s.id desc limit {limit}) f)
             order by s.order_at desc, s.id desc"
        )
    }

    /// The candidates of these sightings, which are few: `|| ''` keeps them from being looked for
    /// by everybody whom the reader may see.
    fn candidates(reader: Reader, ids: &[RecordId]) -> Option<(String, Vec<Value>)> {
        let last = ids.last()?;
        let mut asked = Self::default();
        let mine = asked.mine(reader);
        let mine = mine.map_or_else(String::new, |mine| format!(" and p.id || '' in ({mine})"));
        // A few lengths of list are a few texts to prepare.
        let padding = ids.len().next_power_of_two() - ids.len();
        let ids = ids.iter().chain(std::iter::repeat_n(last, padding));
        let list: Vec<_> = ids.map(|id| asked.bind(id.to_string())).collect();
        let sql = format!(
            "select p.id, p.student_number, trim(p.first_name || ' ' || p.last_name), c.score,
                 c.sighting
             from candidate c join student p on p.id = c.student
                 join sighting s on s.id = c.sighting
             where c.sighting in ({}){mine} and not exists (select 1 from cannot_link l
                 where l.sighting = c.sighting and l.other = c.student
                     and s.predicted_student <> c.student)
             order by c.sighting, c.rank",
            list.join(", ")
        );
        Some((sql, asked.values))
    }

    fn count(&self) -> String {
        format!("select count(*) from sighting s where {}", self.conditions())
    }

    fn conditions(&self) -> String {
        if self.conditions.is_empty() { "1 = 1".into() } else { self.conditions.join(" and ") }
    }
}

fn equal(column: &str, plain: bool, value: &str) -> String {
    if plain { format!("{column} = {value}") } else { format!("{column} || '' = {value}") }
}

/// The sighting `id`, if the reader may see it.
///
/// # Errors
/// `NotFound`, for a foreign one too.
pub fn one(tx: &Tx<'_>, reader: Reader, id: RecordId) -> Result<SightingSeen, Error> {
    let (role, user, today) = reader.keys();
    let sql = format!(
        "select {COLUMNS} from {TABLES}
         where {visible} and s.id = $4",
        visible = visible_sighting()
    );
    let row = tx.row(&sql, params![role, user, today, id.to_string()], read)?;
    let mut row = row.ok_or_else(|| Error::unknown("record", id))?;
    row.candidates = candidates(tx, reader, &[id])?.remove(&id).unwrap_or_default();
    Ok(row)
}

/// Whether the reader may see the sighting `id`.
pub fn visible(tx: &Tx<'_>, reader: Reader, id: RecordId) -> Result<bool, Error> {
    let (role, user, today) = reader.keys();
    let sql = format!("select 1 from sighting s where {} and s.id = $4", visible_sighting());
    Ok(tx.row(&sql, params![role, user, today, id.to_string()], |_| Ok(()))?.is_some())
}

/// Those of these sightings that the reader may see.
pub fn some(tx: &Tx<'_>, reader: Reader, ids: &[RecordId]) -> Result<Vec<SightingSeen>, Error> {
    let mut some = Vec::new();
    for id in ids {
        match one(tx, reader, *id) {
            Ok(seen) => some.push(seen),
            Err(Error::NotFound(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(some)
}

/// How many wait for this reader.
pub fn waiting(tx: &Tx<'_>, reader: Reader) -> Result<i64, Error> {
    let pending = SightingFilter { status: Some(Status::Pending), ..SightingFilter::default() };
    let asked = SightingQuery::of(reader, &pending);
    let count = tx.row(&asked.count(), asked.values, |row| row.get(0))?;
    Ok(count.unwrap_or(0))
}

/// People with a template, doors that joined, classes this reader teaches.
pub fn house(tx: &Tx<'_>, reader: Reader) -> Result<(i64, i64, i64), Error> {
    let (_, user, today) = reader.keys();
    let sql = "select
         (select count(distinct e.student) from enrolment e where e.is_active = 1),
         (select count(*) from device d where d.is_active = 1),
         (select count(*) from teaches t where t.teacher = $1 and t.from_day <= $2
             and (t.to_day is null or t.to_day >= $2))";
    let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    Ok(tx.row(sql, params![user, today], read)?.unwrap_or_default())
}

/// The candidates of these sightings that the reader may see, best first; those that were ruled
/// out, so that another one waits in their place, are none any more.
fn candidates(
    tx: &Tx<'_>,
    reader: Reader,
    ids: &[RecordId],
) -> Result<HashMap<RecordId, Vec<CandidateSeen>>, Error> {
    let Some((sql, values)) = SightingQuery::candidates(reader, ids) else {
        return Ok(HashMap::new());
    };
    let rows = tx.query(&sql, values, |row| {
        let score = row.get(3)?;
        let nobody = || odd(0, "a candidate without a student");
        let candidate = CandidateSeen { person: person(row, 0)?.ok_or_else(nobody)?, score };
        Ok((parsed(row, 4)?, candidate))
    })?;
    let mut found = HashMap::<_, Vec<_>>::new();
    for (sighting, candidate) in rows {
        found.entry(sighting).or_default().push(candidate);
    }
    Ok(found)
}

/// Id, number and name from three columns on.
fn person(row: &Row<'_>, column: usize) -> Read<Option<PersonSeen>> {
    let id: Option<String> = row.get(column)?;
    let Some(id) = id else { return Ok(None) };
    let student = id.parse().map_err(|why| odd(column, why))?;
    Ok(Some(PersonSeen { student, number: row.get(column + 1)?, name: row.get(column + 2)? }))
}

fn read(row: &Row<'_>) -> Read<SightingSeen> {
    let reasons: String = row.get(10)?;
    let reasons = serde_json::from_str(&reasons).map_err(|why| odd(10, why))?;
    let reviewer: Option<String> = row.get(18)?;
    let name: Option<String> = row.get(19)?;
    let wall = |ms: Option<i64>| ms.map(Wall);
    Ok(SightingSeen {
        id: parsed(row, 0)?,
        version: row.get(1)?,
        device: row.get(2)?,
        location: row.get(3)?,
        room: row.get(4)?,
        direction: row.get(5)?,
        at: wall(row.get(6)?),
        order_at: Wall(row.get(7)?),
        clock: row.get(8)?,
        confidence: row.get(9)?,
        reasons,
        status: parsed(row, 11)?,
        predicted: person(row, 12)?,
        decided: person(row, 15)?,
        reviewer: reviewer.map(|id| (id.clone(), name.unwrap_or(id))),
        reviewed_at: wall(row.get(20)?),
        notes: row.get(21)?,
        crop: row.get(22)?,
        session: parsed_option(row, 23)?,
        authority: parsed_option(row, 24)?,
        model: row.get(25)?,
        candidates: Vec::new(),
    })
}

/// Active people whom the reader may see, by a part of their name or the beginning of their
/// number.
pub fn named(tx: &Tx<'_>, reader: Reader, text: &str, most: u32) -> Result<Vec<PersonSeen>, Error> {
    let reader = Some(reader);
    let search = Some(text.to_owned());
    let filter =
        student::StudentFilter { reader, search, is_active: Some(true), ..Default::default() };
    let person = |student: student::Student| PersonSeen {
        student: student.id,
        number: student.profile.student_number.clone(),
        name: student.profile.full_name(),
    };
    Ok(student::list(tx, &filter, None, most)?.into_iter().map(person).collect())
}

#[cfg(test)]
mod tests;
