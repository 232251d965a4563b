//! The roll of a lesson as a teacher reads it: what is known of each student, in words.

use super::mark_words;
use jiff::tz::TimeZone;
use rules::attendance::closing::{ClosingWhy, Grounds};
use rules::attendance::spoken::stamp;
use rules::attendance::{Mark, Source, Status};
use store::passage::PassageElsewhere;
use store::session::Session;
use uuid::Uuid;
use wire::Wall;
use words::language::Language;
use words::{self, why};

/// What is known of a student in a lesson.
#[derive(Clone, Debug)]
pub struct RollFacts {
    /// Own id.
    pub id: Uuid,
    /// Number in the school's register.
    pub number: String,
    /// Full name.
    pub name: String,
    /// What is recorded.
    pub mark: Option<Mark>,
    /// The name of whoever recorded it, if that was a person.
    pub by: Option<String>,
    /// Whether a sighting of them waits for a person.
    pub waiting: bool,
    /// Where else they were seen that day.
    pub elsewhere: Option<PassageElsewhere>,
    /// What the mark stands on, if the end of the lesson made it.
    pub grounds: Option<Grounds>,
    /// The time in which doors must have seen whoever came.
    pub counts: (Wall, Wall),
    /// Why no door of the room can know them, and which does not.
    pub unknown: Option<(ClosingWhy, String)>,
}

/// A student on the roll, ready for its template.
pub struct RollRow {
    /// Own id.
    pub id: Uuid,
    /// Number in the school's register.
    pub number: String,
    /// Full name.
    pub name: String,
    /// What the mark says, for the style.
    pub class: &'static str,
    /// What the mark says, as a text's key.
    pub state: &'static str,
    /// Who says so and when, and where else they were.
    pub about: Vec<String>,
    /// The question that [`RollRow::why`] answers, as a text's key.
    pub asks: &'static str,
    /// Why the mark is what it is; nothing where somebody said so.
    pub why: Vec<String>,
    /// Whether no door can know them, so that somebody should tick them.
    pub tick: bool,
    /// What was noted.
    pub notes: Option<String>,
    /// Whether a sighting of them waits.
    pub waiting: bool,
    /// Whether a person said it, so that it can be taken back.
    pub undo: bool,
    /// Which mark this is: a change of another one is refused.
    pub stamp: String,
    /// Each button: its value, its text, whether this is what is recorded.
    pub choices: Vec<(&'static str, &'static str, bool)>,
}

impl RollRow {
    /// The row of `facts`, its times in `zone`.
    #[must_use]
    pub fn new(facts: RollFacts, language: Language, zone: &TimeZone) -> Self {
        let status = facts.mark.as_ref().map(|mark| mark.status);
        let (class, state) = state(status, facts.waiting);
        let known = status.is_some_and(|status| status.was_there() || status == Status::Excused);
        let said = facts.mark.as_ref().map(|mark| said(mark, facts.by.as_deref(), language, zone));
        let elsewhere = facts.elsewhere.as_ref().filter(|_| !known);
        let elsewhere = elsewhere.map(|seen| {
            let time = words::minute(language, seen.at, zone);
            let key = if seen.left { "roll-left" } else { "roll-elsewhere" };
            language.two(key, ("place", &seen.place), ("time", time))
        });
        let hand = |mark: &Mark| mark.source == Source::Manual;
        let choice = |of: Status| (of.as_str(), mark_words::of(of).in_roll, status == Some(of));
        let open = !facts.waiting && matches!(status, None | Some(Status::Unverified));
        let unknown = facts.unknown.as_ref().filter(|_| open);
        let grounds = facts.grounds.as_ref().zip(status);
        let why = grounds
            .map(|(grounds, status)| why::sentences(language, status, grounds, facts.counts, zone));
        // Whoever is behind a mark is told there why no door knows them.
        let alone = unknown.filter(|_| status.is_none());
        let alone = alone.map(|(why, door)| language.one(why::key(*why), "door", door.as_str()));
        Self {
            class,
            state,
            about: said.flatten().into_iter().chain(elsewhere).chain(alone).collect(),
            asks: if status == Some(Status::Absent) { "why-absent" } else { "why-unverified" },
            why: why.unwrap_or_default(),
            tick: unknown.is_some(),
            waiting: facts.waiting,
            undo: facts.mark.as_ref().is_some_and(hand),
            stamp: stamp(facts.mark.as_ref()),
            choices: Status::SAID.map(choice).into(),
            id: facts.id,
            number: facts.number,
            name: facts.name,
            notes: facts.mark.and_then(|mark| mark.notes),
        }
    }
}

/// A mark for the eye and in words.
fn state(status: Option<Status>, waiting: bool) -> (&'static str, &'static str) {
    match status {
        Some(status) => (status.as_str(), mark_words::of(status).in_roll),
        None if waiting => ("undecided", "roll-waits"),
        None => ("nothing", "roll-nothing"),
    }
}

/// Who says so and when; nothing for what only the end of the lesson says.
fn said(mark: &Mark, by: Option<&str>, language: Language, zone: &TimeZone) -> Option<String> {
    let time = |at: Wall| words::minute(language, at, zone);
    match (mark.source, by, mark.arrived_at) {
        (Source::Manual, Some(by), _) => {
            Some(language.two("roll-by-hand", ("name", by), ("time", time(mark.at))))
        }
        (Source::Manual, None, _) => Some(language.one("roll-said", "time", time(mark.at))),
        (Source::Door, _, Some(at)) => Some(language.one("roll-at-door", "time", time(at))),
        (Source::Door, _, None) => Some(language.say("roll-at-door-sometime")),
        (Source::Photo, ..) => Some(language.say("roll-on-photo")),
        (Source::Close, ..) => None,
    }
}

/// How many of each there are: the style, the text's key, how many.
#[must_use]
pub fn counts(rows: &[RollRow]) -> Vec<(&'static str, &'static str, usize)> {
    let all = Status::ALL.map(|status| (status.as_str(), mark_words::of(status).counted));
    let all = all.into_iter().chain([("nothing", "roll-count-nothing")]);
    let count = |class| rows.iter().filter(|row| row.class == class).count();
    let all = all.map(|(class, key)| (class, key, count(class)));
    all.filter(|(class, _, n)| *n > 0 || *class == "present").collect()
}

/// The lesson to show first: the one that runs, or else the next, or else the last. They come by
/// their start.
#[must_use]
pub fn first(lessons: &[Session], now: Wall) -> Option<&Session> {
    lessons.iter().find(|lesson| lesson.ends > now).or(lessons.last())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::class::tests::lesson;

    const NOON: Wall = Wall(12 * 3_600_000);

    fn mark(status: Status, source: Source) -> Mark {
        let (by, arrived_at) = ("x".to_owned(), Some(NOON));
        let (sighting, notes) = (None, None);
        Mark { status, source, sighting, arrived_at, by, at: NOON, notes, version: 3 }
    }

    fn facts(mark: Option<Mark>) -> RollFacts {
        let elsewhere = Some(PassageElsewhere {
            student: wire::StudentId(Uuid::nil()),
            at: NOON,
            place: "Gate".into(),
            left: false,
        });
        let (number, name) = ("S1".to_owned(), "Ada".to_owned());
        RollFacts {
            id: Uuid::nil(),
            number,
            name,
            mark,
            by: Some("Grace".into()),
            waiting: false,
            elsewhere,
            grounds: None,
            counts: (NOON, NOON),
            unknown: None,
        }
    }

    fn row(facts: RollFacts) -> RollRow {
        RollRow::new(facts, Language::English, &TimeZone::UTC)
    }

    fn plain(row: &RollRow) -> Vec<String> {
        row.about.iter().map(|text| text.replace(['\u{2068}', '\u{2069}'], "")).collect()
    }

    #[test]
    fn what_a_person_said_shows_who_and_when_and_can_be_taken_back() {
        let row = row(facts(Some(mark(Status::Present, Source::Manual))));
        assert_eq!((row.class, row.undo, row.stamp.as_str()), ("present", true, "3-43200000"));
        assert_eq!(plain(&row), ["Marked by Grace at 12:00"]);
        let pressed: Vec<_> = row.choices.iter().filter(|choice| choice.2).collect();
        assert_eq!(pressed, [&("present", "roll-present", true)]);
    }

    #[test]
    fn whoever_is_missing_here_shows_where_they_were_seen() {
        let absent = row(facts(Some(mark(Status::Absent, Source::Close))));
        assert_eq!(
            (plain(&absent), absent.undo),
            (vec!["Seen at Gate at 12:00".to_owned()], false)
        );
        let nothing = row(facts(None));
        assert_eq!((nothing.class, nothing.stamp.as_str()), ("nothing", "0"));
        assert_eq!(plain(&nothing), ["Seen at Gate at 12:00"]);
        let there = row(facts(Some(mark(Status::Late, Source::Door))));
        assert_eq!(plain(&there), ["Came in at 12:00"]);
    }

    #[test]
    fn whoever_no_door_can_know_is_to_be_ticked_until_somebody_says_something() {
        let unknown = Some((ClosingWhy::NoConsent, "door-1".to_owned()));
        let of = |mark| RollFacts { unknown: unknown.clone(), elsewhere: None, ..facts(mark) };
        let open = row(of(None));
        assert!(open.tick && plain(&open)[0].contains("no consent"), "{:?}", plain(&open));
        assert!(row(of(Some(mark(Status::Unverified, Source::Close)))).tick);
        assert!(!row(of(Some(mark(Status::Present, Source::Manual)))).tick);
        assert!(!row(RollFacts { waiting: true, ..of(None) }).tick, "a door saw them after all");
    }

    #[test]
    fn who_waits_is_counted_as_undecided_and_everybody_once() {
        let waiting = RollFacts { waiting: true, ..facts(None) };
        let rows =
            [waiting, facts(None), facts(Some(mark(Status::Present, Source::Door)))].map(row);
        let counts: Vec<_> = counts(&rows).into_iter().map(|(class, _, n)| (class, n)).collect();
        assert_eq!(counts, [("present", 1), ("undecided", 1), ("nothing", 1)]);
    }

    #[test]
    fn the_lesson_that_runs_comes_first_then_the_next_then_the_last() {
        let day = [lesson(1, 7, 60), lesson(2, 7, 120)];
        let at = |minute: i64| first(&day, Wall(minute * 60_000)).map(|lesson| lesson.id.as_u128());
        assert_eq!([0, 60, 104, 105, 130, 999].map(at), [1, 1, 1, 2, 2, 2].map(Some));
        assert!(first(&[], NOON).is_none());
    }
}
