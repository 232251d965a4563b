//! Releases: when a door gets a new gallery, and what its manifest says.
//!
//! [`plan`] is a decision; whoever keeps the gallery carries it out.

use std::sync::Arc;
use wire::sign::Signed;
use wire::{DeviceId, Manifest, StudentId, Wall};

/// How long a door may use a gallery without hearing from the hub: 14 days.
pub const LEASE_MS: i64 = 14 * 24 * 3600 * 1000;
/// A lease this near its end is renewed.
const RENEW_MS: i64 = LEASE_MS / 2;

/// What a door should have now.
#[derive(Clone, Debug)]
pub struct Release {
    /// Its manifest.
    pub manifest: Manifest,
    /// The same, signed.
    pub signed: Signed,
    /// The file; every door with the same people shares it.
    pub file: Arc<Vec<u8>>,
    /// Who is in it.
    pub people: Arc<Vec<StudentId>>,
}

/// What to do about a door's release.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ReleasePlan {
    /// The last one is still right.
    Keep,
    /// Make this one.
    Make(Manifest),
}

/// The last release of a door, as far as it is known.
#[derive(Clone, Debug)]
pub struct Last<'a> {
    /// Its manifest.
    pub manifest: &'a Manifest,
    /// Who was in it; `None` after a restart.
    pub people: Option<&'a [StudentId]>,
}

/// What a new release is made of: the file, who is in it, and of which model.
#[derive(Clone, Copy, Debug)]
pub struct ReleaseContent<'a> {
    /// The gallery file.
    pub file: &'a [u8],
    /// Its digest: who makes it does so before the writer is busy.
    pub blake3: [u8; 32],
    /// Its model.
    pub model: &'a wire::ModelId,
    /// Its people, in the order of their ids.
    pub people: &'a [StudentId],
    /// Releases below this do not count: doors may have had later ones of a lost hub.
    pub floor: u64,
}

/// Whether `device` needs a new release now.
///
/// Whoever left must be forgotten: then, or when it is not known who was in the last one, doors
/// destroy every release before this.
#[must_use]
pub fn plan(
    device: &DeviceId,
    last: Option<&Last<'_>>,
    content: &ReleaseContent<'_>,
    now: Wall,
) -> ReleasePlan {
    let blake3 = content.blake3;
    let same = |last: &&Last<'_>| {
        last.manifest.blake3 == blake3
            && now.plus_ms(RENEW_MS) < last.manifest.expires
            && last.manifest.version >= content.floor
    };
    if last.filter(same).is_some() {
        return ReleasePlan::Keep;
    }
    let version = last.map_or(1, |last| last.manifest.version + 1).max(content.floor);
    let stays = |id: &StudentId| content.people.binary_search(id).is_ok();
    let purge_before = match last {
        Some(Last { manifest, people: Some(people) })
            if people.iter().all(stays) && manifest.version >= content.floor =>
        {
            manifest.purge_before
        }
        _ => version,
    };
    ReleasePlan::Make(Manifest {
        device: device.clone(),
        version,
        created: now,
        expires: now.plus_ms(LEASE_MS),
        purge_before,
        model: content.model.clone(),
        people: u32::try_from(content.people.len()).expect("fewer than 4 billion people"),
        size: content.file.len() as u64,
        blake3,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const NOW: Wall = Wall(1_780_000_000_000);

    fn people(ids: &[u128]) -> Vec<StudentId> {
        ids.iter().map(|id| StudentId(Uuid::from_u128(*id))).collect()
    }

    fn next(last: Option<(&Manifest, Option<&[u128]>)>, now: &[u128], at: Wall) -> ReleasePlan {
        let (file, now, model) = (format!("{now:?}"), people(now), "m-1".parse().unwrap());
        let content = ReleaseContent { people: &now, ..content(file.as_bytes(), &model, 0) };
        let before = last.and_then(|(_, ids)| ids.map(people));
        let last = last.map(|(manifest, _)| Last { manifest, people: before.as_deref() });
        plan(&"d1".parse().unwrap(), last.as_ref(), &content, at)
    }

    fn content<'a>(file: &'a [u8], model: &'a wire::ModelId, floor: u64) -> ReleaseContent<'a> {
        ReleaseContent { file, blake3: *blake3::hash(file).as_bytes(), model, people: &[], floor }
    }

    fn made(plan: ReleasePlan) -> Manifest {
        let ReleasePlan::Make(manifest) = plan else { panic!("nothing was made") };
        manifest
    }

    #[test]
    fn the_same_people_need_no_new_release_until_the_lease_is_half_over() {
        let first = made(next(None, &[1, 2], NOW));
        assert_eq!((first.version, first.people, first.purge_before), (1, 2, 1));
        let ids: Option<&[u128]> = Some(&[1, 2]);
        assert_eq!(
            next(Some((&first, ids)), &[1, 2], NOW.plus_ms(RENEW_MS - 1)),
            ReleasePlan::Keep
        );
        let renewed = made(next(Some((&first, ids)), &[1, 2], NOW.plus_ms(RENEW_MS)));
        assert_eq!((renewed.version, renewed.purge_before), (2, 1));
    }

    #[test]
    fn whoever_left_is_destroyed_and_whoever_came_is_not_a_reason() {
        let first = made(next(None, &[1, 2], NOW));
        let more = made(next(Some((&first, Some(&[1, 2]))), &[1, 2, 3], NOW));
        assert_eq!((more.version, more.purge_before), (2, 1));
        let fewer = made(next(Some((&more, Some(&[1, 2, 3]))), &[1, 3], NOW));
        assert_eq!((fewer.version, fewer.purge_before), (3, 3));
    }

    #[test]
    fn after_a_restart_a_change_destroys_to_be_safe() {
        let first = made(next(None, &[1, 2], NOW));
        assert_eq!(next(Some((&first, None)), &[1, 2], NOW), ReleasePlan::Keep);
        assert_eq!(made(next(Some((&first, None)), &[1, 2, 3], NOW)).purge_before, 2);
    }

    #[test]
    fn a_restored_hub_outruns_whatever_doors_have() {
        let model = "m-1".parse().unwrap();
        let content = |floor| content(b"x", &model, floor);
        let device = "d1".parse().unwrap();
        let first = made(plan(&device, None, &content(0), NOW));
        let last = Last { manifest: &first, people: Some(&[]) };
        let jump = made(plan(&device, Some(&last), &content(500), NOW));
        assert_eq!((jump.version, jump.purge_before), (500, 500));
        let last = Last { manifest: &jump, people: Some(&[]) };
        assert_eq!(plan(&device, Some(&last), &content(500), NOW), ReleasePlan::Keep);
    }
}
