//! Whether a request that changes something came from our own page.
//!
//! Two proofs are asked for: the browser's word (Fetch Metadata, or else `Origin`), and the
//! session's own token in a header or a hidden field. Programs with an `Authorization` header
//! send neither, and their cookies are ignored.

use super::session;

/// What a request says about where it came from.
#[derive(Clone, Copy, Default, Debug)]
pub struct CsrfOrigin<'a> {
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
pub enum CsrfForged {
    /// It came from another site, or does not say from where.
    #[error("this request did not come from a page of this server: open the page again")]
    Elsewhere,
    /// The token is missing or belongs to another session.
    #[error("this page is from an earlier sign-in: load it again and repeat the last step")]
    Token,
}

impl CsrfOrigin<'_> {
    /// Whether the browser says it came from our own pages.
    ///
    /// # Errors
    /// [`CsrfForged::Elsewhere`] if not, or if it does not say.
    pub fn from_here(&self) -> Result<(), CsrfForged> {
        let here = match (self.site, self.origin, self.host) {
            (Some(site), _, _) => site == "same-origin",
            (None, Some(origin), Some(host)) => {
                origin.split_once("://").is_some_and(|(_, authority)| authority == host)
            }
            _ => false,
        };
        if here { Ok(()) } else { Err(CsrfForged::Elsewhere) }
    }

    /// Both proofs, for the session `secret`.
    ///
    /// # Errors
    /// The first proof that fails.
    pub fn check(&self, secret: &str) -> Result<(), CsrfForged> {
        self.from_here()?;
        let given = self.token.ok_or(CsrfForged::Token)?;
        if session::csrf_matches(secret, given) { Ok(()) } else { Err(CsrfForged::Token) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_pages_change_anything() {
        let here = CsrfOrigin { host: Some("hub.school:8443"), ..CsrfOrigin::default() };
        let origin = |o| CsrfOrigin { origin: Some(o), ..here };
        assert!(CsrfOrigin { site: Some("same-origin"), ..here }.from_here().is_ok());
        assert!(origin("https://hub.school:8443").from_here().is_ok());
        for site in ["cross-site", "same-site", "none"] {
            let lied = CsrfOrigin { site: Some(site), ..origin("https://hub.school:8443") };
            assert_eq!(lied.from_here(), Err(CsrfForged::Elsewhere), "{site}");
        }
        for other in ["https://evil.test", "null", "https://hub.school:8443.evil.test"] {
            assert_eq!(origin(other).from_here(), Err(CsrfForged::Elsewhere), "{other}");
        }
        assert_eq!(here.from_here(), Err(CsrfForged::Elsewhere));
    }

    #[test]
    fn the_token_is_asked_for_besides() {
        let secret = crate::auth::secret();
        let token = session::csrf(&secret);
        let came =
            CsrfOrigin { site: Some("same-origin"), token: Some(&token), ..CsrfOrigin::default() };
        assert_eq!(came.check(&secret), Ok(()));
        assert_eq!(came.check(&crate::auth::secret()), Err(CsrfForged::Token));
        assert_eq!(CsrfOrigin { token: None, ..came }.check(&secret), Err(CsrfForged::Token));
    }
}
