//! In which language somebody is answered: the one of their last choice (a cookie), or else the first
//! of their browser's list that we speak.

use acts::auth::cookie::{self, CookieSite};
use warp::http::{HeaderMap, HeaderValue};
use words::language::Language;

/// The cookie that remembers a choice.
pub const COOKIE: &str = "__Host-language";
/// How long it is remembered.
const YEAR_SECONDS: i64 = 365 * 24 * 3600;

/// The language for whoever sent these headers.
#[must_use]
pub fn of(headers: &HeaderMap) -> Language {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let mut chosen = cookie::values(text("cookie").unwrap_or_default(), COOKIE);
    Language::of(chosen.next_back(), text("accept-language"))
}

/// The `Set-Cookie` value that remembers this choice for a year.
#[must_use]
pub fn remember(language: Language) -> String {
    cookie::set(COOKIE, language.tag(), CookieSite::Lax, YEAR_SECONDS)
}
