//! The review desk's page and its pieces, as templates.

use super::card::CardGroup;
use super::shell::Shell;
use askama::Template;
use store::desk::PersonSeen;
use uuid::Uuid;

/// The whole page.
#[derive(Template)]
#[template(path = "review.html")]
pub struct DeskPage {
    /// The frame.
    pub shell: Shell,
    /// How many wait for this person in all.
    pub waiting: i64,
    /// This page's cards.
    pub groups: Vec<CardGroup>,
    /// Where the next page begins.
    pub after: Option<String>,
    /// What was just done, when the browser has no JavaScript.
    pub done: Option<DeskNews>,
    /// Classes that do not mark by themselves any more, and why.
    pub suspended: Vec<(Uuid, String)>,
    /// What to say when nothing waits.
    pub empty: Empty,
}

/// More cards for a page that is open.
#[derive(Template)]
#[template(path = "review-piece.html")]
pub struct DeskPiece {
    /// The frame, for icons and the forms' token.
    pub shell: Shell,
    /// How many wait for this person in all.
    pub waiting: i64,
    /// The cards.
    pub groups: Vec<CardGroup>,
    /// Where the next ones begin.
    pub after: Option<String>,
}

/// Who it was, if none of the candidates: a page to search on.
#[derive(Template)]
#[template(path = "review-who.html")]
pub struct DeskWho {
    /// The frame.
    pub shell: Shell,
    /// The sighting.
    pub record: String,
    /// Its version.
    pub version: i64,
    /// What was searched for.
    pub asked: String,
    /// Who was found.
    pub people: Vec<PersonSeen>,
}

/// Who was found, for a page that is open.
#[derive(Template)]
#[template(path = "review-found.html")]
pub struct DeskFound {
    /// The frame, for the forms' token.
    pub shell: Shell,
    /// The sighting.
    pub record: String,
    /// Its version.
    pub version: i64,
    /// What was searched for.
    pub asked: String,
    /// Who was found.
    pub people: Vec<PersonSeen>,
}

/// A step just done.
pub struct DeskNews {
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
    /// In few words: a text's key.
    pub title: &'static str,
    /// In a sentence: a text's key.
    pub detail: &'static str,
    /// A link that helps, and the key of what it says.
    pub onward: Option<(&'static str, &'static str)>,
}

/// What the school has so far, as far as an empty desk depends on it.
#[derive(Clone, Copy, Debug, Default)]
pub struct DeskHouse {
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
pub fn empty(house: DeskHouse) -> Empty {
    let say = |title, detail, onward| Empty { title, detail, onward };
    match house {
        DeskHouse { admin: true, enrolled: 0, .. } => {
            say("review-no-people", "review-no-people-next", Some(("/people", "review-add-people")))
        }
        DeskHouse { admin: true, doors: 0, .. } => {
            say("review-no-door", "review-no-door-next", Some(("/devices", "review-add-door")))
        }
        DeskHouse { admin: false, classes: 0, .. } => {
            say("review-no-class", "review-no-class-next", None)
        }
        _ => say("review-all-decided", "review-all-decided-next", None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::card;
    use crate::card::{CardFace, tests::facts};
    use crate::{files, shell};
    use http::nav;
    use rules::auth::Role;
    use words::language::Language;

    fn page(cards: Vec<card::CardFacts>) -> DeskPage {
        let person = Some(shell::ShellPerson { name: "Charles Babbage".into(), role: Role::Admin });
        let shell = Shell {
            here: "review",
            person,
            csrf: Some("token".into()),
            language: Language::English,
            cares: 0,
            pages: nav::pages(&http::endpoint::open(crate::routes()).0, Role::Admin).collect(),
            home: "/review",
        };
        let waiting = i64::try_from(cards.len()).unwrap();
        let groups = vec![card::tests::group(cards)];
        let (suspended, empty) = (Vec::new(), empty(DeskHouse::default()));
        DeskPage { shell, waiting, groups, after: None, done: None, suspended, empty }
    }

    #[test]
    fn the_page_is_what_it_was() {
        let html = page(vec![facts(1, "door-1"), facts(2, "door-2")]).render().unwrap();
        let plain = |html: String, file: &files::StaticFile| {
            html.replace(&files::address(file.name), &format!("/static/HASH/{}", file.name))
        };
        insta::assert_snapshot!("review_page", files::FILES.iter().fold(html, plain));
    }

    #[test]
    fn stored_text_does_no_harm() {
        let mut bad = facts(1, "door-1");
        bad.room = "\"><script>alert(1)</script>".into();
        let name = "<img src=x onerror=alert(1)>\u{202e}😀".repeat(4);
        bad.candidates.push(CardFace { name, ..bad.candidates[0].clone() });
        let html = page(vec![bad]).render().unwrap();
        assert!(!html.contains("<script>") && !html.contains("<img src=x"));
        assert_eq!(html.matches("<script").count(), 3, "only our own three files");
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
            empty(DeskHouse { admin, enrolled, doors, classes }).title
        };
        assert_eq!(why(true, 0, 0, 0), "review-no-people");
        assert_eq!(why(true, 1, 0, 0), "review-no-door");
        assert_eq!(why(false, 1, 1, 0), "review-no-class");
        assert_eq!(why(false, 1, 1, 1), "review-all-decided");
    }
}
