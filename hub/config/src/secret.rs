//! Secrets in settings: never printed, and never in a file that others may read.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use zeroize::Zeroizing;

/// A secret from a variable or a file. Neither `Debug` nor a log line shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// The secret `text`.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The secret itself, for whoever hands it over.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The first line of the file `path`.
    ///
    /// # Errors
    /// A sentence, when it cannot be read, is empty, or others may read it.
    pub fn from_file(path: &Path) -> Result<Self, String> {
        private(path)?;
        let text = fs::read_to_string(path).map(Zeroizing::new).map_err(|why| why.to_string())?;
        match text.lines().next().filter(|line| !line.is_empty()) {
            Some(line) => Ok(Self::new(line)),
            None => Err("the file is empty".into()),
        }
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(***)")
    }
}

/// Refuses a file with secrets that its group or everybody may read.
///
/// # Errors
/// A sentence that says how to mend it.
pub fn private(path: &Path) -> Result<(), String> {
    let mode = fs::metadata(path).map_err(|why| why.to_string())?.permissions().mode();
    if mode & 0o077 == 0 {
        return Ok(());
    }
    Err(format!(
        "it holds a secret, and others than its owner may read it (mode {:o}): chmod 600 it, and \
         change the secret if somebody may have",
        mode & 0o777
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(mode: u32, text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), text).unwrap();
        fs::set_permissions(file.path(), fs::Permissions::from_mode(mode)).unwrap();
        file
    }

    #[test]
    fn a_secret_is_the_first_line_and_is_never_printed() {
        let secret = Secret::from_file(file(0o600, "swordfish\n").path()).unwrap();
        assert_eq!(secret.expose(), "swordfish");
        assert!(!format!("{secret:?}").contains("sword"));
        assert!(Secret::from_file(file(0o600, "\n").path()).is_err());
    }

    #[test]
    fn a_secret_that_group_or_world_may_read_is_refused() {
        for mode in [0o640, 0o604, 0o644, 0o660] {
            let refused = Secret::from_file(file(mode, "swordfish").path()).unwrap_err();
            assert!(refused.contains("chmod 600") && !refused.contains("sword"), "{refused}");
        }
    }
}
