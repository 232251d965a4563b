//! Whether a program that the hub handed on was given up.

use super::{Ailment, Finding};
use crate::config::Config;
use crate::program::{STARTS, Shelf};

/// What the unit remembers of programs.
pub fn finding(config: &Config) -> Finding {
    let book = Shelf::new(&config.data).book();
    if let Some((name, starts)) = book.tried() {
        let say =
            format!("{name} is on trial, started {starts} of {STARTS} times; keep the power on");
        return Finding::well("update", say);
    }
    if let Some((name, why)) = book.refused() {
        let wrong = format!("{name} was given up, and what ran before runs on: {why}");
        let mend = "the hub's page Updates shows whether other doors refuse it too; a new rollout \
                    there lets this one try again";
        return Finding::fault(Ailment::UpdateGivenUp, wrong, mend);
    }
    if book.settled().is_some() {
        return Finding::well("update", "the last one that came proved itself");
    }
    Finding::unused("update", "the program runs that was installed")
}
