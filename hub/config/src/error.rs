//! Why a configuration is refused.

use std::path::PathBuf;

/// Why a configuration is refused; the program ends with exit code 64.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{path} cannot be read: {why}{}", advice(why))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's words.
        why: std::io::Error,
    },
    /// The text is no TOML, or holds a key or value that is not expected.
    #[error("{path}: {why}")]
    Text {
        /// The file.
        path: PathBuf,
        /// TOML's words; they name line and key.
        why: Box<toml::de::Error>,
    },
    /// A value makes no sense.
    #[error("{path}: {key} = “{value}”: {why}")]
    Value {
        /// The file.
        path: PathBuf,
        /// The key.
        key: &'static str,
        /// What it was set to.
        value: String,
        /// Why that cannot be.
        why: String,
    },
    /// A variable of the environment makes no sense. Its value may be a secret: it is not shown.
    #[error("the variable {name}: {why}")]
    Variable {
        /// Its name.
        name: String,
        /// Why that cannot be.
        why: String,
    },
    /// A file with secrets is open to others.
    #[error("{path}: {why}")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
}

fn advice(why: &std::io::Error) -> &'static str {
    match why.kind() {
        std::io::ErrorKind::NotFound => "; run `rollcall-hub init` first, or give --data",
        std::io::ErrorKind::PermissionDenied => "; run it as the hub's user (sudo -u rollcall-hub)",
        _ => "",
    }
}
