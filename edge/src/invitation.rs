//! An invitation: the small file with which a unit joins at its first start, put onto the card's
//! boot partition beforehand. The hub makes it; it works once.

use crate::join::JoinError;
use std::io;
use std::path::{Path, PathBuf};
use wire::Invitation;

/// Where Raspberry Pi OS keeps what lies on the boot partition.
pub const DEFAULT_FILE: &str = "/boot/firmware/rollcall-door.toml";

/// Why there is a file and no invitation.
#[derive(Debug, thiserror::Error)]
pub enum InvitationError {
    /// It cannot be read.
    #[error("the invitation {} cannot be read: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It is no invitation.
    #[error(
        "the invitation {} is damaged: get a new one on the hub's page of this door ({why})",
        path.display()
    )]
    Damaged {
        /// Which.
        path: PathBuf,
        /// What is wrong, without what is written there.
        why: String,
    },
}

/// The invitation that lies at `path`; none where there is no file.
///
/// # Errors
/// When the file cannot be read, or is none.
pub fn read(path: &Path) -> Result<Option<Invitation>, InvitationError> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(InvitationError::File { path: path.to_owned(), source }),
    };
    let damaged = |error: toml::de::Error| InvitationError::Damaged {
        path: path.to_owned(),
        why: error.message().to_owned(),
    };
    toml::from_str(&text).map(Some).map_err(damaged)
}

/// Whoever is asked in: tries an invitation until it is taken, or can be of no use any more.
#[derive(Debug, Default)]
pub struct Guest {
    useless: Option<Invitation>,
}

impl Guest {
    /// Whether to try it.
    #[must_use]
    pub fn tries(&self, invitation: &Invitation) -> bool {
        self.useless.as_ref() != Some(invitation)
    }

    /// It was not taken, for this reason. A hub locks out who shows a bad token again and again.
    pub fn turned_away(&mut self, invitation: Invitation, error: &JoinError) {
        if error.is_final() {
            self.useless = Some(invitation);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invitation(token: &str) -> Invitation {
        Invitation { hub: "https://hub:8443".into(), token: token.into() }
    }

    #[test]
    fn a_file_is_an_invitation_or_says_what_is_wrong_and_never_its_token() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rollcall-door.toml");
        assert_eq!(read(&path).unwrap(), None);
        std::fs::write(&path, "# For one door.\nhub = \"https://hub:8443\"\ntoken = \"t\"\n")
            .unwrap();
        assert_eq!(read(&path).unwrap(), Some(invitation("t")));
        for text in ["token = \"secret\"", "hub = \"h\"\ntoken = secret", "\u{0}"] {
            std::fs::write(&path, text).unwrap();
            let error = read(&path).unwrap_err().to_string();
            assert!(error.contains("new one") && !error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn a_hub_that_is_away_is_asked_again_and_a_token_that_is_used_up_never() {
        let mut guest = Guest::default();
        guest.turned_away(invitation("a"), &JoinError::Unreachable("hub".into()));
        guest.turned_away(invitation("a"), &JoinError::Clock("1970".into()));
        assert!(guest.tries(&invitation("a")));
        guest.turned_away(invitation("a"), &JoinError::Expired);
        assert!(!guest.tries(&invitation("a")) && guest.tries(&invitation("b")));
    }
}
