//! Programs for doors: who made one, for which machine, and how far a door is with it.
//!
//! Whoever releases a program signs its description with a key that lies neither on the hub nor
//! on a door. A hub hands programs on; it can make none.

use crate::sign::{Forged, Signed};
use crate::time::Wall;
use ed25519_dalek::{SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// What the signature of a program's description is for.
pub const PROGRAM_DOMAIN: &str = "rollcall-program-v1";
/// `{PROGRAM_PATH}{BLAKE3 in hexadecimal digits}`: a program, on the device address; takes `Range`.
pub const PROGRAM_PATH: &str = "/programs/";
/// Bytes of a program at most.
pub const PROGRAM_BYTES: u64 = 64 * 1024 * 1024;
/// Bytes of a version's name at most.
const VERSION_BYTES: usize = 40;
/// Bytes of a signed description at most.
const SIGNED_BYTES: usize = 1024;
/// How a file that holds a program with its description begins.
const MAGIC: [u8; 8] = *b"RCPROG1\n";

/// Which processors a program runs on, by Debian's names. Append-only.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Machine {
    /// 64 bits, x86.
    Amd64,
    /// 64 bits, ARM.
    Arm64,
    /// 32 bits, ARM with hardware floating point.
    Armhf,
}

/// Every kind of machine, with its name.
const MACHINES: [(Machine, &str); 3] =
    [(Machine::Amd64, "amd64"), (Machine::Arm64, "arm64"), (Machine::Armhf, "armhf")];

impl Machine {
    /// What this program was built for; nothing where no programs are made for it.
    #[must_use]
    pub fn here() -> Option<Self> {
        match std::env::consts::ARCH {
            "x86_64" => Some(Self::Amd64),
            "aarch64" => Some(Self::Arm64),
            "arm" => Some(Self::Armhf),
            _ => None,
        }
    }

    /// What a program in `bytes` was built for, as the head of its ELF file says.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let head = bytes.first_chunk::<20>()?;
        // Magic, then 64 or 32 bits, little endian; the machine's number is at 18.
        match (head.starts_with(b"\x7fELF"), head[4], head[5], head[18], head[19]) {
            (true, 2, 1, 62, 0) => Some(Self::Amd64),
            (true, 2, 1, 183, 0) => Some(Self::Arm64),
            (true, 1, 1, 40, 0) => Some(Self::Armhf),
            _ => None,
        }
    }

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        MACHINES[self as usize].1
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Machine {
    type Err = ProgramError;

    fn from_str(name: &str) -> Result<Self, ProgramError> {
        let found = MACHINES.iter().find(|(_, known)| *known == name);
        found.map(|(machine, _)| *machine).ok_or(ProgramError::Damaged)
    }
}

/// A program, as whoever released it describes it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Program {
    /// Its version, such as `0.2.0`.
    pub version: String,
    /// What it runs on.
    pub machine: Machine,
    /// When it was released: a door takes nothing that is older than what it runs.
    pub released: Wall,
    /// Bytes.
    pub length: u64,
    /// BLAKE3 of its bytes.
    pub blake3: [u8; 32],
}

/// Why something is no program for doors.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ProgramError {
    /// Not a file that `program sign` wrote, or not all of it.
    #[error("this is no signed program, or a damaged one: sign it with rollcall-hub update sign")]
    Damaged,
    /// Signed by somebody else.
    #[error("the program is not signed with the key that is trusted here")]
    Forged,
}

impl From<Forged> for ProgramError {
    fn from(_: Forged) -> Self {
        Self::Forged
    }
}

impl Program {
    /// Its description, signed.
    #[must_use]
    pub fn sign(&self, key: &SigningKey) -> Signed {
        let bytes = postcard::to_stdvec(self).expect("a description holds only plain values");
        Signed::new(key, PROGRAM_DOMAIN, bytes)
    }

    /// The description in `signed`, if `key` signed it.
    ///
    /// # Errors
    /// When it did not, or signed something else.
    pub fn verified(signed: &Signed, key: &VerifyingKey) -> Result<Self, ProgramError> {
        let bytes = signed.verify(key, PROGRAM_DOMAIN)?;
        match postcard::take_from_bytes::<Self>(bytes) {
            Ok((program, [])) if program.is_plain() => Ok(program),
            _ => Err(ProgramError::Damaged),
        }
    }

    fn is_plain(&self) -> bool {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b".-+~".contains(&b);
        let named = (1..=VERSION_BYTES).contains(&self.version.len());
        named && self.version.bytes().all(plain) && (1..=PROGRAM_BYTES).contains(&self.length)
    }

    /// Whether `bytes` are this program.
    #[must_use]
    pub fn is(&self, bytes: &[u8]) -> bool {
        bytes.len() as u64 == self.length && *blake3::hash(bytes).as_bytes() == self.blake3
    }

    /// Its BLAKE3 in hexadecimal digits: how files and addresses name it.
    #[must_use]
    pub fn name(&self) -> String {
        blake3::Hash::from_bytes(self.blake3).to_hex().to_string()
    }
}

/// The file that brings a program to a hub: its signed description before its bytes.
#[must_use]
pub fn pack(signed: &Signed, program: &[u8]) -> Vec<u8> {
    let head = postcard::to_stdvec(signed).expect("a signature holds only plain values");
    let length = u32::try_from(head.len()).expect("a description is short");
    [&MAGIC[..], &length.to_le_bytes(), &head, program].concat()
}

/// What [`pack`] put together. Nothing of it is checked yet.
///
/// # Errors
/// When `file` is something else.
pub fn unpack(file: &[u8]) -> Result<(Signed, &[u8]), ProgramError> {
    let rest = file.strip_prefix(&MAGIC).ok_or(ProgramError::Damaged)?;
    let (length, rest) = rest.split_first_chunk::<4>().ok_or(ProgramError::Damaged)?;
    let length = u32::from_le_bytes(*length) as usize;
    let split = rest.split_at_checked(length).filter(|_| length <= SIGNED_BYTES);
    let (head, program) = split.ok_or(ProgramError::Damaged)?;
    match postcard::take_from_bytes(head) {
        Ok((signed, [])) => Ok((signed, program)),
        _ => Err(ProgramError::Damaged),
    }
}

/// Hub → door on `desired`, after a greeting and at each change: which program it should run.
///
/// Nothing where it may go on with what it has; the hub wants to hear which that is. A door that does not
/// know this kind of message goes on without, and a hub that does not send it hears nothing.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Offer {
    /// The rollout it belongs to: what a door refused in one, it tries again in a later one.
    pub rollout: u32,
    /// The signed description of a [`Program`].
    pub signed: Option<Signed>,
}

/// Door → hub on `program`: what it runs, and what became of the newest offer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Progress {
    /// What it is; nothing where no programs are made for it.
    pub machine: Option<Machine>,
    /// Version of the program that runs.
    pub version: String,
    /// BLAKE3 of it; nothing of the one that was installed by hand.
    pub running: Option<[u8; 32]>,
    /// [`Offer::rollout`] of the newest offer, 0 before the first.
    pub rollout: u32,
    /// How far the door is with it.
    pub step: Step,
    /// Why it goes no further, in a sentence; empty if it does. At most [`WHY_BYTES`].
    pub why: String,
}

/// Bytes of a reason at most.
pub const WHY_BYTES: usize = 400;

/// How far a door is with the newest offer. Append-only.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// There is none, or it is what runs and was before.
    #[default]
    Idle,
    /// It comes.
    Fetching,
    /// It is here and waits until nobody is at the door.
    Waiting,
    /// It runs and has not proven itself yet.
    Trial,
    /// It runs and has proven itself.
    Settled,
    /// It is not used here: what ran before runs again.
    Refused,
}

impl Step {
    /// Every step by its name.
    pub const ALL: [(Self, &str); 6] = [
        (Self::Idle, "idle"),
        (Self::Fetching, "fetching"),
        (Self::Waiting, "waiting"),
        (Self::Trial, "trial"),
        (Self::Settled, "settled"),
        (Self::Refused, "refused"),
    ];

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::ALL[self as usize].1
    }
}

impl FromStr for Step {
    type Err = ProgramError;

    fn from_str(name: &str) -> Result<Self, ProgramError> {
        let found = Self::ALL.iter().find(|(_, known)| *known == name);
        found.map(|(step, _)| *step).ok_or(ProgramError::Damaged)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(n: u8) -> SigningKey {
        SigningKey::from_bytes(&[n; 32])
    }

    fn program(bytes: &[u8]) -> Program {
        Program {
            version: "0.2.0".into(),
            machine: Machine::Arm64,
            released: Wall(1_780_000_000_000),
            length: bytes.len() as u64,
            blake3: *blake3::hash(bytes).as_bytes(),
        }
    }

    #[test]
    fn a_program_is_known_by_its_signature_and_its_bytes() {
        let known = program(b"code");
        let file = pack(&known.sign(&key(1)), b"code");
        let (signed, bytes) = unpack(&file).unwrap();
        assert_eq!(Program::verified(&signed, &key(1).verifying_key()), Ok(known.clone()));
        assert!(known.is(bytes) && !known.is(b"cade") && !known.is(b"codes"));
        let stranger = Program::verified(&signed, &key(2).verifying_key());
        assert_eq!(stranger, Err(ProgramError::Forged));
    }

    #[test]
    fn what_cannot_be_a_program_is_none_even_if_it_is_signed() {
        let odd = [
            Program { version: "../../etc".into(), ..program(b"code") },
            Program { version: String::new(), ..program(b"code") },
            Program { length: PROGRAM_BYTES + 1, ..program(b"code") },
        ];
        for program in odd {
            let read = Program::verified(&program.sign(&key(1)), &key(1).verifying_key());
            assert_eq!(read, Err(ProgramError::Damaged), "{program:?}");
        }
    }

    #[test]
    fn a_program_says_which_machine_it_is_for() {
        let mut head = [0; 20];
        head[..6].copy_from_slice(b"\x7fELF\x02\x01");
        head[18] = 183;
        assert_eq!(Machine::of(&head), Some(Machine::Arm64));
        head[18] = 62;
        assert_eq!(Machine::of(&head), Some(Machine::Amd64));
        assert_eq!(Machine::of(b"#!/bin/sh\nexec /bin/true\n"), None);
        for (machine, name) in MACHINES {
            assert_eq!((name.parse(), machine.as_str()), (Ok(machine), name));
        }
        for (step, name) in Step::ALL {
            assert_eq!((name.parse(), step.as_str()), (Ok(step), name));
        }
    }

    proptest! {
        #[test]
        fn no_file_panics(bytes in prop::collection::vec(any::<u8>(), 0..200), cut in 0usize..300) {
            let _ = unpack(&[&MAGIC[..], &bytes].concat());
            let file = pack(&program(b"code").sign(&key(1)), b"code");
            let _ = unpack(&file[..cut.min(file.len())]);
        }
    }
}
