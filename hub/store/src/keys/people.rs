//! Keys of people, and of class photos: whoever erases one makes what it sealed unreadable.

use super::Keys;
use crate::vault::DataKey;
use rules::error::{Doing, Error};
use rusqlite::{OptionalExtension, params};
use std::collections::HashMap;
use uuid::Uuid;
use wire::{StudentId, Wall};

impl Keys {
    /// The key of `student`, if they have one.
    ///
    /// # Errors
    /// When the store fails or `kek` is not the one the key was wrapped with.
    pub fn student(&self, student: StudentId) -> Result<Option<DataKey>, Error> {
        let doing = "reading a student's key";
        let sql = "select wrapped from student_key where student = ?1";
        let db = self.db();
        let id = student.to_string();
        let wrapped = db.query_row(sql, [&id], |row| row.get::<_, Vec<u8>>(0));
        let wrapped = wrapped.optional().doing(doing)?;
        wrapped.map(|wrapped| db.kek().unwrap(&id, &wrapped).doing(doing)).transpose()
    }

    /// The keys of those of `students` who have one, read at once.
    ///
    /// # Errors
    /// As [`Keys::student`].
    pub fn of(
        &self,
        students: impl IntoIterator<Item = StudentId>,
    ) -> Result<HashMap<StudentId, DataKey>, Error> {
        let doing = "reading students' keys";
        let mut db = self.db();
        let kek = db.kek().clone();
        let snapshot = db.transaction().doing(doing)?;
        let sql = "select wrapped from student_key where student = ?1";
        let mut statement = snapshot.prepare_cached(sql).doing(doing)?;
        let mut keys = HashMap::new();
        for student in students {
            let id = student.to_string();
            let wrapped = statement.query_row([&id], |row| row.get::<_, Vec<u8>>(0));
            let Some(wrapped) = wrapped.optional().doing(doing)? else { continue };
            keys.insert(student, kek.unwrap(&id, &wrapped).doing(doing)?);
        }
        Ok(keys)
    }

    /// The key of `student`, made and stored if they have none. Call it before data is written.
    ///
    /// # Errors
    /// As [`Keys::student`].
    pub fn student_or_new(&self, student: StudentId, now: Wall) -> Result<DataKey, Error> {
        let db = self.db();
        let id = student.to_string();
        let wrapped = db.kek().wrap(&id, &DataKey::random());
        let sql = "insert into student_key (student, wrapped, created_at) values (?1, ?2, ?3)
             on conflict (student) do nothing";
        db.execute(sql, params![id, wrapped, now.0]).doing("storing a student's key")?;
        drop(db);
        self.student(student)?
            .ok_or_else(|| Error::internal("storing a student's key", "it vanished at once"))
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
        let doing = "storing students' keys";
        let mut db = self.db();
        let kek = db.kek().clone();
        let all = db.transaction().doing(doing)?;
        let sql = "insert into student_key (student, wrapped, created_at) values (?1, ?2, ?3)
             on conflict (student) do nothing";
        for student in students {
            let id = student.to_string();
            let wrapped = kek.wrap(&id, &DataKey::random());
            all.prepare_cached(sql)
                .and_then(|mut insert| insert.execute(params![id, wrapped, now.0]))
                .doing(doing)?;
        }
        all.commit().doing(doing)?;
        drop(db);
        self.of(students.iter().copied())
    }

    /// Erases the key of `student`: what was sealed with it can never be read again, not from a
    /// backup either. Erase the data first.
    pub fn erase(&self, student: StudentId) -> Result<(), Error> {
        let sql = "delete from student_key where student = ?1";
        let erased = self.db().execute(sql, [student.to_string()]);
        erased.map(drop).doing("erasing a student's key")
    }

    /// Remembers that `student` is erased, outside the data: a backup of the data from before
    /// then brings nobody back.
    pub fn bury(&self, student: StudentId, now: Wall) -> Result<(), Error> {
        let sql = "insert into erased (student, at) values (?1, ?2) on conflict do nothing";
        let buried = self.db().execute(sql, params![student.to_string(), now.0]);
        buried.map(drop).doing("remembering an erasure")
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
        let doing = "listing the students' keys";
        let db = self.db();
        let mut statement = db.prepare(sql).doing(doing)?;
        let ids = statement.query_map([], |row| row.get::<_, String>(0)).doing(doing)?;
        ids.map(|id| id.doing(doing)?.parse().doing(doing)).collect()
    }

    /// The key of the class photo `photo`, if it still has one.
    ///
    /// # Errors
    /// As [`Keys::student`].
    pub fn photo(&self, photo: Uuid) -> Result<Option<DataKey>, Error> {
        let doing = "reading a photo's key";
        let sql = "select wrapped from photo_key where photo = ?1";
        let db = self.db();
        let id = photo.to_string();
        let wrapped = db.query_row(sql, [&id], |row| row.get::<_, Vec<u8>>(0));
        let wrapped = wrapped.optional().doing(doing)?;
        wrapped.map(|wrapped| db.kek().unwrap(&id, &wrapped).doing(doing)).transpose()
    }

    /// A new key for the class photo `photo`. Call it before data is written.
    pub fn new_photo(&self, photo: Uuid, now: Wall) -> Result<DataKey, Error> {
        let db = self.db();
        let id = photo.to_string();
        let key = DataKey::random();
        let wrapped = db.kek().wrap(&id, &key);
        let sql = "insert into photo_key (photo, wrapped, created_at) values (?1, ?2, ?3)";
        db.execute(sql, params![id, wrapped, now.0]).doing("storing a photo's key")?;
        Ok(key)
    }

    /// Erases the key of a class photo: it and its crops can never be seen again. Erase the data
    /// first.
    pub fn erase_photo(&self, photo: Uuid) -> Result<(), Error> {
        let sql = "delete from photo_key where photo = ?1";
        let erased = self.db().execute(sql, [photo.to_string()]);
        erased.map(drop).doing("erasing a photo's key")
    }

    /// Every class photo whose key was made before `before`.
    pub fn photos(&self, before: Wall) -> Result<Vec<Uuid>, Error> {
        let doing = "listing the photos' keys";
        let db = self.db();
        let mut statement =
            db.prepare("select photo from photo_key where created_at < ?1").doing(doing)?;
        let ids = statement.query_map([before.0], |row| row.get::<_, String>(0)).doing(doing)?;
        ids.map(|id| id.doing(doing)?.parse().doing(doing)).collect()
    }
}
