//! Which hosts and origins the hub answers to.

/// Which other sites' pages may read the API.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Cors {
    /// These, such as `https://app.school.example`.
    pub origins: Vec<String>,
    /// All of them, with a token in a header only.
    pub any: bool,
}

/// Names by which the hub may be asked for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Hosts(pub Vec<String>);

impl Hosts {
    /// Whether `authority` (a `Host` header) is one of them. Without any every name is.
    #[must_use]
    pub fn allow(&self, authority: &str) -> bool {
        if self.0.is_empty() {
            return true;
        }
        let host = bare(authority).to_ascii_lowercase();
        self.0.iter().any(|name| match name.strip_prefix('.') {
            _ if name == "*" => true,
            Some(domain) => {
                host == domain || host.strip_suffix(domain).is_some_and(|h| h.ends_with('.'))
            }
            None => host == *name,
        })
    }
}

/// A host without its port and without the brackets of an IPv6 address.
fn bare(authority: &str) -> &str {
    if let Some((inside, _)) = authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return inside;
    }
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    host.strip_suffix('.').unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_named_hosts_are_answered() {
        let hosts = |names: &[&str]| Hosts(names.iter().map(|n| (*n).to_owned()).collect());
        let named = hosts(&["hub.school.test", ".example.org", "::1"]);
        for good in [
            "hub.school.test",
            "HUB.school.test:8443",
            "example.org",
            "a.b.example.org:1",
            "[::1]:8443",
        ] {
            assert!(named.allow(good), "{good}");
        }
        for bad in ["evil.test", "hub.school.test.evil.test", "notexample.org", "", ":8443"] {
            assert!(!named.allow(bad), "{bad}");
        }
        assert!(hosts(&["*"]).allow("x") && hosts(&[]).allow("x"));
    }
}
