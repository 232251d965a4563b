//! What can go wrong, in a few kinds, for whoever asked. No kind knows of HTTP.

use std::error::Error as Source;

/// What was shown in vain.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refused {
    /// A code of the second factor.
    #[error("this code is not right, or was used before: wait for the next one")]
    Code,
    /// A passkey.
    #[error("this passkey does not open anything here: try again, or another way")]
    Passkey,
}

/// A failure with a sentence for its reader. `http/reply.rs` turns the kind into a status.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such thing, or not for this person.
    #[error("{0}")]
    NotFound(String),
    /// What was sent cannot be what was asked for.
    #[error("{0}")]
    Malformed(String),
    /// Somebody else was first, or the name is taken.
    #[error("{0}")]
    Conflict(String),
    /// The content cannot be accepted as it is.
    #[error("{0}")]
    Invalid(String),
    /// The same, of one thing that was typed.
    #[error("{field}: {why}")]
    Field {
        /// Its name.
        field: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// Not signed in, or not as who is needed.
    #[error("{0}")]
    Unauthorised(String),
    /// This role may never.
    #[error("{0}")]
    Forbidden(String),
    /// What somebody showed does not open anything.
    #[error("{0}")]
    Refused(Refused),
    /// They may, once they prove again that it is them.
    #[error("prove once more that it is you")]
    Unproven,
    /// Too much at once: the same request may work after a wait.
    #[error("{why}")]
    TooMany {
        /// Too much of what.
        why: String,
        /// How long to wait.
        seconds: u64,
    },
    /// Not now; the same request may work later.
    #[error("{0}")]
    Unavailable(String),
    /// Our fault: what was being done, and why it failed. Only the first is for the public.
    #[error("{doing} failed")]
    Internal {
        /// What was being done, to what.
        doing: String,
        /// Why it failed; for the log.
        #[source]
        source: Box<dyn Source + Send + Sync>,
    },
}

impl Error {
    /// An internal failure while `doing` something.
    pub fn internal(
        doing: impl Into<String>,
        source: impl Into<Box<dyn Source + Send + Sync>>,
    ) -> Self {
        Self::Internal { doing: doing.into(), source: source.into() }
    }

    /// Whether the hub failed, and not whoever asked.
    #[must_use]
    pub const fn is_ours(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Internal { .. })
    }

    /// A wrong field.
    pub fn field(field: &'static str, why: impl Into<String>) -> Self {
        Self::Field { field, why: why.into() }
    }

    /// A page of a list that follows what is gone: nobody knows any more where that was.
    #[must_use]
    pub fn cut_off() -> Self {
        Self::field("after", "what this page follows is gone: begin again with the first page")
    }

    /// “There is no `what` `name`.”
    pub fn unknown(what: &str, name: impl std::fmt::Display) -> Self {
        Self::NotFound(format!("there is no {what} “{name}”"))
    }
}

/// Adds what was being done to an error from below.
pub trait Doing<T> {
    /// Turns any error into [`Error::Internal`].
    ///
    /// # Errors
    /// The same error, with what was being done.
    fn doing(self, what: &str) -> Result<T, Error>;
}

impl<T, E: Into<Box<dyn Source + Send + Sync>>> Doing<T> for Result<T, E> {
    fn doing(self, what: &str) -> Result<T, Error> {
        self.map_err(|error| Error::internal(what, error))
    }
}
