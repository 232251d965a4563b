//! Signing in elsewhere (OpenID Connect): what is remembered between going there and coming back,
//! and whose account an identity opens.
//!
//! The browser keeps the attempt sealed in a cookie; the answer counts only with it, within ten
//! minutes, and once.

use super::cookie::{self, CookieSite};
use rules::auth::once::Once;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use wire::Wall;

/// The cookie's name. It is Lax, because the way back begins on another site.
pub const COOKIE: &str = "__Host-oidc";
/// How long an attempt may take, milliseconds.
pub const LIFE_MS: i64 = 10 * 60 * 1000;

/// One way there and back.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Comes back with the answer.
    pub state: String,
    /// Comes back inside the identity token.
    pub nonce: String,
    /// Proves that whoever fetches the token began the attempt (PKCE).
    pub verifier: String,
    /// Where to go on.
    pub next: String,
    /// When it began, milliseconds UTC.
    pub made: i64,
}

impl std::fmt::Debug for Attempt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Attempt({})", self.made)
    }
}

/// Why an answer does not count.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ElsewhereRefused {
    /// No attempt, another one, or one from long ago.
    #[error(
        "this sign-in was not begun in this browser, or more than ten minutes ago: begin again"
    )]
    Stranger,
    /// The same answer came before.
    #[error("this sign-in was used already: begin again")]
    Used,
}

/// States that were used.
#[derive(Default)]
pub struct ElsewhereSeen(Once<String>);

impl ElsewhereSeen {
    /// Takes the answer with `state` for `attempt`, once.
    ///
    /// # Errors
    /// [`ElsewhereRefused`].
    pub fn take(
        &mut self,
        attempt: Option<Attempt>,
        state: &str,
        now: Wall,
    ) -> Result<Attempt, ElsewhereRefused> {
        let attempt = attempt.ok_or(ElsewhereRefused::Stranger)?;
        let age = now.0.saturating_sub(attempt.made);
        let same: bool = attempt.state.as_bytes().ct_eq(state.as_bytes()).into();
        if !same || !(0..LIFE_MS).contains(&age) {
            return Err(ElsewhereRefused::Stranger);
        }
        match self.0.take(state.to_owned(), Wall(attempt.made), LIFE_MS, now) {
            true => Ok(attempt),
            false => Err(ElsewhereRefused::Used),
        }
    }
}

/// The `Set-Cookie` value that keeps the sealed attempt.
#[must_use]
pub fn cookie(sealed: &str) -> String {
    cookie::set(COOKIE, sealed, CookieSite::Lax, LIFE_MS / 1000)
}

/// The `Set-Cookie` value that forgets it.
#[must_use]
pub fn farewell() -> String {
    cookie::forget(COOKIE, CookieSite::Lax)
}

/// The sealed attempt in a `Cookie` header.
#[must_use]
pub fn find(header: &str) -> Option<&str> {
    cookie::values(header, COOKIE).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(state: &str) -> Attempt {
        let text = |text: &str| text.to_owned();
        Attempt {
            state: text(state),
            nonce: text("n"),
            verifier: text("v"),
            next: text("/"),
            made: 0,
        }
    }

    #[test]
    fn an_answer_counts_once_for_its_own_attempt_and_not_for_long() {
        let mut seen = ElsewhereSeen::default();
        let mut take = |state: &str, now| seen.take(Some(attempt("s")), state, Wall(now));
        assert_eq!(take("other", 1), Err(ElsewhereRefused::Stranger));
        assert_eq!(take("s", LIFE_MS), Err(ElsewhereRefused::Stranger), "too late");
        assert_eq!(take("s", -1), Err(ElsewhereRefused::Stranger), "from the future");
        assert_eq!(take("s", 1), Ok(attempt("s")));
        assert_eq!(take("s", 2), Err(ElsewhereRefused::Used));
        assert_eq!(seen.take(None, "s", Wall(1)), Err(ElsewhereRefused::Stranger));
    }

    #[test]
    fn the_cookie_comes_back_from_another_site() {
        let cookie = cookie("abc");
        for word in ["Path=/", "Secure", "HttpOnly", "SameSite=Lax", "Max-Age=600"] {
            assert!(cookie.contains(word), "{word}");
        }
        assert_eq!(find("a=b; __Host-oidc=abc"), Some("abc"));
        assert_eq!(find("x__Host-oidc=abc"), None);
    }
}
