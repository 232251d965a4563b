//! Cookies as browsers bring and get them.

use std::fmt;

/// Which requests that begin on a foreign page bring a cookie.
#[derive(Clone, Copy, Debug)]
pub enum CookieSite {
    /// None.
    Strict,
    /// Those that lead to a page of ours.
    Lax,
}

/// The values of the cookies called `name` in a `Cookie` header.
pub fn values<'a>(header: &'a str, name: &'a str) -> impl DoubleEndedIterator<Item = &'a str> {
    let pairs = header.split(';').filter_map(|pair| pair.trim().split_once('='));
    pairs.filter(move |(of, _)| *of == name).map(|(_, value)| value)
}

/// The `Set-Cookie` value under which a browser keeps `value` for `seconds`, out of reach of
/// scripts.
#[must_use]
pub fn set(name: &str, value: impl fmt::Display, site: CookieSite, seconds: i64) -> String {
    format!("{name}={value}; Path=/; Secure; HttpOnly; SameSite={site:?}; Max-Age={seconds}")
}

/// The `Set-Cookie` value that makes a browser forget it.
#[must_use]
pub fn forget(name: &str, site: CookieSite) -> String {
    set(name, "", site, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_among_others_and_not_by_half_its_name() {
        let header = "a=1; __Host-sid=x=y ;sid=2; a=3; lonely";
        let of = |name| values(header, name).collect::<Vec<_>>();
        assert_eq!(
            (of("a"), of("__Host-sid"), of("lonely")),
            (vec!["1", "3"], vec!["x=y"], vec![])
        );
        assert_eq!(of("sid"), ["2"]);
    }

    #[test]
    fn no_script_reads_a_cookie_and_a_forgotten_one_ends_at_once() {
        let kept = set("a", 7, CookieSite::Strict, 60);
        assert_eq!(kept, "a=7; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=60");
        let gone = forget("a", CookieSite::Lax);
        assert_eq!(gone, "a=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0");
    }
}
