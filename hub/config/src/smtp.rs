//! The mail server.

use super::Secret;

/// Where mail is handed over, and as whom.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Smtp {
    /// The server's name; its certificate must be for it.
    pub host: String,
    /// Its port. Default 465 with `tls`, 587 with `starttls`, 25 with `none`.
    pub port: u16,
    /// Who signs in there; nobody if absent.
    pub user: Option<String>,
    /// With which password; there is one exactly if there is a user.
    pub password: Option<Secret>,
    /// What mail comes from: an address, or `Name <address>`.
    pub from: String,
    /// How the connection is protected.
    pub tls: SmtpTls,
}

/// How the connection to the mail server is protected.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SmtpTls {
    /// TLS from the first byte.
    Implicit,
    /// `STARTTLS`, and nothing is sent without it. The default.
    Start,
    /// None; only to this machine.
    None,
}

impl SmtpTls {
    pub(super) fn port(self) -> u16 {
        match self {
            Self::Implicit => 465,
            Self::Start => 587,
            Self::None => 25,
        }
    }

    /// As typed; flags of other systems mean `starttls` or `none`.
    pub(super) fn parse(text: &str, port: Option<u16>) -> Option<Self> {
        match text.to_ascii_lowercase().as_str() {
            "tls" | "ssl" | "implicit" => Some(Self::Implicit),
            "true" | "1" | "yes" | "on" if port == Some(465) => Some(Self::Implicit),
            "starttls" | "true" | "1" | "yes" | "on" => Some(Self::Start),
            "none" | "false" | "0" | "no" | "off" => Some(Self::None),
            _ => None,
        }
    }
}
