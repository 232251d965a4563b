//! Passkeys (WebAuthn): a key that a phone, a laptop or a stick keeps, and opens by a finger, a
//! face or a PIN. It signs what we sent, for our name alone.
//!
//! Every one is found by its owner's device itself and verifies its owner, so that it stands for
//! the password and the second factor together. Attestation is not asked for: who made a device
//! does not matter here.

use serde_json::Value;
use std::net::IpAddr;
use store::passkey::PasskeyKept;
use uuid::Uuid;
use webauthn_rp::bin::{Decode, Encode};
use webauthn_rp::request::auth::AuthenticationVerificationOptions;
use webauthn_rp::request::register::{
    Extension, PublicKeyCredentialUserEntity, RegistrationServerState,
    RegistrationVerificationOptions, UserHandle16, Username,
};
use webauthn_rp::request::{AsciiDomain, PublicKeyCredentialDescriptor, RpId};
use webauthn_rp::response::auth::DiscoverableAuthentication16;
use webauthn_rp::response::register::{DynamicState, Registration, StaticState};
use webauthn_rp::response::{AuthTransports, CredentialId};
use webauthn_rp::{
    AuthenticatedCredential, DiscoverableAuthenticationServerState,
    DiscoverableCredentialRequestOptions, PublicKeyCredentialCreationOptions,
};

/// How long a device may take to answer, milliseconds.
pub const LIFE_MS: i64 = 5 * 60 * 1000;

/// Under which name passkeys are good, and for which address of it.
#[derive(Debug)]
pub struct WebauthnPlace {
    name: RpId,
    origin: String,
}

/// Something that waits for a device's answer.
#[derive(Debug)]
pub struct WebauthnBegun {
    /// What the browser's script hands to the device.
    pub options: Value,
    /// What we have to keep until the answer.
    pub state: Vec<u8>,
}

/// Whose passkey is to be made.
#[derive(Clone, Copy, Debug)]
pub struct Owner<'a> {
    /// Their account.
    pub account: Uuid,
    /// By which the device shows whose it is.
    pub email: &'a str,
}

/// A device's answer, before anything is believed of it.
#[derive(Debug)]
pub struct WebauthnShown(DiscoverableAuthentication16);

/// Why an answer does not count; for the log, not for whoever asks.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct WebauthnRefused(String);

impl WebauthnRefused {
    fn new(why: impl std::fmt::Display) -> Self {
        Self(why.to_string())
    }
}

impl WebauthnPlace {
    /// The place for a hub with this address. A name is needed, and TLS unless the name is
    /// `localhost`: browsers do it under no other.
    #[must_use]
    pub fn of(public_url: &str) -> Option<Self> {
        let (scheme, authority) = public_url.split_once("://")?;
        let usual = if scheme == "https" { ":443" } else { ":80" };
        let authority = authority.strip_suffix(usual).unwrap_or(authority).to_ascii_lowercase();
        let host = authority.split(':').next().unwrap_or_default();
        let named = !authority.starts_with('[') && host.parse::<IpAddr>().is_err();
        let safe = scheme == "https" || host == "localhost";
        let name = AsciiDomain::try_from(host.to_owned()).ok().filter(|_| named && safe)?;
        Some(Self { name: RpId::Domain(name), origin: format!("{scheme}://{authority}") })
    }

    /// The one address under which browsers do it.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Begins a new passkey of `owner`, on a device that has none of `has`.
    ///
    /// # Errors
    /// [`WebauthnRefused`] when the library will not.
    pub fn begin(
        &self,
        owner: Owner<'_>,
        has: Vec<Vec<u8>>,
    ) -> Result<WebauthnBegun, WebauthnRefused> {
        let id = handle(owner.account);
        let plain = owner.account.to_string();
        let name = Username::try_from(owner.email).or_else(|_| Username::try_from(plain.as_str()));
        let name = name.map_err(WebauthnRefused::new)?;
        let user = PublicKeyCredentialUserEntity { name, id: &id, display_name: None };
        let known = has.into_iter().filter_map(|id| {
            let id = CredentialId::decode(id).ok()?;
            Some(PublicKeyCredentialDescriptor { id, transports: AuthTransports::decode(0).ok()? })
        });
        let known = known.collect();
        let mut begun = PublicKeyCredentialCreationOptions::passkey(&self.name, user, known);
        // Every answer is asked to be verified: that devices insist too is more than most can.
        begun.extensions = Extension::default();
        let (state, client) = begun.start_ceremony().map_err(WebauthnRefused::new)?;
        let options = serde_json::to_value(&client).map_err(WebauthnRefused::new)?;
        Ok(WebauthnBegun { options, state: state.encode().map_err(WebauthnRefused::new)? })
    }

    /// The passkey that a device made, if `answer` is one to what `state` remembers.
    ///
    /// # Errors
    /// [`WebauthnRefused`].
    pub fn made(&self, state: &[u8], answer: &Value) -> Result<PasskeyKept, WebauthnRefused> {
        let state = RegistrationServerState::<16>::decode(state).map_err(WebauthnRefused::new)?;
        let bytes = serde_json::to_vec(answer).map_err(WebauthnRefused::new)?;
        let answer = Registration::from_json_relaxed(&bytes).map_err(WebauthnRefused::new)?;
        let options = RegistrationVerificationOptions::<&str, &str> {
            allowed_origins: &[&self.origin],
            error_on_unsolicited_extensions: false,
            ..Default::default()
        };
        let new = state.verify(&self.name, &answer, &options).map_err(WebauthnRefused::new)?;
        let Ok(key) = new.static_state().encode();
        let Ok(state) = new.dynamic_state().encode();
        Ok(PasskeyKept { credential: new.id().as_ref().to_vec(), key, state: state.to_vec() })
    }

    /// Asks for any passkey of this hub.
    ///
    /// # Errors
    /// [`WebauthnRefused`] when the library will not.
    pub fn ask(&self) -> Result<WebauthnBegun, WebauthnRefused> {
        let options = DiscoverableCredentialRequestOptions::passkey(&self.name);
        let (state, client) = options.start_ceremony().map_err(WebauthnRefused::new)?;
        let options = serde_json::to_value(&client).map_err(WebauthnRefused::new)?;
        Ok(WebauthnBegun { options, state: state.encode().map_err(WebauthnRefused::new)?.to_vec() })
    }

    /// Whether `shown` was signed just now, by the passkey `kept` of `account`, for what `state`
    /// remembers: what is to be kept of it from now on.
    ///
    /// # Errors
    /// [`WebauthnRefused`].
    pub fn holds(
        &self,
        state: &[u8],
        shown: &WebauthnShown,
        kept: &PasskeyKept,
        account: Uuid,
    ) -> Result<PasskeyKept, WebauthnRefused> {
        let state =
            DiscoverableAuthenticationServerState::decode(state).map_err(WebauthnRefused::new)?;
        let id = CredentialId::<&[u8]>::decode(&kept.credential).map_err(WebauthnRefused::new)?;
        let key = StaticState::decode(kept.key.as_slice()).map_err(WebauthnRefused::new)?;
        let old = kept.state.as_slice().try_into().map_err(WebauthnRefused::new)?;
        let old = DynamicState::decode(old).map_err(WebauthnRefused::new)?;
        let owner = handle(account);
        let mut known =
            AuthenticatedCredential::new(id, &owner, key, old).map_err(WebauthnRefused::new)?;
        let options = AuthenticationVerificationOptions::<&str, &str> {
            allowed_origins: &[&self.origin],
            error_on_unsolicited_extensions: false,
            ..Default::default()
        };
        state.verify(&self.name, &shown.0, &mut known, &options).map_err(WebauthnRefused::new)?;
        let Ok(new) = known.dynamic_state().encode();
        Ok(PasskeyKept { state: new.to_vec(), ..kept.clone() })
    }
}

impl WebauthnShown {
    /// Reads a device's answer.
    ///
    /// # Errors
    /// [`WebauthnRefused`] for what is none.
    pub fn read(answer: &Value) -> Result<Self, WebauthnRefused> {
        let bytes = serde_json::to_vec(answer).map_err(WebauthnRefused::new)?;
        DiscoverableAuthentication16::from_json_relaxed(&bytes)
            .map(Self)
            .map_err(WebauthnRefused::new)
    }

    /// The passkey that it says it is of.
    #[must_use]
    pub fn credential(&self) -> &[u8] {
        let id: CredentialId<&[u8]> = self.0.raw_id();
        id.into_inner()
    }
}

/// What a device knows an account by.
fn handle(account: Uuid) -> UserHandle16 {
    let Ok(handle) = UserHandle16::decode(account.into_bytes());
    handle
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hub_with_a_name_has_passkeys_and_a_number_has_none() {
        let origin = |url: &str| WebauthnPlace::of(url).map(|place| place.origin().to_owned());
        for (url, there) in [
            ("https://Hub.school.test", Some("https://hub.school.test")),
            ("https://hub.school.test:443", Some("https://hub.school.test")),
            ("https://hub.school.test:8443", Some("https://hub.school.test:8443")),
            ("http://localhost:8080", Some("http://localhost:8080")),
            ("http://hub.school.test", None),
            ("https://192.168.1.7:8443", None),
            ("https://[fd00::7]:8443", None),
        ] {
            assert_eq!(origin(url).as_deref(), there, "{url}");
        }
    }

    #[test]
    fn what_is_no_answer_is_refused() {
        let place = WebauthnPlace::of("https://hub.school.test").unwrap();
        let odd = serde_json::json!({ "id": "x" });
        assert!(WebauthnShown::read(&odd).is_err() && WebauthnShown::read(&Value::Null).is_err());
        assert!(place.made(&[], &odd).is_err() && place.made(&[7; 90], &odd).is_err());
    }
}
