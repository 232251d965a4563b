//! `rollcall-edge join URL TOKEN`: the door makes its key, shows its token, and becomes one of
//! the hub's.
//!
//! The token carries the hash of the hub's authority, so that the first word is said only to the
//! right hub, whatever the network claims; the key never leaves the door.

pub(crate) mod pin;

use crate::identity::{Identity, IdentityError};
use pin::{Pinned, Refusal};
use rcgen::{CertificateParams, DnType, KeyPair, PKCS_ECDSA_P256_SHA256};
use reqwest::{StatusCode, Url, blocking::Client};
use rustls::ClientConfig;
use rustls::crypto::ring;
use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use wire::join::{JOIN_ALPN, JOIN_PATH};
use wire::{JoinRequest, Joined};

pub use pin::Pin;

const TIMEOUT: Duration = Duration::from_secs(20);
const ANSWER_BYTES: u64 = 64 * 1024;

/// Why the door could not join, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// The token is cut off or mistyped.
    #[error("this is no join token: copy it whole, as rollcall-hub device add printed it")]
    Token,
    /// The address is none, or not HTTPS.
    #[error("“{0}” is no address of a hub: expected https://NAME:PORT")]
    Address(String),
    /// No such name.
    #[error("the name “{0}” is not known here: check it, or use the hub's address in numbers")]
    Name(String),
    /// Nothing listens there.
    #[error("nothing answers at {0}: is the hub running, and the port right?")]
    Unreachable(String),
    /// It took too long.
    #[error("the hub at {0} did not answer in time: check the network, then try again")]
    Slow(String),
    /// Another hub, or somebody between.
    #[error(
        "the hub at {0} is not the one that made this token: check the address; if it is right, \
         somebody is listening in between"
    )]
    WrongHub(String),
    /// The hub's certificate is for other names.
    #[error("the hub's certificate is not for the name “{0}”: use a name the hub was set up with")]
    WrongName(String),
    /// Out of its time.
    #[error("the hub's certificate is not valid at this device's time: set the clock ({0})")]
    Clock(String),
    /// Unknown, used or old.
    #[error("the token is unknown, used or too old: make a new one with rollcall-hub device add")]
    Expired,
    /// Too many tries.
    #[error("the hub asks for patience after too many tries: wait a minute, then try again")]
    Patience,
    /// Anything else the hub said.
    #[error("the hub refused ({status}): {said}")]
    Refused {
        /// The status.
        status: u16,
        /// What it said.
        said: String,
    },
    /// The answer makes no sense.
    #[error("the hub's answer was not understood: are both programs of the same version?")]
    Answer,
    /// The network failed otherwise.
    #[error("the hub could not be asked: {0}")]
    Network(String),
    /// The key could not be made.
    #[error("a key could not be made")]
    Key(#[from] rcgen::Error),
    /// The identity could not be stored.
    #[error("the door joined, but could not store its identity: free the disk and join anew")]
    Store(#[from] IdentityError),
}

impl JoinError {
    /// Whether the same token will do no better later.
    #[must_use]
    pub fn is_final(&self) -> bool {
        matches!(
            self,
            Self::Token | Self::Address(_) | Self::Expired | Self::Answer | Self::Store(_)
        )
    }
}

/// Joins the hub at `url` and stores the identity in `data`. Blocking.
///
/// # Errors
/// Each a sentence for the person at the door.
pub fn join(url: &str, token: &str, data: &Path) -> Result<Identity, JoinError> {
    let url = address(url)?;
    let pin = Pin::of_token(token).ok_or(JoinError::Token)?;
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let request = JoinRequest { token: token.trim().to_owned(), csr_pem: request(&key)? };
    let joined = ask(&url, &request, pin)?;
    if !pin::authorities(&joined.ca_pem).iter().any(|authority| pin.fits(authority)) {
        return Err(JoinError::Answer);
    }
    let identity = Identity::new(joined, key.serialize_pem());
    std::fs::create_dir_all(data)
        .map_err(|source| IdentityError::File { path: data.to_owned(), source })?;
    identity.store(data)?;
    Ok(identity)
}

fn address(typed: &str) -> Result<Url, JoinError> {
    let wrong = || JoinError::Address(typed.to_owned());
    let typed_or_host =
        if typed.contains("://") { typed.to_owned() } else { format!("https://{typed}") };
    let url = Url::parse(&typed_or_host).map_err(|_| wrong())?;
    if url.scheme() != "https" || url.host_str().is_none_or(str::is_empty) {
        return Err(wrong());
    }
    url.join(JOIN_PATH).map_err(|_| wrong())
}

/// A request for a certificate. The hub uses only its key; the name is the hub's choice.
pub(crate) fn request(key: &KeyPair) -> Result<String, rcgen::Error> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "rollcall door");
    params.serialize_request(key)?.pem()
}

fn ask(url: &Url, request: &JoinRequest, pin: Pin) -> Result<Joined, JoinError> {
    let verifier = Arc::new(Pinned::new(pin));
    let provider = Arc::new(ring::default_provider());
    let mut tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| JoinError::Network(error.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(verifier.clone())
        .with_no_client_auth();
    tls.alpn_protocols = vec![JOIN_ALPN.to_vec(), b"http/1.1".to_vec()];
    let client = Client::builder()
        .tls_backend_preconfigured(tls)
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(TIMEOUT)
        .build()
        .map_err(|error| JoinError::Network(error.to_string()))?;
    let body = serde_json::to_vec(request).expect("a join request is plain JSON");
    let sent = client.post(url.clone()).header("content-type", "application/json").body(body);
    let answer = sent.send().map_err(|error| explain(url, &error, verifier.refusal()))?;
    let status = answer.status();
    let said = read(answer).map_err(|error| JoinError::Network(error.to_string()))?;
    if status.is_success() {
        return serde_json::from_slice(&said).map_err(|_| JoinError::Answer);
    }
    Err(refused(status, &said))
}

fn read(answer: reqwest::blocking::Response) -> std::io::Result<Vec<u8>> {
    let mut said = Vec::new();
    std::io::Read::read_to_end(&mut std::io::Read::take(answer, ANSWER_BYTES), &mut said)?;
    Ok(said)
}

fn refused(status: StatusCode, said: &[u8]) -> JoinError {
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::GONE => JoinError::Expired,
        StatusCode::TOO_MANY_REQUESTS => JoinError::Patience,
        _ => {
            let problem: serde_json::Value = serde_json::from_slice(said).unwrap_or_default();
            let detail = problem.get("detail").or_else(|| problem.get("title"));
            let said = detail.and_then(|text| text.as_str()).unwrap_or("no reason given");
            JoinError::Refused { status: status.as_u16(), said: said.to_owned() }
        }
    }
}

/// The sentence for a request that never got an answer.
fn explain(url: &Url, error: &reqwest::Error, refusal: Option<Refusal>) -> JoinError {
    let host = url.host_str().unwrap_or_default().to_owned();
    match refusal {
        Some(Refusal::Pin) => return JoinError::WrongHub(host),
        Some(Refusal::Name) => return JoinError::WrongName(host),
        Some(Refusal::Time(now)) => return JoinError::Clock(now),
        None => {}
    }
    let place = format!("{host}:{}", url.port_or_known_default().unwrap_or(443));
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    let mut last = error.to_string();
    while let Some(error) = cause {
        last = error.to_string();
        if last.contains("dns error") || last.contains("lookup address") {
            return JoinError::Name(host);
        }
        match error.downcast_ref::<std::io::Error>().map(std::io::Error::kind) {
            Some(
                std::io::ErrorKind::ConnectionRefused
                | std::io::ErrorKind::HostUnreachable
                | std::io::ErrorKind::NetworkUnreachable,
            ) => return JoinError::Unreachable(place),
            _ => cause = error.source(),
        }
    }
    if error.is_timeout() { JoinError::Slow(place) } else { JoinError::Network(last) }
}

#[cfg(test)]
mod tests;
