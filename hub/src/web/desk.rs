//! The review desk's page and its pieces, as templates.

use super::card::{Card, Group};
use super::shell::Shell;
use askama::Template;

/// The whole page.
#[derive(Template)]
#[template(path = "review.html")]
pub struct Page {
    /// The frame.
    pub shell: Shell,
    /// How many wait for this person in all.
    pub waiting: i64,
    /// This page's cards.
    pub groups: Vec<Group>,
    /// Where the next page begins.
    pub after: Option<String>,
    /// What was just done, when the browser has no JavaScript.
    pub done: Option<Done>,
    /// What to say when nothing waits.
    pub empty: Empty,
}

/// A step just done.
pub struct Done {
    /// In words.
    pub words: String,
    /// The record.
    pub id: String,
    /// Whether it can be undone.
    pub undo: bool,
}

/// Why a page is empty, and what to do next.
#[derive(Debug, PartialEq, Eq)]
pub struct Empty {
    /// In few words.
    pub title: &'static str,
    /// In a sentence.
    pub detail: &'static str,
    /// A link that helps, and what it says.
    pub onward: Option<(&'static str, &'static str)>,
}

/// One card.
#[derive(Template)]
#[template(path = "card.html")]
pub struct One {
    /// The frame, for icons and the form's token.
    pub shell: Shell,
    /// The card.
    pub card: Card,
}

/// What the school has so far, as far as an empty desk depends on it.
#[derive(Clone, Copy, Debug, Default)]
pub struct House {
    /// Whether the reader may change it.
    pub admin: bool,
    /// People who can be recognised.
    pub enrolled: i64,
    /// Doors that have joined.
    pub doors: i64,
    /// Whether this reader has any class.
    pub classes: i64,
}

/// Why nothing waits.
#[must_use]
pub fn empty(house: House) -> Empty {
    let say = |title, detail, onward| Empty { title, detail, onward };
    match house {
        House { admin: true, enrolled: 0, .. } => say(
            "Nobody is enrolled yet",
            "A door can only recognise people it knows. Add the first person with one photo.",
            Some(("/people", "Add people")),
        ),
        House { admin: true, doors: 0, .. } => say(
            "No door is joined yet",
            "Add a door and run the command it gives you on the unit; whoever passes it comes here.",
            Some(("/devices", "Add a door")),
        ),
        House { admin: false, classes: 0, .. } => say(
            "You have no class yet",
            "You see the people of your classes here. Ask an administrator to add you to yours.",
            None,
        ),
        _ => say(
            "Everybody is decided",
            "Nothing waits for you. Whoever passes a door next appears here by itself.",
            None,
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::card::{self, Face, tests::facts};
    use crate::web::{files, shell::Person, tongue::Tongue};
    use jiff::{civil::date, tz::TimeZone};

    fn page(cards: Vec<card::Facts>) -> Page {
        let person = Some(Person { name: "Charles Babbage".into(), admin: true });
        let shell =
            Shell { here: "review", person, csrf: Some("token".into()), tongue: Tongue::En };
        let waiting = i64::try_from(cards.len()).unwrap();
        let card = |facts| Card::new(facts, date(2026, 3, 2), &TimeZone::UTC, Tongue::En);
        let groups = card::grouped(cards.into_iter().map(card).collect());
        Page { shell, waiting, groups, after: None, done: None, empty: empty(House::default()) }
    }

    #[test]
    fn the_page_is_what_it_was() {
        let html = page(vec![facts(1, "door-1"), facts(2, "door-2")]).render().unwrap();
        let plain = |html: String, file: &files::File| {
            html.replace(&files::address(file.name), &format!("/static/HASH/{}", file.name))
        };
        insta::assert_snapshot!("review_page", files::FILES.iter().fold(html, plain));
    }

    #[test]
    fn stored_text_does_no_harm() {
        let mut bad = facts(1, "door-1");
        bad.room = "\"><script>alert(1)</script>".into();
        let name = "<img src=x onerror=alert(1)>\u{202e}😀".repeat(4);
        bad.candidates.push(Face { name, ..bad.candidates[0].clone() });
        let html = page(vec![bad]).render().unwrap();
        assert!(!html.contains("<script>") && !html.contains("<img src=x"));
        assert_eq!(html.matches("<script").count(), 2, "only our own two files");
    }

    #[test]
    fn nothing_is_inline() {
        let html = page(vec![facts(1, "door-1")]).render().unwrap();
        for inline in [" style=", " onclick=", "javascript:", "<style"] {
            assert!(!html.contains(inline), "{inline}");
        }
        assert!(html.matches("<script").count() == html.matches("<script src=").count());
    }

    #[test]
    fn an_empty_desk_says_why_and_what_to_do() {
        let why = |admin, enrolled, doors, classes| {
            empty(House { admin, enrolled, doors, classes }).title
        };
        assert_eq!(why(true, 0, 0, 0), "Nobody is enrolled yet");
        assert_eq!(why(true, 1, 0, 0), "No door is joined yet");
        assert_eq!(why(false, 1, 1, 0), "You have no class yet");
        assert_eq!(why(false, 1, 1, 1), "Everybody is decided");
    }
}
