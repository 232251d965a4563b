//! Marks with the names around them: who was in which lesson.

use super::{Read, Row, Tx, odd, params, parsed};
use crate::reader::Reader;
use jiff::civil::Date;
use rules::attendance::{Source, Status};
use rules::error::Error;
use uuid::Uuid;
use wire::{StudentId, Wall};

/// A mark with the names around it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Presence {
    /// The lesson.
    pub session: Uuid,
    /// What people call it.
    pub lesson: String,
    /// Its local date.
    pub day: Date,
    /// Its first moment.
    pub starts: Wall,
    /// Whose lesson.
    pub class: Uuid,
    /// What people call the class.
    pub class_name: String,
    /// The student.
    pub student: StudentId,
    /// Their number.
    pub number: String,
    /// Their full name.
    pub name: String,
    /// What is recorded.
    pub status: Status,
    /// Who says so.
    pub source: Source,
    /// When they were first seen.
    pub arrived_at: Option<Wall>,
    /// When it was recorded.
    pub at: Wall,
    /// What was noted with it.
    pub notes: Option<String>,
}

/// Which to list: of a class or of all, of lessons that start in `span`.
#[derive(Clone, Debug)]
pub struct PresenceFilter {
    /// Of this class.
    pub class: Option<Uuid>,
    /// Of this status.
    pub status: Option<Status>,
    /// Not starting before the first, starting before the second.
    pub span: (Wall, Wall),
    /// Start and id of the lesson, and id of the student, of the last one seen.
    pub after: Option<(Wall, Uuid, StudentId)>,
}

/// Marks in lessons the reader may see, the newest lesson first.
pub fn list(
    tx: &Tx<'_>,
    reader: Reader,
    filter: &PresenceFilter,
    limit: u32,
) -> Result<Vec<Presence>, Error> {
    let (role, user, today) = reader.keys();
    let mut sql = String::from(
        "select s.id, s.name, s.day, s.starts, s.class, c.class_name, p.id, p.student_number,
             trim(p.first_name || ' ' || p.last_name), m.status, m.source, m.arrived_at, m.at,
             m.notes
         from session s join class c on c.id = s.class join mark m on m.session = s.id
             join student p on p.id = m.student
         where ($1 = 'admin' or ($1 = 'teacher' and exists (select 1 from teaches t
                 where t.class = s.class and t.teacher = $2 and t.from_day <= $3
                   and (t.to_day is null or t.to_day >= $3))))
             and s.starts >= $4 and s.starts <= $5
             and (s.starts < $6 or s.id < $7 or (s.id = $7 and m.student > $8))
             and (m.status = $9 or $9 is null)",
    );
    sql += if filter.class.is_some() {
        " and s.class = $10"
    } else {
        " and cast($10 as text) is null"
    };
    sql += " order by s.starts desc, s.id desc, m.student limit $11";
    let from = filter.span.0.0;
    let until = filter.span.1.0 - 1;
    let (last, session, student) = match filter.after {
        Some((at, session, student)) => (at.0, session.to_string(), student.to_string()),
        None => (i64::MAX, String::new(), String::new()),
    };
    let class = filter.class.map(|id| id.to_string());
    let status = filter.status.map(Status::as_str);
    let until = until.min(last);
    let values =
        params![role, user, today, from, until, last, session, student, status, class, limit];
    tx.query(&sql, values, read)
}

/// How many of the class's students are on its roster and active, and how many of them were in a
/// lesson that starts in `span`.
pub fn summary(tx: &Tx<'_>, class: Uuid, (from, until): (Wall, Wall)) -> Result<(i64, i64), Error> {
    let there = super::mark::kinds(Status::was_there);
    let sql = format!(
        "select count(*), coalesce(sum(case when exists (
                 select 1 from session s join mark m on m.session = s.id and m.student = p.id
                 where s.class = $1 and s.starts >= $2 and s.starts < $3
                     and m.status in ({there})) then 1 else 0 end), 0)
         from roster r join student p on p.id = r.student and p.is_active = 1
         where r.class = $1"
    );
    let values = params![class.to_string(), from.0, until.0];
    Ok(tx.row(&sql, values, |row| Ok((row.get(0)?, row.get(1)?)))?.unwrap_or_default())
}

fn read(row: &Row<'_>) -> Read<Presence> {
    let word = |n: usize| row.get::<String>(n);
    Ok(Presence {
        session: parsed(row, 0)?,
        lesson: row.get(1)?,
        day: parsed(row, 2)?,
        starts: Wall(row.get(3)?),
        class: parsed(row, 4)?,
        class_name: row.get(5)?,
        student: parsed(row, 6)?,
        number: row.get(7)?,
        name: row.get(8)?,
        status: word(9)?.parse().map_err(|why: String| odd(9, why))?,
        source: word(10)?.parse().map_err(|why: String| odd(10, why))?,
        arrived_at: row.get::<Option<i64>>(11)?.map(Wall),
        at: Wall(row.get(12)?),
        notes: row.get(13)?,
    })
}
