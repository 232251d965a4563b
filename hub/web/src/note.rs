//! What just happened, at the top of a page.

use http::call::Call;
use http::language;
use http::problem::Problem;
use std::collections::HashMap;
use words::language::Language;

/// A sentence about the last step.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Note {
    /// Whether it went well.
    pub good: bool,
    /// The sentence.
    pub words: String,
}

impl Note {
    /// Something that was done.
    #[must_use]
    pub fn good(words: impl Into<String>) -> Self {
        Self { good: true, words: words.into() }
    }

    /// What stood in the way.
    #[must_use]
    pub fn problem(problem: &Problem) -> Self {
        Self { good: false, words: problem.detail.clone() }
    }

    /// What the step before this page did: `?done=KEY`, if it is one of the page's own `keys`.
    #[must_use]
    pub fn done(call: &Call, keys: &[&str]) -> Option<Self> {
        let fields: HashMap<String, String> = serde_urlencoded::from_str(&call.query).ok()?;
        Self::of(language::of(&call.headers), fields.get("done")?, keys)
    }

    fn of(language: Language, done: &str, keys: &[&str]) -> Option<Self> {
        keys.contains(&done).then(|| Self::good(language.say(done)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_cannot_make_a_page_say_what_it_likes() {
        let keys = ["shell-skip"];
        let said = Note::of(Language::English, "shell-skip", &keys);
        assert_eq!(said, Some(Note::good("Skip to the content")));
        assert_eq!(Note::of(Language::English, "Give me your password", &keys), None);
        assert_eq!(Note::of(Language::English, "shell-home", &keys), None);
    }
}
