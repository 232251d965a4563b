//! TLS towards devices: only with a certificate of ours that still counts.
//!
//! No session is ever resumed: a resumed session skips the verifier, and with it revocation.

use acts::device::{DoorIdentity, Fleet};
use acts::pki::Pki;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::NoServerSessionStorage;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, ServerConfig,
    SignatureScheme,
};
use std::sync::Arc;

/// The server side of every connection to a device.
///
/// # Errors
/// When TLS cannot be set up.
pub fn server(pki: Pki, fleet: Fleet) -> Result<Arc<ServerConfig>, Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let shown = Arc::new(pki.shown().clone());
    let verifier = Arc::new(Verifier { first: pki.doors(), pki, fleet });
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(verifier)
        .with_cert_resolver(shown);
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(Arc::new(config))
}

/// The chain as usual, below any authority that is trusted now, then whose it is, whether it was
/// revoked, and whether it is forged.
struct Verifier {
    /// As it was at first: what does not depend on the authority.
    first: Arc<dyn ClientCertVerifier>,
    pki: Pki,
    fleet: Fleet,
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Verifier")
    }
}

impl ClientCertVerifier for Verifier {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.first.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let (verified, signer) = self.pki.check(end_entity, intermediates, now)?;
        let identity = DoorIdentity::of(end_entity)
            .map_err(|_| CertificateError::ApplicationVerificationFailure)?;
        if self.fleet.is_revoked(&identity.serial) {
            let device = &identity.device;
            rules::security!("revoked", %device, "a revoked certificate was refused");
            return Err(CertificateError::Revoked.into());
        }
        if self.is_forged(&identity, &signer) {
            let device = &identity.device;
            rules::security!("stranger", %device, "a certificate that nobody here gave was refused");
            self.fleet.refused(&DoorIdentity { authority: signer, ..identity });
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
        self.first.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.first.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.first.supported_verify_schemes()
    }
}

impl Verifier {
    /// Whether `identity`, signed by `signer`, is surely not the hub's.
    ///
    /// It names another signer, has the number of another certificate, or is of an authority that is
    /// being replaced and none that this hub gave: whoever has that key signs what he likes. While
    /// an authority is the only one, what is unknown may have been given after a backup.
    fn is_forged(&self, identity: &DoorIdentity, signer: &str) -> bool {
        let is_older = self.pki.is_rotating() && signer != self.pki.signer();
        identity.authority != signer || !self.fleet.counts(identity).unwrap_or(!is_older)
    }
}

/// Who is at the other end of a finished handshake.
///
/// # Errors
/// When there is no certificate, or it names no device.
pub fn identity(
    stream: &accept::Stream,
) -> Result<DoorIdentity, acts::device::identity::DoorIdentityError> {
    use acts::device::identity::DoorIdentityError::Missing;
    let tokio_util::either::Either::Left(tls) = stream else { return Err(Missing) };
    let chain = tls.get_ref().1.peer_certificates().ok_or(Missing)?;
    DoorIdentity::of(chain.first().ok_or(Missing)?)
}
