//! Sealing at rest: AES-256-GCM, a random nonce for each object, and its place as associated data.
//!
//! A sealed thing is `nonce (12) ‖ ciphertext ‖ tag (16)`. The place (table, student, model …)
//! keeps it from being moved to another row.

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use std::fmt;
use zeroize::Zeroizing;

const NONCE: usize = 12;

/// It was sealed with another key or for another place, or was changed.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("a sealed value does not open: wrong key, wrong place, or damaged")]
pub struct Broken;

/// A 256-bit key; wiped when dropped, never printed.
#[derive(Clone)]
pub struct DataKey(Zeroizing<[u8; 32]>);

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataKey(***)")
    }
}

impl DataKey {
    /// A new random key.
    #[must_use]
    pub fn random() -> Self {
        Self(Zeroizing::new(rand::random()))
    }

    /// The key with these bytes.
    ///
    /// # Errors
    /// When they are not 32.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, Broken> {
        let bytes = <[u8; 32]>::try_from(bytes).map_err(|_| Broken)?;
        Ok(Self(Zeroizing::new(bytes)))
    }

    /// The key's bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Seals `plain` for `place`.
    #[must_use]
    pub fn seal(&self, place: &str, plain: &[u8]) -> Vec<u8> {
        let nonce: [u8; NONCE] = rand::random();
        let payload = Payload { msg: plain, aad: place.as_bytes() };
        let sealed = self.cipher().encrypt(&Nonce::from(nonce), payload);
        [&nonce[..], &sealed.expect("AES-GCM seals anything below 64 GiB")].concat()
    }

    /// What was sealed for `place`.
    ///
    /// # Errors
    /// [`Broken`], whatever the reason.
    pub fn open(&self, place: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Broken> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE>().ok_or(Broken)?;
        let payload = Payload { msg: sealed, aad: place.as_bytes() };
        let plain = self.cipher().decrypt(&Nonce::from(*nonce), payload);
        plain.map(Zeroizing::new).map_err(|_| Broken)
    }

    /// Seals another key with this one.
    #[must_use]
    pub fn wrap(&self, place: &str, key: &Self) -> Vec<u8> {
        self.seal(place, key.as_bytes())
    }

    /// The key that [`DataKey::wrap`] sealed.
    ///
    /// # Errors
    /// [`Broken`].
    pub fn unwrap(&self, place: &str, wrapped: &[u8]) -> Result<Self, Broken> {
        Self::from_slice(&self.open(place, wrapped)?)
    }

    fn cipher(&self) -> Aes256Gcm {
        Aes256Gcm::new(self.as_bytes().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_seal_opens_with_its_key_in_its_place_unchanged(
            plain: Vec<u8>, place in ".{0,20}", at: usize, bit in 0u8..8
        ) {
            let key = DataKey::random();
            let mut sealed = key.seal(&place, &plain);
            prop_assert_eq!(&*key.open(&place, &sealed)?, &plain);
            prop_assert_eq!(key.open(&format!("{place}!"), &sealed), Err(Broken));
            prop_assert_eq!(DataKey::random().open(&place, &sealed), Err(Broken));
            let at = at % sealed.len();
            sealed[at] ^= 1 << bit;
            prop_assert_eq!(key.open(&place, &sealed), Err(Broken));
        }
    }

    #[test]
    fn a_key_never_prints_itself() {
        let key = DataKey::from_slice(&[0xAB; 32]).unwrap();
        assert_eq!(format!("{key:?}"), "DataKey(***)");
        assert_eq!(DataKey::from_slice(&[1; 31]).unwrap_err(), Broken);
    }
}
