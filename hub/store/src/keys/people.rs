//! Keys of people, and of class photos: whoever erases one makes what it sealed unreadable.

use super::Keys;
use crate::params;
use crate::row::parsed;
use crate::tx::Tx;
use crate::value::Value;
use crate::vault::DataKey;
use rules::error::{Doing, Error};
use std::collections::HashMap;
use uuid::Uuid;
use wire::{StudentId, Wall};

/// Keys that are read by one statement.
const SOME: usize = 64;

impl Keys {
    /// The key of `student`, if they have one.
    ///
    /// # Errors
    /// When the store fails or `kek` is not the one the key was wrapped with.
    pub fn student(&self, student: StudentId) -> Result<Option<DataKey>, Error> {
        let sql = "select wrapped from student_key where student = $1";
        self.read(|tx, kek| unwrapped(tx, kek, sql, &student.to_string()))
    }

    /// The keys of those of `students` who have one, read at once.
    ///
    /// # Errors
    /// As [`Keys::student`].
    pub fn of(
        &self,
        students: impl IntoIterator<Item = StudentId>,
    ) -> Result<HashMap<StudentId, DataKey>, Error> {
        let students: Vec<_> = students.into_iter().collect();
        self.read(|tx, kek| of_all(tx, kek, &students))
    }

    /// The key of `student`, made and stored if they have none. Call it before data is written.
    ///
    /// # Errors
    /// As [`Keys::student`].
    pub fn student_or_new(&self, student: StudentId, now: Wall) -> Result<DataKey, Error> {
        let made = self.make(&[student], now)?.remove(&student);
        made.ok_or_else(|| Error::internal("storing a student's key", "it vanished at once"))
    }

    /// Makes keys for people who have none yet, all at once, and returns everybody's. Call it
    /// before data is written.
    ///
    /// # Errors
    /// As [`Keys::student`].
    pub fn make(
        &self,
        students: &[StudentId],
        now: Wall,
    ) -> Result<HashMap<StudentId, DataKey>, Error> {
        let sql = "insert into student_key (student, wrapped, created_at) values ($1, $2, $3)
             on conflict (student) do nothing";
        self.write(|tx, kek| {
            for student in students {
                let id = student.to_string();
                let wrapped = kek.wrap(&id, &DataKey::random());
                tx.execute(sql, params![id, wrapped, now.0])?;
            }
            of_all(tx, kek, students)
        })
    }

    /// Erases the key of `student`: what was sealed with it can never be read again, not from a
    /// backup either. Erase the data first.
    pub fn erase(&self, student: StudentId) -> Result<(), Error> {
        let sql = "delete from student_key where student = $1";
        self.write(|tx, _| tx.execute(sql, params![student.to_string()]).map(drop))
    }

    /// Remembers that `student` is erased, outside the data: a backup of the data from before
    /// then brings nobody back.
    pub fn bury(&self, student: StudentId, now: Wall) -> Result<(), Error> {
        let sql = "insert into erased (student, at) values ($1, $2) on conflict do nothing";
        self.write(|tx, _| tx.execute(sql, params![student.to_string(), now.0]).map(drop))
    }

    /// Everybody who was erased.
    pub fn buried(&self) -> Result<Vec<StudentId>, Error> {
        self.people("select student from erased")
    }

    /// Everybody who has a key.
    pub fn students(&self) -> Result<Vec<StudentId>, Error> {
        self.people("select student from student_key")
    }

    fn people(&self, sql: &str) -> Result<Vec<StudentId>, Error> {
        let ids = self.read(|tx, _| tx.query(sql, [], |row| row.get::<String>(0)))?;
        ids.iter().map(|id| id.parse().doing("listing the students' keys")).collect()
    }

    /// The key of the class photo `photo`, if it still has one.
    ///
    /// # Errors
    /// As [`Keys::student`].
    pub fn photo(&self, photo: Uuid) -> Result<Option<DataKey>, Error> {
        let sql = "select wrapped from photo_key where photo = $1";
        self.read(|tx, kek| unwrapped(tx, kek, sql, &photo.to_string()))
    }

    /// A new key for the class photo `photo`. Call it before data is written.
    pub fn new_photo(&self, photo: Uuid, now: Wall) -> Result<DataKey, Error> {
        let sql = "insert into photo_key (photo, wrapped, created_at) values ($1, $2, $3)";
        self.write(|tx, kek| {
            let (id, key) = (photo.to_string(), DataKey::random());
            tx.execute(sql, params![id, kek.wrap(&id, &key), now.0])?;
            Ok(key)
        })
    }

    /// Erases the key of a class photo: it and its crops can never be seen again. Erase the data
    /// first.
    pub fn erase_photo(&self, photo: Uuid) -> Result<(), Error> {
        let sql = "delete from photo_key where photo = $1";
        self.write(|tx, _| tx.execute(sql, params![photo.to_string()]).map(drop))
    }

    /// Every class photo whose key was made before `before`.
    pub fn photos(&self, before: Wall) -> Result<Vec<Uuid>, Error> {
        let sql = "select photo from photo_key where created_at < $1";
        self.read(|tx, _| tx.query(sql, params![before.0], |row| parsed(row, 0)))
    }
}

fn of_all(
    tx: &Tx<'_>,
    kek: &DataKey,
    students: &[StudentId],
) -> Result<HashMap<StudentId, DataKey>, Error> {
    let doing = "reading students' keys";
    let places = (1..=SOME).map(|n| format!("${n}")).collect::<Vec<_>>().join(", ");
    let sql = format!("select student, wrapped from student_key where student in ({places})");
    let mut keys = HashMap::new();
    for some in students.chunks(SOME) {
        // One text for any number of them: the last one fills it up.
        let mut asked: Vec<Value> = some.iter().map(|id| id.to_string().into()).collect();
        asked.resize(SOME, asked[some.len() - 1].clone());
        let rows =
            tx.query(&sql, asked, |row| Ok((row.get::<String>(0)?, row.get::<Vec<u8>>(1)?)))?;
        for (id, wrapped) in rows {
            keys.insert(id.parse().doing(doing)?, kek.unwrap(&id, &wrapped).doing(doing)?);
        }
    }
    Ok(keys)
}

/// The one key that `sql` finds for `id`.
fn unwrapped(tx: &Tx<'_>, kek: &DataKey, sql: &str, id: &str) -> Result<Option<DataKey>, Error> {
    let wrapped = tx.row(sql, params![id], |row| row.get::<Vec<u8>>(0))?;
    wrapped.map(|wrapped| kek.unwrap(id, &wrapped).doing("reading a key")).transpose()
}
