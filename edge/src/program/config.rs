//! `[update]` of `edge.toml`.

use crate::identity::Identity;
use crate::table::ConfigError;
use data_encoding::HEXLOWER;
use ed25519_dalek::VerifyingKey;
use serde::Deserialize;

/// Whose programs are taken, and when one has proven itself.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The public key of whoever signs programs, 64 hexadecimal digits. Where it is not set, the
    /// one that the hub named when this door joined.
    pub signer: Option<String>,
    /// For how many seconds a new program must hear its hub and see, before it is kept.
    pub steady_s: u32,
    /// For how many seconds nobody must have come by before a new program is started.
    pub quiet_s: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self { signer: None, steady_s: 30, quiet_s: 20 }
    }
}

impl Config {
    /// The same if it can be.
    ///
    /// # Errors
    /// With the key's name and what to write.
    pub fn checked(self) -> Result<Self, ConfigError> {
        if self.signer.as_deref().is_some_and(|signer| key(signer).is_none()) {
            let say = "is no public key: write the 64 digits that rollcall-hub update key printed";
            return Err(ConfigError::key("update.signer", say));
        }
        ConfigError::within("update.steady_s", self.steady_s.into(), 1..=600)?;
        ConfigError::within("update.quiet_s", self.quiet_s.into(), 0..=3_600)?;
        Ok(self)
    }

    /// Who signs programs for the door that is `identity`.
    #[must_use]
    pub fn signer(&self, identity: Option<&Identity>) -> Option<VerifyingKey> {
        let typed = self.signer.as_deref().and_then(key);
        let named = || VerifyingKey::from_bytes(&identity?.joined.program_key?).ok();
        typed.or_else(named)
    }
}

fn key(digits: &str) -> Option<VerifyingKey> {
    let bytes = HEXLOWER.decode(digits.to_ascii_lowercase().as_bytes()).ok()?;
    VerifyingKey::from_bytes(&bytes.try_into().ok()?).ok()
}
