//! A gallery in RAM, ready for search.

use vision::{Hit, Matrix, Template, TemplateError};
use wire::{Candidate, Gallery, StudentId, Wall};

/// One release, with its templates as a matrix: row n is `gallery.people[n]`.
#[derive(Debug)]
pub struct LoadedGallery {
    /// Its release number.
    pub version: u64,
    /// What the hub sent.
    pub gallery: Gallery,
    matrix: Matrix,
}

impl LoadedGallery {
    /// Unpacks the templates.
    ///
    /// # Errors
    /// When one of them is no template.
    pub fn new(version: u64, gallery: Gallery) -> Result<Self, TemplateError> {
        let mut matrix = Matrix::new(gallery.dim.into());
        for person in &gallery.people {
            matrix.push(&Template::from_f16_bytes(&person.template)?)?;
        }
        Ok(Self { version, gallery, matrix })
    }

    /// The `k` most alike, best first.
    #[must_use]
    pub fn nearest(&self, template: &Template, k: usize) -> Vec<Candidate> {
        self.candidates(&self.matrix.top(template, k))
    }

    /// The same among those due at `now`; nobody if nobody is.
    #[must_use]
    pub fn nearest_due(&self, template: &Template, k: usize, now: Wall) -> Vec<Candidate> {
        let due = self.gallery.due.iter().find(|due| due.from <= now && now < due.to);
        let Some(due) = due else { return Vec::new() };
        let member = |row: usize| due.members.get(row / 8).is_some_and(|b| b >> (row % 8) & 1 == 1);
        self.candidates(&self.matrix.top_of(template, k, member))
    }

    /// The row of somebody who is in it.
    #[must_use]
    pub fn row(&self, student: StudentId) -> Option<u32> {
        let row = self.gallery.people.binary_search_by_key(&student, |person| person.id);
        row.ok().and_then(|row| u32::try_from(row).ok())
    }

    fn candidates(&self, hits: &[Hit]) -> Vec<Candidate> {
        let person = |hit: &Hit| self.gallery.people[hit.row].id;
        hits.iter().map(|hit| Candidate { student: person(hit), score: hit.score }).collect()
    }
}
