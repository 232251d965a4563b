//! Signatures of the hub: a door takes a gallery only from the hub it joined.

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};

/// Signed bytes. The domain keeps a signature made for one purpose from serving another.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Signed {
    /// What was signed, exactly as it is decoded afterwards.
    pub bytes: Vec<u8>,
    /// ed25519 over domain, a zero byte, and `bytes`.
    pub signature: Vec<u8>,
}

/// The signature does not fit.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("the signature is not from the hub this device joined")]
pub struct Forged;

impl Signed {
    /// Signs `bytes` for `domain`.
    #[must_use]
    pub fn new(key: &SigningKey, domain: &str, bytes: Vec<u8>) -> Self {
        let signature = key.sign(&scoped(domain, &bytes)).to_vec();
        Self { bytes, signature }
    }

    /// The bytes, if `key` signed them for `domain` (strict verification: no malleable
    /// signature, no weak key).
    ///
    /// # Errors
    /// When it did not.
    pub fn verify(&self, key: &VerifyingKey, domain: &str) -> Result<&[u8], Forged> {
        let signature = Signature::from_slice(&self.signature).map_err(|_| Forged)?;
        key.verify_strict(&scoped(domain, &self.bytes), &signature).map_err(|_| Forged)?;
        Ok(&self.bytes)
    }

    /// BLAKE3 of the signed bytes: how others refer to them.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        *blake3::hash(&self.bytes).as_bytes()
    }
}

/// What the signature of a successor is for.
const SUCCESSOR_DOMAIN: &str = "rollcall-successor-v1";

impl Signed {
    /// `old` says that `new` signs from now on.
    #[must_use]
    pub fn successor(old: &SigningKey, new: &VerifyingKey) -> Self {
        Self::new(old, SUCCESSOR_DOMAIN, new.to_bytes().to_vec())
    }
}

/// The newest key that `pinned` leads to: each was named by the one before it. Whoever named
/// another key leads nowhere.
#[must_use]
pub fn newest(pinned: &VerifyingKey, chain: &[Signed]) -> VerifyingKey {
    chain.iter().fold(*pinned, |key, next| {
        let named = next.verify(&key, SUCCESSOR_DOMAIN).ok();
        let named = named.and_then(|bytes| VerifyingKey::from_bytes(bytes.try_into().ok()?).ok());
        named.unwrap_or(key)
    })
}

fn scoped(domain: &str, bytes: &[u8]) -> Vec<u8> {
    [domain.as_bytes(), &[0], bytes].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_successor_is_followed_from_wherever_one_stands_and_a_stranger_is_not() {
        let key = |n| SigningKey::from_bytes(&[n; 32]);
        let public = |n| key(n).verifying_key();
        let chain = [(1, 2), (2, 3)].map(|(old, new)| Signed::successor(&key(old), &public(new)));
        assert_eq!([1, 2, 3].map(|from| newest(&public(from), &chain)), [public(3); 3]);
        let forged = [Signed::successor(&key(9), &public(4))];
        assert_eq!(newest(&public(1), &forged), public(1));
        assert_eq!(newest(&public(9), &chain), public(9));
    }

    #[test]
    fn another_key_domain_or_content_is_refused() {
        let key = SigningKey::from_bytes(&[7; 32]);
        let signed = Signed::new(&key, "gallery", b"people".to_vec());
        assert_eq!(signed.verify(&key.verifying_key(), "gallery"), Ok(&b"people"[..]));
        assert_eq!(signed.verify(&key.verifying_key(), "model"), Err(Forged));
        let stranger = SigningKey::from_bytes(&[8; 32]).verifying_key();
        assert_eq!(signed.verify(&stranger, "gallery"), Err(Forged));
        let changed = Signed { bytes: b"others".to_vec(), ..signed };
        assert_eq!(changed.verify(&key.verifying_key(), "gallery"), Err(Forged));
    }
}
