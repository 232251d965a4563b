//! What a door remembers of the programs it was handed, and what follows from that.
//!
//! It is written before each step that it decides, so that a power cut at any moment finds either
//! the old or the new program, and a program that never comes up is started a counted number of
//! times.

use ed25519_dalek::VerifyingKey;
use semver::Version;
use serde::{Deserialize, Serialize};
use wire::program::{Machine, Offer, Program, Step};
use wire::sign::Signed;

/// How often a program on trial is started before it is given up.
pub const STARTS: u8 = 3;

/// How often a program that proved itself is started in a row without living for [`LIVED_MS`],
/// before what is installed takes its place: it fell over later than its trial.
pub const FALLS: u8 = 10;
/// A program that ran for so long has not fallen over, milliseconds.
pub const LIVED_MS: u64 = 10 * 60_000;

/// The memory itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Book {
    /// What proved itself; without it, what is installed runs.
    settled: Option<Settled>,
    /// When the newest that ever proved itself was released: nothing older is taken.
    newest: i64,
    /// What is to prove itself.
    trial: Option<OnTrial>,
    /// What did not, last.
    refused: Option<Refused>,
}

/// A program that proved itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Settled {
    signed: Signed,
    rollout: u32,
    /// Starts in a row that did not last.
    falls: u8,
}

/// What a door could do before a new program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Able {
    /// Its camera gave frames.
    pub sees: bool,
    /// It had a gallery with people in it.
    pub knows: bool,
}

/// A program that is to prove itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct OnTrial {
    signed: Signed,
    rollout: u32,
    starts: u8,
    /// What the door could with the program before: it must with this one.
    able: Able,
}

/// A program that did not prove itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Refused {
    name: String,
    rollout: u32,
    why: String,
}

/// What this unit is and whom it trusts.
#[derive(Clone, Debug)]
pub struct Here {
    /// The version that is installed.
    pub own: Version,
    /// What programs for it are made for.
    pub machine: Option<Machine>,
    /// Who signs programs.
    pub signer: Option<VerifyingKey>,
}

impl Here {
    /// This unit, where `signer` is trusted.
    #[must_use]
    pub fn new(signer: Option<VerifyingKey>) -> Self {
        let own = Version::parse(env!("CARGO_PKG_VERSION")).expect("cargo takes no other version");
        Self { own, machine: Machine::here(), signer }
    }

    /// The program that `signed` describes, if this unit may run it.
    fn read(&self, signed: &Signed) -> Result<Program, String> {
        let signer = self.signer.ok_or(
            "this door trusts nobody's programs: write update.signer into its edge.toml, or let it \
             join again",
        )?;
        let program = Program::verified(signed, &signer).map_err(|error| error.to_string())?;
        if self.machine != Some(program.machine) {
            let own = self.machine.map_or("another machine", Machine::as_str);
            return Err(format!("the program is for {}, this door is {own}", program.machine));
        }
        Ok(program)
    }

    /// The same, if it is newer than what is installed.
    fn usable(&self, signed: &Signed) -> Result<Program, String> {
        let program = self.read(signed)?;
        if self.is_past(&program) { Err(self.past()) } else { Ok(program) }
    }

    fn past(&self) -> String {
        format!("version {} is installed on this door already", self.own)
    }

    /// Whether what is installed here is as new as `program`.
    fn is_past(&self, program: &Program) -> bool {
        Version::parse(&program.version).is_ok_and(|version| version <= self.own)
    }
}

/// What is to be started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// What is installed.
    Own,
    /// A program that proved itself.
    Settled(Program),
    /// A program that is to prove itself; this start is counted.
    Trial(Program),
}

/// What is to be done about an offer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Nothing: this is how far it is, and why it goes no further.
    Rest(Step, String),
    /// Get it.
    Fetch(Box<Program>),
}

impl Book {
    /// What to start now. What changed must be on the disk before it is.
    pub fn begin(&mut self, here: &Here) -> Start {
        if let Some(trial) = &mut self.trial {
            match here.usable(&trial.signed) {
                Ok(program) if trial.starts < STARTS => {
                    trial.starts += 1;
                    return Start::Trial(program);
                }
                Ok(_) => self.refuse("it was started three times and never proved itself"),
                Err(why) => self.refuse(&why),
            }
        }
        let Some(settled) = &mut self.settled else { return Start::Own };
        let Ok(program) = here.read(&settled.signed) else { return Start::Own };
        if here.is_past(&program) {
            self.settled = None;
            return Start::Own;
        }
        if settled.falls >= FALLS {
            self.fell();
            return Start::Own;
        }
        settled.falls += 1;
        Start::Settled(program)
    }

    /// This start of what proved itself does not count.
    pub fn uncount(&mut self) {
        if let Some(settled) = &mut self.settled {
            settled.falls = settled.falls.saturating_sub(1);
        }
    }

    /// What to do about `offer`.
    #[must_use]
    pub fn answer(&self, offer: &Offer, here: &Here) -> Answer {
        let Some(signed) = &offer.signed else { return Answer::Rest(Step::Idle, String::new()) };
        let program = match here.read(signed) {
            Ok(program) => program,
            Err(why) => return Answer::Rest(Step::Refused, why),
        };
        let before = self.settled.as_ref().and_then(|known| here.read(&known.signed).ok());
        let is_settled = before.as_ref().is_some_and(|before| before.blake3 == program.blake3);
        let is_own =
            before.is_none() && Version::parse(&program.version).ok().as_ref() == Some(&here.own);
        if is_settled || is_own {
            return Answer::Rest(Step::Settled, String::new());
        }
        let failed =
            |known: &&Refused| known.rollout == offer.rollout && known.name == program.name();
        if let Some(known) = self.refused.as_ref().filter(failed) {
            return Answer::Rest(Step::Refused, known.why.clone());
        }
        // What was installed since is newer: there is nothing to do, and nothing wrong.
        if before.is_none() && here.is_past(&program) {
            return Answer::Rest(Step::Settled, here.past());
        }
        if program.released.0 < self.newest {
            let why = "the program was released before the one that runs: sign it anew to go back";
            return Answer::Rest(Step::Refused, why.into());
        }
        Answer::Fetch(Box::new(program))
    }

    /// The program of `offer` is here whole: the next start tries it, at a door that is `able`.
    pub fn stage(&mut self, offer: &Offer, able: Able) {
        let on_trial = |signed| OnTrial { signed, rollout: offer.rollout, starts: 0, able };
        self.trial = offer.signed.clone().map(on_trial);
    }

    /// The program on trial, what it must be able to do, and in which rollout it came.
    #[must_use]
    pub fn trial(&self) -> Option<(&Signed, Able, u32)> {
        self.trial.as_ref().map(|trial| (&trial.signed, trial.able, trial.rollout))
    }

    /// What proved itself.
    #[must_use]
    pub fn settled(&self) -> Option<&Signed> {
        self.settled.as_ref().map(|settled| &settled.signed)
    }

    /// The program on trial, by its name, and how often it was started.
    #[must_use]
    pub fn tried(&self) -> Option<(String, u8)> {
        self.trial.as_ref().map(|trial| (super::shelf::name(&trial.signed), trial.starts))
    }

    /// What did not prove itself, last: its name and why.
    #[must_use]
    pub fn refused(&self) -> Option<(&str, &str)> {
        self.refused.as_ref().map(|refused| (refused.name.as_str(), refused.why.as_str()))
    }

    /// The program on trial proved itself.
    pub fn settle(&mut self) {
        if let Some(OnTrial { signed, rollout, .. }) = self.trial.take() {
            let released = postcard::from_bytes::<Program>(&signed.bytes);
            let released = released.map_or(0, |program| program.released.0);
            self.newest = self.newest.max(released);
            self.settled = Some(Settled { signed, rollout, falls: 0 });
            self.refused = None;
        }
    }

    /// What proved itself has run for [`LIVED_MS`]. Whether that is news.
    pub fn lived(&mut self) -> bool {
        let falls = self.settled.as_mut().map(|settled| std::mem::take(&mut settled.falls));
        falls.is_some_and(|falls| falls > 0)
    }

    /// What proved itself cannot be started any more, or does not live.
    pub fn fell(&mut self) {
        if let Some(Settled { signed, rollout, .. }) = self.settled.take() {
            let name = super::shelf::name(&signed);
            let why = "it proved itself, and then ended again and again within minutes".to_owned();
            self.refused = Some(Refused { name, rollout, why });
        }
    }

    /// The program on trial is given up.
    pub fn refuse(&mut self, why: &str) {
        if let Some(trial) = self.trial.take() {
            let name = super::shelf::name(&trial.signed);
            self.refused = Some(Refused { name, rollout: trial.rollout, why: why.to_owned() });
        }
    }
}

#[cfg(test)]
mod tests;
