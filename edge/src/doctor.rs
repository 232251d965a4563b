//! What is wrong with this unit: each fault by its name, a sentence, and how to mend it.

mod ailment;
pub mod bench;
mod board;
mod camera;
mod clock;
mod daemon;
mod hub;
mod identity;
mod lines;
mod models;
mod picture;
mod place;
mod service;
mod settings;
mod sheet;
mod update;

pub use ailment::Ailment;
pub use settings::unread;
pub use sheet::{json, table, whats};

use crate::{app::peek::Patience, config::Config, identity::Identity, vitals};
use serde::Serialize;
use std::path::Path;
use wire::{Clock as _, Wall, time::SystemClock};

/// One thing looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at, in a word.
    pub what: &'static str,
    /// How it is.
    pub state: State,
}

/// How something is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum State {
    /// It works; a sentence about it.
    Well {
        /// The sentence.
        say: String,
    },
    /// It does not, and should: what is wrong, and how to mend it.
    Fault {
        /// Which fault.
        #[serde(rename = "fault", serialize_with = "sheet::by_name")]
        ailment: Ailment,
        /// What is wrong.
        #[serde(rename = "say")]
        wrong: String,
        /// What to do.
        mend: String,
    },
    /// It is not used here, or cannot be looked at.
    Unused {
        /// Why.
        say: String,
    },
}

impl Finding {
    /// `what` works.
    pub fn well(what: &'static str, say: impl Into<String>) -> Self {
        Self { what, state: State::Well { say: say.into() } }
    }

    /// Something does not work.
    pub fn fault(ailment: Ailment, wrong: impl Into<String>, mend: impl Into<String>) -> Self {
        let state = State::Fault { ailment, wrong: wrong.into(), mend: mend.into() };
        Self { what: ailment.what(), state }
    }

    /// `what` is not used.
    pub fn unused(what: &'static str, why: impl Into<String>) -> Self {
        Self { what, state: State::Unused { say: why.into() } }
    }

    /// Which fault it is, if it is one.
    #[must_use]
    pub fn ailment(&self) -> Option<Ailment> {
        match self.state {
            State::Fault { ailment, .. } => Some(ailment),
            _ => None,
        }
    }

    /// Whether something must be mended.
    #[must_use]
    pub fn is_fault(&self) -> bool {
        self.ailment().is_some()
    }
}

/// One look at everything.
#[derive(Clone, Copy, Debug)]
pub struct Checkup<'a> {
    /// What the unit was told.
    pub config: &'a Config,
    /// Where the files of the system begin.
    pub root: &'a Path,
    /// What the unit thinks what time it is.
    pub now: Wall,
    /// How long the camera is watched.
    pub patience: Patience,
    /// What is looked at, in the words of the table; nothing for everything.
    pub only: &'a [String],
}

impl<'a> Checkup<'a> {
    /// Of the unit that this runs on.
    #[must_use]
    pub fn here(config: &'a Config) -> Self {
        let now = SystemClock.wall();
        let root = Path::new("/");
        Self { config, root, now, patience: Patience::default(), only: &[] }
    }

    fn wants(&self, whats: &[&str]) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| whats.contains(&only.as_str()))
    }

    /// Looks at what is wanted, in the order in which a technician would.
    #[must_use]
    pub fn examine(&self) -> Vec<Finding> {
        let Self { config, now, .. } = *self;
        let asked = daemon::ask(config);
        let status = asked.as_deref().ok();
        let known = Identity::load(&config.data);
        let asks_hub = self.wants(&["dns", "hub", "clock"]);
        let met = hub::meet(known.as_ref().ok().filter(|_| asks_hub));
        let ahead_ms = status.and_then(|status| status.way.ahead_ms).or(met.ahead_ms(now));
        let mut found = settings::findings(config);
        found.extend(place::findings(config));
        found.extend(board::findings(&vitals::below(self.root)));
        found.push(clock::finding(now, ahead_ms));
        if self.wants(&["model"]) {
            found.push(models::model(config));
        }
        found.extend(status.map(models::gallery));
        if self.wants(&["camera", "picture"]) {
            found.extend(camera::findings(config, status, &self.patience));
        }
        found.push(lines::finding(config, status));
        found.extend(identity::findings(config, &known, status, now));
        found.extend(met.findings());
        found.extend(daemon::findings(&asked, now));
        found.push(service::finding());
        found.push(update::finding(config));
        found.retain(|finding| self.wants(&[finding.what]));
        found
    }
}
