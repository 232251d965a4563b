//! Where a value was typed: in the file, or in a variable.

use super::vars::Origins;
use super::{ConfigError, Secret};
use std::path::PathBuf;

/// Where values came from, for whoever is told that one is wrong.
#[derive(Clone, Default, Debug)]
pub(super) struct Source {
    pub(super) path: PathBuf,
    pub(super) origins: Origins,
}

impl Source {
    pub(super) fn bad(
        &self,
        key: &'static str,
        value: &str,
        why: impl Into<String>,
    ) -> ConfigError {
        let why = why.into();
        match self.origins.get(key) {
            Some(name) => ConfigError::Variable { name: name.clone(), why },
            None => ConfigError::Value { path: self.path.clone(), key, value: value.into(), why },
        }
    }

    /// A secret that stands in the settings, or in a file they name.
    pub(super) fn secret(
        &self,
        (key, file_key): (&'static str, &'static str),
        typed: Option<String>,
        file: Option<PathBuf>,
    ) -> Result<Option<Secret>, ConfigError> {
        match (typed, file) {
            (Some(_), Some(_)) => {
                Err(self.bad(key, "***", format!("{file_key} is set too: keep one of the two")))
            }
            (Some(text), None) => Ok(Some(Secret::new(text))),
            (None, Some(file)) => {
                let open = |why: String| ConfigError::File { path: file.clone(), why };
                Secret::from_file(&file).map(Some).map_err(open)
            }
            (None, None) => Ok(None),
        }
    }
}
