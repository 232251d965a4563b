//! Sealed for the hub: a stolen card, or whoever reads the bus, sees no face and no template.
//!
//! HPKE base mode (RFC 9180): X25519, HKDF-SHA256, AES-256-GCM. The record's key and the part's
//! kind are associated data, so that a seal cannot be moved to another record.

use crate::id::RecordKey;
use hpke::rand_core::CryptoRng;
use hpke::{Deserializable, Kem as _, OpModeR, OpModeS, Serializable};
use serde::{Deserialize, Serialize};
use std::fmt;
use zeroize::Zeroizing;

type Kem = hpke::kem::X25519HkdfSha256;
type Kdf = hpke::kdf::HkdfSha256;
type Aead = hpke::aead::AesGcm256;

const INFO: &[u8] = b"rollcall-seal-v1";

/// Why a seal does not open, or cannot be made.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SealError {
    /// The key bytes are no X25519 key.
    #[error("the hub's sealing key is damaged: let the device join again")]
    Key,
    /// Sealed for a key that is gone.
    #[error("sealed for key {0}, which this hub no longer holds")]
    Retired(u32),
    /// Wrong key, another record, or damaged.
    #[error("the seal does not open: it belongs to another record or was changed")]
    Broken,
}

/// What is sealed; part of the associated data.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    /// A unit template, f16 little-endian.
    Template = 1,
    /// A JPEG of the face.
    Crop = 2,
    /// A JPEG of what the camera sees.
    Snap = 3,
}

/// A sealed part of a record.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Sealed {
    /// Which of the hub's keys it is for.
    pub key: u32,
    /// The encapsulated X25519 key.
    pub enc: [u8; 32],
    /// Ciphertext and tag.
    pub bytes: Vec<u8>,
}

impl Sealed {
    /// Postcard bytes: how a sealed crop travels beside its record.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        postcard::to_stdvec(self).expect("a seal holds only plain bytes")
    }

    /// The seal in `bytes`, all of them.
    ///
    /// # Errors
    /// When they are no seal.
    pub fn decode(bytes: &[u8]) -> Result<Self, SealError> {
        match postcard::take_from_bytes(bytes) {
            Ok((sealed, [])) => Ok(sealed),
            _ => Err(SealError::Broken),
        }
    }
}

/// The hub's public sealing key, as a door holds it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct HubKey {
    /// Counts the hub's keys, from 1.
    pub id: u32,
    /// X25519 public key.
    pub public: [u8; 32],
}

/// The hub's secret sealing key.
pub struct HubSecret {
    /// Counts the hub's keys, from 1.
    pub id: u32,
    secret: Zeroizing<[u8; 32]>,
}

impl fmt::Debug for HubSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HubSecret({}, ***)", self.id)
    }
}

impl HubKey {
    /// Seals `plain` as `part` of the record `of`.
    ///
    /// # Errors
    /// When the public key is no key.
    pub fn seal(
        &self,
        of: &RecordKey,
        part: Part,
        plain: &[u8],
        rng: &mut impl CryptoRng,
    ) -> Result<Sealed, SealError> {
        let to =
            <Kem as hpke::Kem>::PublicKey::from_bytes(&self.public).map_err(|_| SealError::Key)?;
        let (enc, bytes) = hpke::single_shot_seal_with_rng::<Aead, Kdf, Kem>(
            &OpModeS::Base,
            &to,
            INFO,
            plain,
            &context(of, part),
            rng,
        )
        .map_err(|_| SealError::Key)?;
        Ok(Sealed { key: self.id, enc: enc.to_bytes().into(), bytes })
    }
}

impl HubSecret {
    /// A new key with number `id`.
    pub fn generate(id: u32, rng: &mut impl CryptoRng) -> Self {
        let (secret, _) = Kem::gen_keypair_with_rng(rng);
        Self { id, secret: Zeroizing::new(secret.to_bytes().into()) }
    }

    /// The key with these secret bytes.
    #[must_use]
    pub fn from_bytes(id: u32, secret: [u8; 32]) -> Self {
        Self { id, secret: Zeroizing::new(secret) }
    }

    /// The secret bytes, for the hub's key store.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        self.secret.clone()
    }

    /// The key doors seal with.
    ///
    /// # Errors
    /// When the secret bytes are no key.
    pub fn public(&self) -> Result<HubKey, SealError> {
        let public = Kem::sk_to_pk(&self.key()?).to_bytes().into();
        Ok(HubKey { id: self.id, public })
    }

    /// Opens `sealed` as `part` of the record `of`.
    ///
    /// # Errors
    /// When it was sealed for another key, record or part, or was changed.
    pub fn open(
        &self,
        of: &RecordKey,
        part: Part,
        sealed: &Sealed,
    ) -> Result<Zeroizing<Vec<u8>>, SealError> {
        if sealed.key != self.id {
            return Err(SealError::Retired(sealed.key));
        }
        let enc = <Kem as hpke::Kem>::EncappedKey::from_bytes(&sealed.enc)
            .map_err(|_| SealError::Broken)?;
        hpke::single_shot_open::<Aead, Kdf, Kem>(
            &OpModeR::Base,
            &self.key()?,
            &enc,
            INFO,
            &sealed.bytes,
            &context(of, part),
        )
        .map(Zeroizing::new)
        .map_err(|_| SealError::Broken)
    }

    fn key(&self) -> Result<<Kem as hpke::Kem>::PrivateKey, SealError> {
        <Kem as hpke::Kem>::PrivateKey::from_bytes(&*self.secret).map_err(|_| SealError::Key)
    }
}

fn context(of: &RecordKey, part: Part) -> Vec<u8> {
    let device = of.device.as_str().as_bytes();
    [device, &[0], &of.epoch.0, &of.seq.to_le_bytes(), &[part as u8]].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Epoch;
    use proptest::prelude::*;
    use rand::{SeedableRng, rngs::StdRng};

    fn record(seq: u64) -> RecordKey {
        RecordKey { device: "d1".parse().unwrap(), epoch: Epoch([1; 16]), seq }
    }

    proptest! {
        #[test]
        fn a_seal_opens_only_where_it_was_made(plain: Vec<u8>, seed: u64) {
            let mut rng = StdRng::seed_from_u64(seed);
            let hub = HubSecret::generate(1, &mut rng);
            let sealed = hub.public()?.seal(&record(1), Part::Crop, &plain, &mut rng)?;
            prop_assert_eq!(&*hub.open(&record(1), Part::Crop, &sealed)?, &plain);
            prop_assert_eq!(hub.open(&record(2), Part::Crop, &sealed), Err(SealError::Broken));
            prop_assert_eq!(hub.open(&record(1), Part::Template, &sealed), Err(SealError::Broken));
            let other = HubSecret::generate(1, &mut rng);
            prop_assert_eq!(other.open(&record(1), Part::Crop, &sealed), Err(SealError::Broken));
        }
    }

    #[test]
    fn a_retired_key_is_named() {
        let mut rng = StdRng::seed_from_u64(7);
        let (old, new) = (HubSecret::generate(1, &mut rng), HubSecret::generate(2, &mut rng));
        let sealed = old.public().unwrap().seal(&record(1), Part::Crop, b"face", &mut rng).unwrap();
        assert_eq!(new.open(&record(1), Part::Crop, &sealed), Err(SealError::Retired(1)));
    }

    #[test]
    fn a_sealed_crop_travels_as_bytes() {
        let sealed = Sealed { key: 1, enc: [5; 32], bytes: vec![6; 200] };
        assert_eq!(Sealed::decode(&sealed.encode()), Ok(sealed.clone()));
        let longer = [sealed.encode(), vec![0]].concat();
        assert_eq!(Sealed::decode(&longer), Err(SealError::Broken));
    }

    #[test]
    fn a_secret_never_prints_itself() {
        let secret = HubSecret::from_bytes(3, [0xAB; 32]);
        assert_eq!(format!("{secret:?}"), "HubSecret(3, ***)");
    }
}
