//! Copies whose time is over, and what a backup left half done.

use super::names;
use rules::error::{Doing, Error};
use std::fs;
use std::path::Path;
use wire::Wall;

const DAY_MS: i64 = 24 * 3600 * 1000;
/// Letters of a moment in a name.
const STAMP: usize = 19;

/// The moment as file names say it; they sort by time.
pub(super) fn stamp(now: Wall) -> String {
    let at = jiff::Timestamp::from_millisecond(now.0).unwrap_or_default();
    at.strftime("%Y%m%dT%H%M%S%3fZ").to_string()
}

/// The moment that a name of ours holds, after `begin`.
pub(super) fn stamped(name: &str, begin: &str) -> Option<Wall> {
    let (text, _) = name.strip_prefix(begin)?.split_at_checked(STAMP)?;
    let (whole, ms) = text.strip_suffix('Z')?.split_at_checked(15)?;
    let at = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%S", whole).ok()?;
    let at = at.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_millisecond();
    Some(Wall(at + ms.parse::<i64>().ok()?))
}

/// Destroys what in `folder` begins with `begin` and is older than `ms`, and what is half done
/// and older than a day. With `keep` the newest whole one stays, however old. Returns how many.
pub(super) fn destroy(
    folder: &Path,
    begin: &str,
    ms: i64,
    keep: bool,
    now: Wall,
) -> Result<usize, Error> {
    let mut destroyed = 0;
    let all = names(folder)?;
    let whole = |name: &str| stamped(name, begin).is_some() && !name.contains(".part");
    let newest = all.iter().rev().find(|(name, _)| whole(name)).map(|(name, _)| name.clone());
    for (name, path) in all {
        let Some(at) = stamped(&name, begin) else { continue };
        let lives = if whole(&name) { ms } else { DAY_MS };
        if at.plus_ms(lives) > now || (keep && newest.as_ref() == Some(&name)) {
            continue;
        }
        let gone = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        gone.doing("destroying an old copy")?;
        destroyed += 1;
    }
    Ok(destroyed)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Wall = Wall(1_790_000_000_123);

    #[test]
    fn a_name_tells_its_time() {
        let stamp = stamp(NOW);
        assert_eq!(stamped(&format!("keys-{stamp}"), "keys-"), Some(NOW));
        assert_eq!(stamped(&format!("hub-{stamp}.db.age"), "hub-"), Some(NOW));
        assert_eq!(stamped("keys-of-the-house-and-of-the-yard", "keys-"), None);
    }

    #[test]
    fn old_copies_and_halves_go_and_the_newest_stays() {
        let dir = tempfile::tempdir().unwrap();
        let day = |n: i64| NOW.plus_ms(n * DAY_MS);
        let name = |n: i64, end: &str| format!("hub-{}.db{end}", stamp(day(n)));
        for name in [name(0, ""), name(1, ".age"), name(2, ".age"), name(3, ".age.part")] {
            fs::write(dir.path().join(name), "x").unwrap();
        }
        fs::write(dir.path().join("hub-of-the-school.db"), "x").unwrap();
        let left = |at: i64| {
            destroy(dir.path(), "hub-", 2 * DAY_MS, true, day(at)).unwrap();
            names(dir.path()).unwrap().len()
        };
        assert_eq!([left(1), left(2), left(3), left(4), left(99)], [5, 4, 3, 2, 2]);
        assert!(dir.path().join(name(2, ".age")).exists(), "the newest whole one");
    }
}
