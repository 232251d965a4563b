//! Photos that people are enrolled by: added, let count or not, deleted.

use super::people::{People, Turn};
use crate::enrol::{self, Enrolled, EnrolmentAsk, EnrolmentDesk, Refusal};
use rules::error::Error;
use rules::version::as_read;
use store::Tx;
use store::enrolment::{self, Enrolment};
use uuid::Uuid;
use wire::{StudentId, Wall};

impl People {
    /// Enrols by one photo. From then on every search knows the person.
    ///
    /// Answers what `shown` makes of it in the same transaction: a repeat after an answer that could
    /// not be made is no second enrolment.
    ///
    /// # Errors
    /// `Invalid` for what is no picture, or without consent; `NotFound` without such a student.
    pub async fn enrol<T: Send + 'static>(
        &self,
        ask: EnrolmentAsk,
        shown: impl FnOnce(&Tx<'_>, Enrolled) -> Result<T, Error> + Send + 'static,
        now: Wall,
    ) -> Result<Result<T, Refusal>, Error> {
        let index = self.galleries.gallery.index();
        let Self { db, keys, recogniser, .. } = self;
        let desk = EnrolmentDesk { db, keys, recogniser, index: &index };
        let done = enrol::attempt(desk, ask, shown, now).await?;
        if done.is_ok() {
            self.follow().await;
        }
        Ok(done)
    }

    /// Lets a photo count, or not.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` when it was changed since `version`.
    pub async fn count(
        &self,
        photo: Uuid,
        to: Turn,
        version: Option<i64>,
        by: String,
        now: Wall,
    ) -> Result<Enrolment, Error> {
        let work = move |tx: &Tx<'_>| {
            let old = enrolment::get(tx, photo)?;
            as_read(old.version, version)?;
            let active = to.of(old.is_active);
            if active != old.is_active {
                enrolment::set_active(tx, photo, active, &by, now)?;
            }
            enrolment::get(tx, photo)
        };
        let row = self.db.write(work).await?;
        self.follow().await;
        Ok(row)
    }

    /// Deletes a photo's template. Returns whose it was.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` when it was changed since `version`.
    pub async fn delete(
        &self,
        photo: Uuid,
        version: Option<i64>,
        by: String,
        now: Wall,
    ) -> Result<StudentId, Error> {
        let work = move |tx: &Tx<'_>| {
            let old = enrolment::get(tx, photo)?;
            as_read(old.version, version)?;
            enrolment::delete(tx, photo, &by, now)?;
            Ok(old.student)
        };
        let student = self.db.write(work).await?;
        self.follow().await;
        Ok(student)
    }
}
