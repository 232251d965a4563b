//! TLS towards devices: only with a certificate of ours that still counts.
//!
//! No session is ever resumed: a resumed session skips the verifier, and with it revocation.

use super::{Fleet, Identity};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{NoServerSessionStorage, ResolvesServerCert, WebPkiClientVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, RootCertStore, ServerConfig,
    SignatureScheme,
};
use std::sync::Arc;

/// The server side of every connection to a device: `shown` is the hub's own certificate, `roots`
/// the authority that signs devices.
///
/// # Errors
/// When `roots` is empty.
pub fn server(
    roots: RootCertStore,
    shown: Arc<dyn ResolvesServerCert>,
    fleet: Fleet,
) -> Result<Arc<ServerConfig>, Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = verifier(roots, provider.clone(), fleet)?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(verifier)
        .with_cert_resolver(shown);
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(Arc::new(config))
}

fn verifier(
    roots: RootCertStore,
    provider: Arc<CryptoProvider>,
    fleet: Fleet,
) -> Result<Arc<Verifier>, Error> {
    let chain = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
        .build()
        .map_err(|error| Error::General(error.to_string()))?;
    Ok(Arc::new(Verifier { chain, fleet }))
}

/// The chain as usual, then whose it is and whether it was revoked.
#[derive(Debug)]
struct Verifier {
    chain: Arc<dyn ClientCertVerifier>,
    fleet: Fleet,
}

impl ClientCertVerifier for Verifier {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.chain.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let verified = self.chain.verify_client_cert(end_entity, intermediates, now)?;
        let identity = Identity::of(end_entity)
            .map_err(|_| CertificateError::ApplicationVerificationFailure)?;
        if self.fleet.is_revoked(&identity.serial) {
            let device = &identity.device;
            crate::security!("revoked", %device, "a revoked certificate was refused");
            return Err(CertificateError::Revoked.into());
        }
        Ok(verified)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chain.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chain.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chain.supported_verify_schemes()
    }
}

/// Who is at the other end of a finished handshake.
///
/// # Errors
/// When there is no certificate, or it names no device.
pub fn identity(
    stream: &crate::accept::Stream,
) -> Result<Identity, super::identity::IdentityError> {
    use super::identity::IdentityError::Missing;
    let tokio_util::either::Either::Left(tls) = stream else { return Err(Missing) };
    let chain = tls.get_ref().1.peer_certificates().ok_or(Missing)?;
    Identity::of(chain.first().ok_or(Missing)?)
}
