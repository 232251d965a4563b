//! The register of a class and the history of a student: the marks themselves, found by lesson
//! or by student, never by going through all of them.

use super::{Read, Row, Tx, params, parsed};
use crate::reader::Reader;
use jiff::civil::Date;
use rules::attendance::{Source, Status};
use rules::error::Error;
use rules::reports::matrix::{Cell, MOST_CELLS, MatrixLesson, MatrixPerson, RegisterMatrix};
use std::collections::HashMap;
use uuid::Uuid;
use wire::{StudentId, Wall};

/// From a day to a day, both included; no day means no end.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RegisterSpan {
    /// The first day.
    pub from: Option<Date>,
    /// The last day.
    pub to: Option<Date>,
}

impl RegisterSpan {
    /// As texts that every ISO day can be compared with.
    fn days(self) -> (String, String) {
        let text = |day: Option<Date>, none: &str| day.map_or(none.to_owned(), |d| d.to_string());
        (text(self.from, ""), text(self.to, "~"))
    }
}

const LESSONS: &str = "select s.id, s.name, s.day, s.starts, s.ends from session s
     where s.class = $1 and s.day >= $2 and s.day <= $3 order by s.day, s.starts, s.id";

const ROSTER: &str = "select p.id, p.student_number, p.first_name, p.last_name
     from roster r join student p on p.id = r.student where r.class = $1";

const MARKS: &str = "select m.student, m.status, m.source from mark m where m.session = $1";

const SEEN: &str = "select coalesce(g.decided_student, g.predicted_student), count(*)
     from sighting g where g.session = $1 and g.review_status in ('approved', 'pending')
     group by coalesce(g.decided_student, g.predicted_student)";

const FACES: &str = "select f.student, count(*) from face_crop f
     where f.session = $1 and f.student is not null group by f.student";

const PERSON: &str =
    "select p.id, p.student_number, p.first_name, p.last_name from student p where p.id = $1";

/// The register of `class`: everybody on its roster or marked in one of its lessons.
///
/// # Errors
/// `Invalid` when it is too large for one register; when the database fails.
pub fn register(tx: &Tx<'_>, class: Uuid, span: RegisterSpan) -> Result<RegisterMatrix, Error> {
    let lessons = lessons(tx, class, span)?;
    let roster = tx.query(ROSTER, params![class.to_string()], person)?;
    let mut rows = RegisterRows { width: lessons.len(), ..RegisterRows::default() };
    roster.into_iter().for_each(|person| rows.add(person));
    for (n, lesson) in lessons.iter().enumerate() {
        rows.fill(tx, n, &lesson.id.to_string())?;
        if rows.people.len().saturating_mul(rows.width) > MOST_CELLS {
            return Err(too_large());
        }
    }
    rows.ordered(lessons).ok_or_else(too_large)
}

fn too_large() -> Error {
    Error::Invalid("date_from, date_to: this is too much for one register: ask for less".into())
}

/// Rows of a register while it is read: students in the order in which they were met.
#[derive(Default)]
struct RegisterRows {
    width: usize,
    people: Vec<(MatrixPerson, Vec<Cell>)>,
    /// Own ids as the database writes them: read once, not once a mark.
    places: HashMap<String, usize>,
}

impl RegisterRows {
    fn add(&mut self, person: MatrixPerson) {
        self.places.insert(person.id.to_string(), self.people.len());
        self.people.push((person, vec![Cell::default(); self.width]));
    }

    /// The column of one lesson: marks, then how often each student was seen.
    fn fill(&mut self, tx: &Tx<'_>, lesson: usize, session: &str) -> Result<(), Error> {
        let mut met = Vec::new();
        tx.query(MARKS, params![session], |row| {
            let cell = Cell::of(parsed(row, 1)?, parsed(row, 2)?);
            let student = row.get::<&str>(0)?;
            match self.places.get(student) {
                Some(place) => self.people[*place].1[lesson] = cell,
                None => met.push((student.to_owned(), cell)),
            }
            Ok(())
        })?;
        for (student, cell) in met {
            if let Some(person) = tx.row(PERSON, params![student], person)? {
                self.add(person);
                self.people[self.places[&student]].1[lesson] = cell;
            }
        }
        for sql in [SEEN, FACES] {
            tx.query(sql, params![session], |row| {
                let student = row.get::<Option<&str>>(0)?;
                let place = student.and_then(|student| self.places.get(student));
                if let Some(place) = place {
                    let count = u16::try_from(row.get::<i64>(1)?).unwrap_or(u16::MAX);
                    let cell = &mut self.people[*place].1[lesson];
                    cell.seen = cell.seen.saturating_add(count);
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    /// The register, its students by family name, given name and id.
    fn ordered(mut self, lessons: Vec<MatrixLesson>) -> Option<RegisterMatrix> {
        let key = |(p, _): &(MatrixPerson, _)| (p.last_name.clone(), p.first_name.clone(), p.id);
        self.people.sort_by_cached_key(key);
        let (people, rows): (Vec<_>, Vec<_>) = self.people.into_iter().unzip();
        let mut matrix = RegisterMatrix::new(people, lessons)?;
        for (n, row) in rows.into_iter().enumerate() {
            for (lesson, cell) in row.into_iter().enumerate() {
                if let Some(place) = matrix.cell(n, lesson) {
                    *place = cell;
                }
            }
        }
        Some(matrix)
    }
}

fn lessons(tx: &Tx<'_>, class: Uuid, span: RegisterSpan) -> Result<Vec<MatrixLesson>, Error> {
    let (from, to) = span.days();
    tx.query(LESSONS, params![class.to_string(), from, to], |row| {
        let id = parsed(row, 0)?;
        let name = row.get(1)?;
        let day = parsed(row, 2)?;
        Ok(MatrixLesson { id, name, day, starts: Wall(row.get(3)?), ends: Wall(row.get(4)?) })
    })
}

fn person(row: &Row<'_>) -> Read<MatrixPerson> {
    Ok(MatrixPerson {
        id: parsed(row, 0)?,
        number: row.get(1)?,
        first_name: row.get(2)?,
        last_name: row.get(3)?,
    })
}

/// What is there of a class, counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Statistics {
    /// Students on the roster.
    pub students: i64,
    /// Lessons.
    pub sessions: i64,
    /// Photos, and those that were looked at.
    pub images: (i64, i64),
    /// Faces in photos, those with a template (once at least), those with a name.
    pub crops: (i64, i64, i64),
}

const STATISTICS: &str = "select
     (select count(*) from roster r where r.class = $1),
     (select count(*) from session s where s.class = $1),
     (select count(*) from image i where i.class = $1),
     (select count(i.processed_at) from image i where i.class = $1),
     (select count(*) from face_crop f where f.class = $1),
     (select count(f.model) from face_crop f where f.class = $1),
     (select count(f.student) from face_crop f where f.class = $1)";

/// What is there of `class`.
pub fn statistics(tx: &Tx<'_>, class: Uuid) -> Result<Statistics, Error> {
    let found = tx.row(STATISTICS, params![class.to_string()], |row| {
        Ok(Statistics {
            students: row.get(0)?,
            sessions: row.get(1)?,
            images: (row.get(2)?, row.get(3)?),
            crops: (row.get(4)?, row.get(5)?, row.get(6)?),
        })
    });
    Ok(found?.unwrap_or_default())
}

/// One mark with its lesson.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RegisterMarked {
    /// The lesson.
    pub session: Uuid,
    /// Its class, with name and code.
    pub class: (Uuid, String, String),
    /// What the lesson is called.
    pub name: String,
    /// Its local date.
    pub day: Date,
    /// Its first moment.
    pub starts: Wall,
    /// What is recorded.
    pub status: Status,
    /// Who says so.
    pub source: Source,
    /// When the student was first seen.
    pub arrived_at: Option<Wall>,
    /// What was noted with it.
    pub notes: Option<String>,
}

/// Which marks of a student.
#[derive(Clone, Debug, Default)]
pub struct RegisterSpanOf {
    /// Of these days.
    pub span: RegisterSpan,
    /// Of this class: own id or code.
    pub class: Option<String>,
    /// Those before this lesson: its start and id.
    pub after: Option<(Wall, Uuid)>,
    /// At most this many.
    pub limit: u32,
}

const HISTORY: &str = "select m.session, s.class, c.class_name, c.class_code, s.name, s.day,
         s.starts, m.status, m.source, m.arrived_at, m.notes
     from mark m join session s on s.id = m.session join class c on c.id = s.class
     where m.student = $4
       and ($1 = 'admin'
         or ($1 = 'teacher' and exists (select 1 from teaches t where t.class = s.class
               and t.teacher = $2 and t.from_day <= $3 and (t.to_day is null or t.to_day >= $3)))
         or ($1 = 'student' and exists (select 1 from user_account me
               where me.id = $2 and me.student = m.student)))
       and s.day >= $5 and s.day <= $6 and (c.id = $7 or c.class_code = $7 or $7 is null)
       and ((s.starts, s.id) < ($8, $9) or $8 is null)
     order by s.starts desc, s.id desc limit $10";

/// What is recorded of `student` in lessons of classes the reader may see, newest first.
pub fn history(
    tx: &Tx<'_>,
    reader: Reader,
    student: StudentId,
    which: &RegisterSpanOf,
) -> Result<Vec<RegisterMarked>, Error> {
    let (role, user, today) = reader.keys();
    let (from, to) = which.span.days();
    let (at, id) = which.after.map(|(at, id)| (at.0, id.to_string())).unzip();
    let student = student.to_string();
    let keys = params![role, user, today, student, from, to, which.class, at, id, which.limit];
    tx.query(HISTORY, keys, |row| {
        Ok(RegisterMarked {
            session: parsed(row, 0)?,
            class: (parsed(row, 1)?, row.get(2)?, row.get(3)?),
            name: row.get(4)?,
            day: parsed(row, 5)?,
            starts: Wall(row.get(6)?),
            status: parsed(row, 7)?,
            source: parsed(row, 8)?,
            arrived_at: row.get::<Option<i64>>(9)?.map(Wall),
            notes: row.get(10)?,
        })
    })
}

/// Which lessons to take marks of, in the order of time.
#[derive(Clone, Debug, Default)]
pub struct Lessons {
    /// Own id of their class.
    pub class: Option<String>,
    /// Of these days.
    pub span: RegisterSpan,
    /// Those after this one: its start and id.
    pub after: Option<(Wall, Uuid)>,
}

/// One mark with everything around it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RegisterEntry {
    /// The lesson.
    pub lesson: MatrixLesson,
    /// Code of its class.
    pub class_code: String,
    /// Name of its class.
    pub class_name: String,
    /// Whose mark.
    pub person: MatrixPerson,
    /// What is recorded.
    pub status: Status,
    /// Who says so.
    pub source: Source,
    /// When the student was first seen.
    pub arrived_at: Option<Wall>,
    /// What was noted with it.
    pub notes: Option<String>,
}

/// Lessons of a class by its own index, those of all by the index of time.
fn lessons_sql(one_class: bool) -> String {
    let class = if one_class { "s.class = $6" } else { "cast($6 as text) is null" };
    format!(
        "select s.id, s.name, s.day, s.starts, s.ends, c.class_code, c.class_name
         from session s join class c on c.id = s.class
         where {class} and (s.starts, s.id) > ($1, $2) and s.day >= $3 and s.day <= $4
         order by s.starts, s.id limit $5"
    )
}

const ENTRIES: &str = "select p.id, p.student_number, p.first_name, p.last_name, m.status,
         m.source, m.arrived_at, m.notes
     from mark m join student p on p.id = m.student where m.session = $1
     order by p.last_name, p.first_name, p.id";

/// Every mark of the next `limit` lessons, and where the lessons after them begin.
#[expect(clippy::type_complexity, reason = "a page and where the next begins")]
pub fn entries(
    tx: &Tx<'_>,
    which: &Lessons,
    limit: u32,
) -> Result<(Option<(Wall, Uuid)>, Vec<RegisterEntry>), Error> {
    let (from, to) = which.span.days();
    let (at, id) = which.after.map_or((i64::MIN, String::new()), |(at, id)| (at.0, id.to_string()));
    let keys = params![at, id, from, to, limit, which.class];
    let lessons = tx.query(&lessons_sql(which.class.is_some()), keys, |row| {
        let id = parsed(row, 0)?;
        let name = row.get(1)?;
        let day = parsed(row, 2)?;
        let lesson =
            MatrixLesson { id, name, day, starts: Wall(row.get(3)?), ends: Wall(row.get(4)?) };
        Ok((lesson, row.get::<String>(5)?, row.get::<String>(6)?))
    })?;
    let full = lessons.len() == limit as usize;
    let next = lessons.last().filter(|_| full).map(|(last, ..)| (last.starts, last.id));
    let mut entries = Vec::new();
    for (lesson, class_code, class_name) in lessons {
        let found = tx.query(ENTRIES, params![lesson.id.to_string()], |row| {
            Ok(RegisterEntry {
                lesson: lesson.clone(),
                class_code: class_code.clone(),
                class_name: class_name.clone(),
                person: person(row)?,
                status: parsed(row, 4)?,
                source: parsed(row, 5)?,
                arrived_at: row.get::<Option<i64>>(6)?.map(Wall),
                notes: row.get(7)?,
            })
        })?;
        entries.extend(found);
    }
    Ok((next, entries))
}

#[cfg(test)]
mod tests;
