//! TLS towards the hub: the hub's authority is the only trusted one, the device's certificate is
//! shown, and a door without a clock is not locked out.

use crate::clock::Timekeeper;
use crate::identity::Identity;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ResolvesClientCert, Resumption, WebPkiServerVerifier};
use rustls::crypto::ring;
use rustls::sign::CertifiedKey;
use rustls::time_provider::TimeProvider;
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::watch;
use wire::Wall;
use x509_parser::prelude::{ASN1Time, FromDer, ParsedExtension, X509Certificate};

/// The identity cannot be used for TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A certificate or key does not parse.
    #[error("the {0} from the join is damaged: let the door join again")]
    Damaged(&'static str),
    /// The parts do not fit together.
    #[error("the door's certificate cannot be used: let the door join again")]
    Unusable(#[from] rustls::Error),
}

/// The time that certificates are checked at: what the door knows, and never before its own
/// certificate was made.
struct DoorTime {
    supervisor: Timekeeper,
    floor: Wall,
}

impl fmt::Debug for DoorTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DoorTime").field("floor", &self.floor).finish_non_exhaustive()
    }
}

impl TimeProvider for DoorTime {
    fn current_time(&self) -> Option<UnixTime> {
        let now = self.supervisor.now().wall.map_or(self.floor, |wall| wall.max(self.floor));
        let ms = u64::try_from(now.0).unwrap_or(0);
        Some(UnixTime::since_unix_epoch(Duration::from_millis(ms)))
    }
}

/// The certificate this door shows: replaced while it works. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Badge(Arc<watch::Sender<Arc<CertifiedKey>>>);

impl Badge {
    /// That of `identity`.
    ///
    /// # Errors
    /// When the identity is damaged, or its key is not that of its certificate.
    pub fn new(identity: &Identity) -> Result<Self, TlsError> {
        Ok(Self(Arc::new(watch::Sender::new(certified(identity)?))))
    }

    /// Shows what `next` shows; whoever holds a connection under the old one is told.
    pub fn take(&self, next: &Self) {
        self.0.send_replace(next.0.borrow().clone());
    }

    /// Tells of every change from now on.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Arc<CertifiedKey>> {
        self.0.subscribe()
    }
}

impl ResolvesClientCert for Badge {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(self.0.borrow().clone())
    }

    fn has_certs(&self) -> bool {
        true
    }
}

fn certified(identity: &Identity) -> Result<Arc<CertifiedKey>, TlsError> {
    let chain = certificates(&identity.joined.certificate_pem, "certificate")?;
    let key = PrivateKeyDer::from_pem_slice(identity.key_pem.as_bytes())
        .map_err(|_| TlsError::Damaged("key"))?;
    Ok(Arc::new(CertifiedKey::from_der(chain, key, &ring::default_provider())?))
}

/// Whom this door trusts: replaced while it works. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Trust(Arc<RwLock<Arc<WebPkiServerVerifier>>>);

impl Trust {
    /// The authorities in `pem`.
    ///
    /// # Errors
    /// When they are damaged.
    pub fn new(pem: &str) -> Result<Self, TlsError> {
        Ok(Self(Arc::new(RwLock::new(verifier(pem)?))))
    }

    /// Trusts those in `pem` from now on, and no other.
    ///
    /// # Errors
    /// When they are damaged; then nothing changed.
    pub fn take(&self, pem: &str) -> Result<(), TlsError> {
        let next = verifier(pem)?;
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = next;
        Ok(())
    }

    fn now(&self) -> Arc<WebPkiServerVerifier> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn verifier(pem: &str) -> Result<Arc<WebPkiServerVerifier>, TlsError> {
    let mut roots = RootCertStore::empty();
    for root in certificates(pem, "authority")? {
        roots.add(root)?;
    }
    let provider = Arc::new(ring::default_provider());
    let made = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build();
    made.map_err(|_| TlsError::Damaged("authority"))
}

impl ServerCertVerifier for Trust {
    fn verify_server_cert(
        &self,
        hub: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        // The hub's may be younger than the door's own, before which no door thinks it is: without
        // a clock a door would never hear the time from it.
        let now = now.max(made(hub));
        self.now().verify_server_cert(hub, others, name, ocsp, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.now().verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.now().verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.now().supported_verify_schemes()
    }
}

/// Whether the last authority in `authorities`, which signs doors, signed `pem`, by the number of
/// its key.
///
/// # Errors
/// When one of them is damaged.
pub fn is_of_the_newest(pem: &str, authorities: &str) -> Result<bool, TlsError> {
    let own = certificates(pem, "certificate")?;
    let all = certificates(authorities, "authority")?;
    let parse = |der, what| X509Certificate::from_der(der).map_err(|_| TlsError::Damaged(what));
    let (_, own) = parse(&own[0], "certificate")?;
    let (_, newest) = parse(&all[all.len() - 1], "authority")?;
    let signer = own.iter_extensions().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::AuthorityKeyIdentifier(id) => id.key_identifier.as_ref().map(|id| id.0),
        _ => None,
    });
    let key = newest.iter_extensions().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::SubjectKeyIdentifier(id) => Some(id.0),
        _ => None,
    });
    Ok(signer == key)
}

/// How this door, showing its `badge`, speaks to the hub's MQTT and HTTPS listeners, which it
/// knows by its `trust`.
///
/// # Errors
/// When the identity is damaged.
pub fn config(
    identity: &Identity,
    badge: &Badge,
    trust: &Trust,
    supervisor: Timekeeper,
) -> Result<Arc<ClientConfig>, TlsError> {
    let time = DoorTime { supervisor, floor: validity(&identity.joined.certificate_pem)?.from };
    let provider = Arc::new(ring::default_provider());
    let mut config = ClientConfig::builder_with_details(provider, Arc::new(time))
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(trust.clone()))
        .with_client_cert_resolver(Arc::new(badge.clone()));
    config.resumption = Resumption::disabled();
    Ok(Arc::new(config))
}

/// When a certificate is good.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Validity {
    /// When it was made: it is not earlier now.
    pub from: Wall,
    /// When it ends.
    pub to: Wall,
}

impl Validity {
    /// Whether two thirds of its life are over: time for the next one.
    #[must_use]
    pub fn is_due(self, now: Wall) -> bool {
        let life = self.to.0 - self.from.0;
        let left = self.to.0.saturating_sub(now.0);
        left <= life / 3
    }
}

/// When the certificate in `pem` is good.
///
/// # Errors
/// When it is damaged.
pub fn validity(pem: &str) -> Result<Validity, TlsError> {
    let chain = certificates(pem, "certificate")?;
    let (_, own) =
        X509Certificate::from_der(&chain[0]).map_err(|_| TlsError::Damaged("certificate"))?;
    let wall = |time: ASN1Time| Wall(time.timestamp().saturating_mul(1000));
    let validity = own.validity();
    Ok(Validity { from: wall(validity.not_before), to: wall(validity.not_after) })
}

/// At least one.
pub(crate) fn certificates(
    pem: &str,
    what: &'static str,
) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let found = CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<Vec<_>, _>>();
    found.ok().filter(|found| !found.is_empty()).ok_or(TlsError::Damaged(what))
}

/// When the certificate begins to be valid; the start of 1970 if it does not parse.
pub(crate) fn made(cert: &CertificateDer<'_>) -> UnixTime {
    let parsed = X509Certificate::from_der(cert);
    let since = parsed.map_or(0, |(_, cert)| cert.validity().not_before.timestamp());
    UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(since).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 24 * 3600 * 1000;

    #[test]
    fn a_certificate_is_due_in_the_last_third_of_its_life_and_after_it() {
        let good = Validity { from: Wall(0), to: Wall(90 * DAY) };
        assert!(!good.is_due(Wall(0)) && !good.is_due(Wall(60 * DAY - 1)));
        assert!(good.is_due(Wall(60 * DAY)) && good.is_due(Wall(91 * DAY)));
    }

    /// What a door that trusts `authority` says on day `now` after 1970 to a hub's certificate for
    /// the year 2030, signed by `signer`.
    fn shown(
        authority: &rcgen::Certificate,
        signer: &rcgen::Issuer<'_, rcgen::KeyPair>,
        now: u64,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let mut params = rcgen::CertificateParams::new(vec!["hub.test".into()]).unwrap();
        params.not_before = rcgen::date_time_ymd(2030, 1, 1);
        params.not_after = rcgen::date_time_ymd(2031, 1, 1);
        let hub = params.signed_by(&rcgen::KeyPair::generate().unwrap(), signer).unwrap();
        let name = ServerName::try_from("hub.test").unwrap();
        let now = UnixTime::since_unix_epoch(Duration::from_secs(now * 24 * 3600));
        Trust::new(&authority.pem()).unwrap().verify_server_cert(hub.der(), &[], &name, &[], now)
    }

    #[test]
    fn a_door_without_a_clock_believes_a_younger_hub_and_neither_an_old_one_nor_a_stranger() {
        let made = || {
            let mut params = rcgen::CertificateParams::new(vec![]).unwrap();
            params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
            let key = rcgen::KeyPair::generate().unwrap();
            let authority = params.self_signed(&key).unwrap();
            (authority, rcgen::Issuer::new(params, key))
        };
        let ((authority, signer), (_, stranger)) = (made(), made());
        assert!(shown(&authority, &signer, 20_000).is_ok(), "it is younger");
        assert!(shown(&authority, &signer, 22_300).is_err(), "it is over");
        assert!(shown(&authority, &stranger, 20_000).is_err());
    }

    #[test]
    fn a_certificate_that_is_none_has_no_validity() {
        assert!(validity("hello").is_err());
        let key = rcgen::KeyPair::generate().unwrap();
        let made =
            rcgen::CertificateParams::new(vec!["d1".into()]).unwrap().self_signed(&key).unwrap();
        assert!(validity(&made.pem()).unwrap().to > Wall(1_700_000_000_000));
    }
}
