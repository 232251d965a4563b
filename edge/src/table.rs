//! What each part needs for its table of `edge.toml`: an error that names the key, and where paths
//! begin.

use std::{
    ops::RangeInclusive,
    path::{Path, PathBuf},
};

/// What is wrong with the configuration, and what to write.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error(
        "the configuration {file} cannot be read ({source}): copy edge.example.toml there, \
         or name another file with --config"
    )]
    Read {
        /// Which file.
        file: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// It is no TOML, has an unknown key, or a value of the wrong kind.
    #[error("the configuration {file} is wrong: {why}")]
    Parse {
        /// Which file.
        file: String,
        /// Line, column and key, as the parser says it.
        why: String,
    },
    /// A key has a value that cannot be.
    #[error("the configuration is wrong: `{key}` {why}")]
    Key {
        /// The key's whole name.
        key: &'static str,
        /// What is wrong and what to write.
        why: String,
    },
}

impl ConfigError {
    /// `key` is wrong; `why` says how and what to write instead.
    pub fn key(key: &'static str, why: impl Into<String>) -> Self {
        Self::Key { key, why: why.into() }
    }

    /// Checks that a number lies in its range.
    ///
    /// # Errors
    /// Names the key and the range.
    pub fn within(key: &'static str, value: u64, range: RangeInclusive<u64>) -> Result<(), Self> {
        if range.contains(&value) {
            return Ok(());
        }
        let (from, to) = range.into_inner();
        Err(Self::key(key, format!("is {value}: write a number from {from} to {to}")))
    }
}

/// Where relative paths in the configuration start: the folder the file lies in.
#[derive(Clone, Debug)]
pub struct Paths(pub PathBuf);

impl Paths {
    /// The absolute path.
    #[must_use]
    pub fn resolve(&self, path: impl AsRef<Path>) -> PathBuf {
        self.0.join(path)
    }
}
