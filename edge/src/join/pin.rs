//! The pin: the hub is the one whose authority has the public key that the token names.

use crate::tls::certificates;
use crate::tls::made;
use data_encoding::BASE32_NOPAD;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::{CertificateError, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use sha2::{Digest, Sha256};
use std::sync::{Arc, OnceLock};
use x509_parser::prelude::{FromDer, X509Certificate};

/// SHA-256 of the public key (SPKI) of the hub's authority.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pin(pub [u8; 32]);

/// Why the other side is not the hub of the token.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Refusal {
    Pin,
    Name,
    /// The device's time, as it was.
    Time(String),
}

impl Pin {
    /// The pin in a token: `SECRET-PIN`, the pin in base32 without padding.
    #[must_use]
    pub fn of_token(token: &str) -> Option<Self> {
        let (secret, pin) = token.trim().split_once(['-', '.'])?;
        let bytes = BASE32_NOPAD.decode(pin.to_ascii_uppercase().as_bytes()).ok()?;
        if secret.is_empty() { None } else { bytes.try_into().ok().map(Self) }
    }

    /// The pin of an authority.
    #[must_use]
    pub fn of(authority: &CertificateDer<'_>) -> Option<Self> {
        let (_, parsed) = X509Certificate::from_der(authority).ok()?;
        Some(Self(Sha256::digest(parsed.public_key().raw).into()))
    }

    pub(super) fn fits(self, authority: &CertificateDer<'_>) -> bool {
        Self::of(authority) == Some(self)
    }
}

/// The certificates in `pem`, none if they do not parse.
pub(super) fn authorities(pem: &str) -> Vec<CertificateDer<'static>> {
    certificates(pem, "authority").unwrap_or_default()
}

/// Accepts exactly the hub whose chain ends in the pinned authority.
#[derive(Debug)]
pub(super) struct Pinned {
    pin: Pin,
    provider: Arc<CryptoProvider>,
    refusal: OnceLock<Refusal>,
}

impl Pinned {
    pub(super) fn new(pin: Pin) -> Self {
        let provider = Arc::new(ring::default_provider());
        Self { pin, provider, refusal: OnceLock::new() }
    }

    /// Why the last handshake failed, if it was because of the hub's certificate.
    pub(super) fn refusal(&self) -> Option<Refusal> {
        self.refusal.get().cloned()
    }

    fn refuse(&self, refusal: Refusal, error: CertificateError) -> rustls::Error {
        // Only the first reason counts, and one handshake has one.
        let _ = self.refusal.set(refusal);
        error.into()
    }
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        hub: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let unknown = || self.refuse(Refusal::Pin, CertificateError::UnknownIssuer);
        let authority = others.iter().find(|other| self.pin.fits(other)).ok_or_else(unknown)?;
        let mut roots = RootCertStore::empty();
        roots.add(authority.clone().into_owned()).map_err(|_| unknown())?;
        let verifier = WebPkiServerVerifier::builder_with_provider(
            Arc::new(roots),
            Arc::clone(&self.provider),
        )
        .build()
        .map_err(|_| unknown())?;
        // A door without a clock thinks it is 1970; the pin already says who this is.
        let now = now.max(made(hub));
        let verified = verifier.verify_server_cert(hub, &[], name, ocsp, now);
        verified.map_err(|error| match error {
            rustls::Error::InvalidCertificate(why) => {
                let refusal = match &why {
                    CertificateError::NotValidForName
                    | CertificateError::NotValidForNameContext { .. } => Refusal::Name,
                    CertificateError::Expired
                    | CertificateError::ExpiredContext { .. }
                    | CertificateError::NotValidYet
                    | CertificateError::NotValidYetContext { .. } => {
                        Refusal::Time(format!("it says {} s after 1970", now.as_secs()))
                    }
                    _ => Refusal::Pin,
                };
                self.refuse(refusal, why)
            }
            other => other,
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
