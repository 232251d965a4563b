//! One sighting as a card: a person's name large, everything a decision needs beside it.

use super::tongue::Tongue;
use super::words;
use jiff::{civil::Date, tz::TimeZone};
use wire::{Reason, Wall};

/// What is known of a sighting; the card is made of nothing else.
#[derive(Clone, Debug)]
pub struct Facts {
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
    pub candidates: Vec<Face>,
    /// Of the first candidate, 0..=1.
    pub confidence: f64,
    /// Why it waits.
    pub reasons: Vec<Reason>,
    /// Whether the crop was kept.
    pub crop: bool,
    /// Once decided: what was decided, and by whom.
    pub verdict: Option<Verdict>,
}

/// A person it may have been.
#[derive(Clone, Debug)]
pub struct Face {
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
pub struct Verdict {
    /// Approved, or else rejected.
    pub approved: bool,
    /// The name of whom it was decided to be.
    pub name: String,
    /// Who decided.
    pub by: String,
}

/// A candidate to pick.
pub struct Pick {
    /// Their id.
    pub id: String,
    /// Their name.
    pub name: String,
    /// Confidence in per cent.
    pub percent: u8,
}

/// A card, ready for its template.
pub struct Card {
    /// See [`Facts`].
    pub id: String,
    /// See [`Facts`].
    pub version: i64,
    /// Key of its group: day and door.
    pub group: String,
    /// What its group is called.
    pub group_name: String,
    /// The first candidate's name.
    pub name: String,
    /// The first candidate's number.
    pub number: String,
    /// Confidence in words.
    pub words: &'static str,
    /// Confidence in per cent.
    pub percent: u8,
    /// Whether it is too low to nod through.
    pub low: bool,
    /// Why it waits, in words.
    pub reasons: Vec<&'static str>,
    /// Door and room.
    pub door: String,
    /// Hour, minute, second.
    pub time: String,
    /// What is doubtful about the time; empty if nothing is.
    pub time_quality: &'static str,
    /// Every candidate, the first included.
    pub picks: Vec<Pick>,
    /// Whether there is a crop to show.
    pub crop: bool,
    /// What was decided already, in words.
    pub verdict: Option<String>,
}

/// A door on a day, with its cards.
pub struct Group {
    /// Its key.
    pub key: String,
    /// What it is called.
    pub name: String,
    /// Its cards.
    pub cards: Vec<Card>,
}

impl Card {
    /// The card of `facts`, for people whose day is `today` in `zone`.
    #[must_use]
    pub fn new(facts: Facts, today: Date, zone: &TimeZone, tongue: Tongue) -> Self {
        let day = words::day(facts.at, zone);
        let door = match facts.room.as_str() {
            "" => facts.device.clone(),
            room => format!("{room} ({})", facts.device),
        };
        let place = if facts.room.is_empty() { &facts.device } else { &facts.room };
        let group_name = format!("{place} · {}", words::say_day(tongue, day, today));
        let first = facts.candidates.first();
        let pick = |face: &Face| Pick {
            id: face.id.clone(),
            name: face.name.clone(),
            percent: words::percent(face.confidence),
        };
        Self {
            group: format!("{day}-{}", facts.device),
            group_name,
            name: first.map_or_else(|| "Nobody we know".to_owned(), |face| face.name.clone()),
            number: first.map(|face| face.number.clone()).unwrap_or_default(),
            words: words::confidence(facts.confidence),
            percent: words::percent(facts.confidence),
            low: facts.confidence < 0.7,
            reasons: facts.reasons.iter().map(|reason| words::reason(*reason)).collect(),
            door,
            time: words::time(facts.at, zone),
            time_quality: words::clock(&facts.clock),
            picks: facts.candidates.iter().map(pick).collect(),
            crop: facts.crop,
            verdict: facts.verdict.as_ref().map(Verdict::say),
            id: facts.id,
            version: facts.version,
        }
    }
}

impl Verdict {
    fn say(&self) -> String {
        let Self { approved, name, by } = self;
        if *approved {
            format!("{by} has already approved this as {name}")
        } else {
            format!("{by} has already rejected this")
        }
    }
}

/// Cards in their order, gathered by day and door; groups come in the order of their first card.
#[must_use]
pub fn grouped(cards: Vec<Card>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for card in cards {
        match groups.iter_mut().find(|group| group.key == card.group) {
            Some(group) => group.cards.push(card),
            None => groups.push(Group {
                key: card.group.clone(),
                name: card.group_name.clone(),
                cards: vec![card],
            }),
        }
    }
    groups
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn facts(n: usize, device: &str) -> Facts {
        let face = |id: &str, name: &str, confidence| Face {
            id: id.into(),
            number: format!("STU{id}"),
            name: name.into(),
            confidence,
        };
        Facts {
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

    fn card(facts: Facts) -> Card {
        Card::new(facts, jiff::civil::date(2026, 3, 2), &TimeZone::UTC, Tongue::En)
    }

    #[test]
    fn a_card_says_who_how_sure_where_and_why() {
        let card = card(facts(1, "door-1"));
        assert_eq!(
            (card.name.as_str(), card.words, card.percent),
            ("Ada Lovelace", "words-very-likely", 94)
        );
        assert_eq!(card.group_name, "Room 204 · Today, \u{2068}Monday, 2 March\u{2069}");
        assert_eq!(card.door, "Room 204 (door-1)");
        assert_eq!(card.reasons[0], "words-single-frame");
        assert_eq!(card.time_quality, "");
    }

    #[test]
    fn a_decided_card_says_who_was_faster() {
        let by = "Mr Babbage".to_owned();
        let verdict = Some(Verdict { approved: false, name: String::new(), by });
        let card = card(Facts { verdict, ..facts(1, "door-1") });
        assert_eq!(card.verdict.unwrap(), "Mr Babbage has already rejected this");
    }

    #[test]
    fn cards_are_gathered_by_door_in_the_order_they_come() {
        let cards = [(1, "b"), (2, "a"), (3, "b")].map(|(n, door)| card(facts(n, door)));
        let groups = grouped(cards.into());
        let sizes: Vec<_> = groups.iter().map(|g| (g.key.as_str(), g.cards.len())).collect();
        assert_eq!(sizes, [("2026-03-02-b", 2), ("2026-03-02-a", 1)]);
    }
}
