//! The gallery as a door gets it: who may be recognised there, and by which lines.
//!
//! No names and no numbers travel to doors: ids and mean templates only (f16). A signed
//! [`Manifest`] says which file is the gallery, until when, and what must be forgotten.

use crate::id::{DeviceId, ModelId, StudentId};
use crate::sign::{Forged, Signed};
use crate::time::Wall;
use ed25519_dalek::{SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};

const DOMAIN: &str = "rollcall-gallery-v1";
const MAGIC: &[u8; 4] = b"RCG1";
/// A gallery file is never larger: 20,000 people of 512 dimensions.
pub const MAX_BYTES: u64 = 24 * 1024 * 1024;

/// Everybody one door may recognise.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Gallery {
    /// The network of every template in it.
    pub model: ModelId,
    /// Numbers in a template.
    pub dim: u16,
    /// Where the decision lines lie for this site.
    pub lines: Lines,
    /// The people, in the order of their ids.
    pub people: Vec<Person>,
    /// Pairs of indices into `people` who look alike: always for review. One index twice looks like
    /// somebody who is enrolled and not in here.
    pub look_alikes: Vec<(u32, u32)>,
    /// Pairs of indices into `people` that a person ruled out: the first was seen, and is not
    /// the second.
    pub cannot_link: Vec<(u32, u32)>,
    /// Who is due when.
    pub due: Vec<Due>,
}

/// One person as a door knows them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Person {
    /// Who.
    pub id: StudentId,
    /// Unit mean template, f16 little-endian, `2 × dim` bytes.
    pub template: Vec<u8>,
}

/// Cosine lines of the open-set decision: at or above `high` sure, at or above `review` for a
/// person, below unknown. Fused templates (3 frames or more) have lines of their own.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Lines {
    /// Sure, from fewer than 3 frames.
    pub single_high: f32,
    /// Review, from fewer than 3 frames.
    pub single_review: f32,
    /// Sure, fused.
    pub fused_high: f32,
    /// Review, fused.
    pub fused_review: f32,
    /// A runner-up nearer than this sends a sure match to review.
    pub margin: f32,
}

/// People expected in a span of time.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Due {
    /// Start, inclusive.
    pub from: Wall,
    /// End, exclusive.
    pub to: Wall,
    /// Bit n, lowest first in each byte: `people[n]` is due.
    pub members: Vec<u8>,
}

/// What the hub signs about a gallery file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Manifest {
    /// The one door it is for.
    pub device: DeviceId,
    /// Counts this door's releases, from 1; a door never goes back.
    pub version: u64,
    /// When it was made.
    pub created: Wall,
    /// The lease: after it the door forgets its gallery.
    pub expires: Wall,
    /// Releases below this are to be destroyed, not kept for going back.
    pub purge_before: u64,
    /// The network of the templates.
    pub model: ModelId,
    /// People in the file.
    pub people: u32,
    /// Bytes of the file.
    pub size: u64,
    /// BLAKE3 of the file.
    pub blake3: [u8; 32],
}

/// Why a gallery or its manifest is refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum GalleryError {
    /// Not from the hub this device joined.
    #[error("gallery refused: {0}")]
    Forged(#[from] Forged),
    /// The bytes do not decode.
    #[error("gallery refused: its bytes are damaged or of an unknown version")]
    Malformed,
    /// Made for another door.
    #[error("gallery refused: it was made for “{0}”")]
    OtherDevice(DeviceId),
    /// Older than what is installed, or the same.
    #[error("gallery refused: release {offered} is not newer than the installed {installed}")]
    Rollback {
        /// What was offered.
        offered: u64,
        /// What is installed.
        installed: u64,
    },
    /// The lease is over.
    #[error("gallery refused: its lease is over")]
    Expired,
    /// Another network.
    #[error("gallery refused: it is for model “{offered}”, this device runs “{running}”")]
    OtherModel {
        /// What was offered.
        offered: ModelId,
        /// What runs.
        running: ModelId,
    },
    /// Larger than any gallery may be.
    #[error("gallery refused: {0} bytes are more than any gallery may have")]
    TooLarge(u64),
    /// The file is not the one that was signed.
    #[error("gallery refused: the file is not the one the hub signed")]
    WrongFile,
}

impl Gallery {
    /// The file's bytes: magic, then postcard.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        postcard::to_extend(self, MAGIC.to_vec())
            .expect("a gallery holds only what postcard can write")
    }

    /// The gallery in `bytes`, checked: sizes of templates, indices in range, finite lines.
    ///
    /// # Errors
    /// When anything about it is off.
    pub fn decode(bytes: &[u8]) -> Result<Self, GalleryError> {
        let content = bytes.strip_prefix(MAGIC).ok_or(GalleryError::Malformed)?;
        let (gallery, rest) =
            postcard::take_from_bytes::<Self>(content).map_err(|_| GalleryError::Malformed)?;
        if rest.is_empty() && gallery.is_sound() {
            Ok(gallery)
        } else {
            Err(GalleryError::Malformed)
        }
    }

    fn is_sound(&self) -> bool {
        let count = self.people.len();
        let inside = |pair: &(u32, u32)| (pair.0 as usize) < count && (pair.1 as usize) < count;
        self.people.iter().all(|p| p.template.len() == 2 * usize::from(self.dim))
            && self.people.is_sorted_by(|a, b| a.id < b.id)
            && self.look_alikes.iter().chain(&self.cannot_link).all(inside)
            && self.due.iter().all(|due| due.members.len() == count.div_ceil(8))
            && self.lines.are_finite()
    }
}

impl Lines {
    fn are_finite(&self) -> bool {
        [self.single_high, self.single_review, self.fused_high, self.fused_review, self.margin]
            .iter()
            .all(|line| line.is_finite())
    }
}

impl Manifest {
    /// The manifest signed by the hub.
    #[must_use]
    pub fn sign(&self, key: &SigningKey) -> Signed {
        let bytes = postcard::to_stdvec(self).expect("a manifest holds only plain values");
        Signed::new(key, DOMAIN, bytes)
    }

    /// The manifest in `signed`, if the hub's `key` signed it. Whether it may be installed is
    /// another question: [`Manifest::admit`].
    ///
    /// # Errors
    /// When it was not, or does not decode.
    pub fn open(signed: &Signed, key: &VerifyingKey) -> Result<Self, GalleryError> {
        match postcard::take_from_bytes(signed.verify(key, DOMAIN)?) {
            Ok((manifest, [])) => Ok(manifest),
            _ => Err(GalleryError::Malformed),
        }
    }

    /// Whether this door may install it now: for this door, newer than `installed`, within
    /// its lease (where the time is known), for the running network, of a sane size.
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub fn admit(
        &self,
        device: &DeviceId,
        installed: u64,
        running: &ModelId,
        now: Option<Wall>,
    ) -> Result<(), GalleryError> {
        if self.device != *device {
            return Err(GalleryError::OtherDevice(self.device.clone()));
        }
        if self.version <= installed {
            return Err(GalleryError::Rollback { offered: self.version, installed });
        }
        if now.is_some_and(|now| now >= self.expires) {
            return Err(GalleryError::Expired);
        }
        if self.model != *running {
            let (offered, running) = (self.model.clone(), running.clone());
            return Err(GalleryError::OtherModel { offered, running });
        }
        if self.size > MAX_BYTES {
            return Err(GalleryError::TooLarge(self.size));
        }
        Ok(())
    }

    /// The gallery in `file`, if it is the one signed for.
    ///
    /// # Errors
    /// When size, hash, or content differ.
    pub fn check(&self, file: &[u8]) -> Result<Gallery, GalleryError> {
        if file.len() as u64 != self.size || *blake3::hash(file).as_bytes() != self.blake3 {
            return Err(GalleryError::WrongFile);
        }
        let gallery = Gallery::decode(file)?;
        let fits = gallery.people.len() as u64 == u64::from(self.people);
        if fits && gallery.model == self.model { Ok(gallery) } else { Err(GalleryError::WrongFile) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    fn gallery() -> Gallery {
        let person = |n| Person { id: StudentId(Uuid::from_u128(n)), template: vec![0, 60, 0, 0] };
        Gallery {
            model: "test-1".parse().unwrap(),
            dim: 2,
            lines: Lines {
                single_high: 0.96,
                single_review: 0.94,
                fused_high: 0.965,
                fused_review: 0.95,
                margin: 0.01,
            },
            people: vec![person(1), person(2)],
            look_alikes: vec![(0, 1)],
            cannot_link: vec![],
            due: vec![Due { from: Wall(1), to: Wall(2), members: vec![0b10] }],
        }
    }

    fn manifest(file: &[u8]) -> Manifest {
        Manifest {
            device: "d1".parse().unwrap(),
            version: 5,
            created: Wall(10),
            expires: Wall(100),
            purge_before: 0,
            model: "test-1".parse().unwrap(),
            people: 2,
            size: file.len() as u64,
            blake3: *blake3::hash(file).as_bytes(),
        }
    }

    #[test]
    fn a_signed_release_opens_into_its_gallery() {
        let (key, file) = (SigningKey::from_bytes(&[1; 32]), gallery().encode());
        let signed = manifest(&file).sign(&key);
        let opened = Manifest::open(&signed, &key.verifying_key()).unwrap();
        assert_eq!(opened.check(&file), Ok(gallery()));
        let other = SigningKey::from_bytes(&[2; 32]).verifying_key();
        assert_eq!(Manifest::open(&signed, &other), Err(GalleryError::Forged(Forged)));
    }

    #[test]
    fn a_release_is_admitted_only_where_when_and_for_what_it_was_made() {
        let release = manifest(&gallery().encode());
        let admit = |device: &str, installed, model: &str, now| {
            let (device, model) = (device.parse().unwrap(), model.parse().unwrap());
            release.admit(&device, installed, &model, now)
        };
        assert_eq!(admit("d1", 4, "test-1", Some(Wall(99))), Ok(()));
        assert_eq!(admit("d1", 4, "test-1", None), Ok(()), "the time is not known");
        assert!(matches!(admit("d2", 4, "test-1", None), Err(GalleryError::OtherDevice(_))));
        assert!(matches!(admit("d1", 5, "test-1", None), Err(GalleryError::Rollback { .. })));
        assert_eq!(admit("d1", 4, "test-1", Some(Wall(100))), Err(GalleryError::Expired));
        assert!(matches!(admit("d1", 4, "other-1", None), Err(GalleryError::OtherModel { .. })));
    }

    #[test]
    fn a_gallery_that_contradicts_itself_is_refused() {
        let refused = |change: fn(&mut Gallery)| {
            let mut gallery = gallery();
            change(&mut gallery);
            Gallery::decode(&gallery.encode()) == Err(GalleryError::Malformed)
        };
        assert!(refused(|g| g.people[0].template.truncate(3)));
        assert!(refused(|g| g.people.reverse()));
        assert!(refused(|g| g.look_alikes.push((0, 2))));
        assert!(refused(|g| g.due[0].members.clear()));
        assert!(refused(|g| g.lines.margin = f32::NAN));
    }

    proptest! {
        #[test]
        fn a_changed_file_is_never_taken(at in 0usize..100, bit in 0u8..8) {
            let file = gallery().encode();
            let mut changed = file.clone();
            changed[at % file.len()] ^= 1 << bit;
            prop_assert_eq!(manifest(&file).check(&changed), Err(GalleryError::WrongFile));
            let _ = Gallery::decode(&changed);
        }
    }
}
