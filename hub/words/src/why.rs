//! Why a mark says absent, or why nobody can say it: in sentences.

use crate::language::Language;
use jiff::tz::TimeZone;
use rules::attendance::Status;
use rules::attendance::closing::{ClosingWhy, Grounds};
use wire::Wall;

/// Why a door could not have recognised a student, as a text's key; it may name the door.
#[must_use]
pub fn key(why: ClosingWhy) -> &'static str {
    match why {
        ClosingWhy::NoReport => "why-no-report",
        ClosingWhy::OldSoftware => "why-old-software",
        ClosingWhy::NoFrames => "why-no-frames",
        ClosingWhy::Undecodable => "why-undecodable",
        ClosingWhy::Covered => "why-covered",
        ClosingWhy::Frozen => "why-frozen",
        ClosingWhy::Dark => "why-dark",
        ClosingWhy::Unfocused => "why-unfocused",
        ClosingWhy::NoTrigger => "why-no-trigger",
        ClosingWhy::Idle => "why-idle",
        ClosingWhy::Dropped => "why-dropped",
        ClosingWhy::Lost => "why-lost",
        ClosingWhy::Clock => "why-clock",
        ClosingWhy::NoGallery => "why-no-gallery",
        ClosingWhy::NotInGallery => "why-not-in-gallery",
        ClosingWhy::Inactive => "why-inactive",
        ClosingWhy::NoConsent => "why-no-consent",
        ClosingWhy::NotEnrolled => "why-not-enrolled",
        ClosingWhy::OtherModel => "why-other-model",
        ClosingWhy::EnrolledLater => "why-enrolled-later",
    }
}

/// What a mark at the end of a lesson stands on; nothing for other marks. `counts` is the time in
/// which doors must have seen whoever came.
#[must_use]
pub fn sentences(
    language: Language,
    status: Status,
    grounds: &Grounds,
    counts: (Wall, Wall),
    zone: &TimeZone,
) -> Vec<String> {
    let lead = match status {
        Status::Absent => "why-absent-lead",
        Status::Unverified => "why-unverified-lead",
        _ => return Vec::new(),
    };
    let time = |at: Wall| crate::minute(language, at, zone);
    let mut all = vec![language.two(lead, ("from", time(counts.0)), ("to", time(counts.1)))];
    all.extend(grounds.stayed.then(|| language.say("why-stayed")));
    all.extend(grounds.doors.is_empty().then(|| language.say("why-no-door")));
    for door in &grounds.doors {
        if let Some(why) = door.why {
            let said = language.one(key(why), "door", door.door.as_str());
            if !all.contains(&said) {
                all.push(said);
            }
        }
        let percent = language.digits(&(door.permille / 10).to_string());
        all.push(language.two("why-share", ("door", door.door.as_str()), ("percent", percent)));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use rules::attendance::closing::Ground;

    const NOON: Wall = Wall(12 * 3_600_000);

    fn said(status: Status, stayed: bool, doors: &[(u16, Option<ClosingWhy>)]) -> Vec<String> {
        let door = |(permille, why): &(u16, Option<ClosingWhy>)| Ground {
            door: "door-1".into(),
            permille: *permille,
            why: *why,
        };
        let grounds = Grounds { stayed, doors: doors.iter().map(door).collect() };
        let counts = (NOON, NOON.plus_ms(1_500_000));
        let all = sentences(Language::English, status, &grounds, counts, &TimeZone::UTC);
        all.iter().map(|text| text.replace(['\u{2068}', '\u{2069}'], "")).collect()
    }

    #[test]
    fn an_absence_says_when_and_by_which_door_they_would_have_been_seen() {
        let all = said(Status::Absent, false, &[(974, None)]);
        assert_eq!(
            all,
            [
                "Nobody saw them from 12:00 to 12:25, and every door of the room would have.",
                "door-1 could have recognised them in 97 % of that time."
            ]
        );
    }

    #[test]
    fn nothing_is_said_of_marks_that_somebody_made() {
        assert!(said(Status::Present, false, &[(974, None)]).is_empty());
    }

    #[test]
    fn whatever_kept_a_door_from_knowing_them_is_named() {
        let all = said(
            Status::Unverified,
            true,
            &[(412, Some(ClosingWhy::Covered)), (0, Some(ClosingWhy::NoConsent))],
        );
        assert!(all[0].contains("nobody can say"), "{all:?}");
        assert!(all[1].contains("lesson before"), "{all:?}");
        assert!(all[2].contains("lens of door-1 was covered"), "{all:?}");
        assert!(all[3].contains("41 %") && all[4].contains("no consent"), "{all:?}");
        assert!(said(Status::Unverified, false, &[])[1].contains("no door"));
    }
}
