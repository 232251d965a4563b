//! The frame around every MQTT payload: what it is, which version, how long, and a checksum.
//!
//! `"RC" | kind u8 | version u8 | flags u8 (0) | length u32 LE | crc32c u32 LE | postcard`.
//! Postcard is not self-describing and ignores bytes left over, so neither is left to it.

use crate::care::{Condition, Grasp, Running, Tail};
use crate::link::{
    Ack, Batch, Command, Desired, Greeting, Heard, Hello, Interest, PACKET_BYTES, Reported,
    Settings, Snap, Status, Time, Vitals,
};
use crate::program::{Offer, Progress};
use serde::{Serialize, de::DeserializeOwned};

const MAGIC: [u8; 2] = *b"RC";
const HEAD: usize = 13;

/// Why bytes are no message.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum EnvelopeError {
    /// Shorter than its head says, longer, or longer than a packet may be.
    #[error("the message is {got} bytes long where {want} were expected")]
    Length {
        /// Bytes that came.
        got: usize,
        /// Bytes that should have come.
        want: usize,
    },
    /// Not ours.
    #[error("the message does not begin with “RC”: it is not from Rollcall")]
    Magic,
    /// The sender is newer, or nobody we know.
    #[error("message kind {kind} version {version} is not known here: update this program")]
    Unknown {
        /// The kind byte.
        kind: u8,
        /// The version byte.
        version: u8,
    },
    /// Damaged on the way.
    #[error("the message's checksum is wrong: it was damaged on the way")]
    Checksum,
    /// The checksum holds and the content still does not decode.
    #[error("the message of kind {kind} does not decode: {why}")]
    Content {
        /// The kind byte.
        kind: u8,
        /// What postcard says.
        why: postcard::Error,
    },
}

macro_rules! messages {
    ($($kind:literal $version:literal $name:ident $doc:literal)*) => {
        /// Everything that travels. A kind's number and version never change meaning.
        #[derive(Clone, PartialEq, Debug)]
        pub enum Message {
            $(#[doc = $doc] $name($name),)*
        }

        impl Message {
            /// The bytes to publish.
            #[must_use]
            pub fn encode(&self) -> Vec<u8> {
                match self {
                    $(Self::$name(content) => pack($kind, $version, content),)*
                }
            }

            /// The message in `bytes`, all of them.
            ///
            /// # Errors
            /// See [`EnvelopeError`]; no input panics.
            pub fn decode(bytes: &[u8]) -> Result<Self, EnvelopeError> {
                let (kind, version, content) = unpack(bytes)?;
                match (kind, version) {
                    $(($kind, $version) => Ok(Self::$name(whole(kind, content)?)),)*
                    _ => Err(EnvelopeError::Unknown { kind, version }),
                }
            }
        }

        $(impl From<$name> for Message {
            fn from(content: $name) -> Self {
                Self::$name(content)
            }
        })*
    };
}

messages! {
    1 1 Batch "Records, door → hub."
    2 1 Hello "First thing after a connect, door → hub."
    2 2 Greeting "The same, and whose numbers those are, door → hub."
    3 1 Ack "What is stored, hub → door."
    4 1 Status "Online or not, door → hub."
    5 1 Reported "What the door runs, door → hub."
    6 1 Desired "What the door should run, hub → door."
    7 1 Command "Do something now, hub → door."
    8 1 Time "What time it is, hub → door."
    9 1 Snap "What the camera sees, door → hub."
    10 1 Settings "Settings of the door, hub → door."
    11 1 Heard "Whose numbers the hub knows, hub → door."
    12 1 Interest "How often the hub wants vitals, hub → door."
    13 1 Vitals "How the board is, door → hub."
    14 1 Offer "Which program the door should run, hub → door."
    15 1 Progress "Which program the door runs, door → hub."
    16 1 Grasp "How much the hub understands, hub → door."
    17 1 Tail "The newest lines of the door's log, door → hub."
    18 1 Running "The settings it runs with, door → hub."
    19 1 Condition "How its program is, door → hub."
}

fn pack<T: Serialize>(kind: u8, version: u8, content: &T) -> Vec<u8> {
    let head = [MAGIC[0], MAGIC[1], kind, version, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let mut bytes = postcard::to_extend(content, head.to_vec())
        .expect("a message holds only what postcard can write");
    let length = u32::try_from(bytes.len() - HEAD).expect("a message is far below 4 GiB");
    let crc = crc32c::crc32c(&bytes[HEAD..]);
    bytes[5..9].copy_from_slice(&length.to_le_bytes());
    bytes[9..13].copy_from_slice(&crc.to_le_bytes());
    bytes
}

fn unpack(bytes: &[u8]) -> Result<(u8, u8, &[u8]), EnvelopeError> {
    let length = |want| EnvelopeError::Length { got: bytes.len(), want };
    if bytes.len() > PACKET_BYTES {
        return Err(length(PACKET_BYTES));
    }
    let (head, content) = bytes.split_first_chunk::<HEAD>().ok_or_else(|| length(HEAD))?;
    let [m0, m1, kind, version, _flags, l0, l1, l2, l3, c0, c1, c2, c3] = *head;
    if [m0, m1] != MAGIC {
        return Err(EnvelopeError::Magic);
    }
    let stated = u32::from_le_bytes([l0, l1, l2, l3]) as usize;
    if stated != content.len() {
        return Err(length(stated.saturating_add(HEAD)));
    }
    if u32::from_le_bytes([c0, c1, c2, c3]) != crc32c::crc32c(content) {
        return Err(EnvelopeError::Checksum);
    }
    Ok((kind, version, content))
}

fn whole<T: DeserializeOwned>(kind: u8, content: &[u8]) -> Result<T, EnvelopeError> {
    match postcard::take_from_bytes(content) {
        Ok((value, [])) => Ok(value),
        Ok(_) => Err(EnvelopeError::Content { kind, why: postcard::Error::DeserializeBadEncoding }),
        Err(why) => Err(EnvelopeError::Content { kind, why }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Wall;
    use proptest::prelude::*;

    fn time() -> Vec<u8> {
        Message::from(Time { wall: Wall(1_700_000_000_000), echo: None }).encode()
    }

    #[test]
    fn each_way_to_be_wrong_has_its_own_words() {
        let error = |bytes: &[u8]| Message::decode(bytes).unwrap_err();
        let mut newer = time();
        newer[3] = 9;
        assert_eq!(error(&newer), EnvelopeError::Unknown { kind: 8, version: 9 });
        let mut damaged = time();
        damaged[14] ^= 1;
        assert_eq!(error(&damaged), EnvelopeError::Checksum);
        assert_eq!(error(b"RD-not-ours-at-all"), EnvelopeError::Magic);
        assert_eq!(error(b"RC"), EnvelopeError::Length { got: 2, want: 13 });
        let longer = [time(), vec![0]].concat();
        assert!(matches!(error(&longer), EnvelopeError::Length { .. }));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = Message::decode(&bytes);
        }

        #[test]
        fn content_that_passes_the_checksum_never_panics(
            kind in 0u8..21, version in 1u8..3,
            content in prop::collection::vec(any::<u8>(), 0..200)
        ) {
            let mut bytes = vec![b'R', b'C', kind, version, 0];
            bytes.extend((content.len() as u32).to_le_bytes());
            bytes.extend(crc32c::crc32c(&content).to_le_bytes());
            bytes.extend(content);
            if let Ok(message) = Message::decode(&bytes) {
                let again = Message::decode(&message.encode());
                prop_assert_eq!(format!("{again:?}"), format!("{:?}", Ok::<_, ()>(message)));
            }
        }
    }
}
