//! One sighting as a card: a person's name large, everything a decision needs beside it.

use jiff::{civil::Date, tz::TimeZone};
use store::desk::queue::QueueGroup as Place;
use wire::{Reason, Wall};
use words::language::Language;

/// From this confidence on a card is above its group's line: “very likely”.
const LINE: f64 = 0.9;
/// Below this one it takes a second look.
const LOW: f64 = 0.7;
/// Reasons to doubt who it was: such a card is never approved with others.
const WHO: [Reason; 4] =
    [Reason::CloseRunnerUp, Reason::LookAlike, Reason::RuledOut, Reason::DetectorUnsure];

/// What is known of a sighting; the card is made of nothing else.
#[derive(Clone, Debug)]
pub struct CardFacts {
    /// Its id.
    pub id: String,
    /// Its version, so that a decision on an old one is refused.
    pub version: i64,
    /// When it happened, or else when it came.
    pub at: Wall,
    /// How well the time is known: `unset`, `floor`, `rtc`, `ntp`, `hub`.
    pub clock: String,
    /// The door that saw it.
    pub device: String,
    /// The room behind it; may be empty.
    pub room: String,
    /// Best first.
    pub candidates: Vec<CardFace>,
    /// Of the first candidate, 0..=1.
    pub confidence: f64,
    /// Why it waits.
    pub reasons: Vec<Reason>,
    /// Whether the crop was kept.
    pub crop: bool,
    /// Once decided: what was decided, and by whom.
    pub verdict: Option<CardVerdict>,
}

/// A person it may have been.
#[derive(Clone, Debug)]
pub struct CardFace {
    /// Their id.
    pub id: String,
    /// Their number in the register.
    pub number: String,
    /// Their name.
    pub name: String,
    /// Confidence, 0..=1.
    pub confidence: f64,
}

/// A decision that was made.
#[derive(Clone, Debug)]
pub struct CardVerdict {
    /// Approved, or else rejected.
    pub approved: bool,
    /// The name of whom it was decided to be.
    pub name: String,
    /// Who decided, if that account is still known.
    pub by: Option<String>,
}

/// A candidate to pick.
pub struct CardPick {
    /// Their id.
    pub id: String,
    /// Their name.
    pub name: String,
    /// Confidence in per cent.
    pub percent: u8,
}

/// A card, ready for its template.
pub struct Card {
    /// See [`CardFacts`].
    pub id: String,
    /// See [`CardFacts`].
    pub version: i64,
    /// How sure, written so that texts compare as the numbers do.
    pub order: String,
    /// The first candidate's name; none where nobody is known any more.
    pub name: Option<String>,
    /// The first letters of the name.
    pub initials: String,
    /// The first candidate's number.
    pub number: String,
    /// Confidence in words.
    pub words: &'static str,
    /// Confidence in per cent.
    pub percent: u8,
    /// Whether it is too low to nod through.
    pub low: bool,
    /// Whether it is below the line of its group.
    pub below: bool,
    /// Whether it may be approved together with others.
    pub sure: bool,
    /// Why it waits, in words.
    pub reasons: Vec<&'static str>,
    /// The door.
    pub door: String,
    /// The room behind it.
    pub room: String,
    /// Hour, minute, second.
    pub time: String,
    /// What is doubtful about the time; empty if nothing is.
    pub time_quality: &'static str,
    /// Every candidate, the first included.
    pub picks: Vec<CardPick>,
    /// Whether there is a crop to show.
    pub crop: bool,
    /// What was decided already, in words.
    pub verdict: Option<String>,
}

/// What belongs together, with its cards.
pub struct CardGroup {
    /// Where it stands: the groups' texts, from high to low, are the order of the desk.
    pub key: String,
    /// What it is called.
    pub name: String,
    /// When and where it was.
    pub detail: String,
    /// Its cards, the surest first.
    pub cards: Vec<Card>,
}

impl CardGroup {
    /// The group of these cards, for people whose day is `today` in `zone`.
    #[must_use]
    pub fn new(
        place: &Place,
        cards: Vec<Card>,
        today: Date,
        zone: &TimeZone,
        language: Language,
    ) -> Self {
        let day = |at| words::say_day(language, rules::timetable::day(at, zone), today);
        let minute = |at| words::minute(language, at, zone);
        let (name, when, room) = match place {
            Place::Lesson(lesson) => {
                let when = format!(
                    "{}, {}–{}",
                    day(lesson.starts),
                    minute(lesson.starts),
                    minute(lesson.ends)
                );
                let name = match &lesson.class {
                    Some(class) if lesson.name.is_empty() || lesson.name == *class => class.clone(),
                    Some(class) => format!("{class} · {}", lesson.name),
                    None => language.say("review-other-lesson"),
                };
                (name, when, lesson.room.clone())
            }
            Place::Door(door) => {
                let room = cards.first().map(|card| card.room.clone()).unwrap_or_default();
                let name = if room.is_empty() { door.device.clone() } else { room };
                (name, day(door.from), String::new())
            }
        };
        let detail = if room.is_empty() { when } else { format!("{when} · {room}") };
        Self { key: place.place().to_string(), name, detail, cards }
    }

    /// The cards that can be approved together: id and version of each.
    #[must_use]
    pub fn sure(&self) -> String {
        let sure = self.cards.iter().filter(|card| card.sure);
        let one = |card: &Card| format!("{}:{}", card.id, card.version);
        sure.map(one).collect::<Vec<_>>().join(" ")
    }

    /// How many those are.
    #[must_use]
    pub fn surely(&self) -> usize {
        self.cards.iter().filter(|card| card.sure).count()
    }
}

impl Card {
    /// The card of `facts`, for people who live in `zone`.
    #[must_use]
    pub fn new(facts: CardFacts, zone: &TimeZone, language: Language) -> Self {
        let first = facts.candidates.first();
        let pick = |face: &CardFace| CardPick {
            id: face.id.clone(),
            name: face.name.clone(),
            percent: words::percent(face.confidence),
        };
        let below = facts.confidence < LINE;
        let doubted = facts.reasons.iter().any(|reason| WHO.contains(reason));
        Self {
            order: format!("{:.9}-{}", facts.confidence, facts.id),
            name: first.map(|face| face.name.clone()),
            initials: first.map(|face| initials(&face.name)).unwrap_or_default(),
            number: first.map(|face| face.number.clone()).unwrap_or_default(),
            words: words::confidence(facts.confidence),
            percent: words::percent(facts.confidence),
            low: facts.confidence < LOW,
            below,
            sure: !below && !doubted && facts.verdict.is_none() && first.is_some(),
            reasons: facts.reasons.iter().map(|reason| words::reason(*reason)).collect(),
            door: facts.device,
            room: facts.room,
            time: language.digits(&words::time(facts.at, zone)),
            time_quality: words::clock(&facts.clock),
            picks: facts.candidates.iter().map(pick).collect(),
            crop: facts.crop,
            verdict: facts.verdict.as_ref().map(|verdict| verdict.say(language)),
            id: facts.id,
            version: facts.version,
        }
    }
}

/// The first letters of the first and the last word of a name.
fn initials(name: &str) -> String {
    let first = |word: &str| word.chars().find(|c| c.is_alphanumeric());
    let mut letters: Vec<char> = name.split_whitespace().filter_map(first).collect();
    if letters.len() > 2 {
        letters.drain(1..letters.len() - 1);
    }
    letters.into_iter().flat_map(char::to_uppercase).collect()
}

impl CardVerdict {
    fn say(&self, language: Language) -> String {
        let Self { approved, name, by } = self;
        let by = by.clone().unwrap_or_else(|| language.say("review-somebody"));
        match approved {
            true => language.two("review-was-approved", ("by", by), ("name", name)),
            false => language.one("review-was-rejected", "by", by),
        }
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use store::desk::queue::QueueLesson;

    pub fn facts(n: usize, device: &str) -> CardFacts {
        let face = |id: &str, name: &str, confidence| CardFace {
            id: id.into(),
            number: format!("STU{id}"),
            name: name.into(),
            confidence,
        };
        CardFacts {
            id: format!("00000000-0000-8000-8000-{n:012}"),
            version: 1,
            at: Wall(1_772_441_130_000),
            clock: "ntp".into(),
            device: device.into(),
            room: "Room 204".into(),
            candidates: vec![face("17", "Ada Lovelace", 0.94), face("4", "Grace Hopper", 0.52)],
            confidence: 0.94,
            reasons: vec![Reason::SingleFrame, Reason::CloseRunnerUp],
            crop: true,
            verdict: None,
        }
    }

    pub fn card(facts: CardFacts) -> Card {
        Card::new(facts, &TimeZone::UTC, Language::English)
    }

    pub fn group(cards: Vec<CardFacts>) -> CardGroup {
        let starts = Wall(1_772_440_200_000);
        let lesson = QueueLesson {
            id: uuid::Uuid::from_u128(7),
            class: Some("7b".into()),
            name: "Mathematics".into(),
            room: "Room 204".into(),
            starts,
            ends: starts.plus_ms(45 * 60_000),
        };
        let cards = cards.into_iter().map(card).collect();
        let today = jiff::civil::date(2026, 3, 2);
        CardGroup::new(&Place::Lesson(lesson), cards, today, &TimeZone::UTC, Language::English)
    }

    #[test]
    fn a_card_says_who_how_sure_where_and_why() {
        let card = card(facts(1, "door-1"));
        let name = card.name.as_deref();
        let initials = card.initials.as_str();
        assert_eq!((name, initials), (Some("Ada Lovelace"), "AL"));
        assert_eq!((card.words, card.percent), ("words-very-likely", 94));
        assert_eq!((card.door.as_str(), card.room.as_str()), ("door-1", "Room 204"));
        assert_eq!(card.reasons[0], "words-single-frame");
        assert_eq!((card.time.as_str(), card.time_quality), ("08:45:30", ""));
    }

    #[test]
    fn a_group_is_called_by_its_class_lesson_time_and_room() {
        let group = group(vec![facts(1, "door-1")]);
        assert_eq!(group.name, "7b · Mathematics");
        let detail = group.detail.replace(['\u{2068}', '\u{2069}'], "");
        assert_eq!(detail, "Today, Monday, 2 March, 08:30–09:15 · Room 204");
    }

    #[test]
    fn only_cards_above_the_line_whose_person_is_not_in_doubt_go_together() {
        let clear = CardFacts { reasons: vec![Reason::SingleFrame], ..facts(1, "d") };
        let doubted = facts(2, "d"); // a close runner-up
        let unsure = CardFacts { confidence: 0.8, ..clear.clone() };
        let group = group(vec![clear, doubted, unsure]);
        assert_eq!(group.sure(), "00000000-0000-8000-8000-000000000001:1");
        assert_eq!(
            group.cards.iter().map(|card| card.below).collect::<Vec<_>>(),
            [false, false, true]
        );
    }

    #[test]
    fn initials_are_of_any_name() {
        let said =
            ["Ada Lovelace", "Ada King Noel Lovelace", "علی رضایی", "", "😀 Bo"].map(initials);
        assert_eq!(said, ["AL", "AL", "عر", "", "B"]);
    }

    #[test]
    fn a_decided_card_says_who_was_faster() {
        let by = Some("Mr Babbage".to_owned());
        let verdict = Some(CardVerdict { approved: false, name: String::new(), by });
        let card = card(CardFacts { verdict, ..facts(1, "door-1") });
        let said = card.verdict.unwrap().replace(['\u{2068}', '\u{2069}'], "");
        assert_eq!(said, "Mr Babbage has already rejected this");
    }
}
