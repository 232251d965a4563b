//! Browsers that somebody signed in with before: a sealed cookie of half a year.
//!
//! It opens nothing. Its browser is spared the wait that strangers cause ([`rules::auth::throttle`]).

use super::cookie::{self, CookieSite};
use uuid::Uuid;
use wire::Wall;

/// The cookie's name; the prefix as for sessions.
pub const COOKIE: &str = "__Host-known";
/// What its text is sealed for.
pub const PLACE: &str = "known browser";
/// How long a sign-in is remembered, milliseconds: 180 days.
const KEPT_MS: i64 = 180 * 24 * 3_600_000;
/// People who share a browser, at most: the newest stay.
const PEOPLE: usize = 8;

/// A browser, and who signed in with it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Browser {
    /// Its number.
    pub id: u128,
    /// Who and when, newest first.
    people: Vec<(Uuid, Wall)>,
}

impl Browser {
    /// A browser that nobody signed in with.
    #[must_use]
    pub fn new(id: u128) -> Self {
        Self { id, people: Vec::new() }
    }

    /// Whether `account` signed in with it within the half year before `now`.
    #[must_use]
    pub fn knows(&self, account: Uuid, now: Wall) -> bool {
        let fresh = |at: Wall| at <= now && now < at.plus_ms(KEPT_MS);
        self.people.iter().any(|(who, at)| *who == account && fresh(*at))
    }

    /// The same, once `account` has signed in.
    #[must_use]
    pub fn with(mut self, account: Uuid, now: Wall) -> Self {
        self.people.retain(|(who, at)| *who != account && now < at.plus_ms(KEPT_MS));
        self.people.insert(0, (account, now));
        self.people.truncate(PEOPLE);
        self
    }

    /// As text, to be sealed.
    #[must_use]
    pub fn text(&self) -> String {
        let people = self.people.iter().map(|(who, at)| format!(" {who}:{}", at.0));
        format!("{:x}{}", self.id, people.collect::<String>())
    }

    /// Read back.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let id = u128::from_str_radix(words.next()?, 16).ok()?;
        let one = |word: &str| {
            let (who, at) = word.split_once(':')?;
            Some((who.parse().ok()?, Wall(at.parse().ok()?)))
        };
        Some(Self { id, people: words.map(one).collect::<Option<_>>()? })
    }
}

/// The `Set-Cookie` value; `sealed` is its text, sealed.
#[must_use]
pub fn cookie(sealed: &str) -> String {
    cookie::set(COOKIE, sealed, CookieSite::Strict, KEPT_MS / 1000)
}

/// The sealed text in a `Cookie` header.
#[must_use]
pub fn find(header: &str) -> Option<&str> {
    cookie::values(header, COOKIE).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Wall = Wall(1_790_000_000_000);

    #[test]
    fn a_browser_knows_who_signed_in_for_half_a_year() {
        let (ada, bob) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let browser = Browser::new(7).with(ada, NOW);
        assert!(browser.knows(ada, NOW.plus_ms(KEPT_MS - 1)));
        assert!(!browser.knows(ada, NOW.plus_ms(KEPT_MS)) && !browser.knows(bob, NOW));
        let both = browser.with(bob, NOW.plus_ms(KEPT_MS));
        assert!(!both.text().contains(&ada.to_string()), "who is gone is forgotten");
    }

    #[test]
    fn it_is_read_as_it_was_written_and_stays_small() {
        let shared = (0..20)
            .fold(Browser::new(u128::MAX), |browser, n| browser.with(Uuid::from_u128(n), NOW));
        assert_eq!(shared.people.len(), PEOPLE);
        assert_eq!(Browser::parse(&shared.text()), Some(shared.clone()));
        assert!(shared.knows(Uuid::from_u128(19), NOW) && shared.text().len() < 500);
        for odd in ["", "x", "7 x", "7 00000000-0000-0000-0000-000000000001"] {
            assert_eq!(Browser::parse(odd), None, "{odd}");
        }
    }
}
