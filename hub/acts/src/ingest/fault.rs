//! Faults on purpose, for the rig that kills the hub at the worst moments. Only in builds with
//! debug assertions; a release does not look at the variable.
//!
//! `ROLLCALL_FAULT` is one of
//! - `ack-before-commit`: acknowledges first and commits 50 ms later (the rig must notice);
//! - `die-before-commit:N`: aborts inside the N-th transaction, before COMMIT;
//! - `die-after-commit:N`: aborts after the N-th COMMIT, before anything is acknowledged.
//!
//! N counts from 1 and may be left out.

use std::time::Duration;

/// What to do wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum StagedFault {
    /// Nothing.
    #[default]
    None,
    /// See the module.
    AckBeforeCommit,
    /// See the module.
    DieBeforeCommit(u64),
    /// See the module.
    DieAfterCommit(u64),
}

impl StagedFault {
    /// What the environment asks for; nothing in a release.
    #[must_use]
    pub fn from_env() -> Self {
        if !cfg!(debug_assertions) {
            return Self::None;
        }
        std::env::var("ROLLCALL_FAULT").map_or(Self::None, |text| Self::parse(&text))
    }

    fn parse(text: &str) -> Self {
        let (name, nth) = text.split_once(':').unwrap_or((text, "1"));
        let nth = nth.parse().unwrap_or(1);
        match name {
            "ack-before-commit" => Self::AckBeforeCommit,
            "die-before-commit" => Self::DieBeforeCommit(nth),
            "die-after-commit" => Self::DieAfterCommit(nth),
            _ => {
                tracing::warn!("ROLLCALL_FAULT names no fault and is ignored");
                Self::None
            }
        }
    }

    /// Inside transaction `n`, all work done.
    pub(super) fn before_commit(self, n: u64) {
        match self {
            Self::DieBeforeCommit(nth) if nth == n => std::process::abort(),
            Self::AckBeforeCommit => std::thread::sleep(Duration::from_millis(50)),
            _ => {}
        }
    }

    /// Transaction `n` is committed, nobody knows.
    pub(super) fn after_commit(self, n: u64) {
        if self == Self::DieAfterCommit(n) {
            std::process::abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_named_in_the_environment() {
        assert_eq!(StagedFault::parse("ack-before-commit"), StagedFault::AckBeforeCommit);
        assert_eq!(StagedFault::parse("die-before-commit"), StagedFault::DieBeforeCommit(1));
        assert_eq!(StagedFault::parse("die-after-commit:7"), StagedFault::DieAfterCommit(7));
        assert_eq!(StagedFault::parse("die"), StagedFault::None);
    }
}
