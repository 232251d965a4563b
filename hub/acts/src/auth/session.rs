//! Sessions of browsers: a random cookie, whose hash the database knows.

use super::cookie::{self, CookieSite};
use data_encoding::BASE64URL_NOPAD;
use rules::auth::session::SessionLimits;
use subtle::ConstantTimeEq;

/// The cookie's name. The prefix makes browsers insist on Secure, Path=/ and no Domain.
pub const COOKIE: &str = "__Host-sid";

/// The `Set-Cookie` value that opens a session.
#[must_use]
pub fn cookie(secret: &str, limits: SessionLimits) -> String {
    cookie::set(COOKIE, secret, CookieSite::Strict, limits.absolute_ms / 1000)
}

/// The `Set-Cookie` value that ends one.
#[must_use]
pub fn farewell() -> String {
    cookie::forget(COOKIE, CookieSite::Strict)
}

/// The session secret in a `Cookie` header.
#[must_use]
pub fn find(header: &str) -> Option<&str> {
    cookie::values(header, COOKIE).find(|value| value.len() == 43)
}

/// Bytes of a form's proof.
const PROOF: usize = 24;

/// What proves that a form came from our own page. It follows from the session's secret and
/// cannot be turned back into it.
fn proof(secret: &str) -> [u8; PROOF] {
    let key = blake3::derive_key("rollcall 2026 csrf token of a session", secret.as_bytes());
    std::array::from_fn(|n| key[n])
}

/// The proof under a mask, with the mask before it: a new text each time, so that the size of a
/// compressed page says nothing about it (decision 11).
#[must_use]
pub fn csrf(secret: &str) -> String {
    let mask: [u8; PROOF] = rand::random();
    let proof = proof(secret);
    let hidden = std::array::from_fn::<u8, PROOF, _>(|n| proof[n] ^ mask[n]);
    BASE64URL_NOPAD.encode(&[mask, hidden].concat())
}

/// Whether `given` is the proof of the session `secret` under any mask, in constant time.
#[must_use]
pub fn csrf_matches(secret: &str, given: &str) -> bool {
    let Ok(given) = BASE64URL_NOPAD.decode(given.as_bytes()) else { return false };
    let Some((mask, hidden)) = given.split_at_checked(PROOF) else { return false };
    let shown: Vec<u8> = mask.iter().zip(hidden).map(|(mask, byte)| mask ^ byte).collect();
    hidden.len() == PROOF && bool::from(shown.ct_eq(&proof(secret)))
}

#[cfg(test)]
mod tests {
    use super::*;

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
        for broken in ["", "AAAA", "=", &csrf(&mine)[..32], &format!("{}AAAA", csrf(&mine))] {
            assert!(!csrf_matches(&mine, broken), "{broken}");
        }
    }

    #[test]
    fn a_forms_token_is_another_text_each_time() {
        let mine = crate::auth::secret();
        let (one, two) = (csrf(&mine), csrf(&mine));
        assert_ne!(one, two);
        assert!(csrf_matches(&mine, &one) && csrf_matches(&mine, &two));
    }

    #[test]
    fn the_cookie_is_only_for_our_own_pages() {
        let cookie = cookie("x", SessionLimits::default());
        for word in ["Path=/", "Secure", "HttpOnly", "SameSite=Strict", "Max-Age=86400"] {
            assert!(cookie.contains(word), "{word}");
        }
    }
}
