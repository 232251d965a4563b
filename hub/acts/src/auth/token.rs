//! Tokens of programs: a short-lived signed access token, and a refresh token used once.
//!
//! A refresh token belongs to a family that began with one login. Using one gives the next;
//! using an old one again means that somebody copied it, and ends the whole family.

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use rules::auth::refresh::RefreshLimits;
use rules::auth::{Actor, Role};
use serde::{Deserialize, Serialize};
use std::sync::{Arc, PoisonError, RwLock};
use uuid::Uuid;
use wire::Wall;
use zeroize::Zeroizing;

/// Signs and reads access tokens; its keys are replaced while it works. Cheap to clone.
#[derive(Clone)]
pub struct Tokens {
    keys: Arc<RwLock<Vec<TokenKeys>>>,
    limits: RefreshLimits,
}

/// One key, both ways.
struct TokenKeys {
    bytes: Zeroizing<[u8; 32]>,
    sign: EncodingKey,
    read: DecodingKey,
}

impl TokenKeys {
    fn new(key: &[u8; 32]) -> Self {
        let sign = EncodingKey::from_secret(key);
        let read = DecodingKey::from_secret(key);
        Self { bytes: Zeroizing::new(*key), sign, read }
    }
}

#[derive(Serialize, Deserialize)]
struct Claims {
    sub: Uuid,
    role: Role,
    /// The family of the refresh token that came with it.
    fam: Uuid,
    iat: i64,
    exp: i64,
}

/// What a good access token says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Access {
    /// Who holds it. The role is read again from the account at each request.
    pub actor: Actor,
    /// Its family, so that logging out ends it at once.
    pub family: Uuid,
}

/// The token is not ours, was changed, or is too old.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("the access token is not valid or has expired: sign in again, or refresh it")]
pub struct BadToken;

impl Tokens {
    /// Tokens under `key`, which the hub keeps beside its other keys.
    #[must_use]
    pub fn new(key: &[u8; 32], limits: RefreshLimits) -> Self {
        Self { keys: Arc::new(RwLock::new(vec![TokenKeys::new(key)])), limits }
    }

    /// From now on the first of `keys` signs, and each of them is read.
    pub fn turn(&self, keys: &[Zeroizing<[u8; 32]>]) {
        let mut now = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        if !keys.is_empty() && !now.iter().map(|pair| &pair.bytes).eq(keys) {
            *now = keys.iter().map(|key| TokenKeys::new(key)).collect();
        }
    }

    /// A key made from a secret of any length.
    #[must_use]
    pub fn key(secret: &str) -> [u8; 32] {
        blake3::derive_key("rollcall 2026 key of access tokens", secret.as_bytes())
    }

    /// How long they live.
    #[must_use]
    pub fn limits(&self) -> RefreshLimits {
        self.limits
    }

    /// Seconds an access token lives, as the login answer says.
    #[must_use]
    pub fn seconds(&self) -> i64 {
        self.limits.access_ms / 1000
    }

    /// A new access token.
    #[must_use]
    pub fn issue(&self, actor: Actor, family: Uuid, now: Wall) -> String {
        let iat = now.0 / 1000;
        let exp = now.plus_ms(self.limits.access_ms).0 / 1000;
        let claims = Claims { sub: actor.user, role: actor.role, fam: family, iat, exp };
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let newest = keys.first().expect("there is always one");
        encode(&Header::default(), &claims, &newest.sign).expect("claims are plain JSON")
    }

    /// Reads an access token.
    ///
    /// # Errors
    /// [`BadToken`], without saying which part was wrong.
    pub fn read(&self, token: &str, now: Wall) -> Result<Access, BadToken> {
        let mut how = Validation::new(Algorithm::HS256);
        how.validate_exp = false; // the library would read the machine's clock
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let read = |pair: &TokenKeys| decode::<Claims>(token, &pair.read, &how).ok();
        let claims = keys.iter().find_map(read).ok_or(BadToken)?.claims;
        if now.0 / 1000 >= claims.exp {
            return Err(BadToken);
        }
        Ok(Access { actor: Actor { user: claims.sub, role: claims.role }, family: claims.fam })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rules::auth::refresh::ACCESS_MS;

    const NOW: Wall = Wall(1_790_000_000_000);

    fn actor() -> Actor {
        Actor { user: Uuid::from_u128(7), role: Role::Teacher }
    }

    #[test]
    fn an_access_token_lives_for_half_an_hour() {
        let tokens = Tokens::new(&[1; 32], RefreshLimits::default());
        let token = tokens.issue(actor(), Uuid::nil(), NOW);
        let read = |at| tokens.read(&token, at).map(|access| access.actor);
        assert_eq!(read(NOW), Ok(actor()));
        assert_eq!(read(NOW.plus_ms(ACCESS_MS - 1000)), Ok(actor()));
        assert_eq!(read(NOW.plus_ms(ACCESS_MS)), Err(BadToken));
    }

    #[test]
    fn a_token_of_another_key_or_a_changed_one_is_refused() {
        let tokens = Tokens::new(&[1; 32], RefreshLimits::default());
        let token = tokens.issue(actor(), Uuid::nil(), NOW);
        assert_eq!(
            Tokens::new(&[2; 32], RefreshLimits::default()).read(&token, NOW),
            Err(BadToken)
        );
        let mut parts: Vec<_> = token.split('.').collect();
        parts[0] = "eyJhbGciOiJub25lIn0";
        for bad in [parts.join("."), String::new(), "a.b.c".into()] {
            assert_eq!(tokens.read(&bad, NOW), Err(BadToken), "{bad}");
        }
    }

    #[test]
    fn the_key_before_the_newest_counts_until_it_is_taken_away() {
        let (old, new) = (Zeroizing::new([1; 32]), Zeroizing::new([2; 32]));
        let tokens = Tokens::new(&old, RefreshLimits::default());
        let before = tokens.issue(actor(), Uuid::nil(), NOW);
        tokens.turn(&[new.clone(), old]);
        let after = tokens.issue(actor(), Uuid::nil(), NOW);
        assert!(tokens.read(&before, NOW).is_ok() && tokens.read(&after, NOW).is_ok());
        tokens.turn(&[new]);
        assert_eq!(tokens.read(&before, NOW), Err(BadToken));
        assert!(tokens.read(&after, NOW).is_ok());
    }
}
