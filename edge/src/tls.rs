//! TLS towards the hub: the hub's authority is the only trusted one, the device's certificate is
//! shown, and a door without a clock is not locked out.

use crate::dating::Timekeeper;
use crate::identity::Identity;
use rustls::client::{ResolvesClientCert, Resumption};
use rustls::crypto::ring;
use rustls::sign::CertifiedKey;
use rustls::time_provider::TimeProvider;
use rustls::{ClientConfig, RootCertStore, SignatureScheme};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use wire::Wall;
use x509_parser::prelude::{ASN1Time, FromDer, X509Certificate};

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
    keeper: Timekeeper,
    floor: Wall,
}

impl fmt::Debug for DoorTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DoorTime").field("floor", &self.floor).finish_non_exhaustive()
    }
}

impl TimeProvider for DoorTime {
    fn current_time(&self) -> Option<UnixTime> {
        let now = self.keeper.now().wall.map_or(self.floor, |wall| wall.max(self.floor));
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

/// How this door, showing its `badge`, speaks to the hub's MQTT and HTTPS listeners.
///
/// # Errors
/// When the identity is damaged.
pub fn config(
    identity: &Identity,
    badge: &Badge,
    keeper: Timekeeper,
) -> Result<Arc<ClientConfig>, TlsError> {
    let mut roots = RootCertStore::empty();
    for root in certificates(&identity.joined.ca_pem, "authority")? {
        roots.add(root)?;
    }
    let time = DoorTime { keeper, floor: validity(&identity.joined.certificate_pem)?.from };
    let provider = Arc::new(ring::default_provider());
    let mut config = ClientConfig::builder_with_details(provider, Arc::new(time))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
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
        let (life, left) = (self.to.0 - self.from.0, self.to.0.saturating_sub(now.0));
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

    #[test]
    fn a_certificate_that_is_none_has_no_validity() {
        assert!(validity("hello").is_err());
        let key = rcgen::KeyPair::generate().unwrap();
        let made =
            rcgen::CertificateParams::new(vec!["d1".into()]).unwrap().self_signed(&key).unwrap();
        assert!(validity(&made.pem()).unwrap().to > Wall(1_700_000_000_000));
    }
}
