//! Everything of one person, read for them: across all tables that name them.

use super::{Tx, params, parsed, passkey};
use rules::error::Error;
use uuid::Uuid;
use wire::{RecordId, StudentId, Wall};

/// A sighting that names them.
#[derive(Clone, Debug)]
pub struct ExportSighting {
    /// Its id.
    pub id: RecordId,
    /// When it happened, or else when it came.
    pub at: Wall,
    /// The door.
    pub device: String,
    /// The room behind it.
    pub room: String,
    /// `entry`, `exit` or `both`.
    pub direction: String,
    /// Where it stands.
    pub status: String,
    /// How sure the hub was of its first guess.
    pub confidence: f64,
    /// Cosine of the guess that was them, if it was one.
    pub score: Option<f64>,
    /// A person or the class's policy said that it was them.
    pub decided: bool,
    /// The account that decided.
    pub reviewer: Option<String>,
    /// What was noted with the decision.
    pub notes: Option<String>,
}

/// A mark of theirs.
#[derive(Clone, Debug)]
pub struct ExportMark {
    /// The lesson.
    pub session: String,
    /// Its class, as people call it.
    pub class: String,
    /// The local date.
    pub day: String,
    /// What was recorded.
    pub status: String,
    /// Who says so.
    pub source: String,
    /// When they were first seen.
    pub arrived_at: Option<Wall>,
    /// The account that decided, or `hub`.
    pub by: String,
    /// When it was recorded.
    pub at: Wall,
    /// What was noted with it.
    pub notes: Option<String>,
}

/// A face of theirs in a class photo.
#[derive(Clone, Debug)]
pub struct ExportFace {
    /// Its id.
    pub id: String,
    /// The photo.
    pub image: String,
    /// Its class, as people call it.
    pub class: String,
    /// When the photo was taken.
    pub taken_at: Wall,
    /// Left, top, width, height in pixels of the photo.
    pub place: [i64; 4],
    /// Said to be them, not only proposed.
    pub assigned: bool,
}

/// A mail about them.
#[derive(Clone, Debug)]
pub struct ExportLetter {
    /// To whom.
    pub recipient: String,
    /// Its subject.
    pub subject: String,
    /// Its text.
    pub body: String,
    /// `waiting`, `sent` or `failed`.
    pub state: String,
    /// When it was written.
    pub at: Wall,
}

/// Sightings decided or guessed to be `student`, oldest first.
pub fn sightings(tx: &Tx<'_>, student: StudentId) -> Result<Vec<ExportSighting>, Error> {
    let sql = "select s.id, s.order_at, s.device, s.room, s.direction, s.review_status,
             s.confidence,
             (select c.score from candidate c where c.sighting = s.id and c.student = $1),
             case when s.decided_student = $1 then 1 else 0 end, s.reviewer, s.notes
         from sighting s where s.id in (select id from sighting where decided_student = $1
             union select id from sighting where predicted_student = $1
             union select sighting from candidate where student = $1)
         order by s.order_at, s.id";
    tx.query(sql, params![student.to_string()], |row| {
        Ok(ExportSighting {
            id: parsed(row, 0)?,
            at: Wall(row.get(1)?),
            device: row.get(2)?,
            room: row.get(3)?,
            direction: row.get(4)?,
            status: row.get(5)?,
            confidence: row.get(6)?,
            score: row.get(7)?,
            decided: row.get(8)?,
            reviewer: row.get(9)?,
            notes: row.get(10)?,
        })
    })
}

/// Marks of `student`, oldest lesson first.
pub fn marks(tx: &Tx<'_>, student: StudentId) -> Result<Vec<ExportMark>, Error> {
    let sql = "select m.session, c.class_name, s.day, m.status, m.source, m.arrived_at,
             m.by_whom, m.at, m.notes
         from mark m join session s on s.id = m.session join class c on c.id = s.class
         where m.student = $1 order by s.starts, m.session";
    tx.query(sql, params![student.to_string()], |row| {
        Ok(ExportMark {
            session: row.get(0)?,
            class: row.get(1)?,
            day: row.get(2)?,
            status: row.get(3)?,
            source: row.get(4)?,
            arrived_at: row.get::<Option<i64>>(5)?.map(Wall),
            by: row.get(6)?,
            at: Wall(row.get(7)?),
            notes: row.get(8)?,
        })
    })
}

/// Faces in class photos that are taken to be `student`, oldest first.
pub fn faces(tx: &Tx<'_>, student: StudentId) -> Result<Vec<ExportFace>, Error> {
    let sql = "select f.id, f.image, c.class_name, i.taken_at, f.x, f.y, f.width, f.height,
             case when f.student = $1 then 1 else 0 end
         from face_crop f join image i on i.id = f.image join class c on c.id = f.class
         where f.id in (select id from face_crop where student = $1
             union select id from face_crop where proposed = $1 and student is null)
         order by i.taken_at, f.id";
    tx.query(sql, params![student.to_string()], |row| {
        Ok(ExportFace {
            id: row.get(0)?,
            image: row.get(1)?,
            class: row.get(2)?,
            taken_at: Wall(row.get(3)?),
            place: [row.get(4)?, row.get(5)?, row.get(6)?, row.get(7)?],
            assigned: row.get(8)?,
        })
    })
}

/// Classes whose roster names `student`: code, name, and whether a person checked it.
pub fn classes(tx: &Tx<'_>, student: StudentId) -> Result<Vec<(String, String, bool)>, Error> {
    let sql = "select c.class_code, c.class_name, r.verified from roster r
         join class c on c.id = r.class where r.student = $1 order by c.class_code";
    tx.query(sql, params![student.to_string()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
}

/// An account of a student.
pub struct ExportAccount {
    /// Own id.
    pub id: Uuid,
    /// Its address.
    pub email: String,
    /// What pages call them.
    pub name: String,
    /// Whether they may sign in.
    pub is_active: bool,
    /// What they call their passkeys.
    pub passkeys: Vec<String>,
}

/// Accounts that are `student`.
pub fn accounts(tx: &Tx<'_>, student: StudentId) -> Result<Vec<ExportAccount>, Error> {
    let sql = "select id, email, name, is_active from user_account where student = $1 order by id";
    let mut found = tx.query(sql, params![student.to_string()], |row| {
        let id = parsed(row, 0)?;
        let passkeys = Vec::new();
        let email = row.get(1)?;
        let name = row.get(2)?;
        let is_active = row.get(3)?;
        Ok(ExportAccount { id, email, name, is_active, passkeys })
    })?;
    for account in &mut found {
        let kept = passkey::of(tx, account.id)?.into_iter();
        account.passkeys = kept.map(|one| one.name).collect();
    }
    Ok(found)
}

/// Mail about `student`, oldest first.
pub fn letters(tx: &Tx<'_>, student: StudentId) -> Result<Vec<ExportLetter>, Error> {
    let sql = "select recipient, subject, body, state, created_at from mail
         where student = $1 order by id";
    tx.query(sql, params![student.to_string()], |row| {
        Ok(ExportLetter {
            recipient: row.get(0)?,
            subject: row.get(1)?,
            body: row.get(2)?,
            state: row.get(3)?,
            at: Wall(row.get(4)?),
        })
    })
}
