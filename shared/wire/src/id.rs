//! Names of things: people, doors, models and records.
//!
//! Own ids are UUIDv7. A record's id is a UUIDv8 made from its key, so that the same record sent
//! twice has the same id wherever it is computed.

use crate::time::Wall;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use uuid::Uuid;

/// Why a text is not a name or an id.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum IdError {
    /// The text is not a UUID.
    #[error("“{0}” is not an id: expected a UUID such as 0190f4c2-7c1e-7d3a-9b5e-2f1f6f0a4c11")]
    NotUuid(String),
    /// The text is no device or model name.
    #[error(
        "“{0}” is not a name: use 1 to 48 characters of a-z, 0-9, “-” and “.”, \
         beginning with a letter or digit"
    )]
    NotName(String),
    /// The text is not 32 hexadecimal digits.
    #[error("“{0}” is not an outbox epoch: expected 32 hexadecimal digits")]
    NotEpoch(String),
}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                Uuid::parse_str(text).map(Self).map_err(|_| IdError::NotUuid(text.to_owned()))
            }
        }
    };
}

uuid_id! {
    /// A person in the gallery: a student, or staff.
    StudentId
}
uuid_id! {
    /// A record that a door made, the same on every resend. See [`RecordKey::id`].
    RecordId
}

impl StudentId {
    /// A new UUIDv7, ordered by `now`.
    #[must_use]
    pub fn new(now: Wall) -> Self {
        Self(v7(now))
    }
}

/// A new UUIDv7 whose time part is `now`; the rest is random.
#[must_use]
pub fn v7(now: Wall) -> Uuid {
    let ms = u64::try_from(now.0).unwrap_or(0);
    let nanos = u32::try_from(ms % 1000).unwrap_or(0) * 1_000_000;
    Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, ms / 1000, nanos))
}

macro_rules! name_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                if is_name(&text) { Ok(Self(text)) } else { Err(IdError::NotName(text)) }
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::try_from(text.to_owned())
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name_id! {
    /// A doorway unit: the common name of its certificate, and a level of its topics.
    DeviceId
}
name_id! {
    /// Pack, version and preprocessing of the network a template came from. Templates of
    /// different models are never compared.
    ModelId
}

/// Names are certificate names, topic levels and file names at once, so they are plain.
fn is_name(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    (1..=48).contains(&text.len())
        && text.bytes().all(|b| plain(b) || b == b'-' || b == b'.')
        && text.as_bytes().first().is_some_and(|b| plain(*b))
}

/// One life of one outbox file. A re-imaged or copied card gets a new one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Epoch(pub [u8; 16]);

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Uuid::from_bytes(self.0).simple())
    }
}

impl fmt::Debug for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Epoch {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        let parsed = Uuid::try_parse(text).map_err(|_| IdError::NotEpoch(text.to_owned()))?;
        Ok(Self(parsed.into_bytes()))
    }
}

/// What makes a record one record: never a time, which may be wrong.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RecordKey {
    /// The door that made it.
    pub device: DeviceId,
    /// The life of that door's outbox.
    pub epoch: Epoch,
    /// Its number in that life, from 1.
    pub seq: u64,
}

impl RecordKey {
    /// The record's id: UUIDv8 from BLAKE3 of device, epoch and number.
    #[must_use]
    pub fn id(&self) -> RecordId {
        let mut hash = blake3::Hasher::new();
        hash.update(self.device.as_str().as_bytes());
        hash.update(&[0]);
        hash.update(&self.epoch.0);
        hash.update(&self.seq.to_le_bytes());
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash.finalize().as_bytes()[..16]);
        RecordId(Uuid::new_v8(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_plain_enough_for_a_topic_and_a_file() {
        for good in ["door-1", "b2.room-204", "7"] {
            assert_eq!(good.parse::<DeviceId>().unwrap().as_str(), good);
        }
        for bad in ["", "-door", "Door", "a/b", "a+b", "#", "..", "é", &"x".repeat(49)] {
            assert!(bad.parse::<DeviceId>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn the_same_key_has_the_same_id_everywhere() {
        let key = |seq| RecordKey { device: "door-1".parse().unwrap(), epoch: Epoch([7; 16]), seq };
        assert_eq!(key(1).id(), key(1).id());
        assert_ne!(key(1).id(), key(2).id());
        assert_eq!(key(1).id().0.get_version_num(), 8);
    }

    #[test]
    fn new_ids_are_ordered_by_time() {
        assert!(StudentId::new(Wall(1_000)) < StudentId::new(Wall(2_000)));
    }
}
