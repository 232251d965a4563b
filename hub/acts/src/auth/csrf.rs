//! Whether a request that changes something came from our own page.
//!
//! Two proofs are asked for: the browser's word (Fetch Metadata, or else `Origin`), and the
//! session's own token in a header or a hidden field. Programs with an `Authorization` header
//! send neither, and their cookies are ignored.

use super::session;

/// What a request says about where it came from.
#[derive(Clone, Copy, Default, Debug)]
pub struct Came<'a> {
    /// `Sec-Fetch-Site`.
    pub site: Option<&'a str>,
    /// `Origin`.
    pub origin: Option<&'a str>,
    /// `Host`.
    pub host: Option<&'a str>,
    /// The token, from the header `X-CSRF-Token` or the field `csrf`.
    pub token: Option<&'a str>,
}

/// The request may have been forged.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Forged {
    /// It came from another site, or does not say from where.
    #[error("this request did not come from a page of this server: open the page again")]
    Elsewhere,
    /// The token is missing or belongs to another session.
    #[error("this page is from an earlier sign-in: load it again and repeat the last step")]
    Token,
}

impl Came<'_> {
    /// Whether the browser says it came from our own pages.
    ///
    /// # Errors
    /// [`Forged::Elsewhere`] if not, or if it does not say.
    pub fn from_here(&self) -> Result<(), Forged> {
        let here = match (self.site, self.origin, self.host) {
            (Some(site), _, _) => site == "same-origin",
            (None, Some(origin), Some(host)) => {
                origin.split_once("://").is_some_and(|(_, authority)| authority == host)
            }
            _ => false,
        };
        if here { Ok(()) } else { Err(Forged::Elsewhere) }
    }

    /// Both proofs, for the session `secret`.
    ///
    /// # Errors
    /// The first proof that fails.
    pub fn check(&self, secret: &str) -> Result<(), Forged> {
        self.from_here()?;
        let given = self.token.ok_or(Forged::Token)?;
        if session::csrf_matches(secret, given) { Ok(()) } else { Err(Forged::Token) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_pages_change_anything() {
        let here = Came { host: Some("hub.school:8443"), ..Came::default() };
        let origin = |o| Came { origin: Some(o), ..here };
        assert!(Came { site: Some("same-origin"), ..here }.from_here().is_ok());
        assert!(origin("https://hub.school:8443").from_here().is_ok());
        for site in ["cross-site", "same-site", "none"] {
            let lied = Came { site: Some(site), ..origin("https://hub.school:8443") };
            assert_eq!(lied.from_here(), Err(Forged::Elsewhere), "{site}");
        }
        for other in ["https://evil.test", "null", "https://hub.school:8443.evil.test"] {
            assert_eq!(origin(other).from_here(), Err(Forged::Elsewhere), "{other}");
        }
        assert_eq!(here.from_here(), Err(Forged::Elsewhere));
    }

    #[test]
    fn the_token_is_asked_for_besides() {
        let secret = crate::auth::secret();
        let token = session::csrf(&secret);
        let came = Came { site: Some("same-origin"), token: Some(&token), ..Came::default() };
        assert_eq!(came.check(&secret), Ok(()));
        assert_eq!(came.check(&crate::auth::secret()), Err(Forged::Token));
        assert_eq!(Came { token: None, ..came }.check(&secret), Err(Forged::Token));
    }
}
