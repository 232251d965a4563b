//! Crop and template of a sighting at rest: each sealed with its own random key, and that key
//! wrapped with the key of the student it counts for.
//!
//! Reassigning wraps the key anew; rejecting deletes the row; erasing the student's key makes
//! every copy unreadable, the backups' included.

use crate::vault::{Broken, DataKey};
use wire::seal::Part;
use wire::{RecordId, StudentId};
use zeroize::Zeroizing;

/// A part as table `evidence` holds it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Evidence {
    /// Whose key wraps it.
    pub student: StudentId,
    /// The part's own key, wrapped.
    pub wrapped: Vec<u8>,
    /// The part, sealed.
    pub sealed: Vec<u8>,
}

/// The part's name in the table.
#[must_use]
pub fn name(part: Part) -> &'static str {
    match part {
        Part::Template => "template",
        Part::Crop => "crop",
        Part::Snap => "snap",
    }
}

/// Where a part belongs: what is sealed for one place opens in no other.
fn place(record: RecordId, part: Part) -> String {
    format!("evidence/{record}/{}", name(part))
}

impl Evidence {
    /// Seals `plain` with a new key, wrapped with `key` of `student`.
    #[must_use]
    pub fn seal(
        record: RecordId,
        part: Part,
        plain: &[u8],
        student: StudentId,
        key: &DataKey,
    ) -> Self {
        let own = DataKey::random();
        let place = place(record, part);
        Self { student, wrapped: key.wrap(&place, &own), sealed: own.seal(&place, plain) }
    }

    /// The part, opened with the student's `key`.
    ///
    /// # Errors
    /// When it is another student's, another record's, or damaged.
    pub fn open(
        &self,
        record: RecordId,
        part: Part,
        key: &DataKey,
    ) -> Result<Zeroizing<Vec<u8>>, Broken> {
        let place = place(record, part);
        key.unwrap(&place, &self.wrapped)?.open(&place, &self.sealed)
    }

    /// The same part, wrapped for somebody else: `old` is the key it was wrapped with.
    ///
    /// # Errors
    /// When `old` is not that key.
    pub fn rewrap(
        self,
        record: RecordId,
        part: Part,
        old: &DataKey,
        student: StudentId,
        new: &DataKey,
    ) -> Result<Self, Broken> {
        let place = place(record, part);
        let own = old.unwrap(&place, &self.wrapped)?;
        Ok(Self { student, wrapped: new.wrap(&place, &own), ..self })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn a_part_opens_for_its_student_and_after_rewrapping_for_the_next() {
        let (record, other) = (RecordId(Uuid::from_u128(1)), RecordId(Uuid::from_u128(2)));
        let [ann, bob] = [1, 2].map(|n| StudentId(Uuid::from_u128(n)));
        let (anns, bobs) = (DataKey::random(), DataKey::random());
        let crop = Evidence::seal(record, Part::Crop, b"face", ann, &anns);
        assert_eq!(&*crop.open(record, Part::Crop, &anns).unwrap(), b"face");
        assert!(crop.open(record, Part::Template, &anns).is_err());
        assert!(crop.open(other, Part::Crop, &anns).is_err());
        assert!(crop.open(record, Part::Crop, &bobs).is_err());
        let crop = crop.rewrap(record, Part::Crop, &anns, bob, &bobs).unwrap();
        assert_eq!(&*crop.open(record, Part::Crop, &bobs).unwrap(), b"face");
        assert!(crop.open(record, Part::Crop, &anns).is_err());
    }
}
