//! Who is asking, and may they: passwords, sessions, tokens, throttling and roles.
//!
//! Everything here is a decision over facts and `now`; `http` reads the headers and `store`
//! keeps the rows. Secrets are kept only as hashes, so a stolen database opens no session.

pub mod cookie;
pub mod csrf;
pub mod elsewhere;
pub mod known;
pub mod passkey;
pub mod password;
pub mod session;
pub mod token;
pub mod totp;

pub use password::{Busy, Passwords};

use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// A new secret of 256 bits, as text for a cookie or a header.
#[must_use]
pub fn secret() -> String {
    BASE64URL_NOPAD.encode(&rand::random::<[u8; 32]>())
}

/// A new random id (UUIDv4): it says nothing about when it was made.
#[must_use]
pub fn nonce() -> Uuid {
    uuid::Builder::from_random_bytes(rand::random()).into_uuid()
}

/// SHA-256 of a secret: the form in which the database knows it.
#[must_use]
pub fn digest(secret: &str) -> Vec<u8> {
    Sha256::digest(secret.as_bytes()).to_vec()
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_secret_is_256_bits_and_never_the_same_twice() {
        let (one, two) = (super::secret(), super::secret());
        assert_eq!(one.len(), 43);
        assert_ne!(one, two);
        assert_eq!(super::digest(&one).len(), 32);
    }
}
