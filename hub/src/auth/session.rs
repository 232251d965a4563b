//! Sessions of browsers: a random cookie, whose hash the database knows.

use data_encoding::BASE64URL_NOPAD;
use subtle::ConstantTimeEq;
use wire::Wall;

/// The cookie's name. The prefix makes browsers insist on Secure, Path=/ and no Domain.
pub const COOKIE: &str = "__Host-sid";

/// How long a session lives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Without any request, milliseconds. Default 12 h.
    pub idle_ms: i64,
    /// Since the login, milliseconds. Default 24 h.
    pub absolute_ms: i64,
}

impl Default for Limits {
    fn default() -> Self {
        const HOUR_MS: i64 = 3_600_000;
        Self { idle_ms: 12 * HOUR_MS, absolute_ms: 24 * HOUR_MS }
    }
}

impl Limits {
    /// Whether a session begun at `created` and last used at `seen` is still good.
    #[must_use]
    pub fn alive(self, created: Wall, seen: Wall, now: Wall) -> bool {
        now < created.plus_ms(self.absolute_ms) && now < seen.plus_ms(self.idle_ms)
    }
}

/// Whether `seen` is old enough to be written again: once a minute is enough.
#[must_use]
pub fn stale(seen: Wall, now: Wall) -> bool {
    now.0.saturating_sub(seen.0) >= 60_000
}

/// The `Set-Cookie` value that opens a session.
#[must_use]
pub fn cookie(secret: &str, limits: Limits) -> String {
    let seconds = limits.absolute_ms / 1000;
    format!("{COOKIE}={secret}; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age={seconds}")
}

/// The `Set-Cookie` value that ends one.
#[must_use]
pub fn farewell() -> String {
    format!("{COOKIE}=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0")
}

/// The session secret in a `Cookie` header.
#[must_use]
pub fn find(header: &str) -> Option<&str> {
    let pairs = header.split(';').filter_map(|pair| pair.trim().split_once('='));
    pairs.filter(|(name, _)| *name == COOKIE).map(|(_, value)| value).find(|v| v.len() == 43)
}

/// The token that proves a form came from our own page. It follows from the session's secret
/// and cannot be turned back into it.
#[must_use]
pub fn csrf(secret: &str) -> String {
    let key = blake3::derive_key("rollcall 2026 csrf token of a session", secret.as_bytes());
    BASE64URL_NOPAD.encode(&key[..24])
}

/// Whether `given` is the token of the session `secret`, in constant time.
#[must_use]
pub fn csrf_matches(secret: &str, given: &str) -> bool {
    csrf(secret).as_bytes().ct_eq(given.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_ends_when_idle_and_in_any_case_after_a_day() {
        let (limits, hour) = (Limits::default(), |h: i64| Wall(h * 3_600_000));
        assert!(limits.alive(hour(0), hour(0), hour(11)));
        assert!(!limits.alive(hour(0), hour(0), hour(12)));
        assert!(limits.alive(hour(0), hour(23), hour(23)));
        assert!(!limits.alive(hour(0), hour(23), hour(24)));
    }

    #[test]
    fn the_cookie_is_found_among_others() {
        let secret = crate::auth::secret();
        let header = format!("theme=dark; {COOKIE}={secret}; x=1");
        assert_eq!(find(&header), Some(secret.as_str()));
        assert_eq!(find("theme=dark"), None);
        assert_eq!(find(&format!("{COOKIE}=short")), None);
    }

    #[test]
    fn a_forms_token_belongs_to_one_session() {
        let (mine, other) = (crate::auth::secret(), crate::auth::secret());
        assert!(csrf_matches(&mine, &csrf(&mine)));
        assert!(!csrf_matches(&other, &csrf(&mine)));
        assert!(!csrf_matches(&mine, ""));
    }

    #[test]
    fn the_cookie_is_only_for_our_own_pages() {
        let cookie = cookie("x", Limits::default());
        for word in ["Path=/", "Secure", "HttpOnly", "SameSite=Strict", "Max-Age=86400"] {
            assert!(cookie.contains(word), "{word}");
        }
    }
}
