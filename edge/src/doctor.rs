//! What is wrong with this unit: each fault a sentence, and how to mend it.

mod board;
mod checks;
mod daemon;
mod hub;

use crate::config::Config;
use crate::vitals;
use std::fmt;

/// One thing looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at, in a word.
    pub what: &'static str,
    /// How it is.
    pub state: State,
}

/// How something is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It works; a sentence about it.
    Well(String),
    /// It does not, and should: what is wrong, and how to mend it.
    Fault {
        /// What is wrong.
        wrong: String,
        /// What to do.
        mend: String,
    },
    /// It is not used here.
    Unused(String),
}

impl Finding {
    /// `what` works.
    pub fn well(what: &'static str, say: impl Into<String>) -> Self {
        Self { what, state: State::Well(say.into()) }
    }

    /// `what` does not work.
    pub fn fault(what: &'static str, wrong: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { what, state: State::Fault { wrong: wrong.into(), mend: mend.into() } }
    }

    /// `what` is not used.
    pub fn unused(what: &'static str, why: impl Into<String>) -> Self {
        Self { what, state: State::Unused(why.into()) }
    }

    /// Whether something must be mended.
    #[must_use]
    pub fn is_fault(&self) -> bool {
        matches!(self.state, State::Fault { .. })
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = self.what;
        match &self.state {
            State::Well(say) => write!(f, "ok     {what}: {say}"),
            State::Unused(why) => write!(f, "-      {what}: {why}"),
            State::Fault { wrong, mend } => {
                write!(f, "FAULT  {what}: {wrong}\n       mend: {mend}")
            }
        }
    }
}

/// Looks at everything, in the order in which a technician would.
#[must_use]
pub fn examine(config: &Config) -> Vec<Finding> {
    let vitals = vitals::read();
    let mut findings = vec![
        checks::data(config),
        checks::owner(config),
        checks::disk(config),
        board::heat(&vitals),
        board::power(&vitals),
        board::memory(&vitals),
        checks::models(config),
        checks::camera(config),
        checks::gpio(config),
        checks::clock(),
        checks::invitation(config),
        hub::certificate(config),
        hub::name(config),
        hub::reach(config),
    ];
    findings.extend(daemon::findings(config));
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_comes_with_how_to_mend_it() {
        let fault = Finding::fault("disk", "it is full", "delete something");
        assert!(fault.is_fault());
        assert_eq!(fault.to_string(), "FAULT  disk: it is full\n       mend: delete something");
        assert_eq!(Finding::well("disk", "9 MiB free").to_string(), "ok     disk: 9 MiB free");
    }
}
