//! How a new door becomes one of ours: it shows its one-time token and a certificate request,
//! and gets everything it must know. JSON over HTTPS, the only message that is not MQTT.
//!
//! Of the request only the public key is used; every name in the answer is the hub's choice.

use crate::id::DeviceId;
use crate::record::Direction;
use crate::seal::HubKey;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Where a door joins, on the hub's web address.
pub const JOIN_PATH: &str = "/api/join";
/// What a joining door offers beside its protocol (ALPN): it wants to see the certificate that
/// the hub's own authority signed, whatever the hub shows to browsers.
pub const JOIN_ALPN: &[u8] = b"rollcall-join";
/// Where the device's current signed manifest lies, on the device address: postcard bytes of a
/// [`crate::sign::Signed`]; 404 before the first release.
pub const MANIFEST_PATH: &str = "/gallery/manifest";
/// `{GALLERY_PATH}{version}`: the file of a release, on the device address; takes `Range` with
/// `If-Range` (the file's BLAKE3 in quoted hexadecimal digits is its `ETag`).
pub const GALLERY_PATH: &str = "/gallery/";
/// The key of the gallery on the door's own disk, on the device address: 32 bytes, the same at
/// each start, for its RAM. A door that was cut off gets none.
pub const KEY_PATH: &str = "/gallery/key";
/// Who signs after the key that a door pinned, on the device address: postcard bytes of a list of
/// [`crate::sign::Signed`], each a key named by the one before it, oldest first.
pub const SIGNERS_PATH: &str = "/gallery/signers";
/// `{MODELS_PATH}{file}`: the files of the model pack, on the device address: `pack.toml`, what
/// it names, and `pack.signed`, the postcard bytes of a [`crate::sign::Signed`] `pack.toml`.
pub const MODELS_PATH: &str = "/models/";
/// The postcard bytes of a [`crate::sign::Signed`] list, in PEM, of the authorities that sign the
/// hub and doors, on the device address: two while one is being replaced, the one that signs doors
/// last.
pub const AUTHORITY_PATH: &str = "/authority";
/// What the signature of that list is for: whoever has an authority's key alone gives no door
/// another authority.
pub const AUTHORITY_DOMAIN: &str = "rollcall-authorities-v1";
/// Where a door gets its next certificate, on the device address: POST a PKCS #10 request in PEM,
/// the answer is the certificate in PEM.
///
/// 409 before two thirds of the old one's life, unless another
/// authority signs doors by now.
pub const RENEW_PATH: &str = "/renew";
/// What the signature of `pack.signed` is for.
pub const MODELS_DOMAIN: &str = "rollcall-models-v1";

/// By which a unit becomes a door at its first start: a TOML file that lies on its card.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Invitation {
    /// Where the hub is: `https://NAME:PORT`.
    pub hub: String,
    /// The one-time token.
    pub token: String,
}

impl fmt::Debug for Invitation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Invitation({}, ***)", self.hub)
    }
}

/// Door → hub.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JoinRequest {
    /// The one-time token that `rollcall-hub device add` printed.
    pub token: String,
    /// A PKCS #10 request in PEM, for a P-256 or Ed25519 key that never leaves the door.
    pub csr_pem: String,
}

impl fmt::Debug for JoinRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JoinRequest(***)")
    }
}

/// Hub → door: who it is now, whom to trust, and where to go.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Joined {
    /// The door's name: the common name of its certificate and its MQTT client id.
    pub device: DeviceId,
    /// The door's certificate.
    pub certificate_pem: String,
    /// The authority that signed it and the hub's own certificates; trust this and no other.
    pub ca_pem: String,
    /// `host:port` of the MQTT listener.
    pub mqtt: String,
    /// `host:port` of the device HTTPS listener (gallery and models).
    pub https: String,
    /// What crops and templates are sealed for.
    #[serde(with = "hub_key")]
    pub hub_key: HubKey,
    /// ed25519 key that signs galleries, 64 hexadecimal digits in JSON.
    #[serde(with = "hex32")]
    pub gallery_key: [u8; 32],
    /// Where the door is.
    pub room: String,
    /// Which way it counts.
    pub direction: Direction,
    /// ed25519 key of whoever signs programs for doors, as `gallery_key`; nothing where the school
    /// trusts none, and from a hub of before.
    #[serde(with = "maybe_hex32", default, skip_serializing_if = "Option::is_none")]
    pub program_key: Option<[u8; 32]>,
}

mod maybe_hex32 {
    use super::hex32;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(
        bytes: &Option<[u8; 32]>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        match bytes {
            Some(bytes) => hex32::serialize(bytes, to),
            None => to.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<[u8; 32]>, D::Error> {
        #[derive(Deserialize)]
        struct Text(#[serde(with = "hex32")] [u8; 32]);
        Ok(Option::<Text>::deserialize(from)?.map(|text| text.0))
    }
}

mod hub_key {
    use super::HubKey;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    struct Text {
        id: u32,
        #[serde(with = "super::hex32")]
        public: [u8; 32],
    }

    pub(super) fn serialize<S: Serializer>(key: &HubKey, to: S) -> Result<S::Ok, S::Error> {
        Text { id: key.id, public: key.public }.serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<HubKey, D::Error> {
        Text::deserialize(from).map(|text| HubKey { id: text.id, public: text.public })
    }
}

mod hex32 {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};
    use std::fmt::Write;

    pub(super) fn serialize<S: Serializer>(bytes: &[u8; 32], to: S) -> Result<S::Ok, S::Error> {
        let text = bytes.iter().fold(String::with_capacity(64), |mut text, byte| {
            write!(text, "{byte:02x}").expect("a String takes every text");
            text
        });
        to.serialize_str(&text)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<[u8; 32], D::Error> {
        let text = String::deserialize(from)?;
        parse(&text).ok_or_else(|| D::Error::custom("expected 64 hexadecimal digits"))
    }

    fn parse(text: &str) -> Option<[u8; 32]> {
        let digits = text.as_bytes();
        if digits.len() != 64 {
            return None;
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let digit = |d: u8| char::from(d).to_digit(16);
            *byte = u8::try_from(digit(pair[0])? * 16 + digit(pair[1])?).ok()?;
        }
        Some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined() -> Joined {
        Joined {
            device: "door-1".parse().unwrap(),
            certificate_pem: "C".into(),
            ca_pem: "A".into(),
            mqtt: "hub:8883".into(),
            https: "hub:8444".into(),
            hub_key: HubKey { id: 1, public: [0xab; 32] },
            gallery_key: [7; 32],
            room: "204".into(),
            direction: Direction::Entry,
            program_key: None,
        }
    }

    #[test]
    fn the_answer_is_plain_json_with_keys_in_hexadecimal() {
        let text = serde_json::to_string(&joined()).unwrap();
        let keys = format!(
            r#""hub_key":{{"id":1,"public":"{}"}},"gallery_key":"{}""#,
            "ab".repeat(32),
            "07".repeat(32)
        );
        assert!(text.contains(&keys), "{text}");
        assert_eq!(serde_json::from_str::<Joined>(&text).unwrap(), joined());
        for bad in ["0g", "07 ", "é7"] {
            let bad = text.replace(&"07".repeat(32), &bad.repeat(32));
            assert!(serde_json::from_str::<Joined>(&bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_hub_of_before_names_no_key_for_programs_and_one_of_today_may() {
        let text = serde_json::to_string(&joined()).unwrap();
        assert!(!text.contains("program_key"), "{text}");
        assert_eq!(serde_json::from_str::<Joined>(&text).unwrap().program_key, None);
        let trusts = Joined { program_key: Some([9; 32]), ..joined() };
        let text = serde_json::to_string(&trusts).unwrap();
        assert!(text.contains(&format!(r#""program_key":"{}""#, "09".repeat(32))), "{text}");
        assert_eq!(serde_json::from_str::<Joined>(&text).unwrap(), trusts);
    }

    #[test]
    fn a_token_never_prints_itself() {
        let request = JoinRequest { token: "secret".into(), csr_pem: String::new() };
        assert!(!format!("{request:?}").contains("secret"));
    }
}
