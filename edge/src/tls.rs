//! TLS towards the hub: the hub's authority is the only trusted one, the device's certificate is
//! shown, and a door without a clock is not locked out.

use crate::dating::Timekeeper;
use crate::identity::Identity;
use rustls::client::Resumption;
use rustls::crypto::ring;
use rustls::time_provider::TimeProvider;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use wire::Wall;
use x509_parser::prelude::{FromDer, X509Certificate};

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
/// certificate was made (RELIABILITY.md 2.2).
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

/// How this door speaks to the hub's MQTT and HTTPS listeners.
///
/// # Errors
/// When the identity is damaged.
pub fn config(identity: &Identity, keeper: Timekeeper) -> Result<Arc<ClientConfig>, TlsError> {
    let joined = &identity.joined;
    let mut roots = RootCertStore::empty();
    for root in certificates(&joined.ca_pem, "authority")? {
        roots.add(root)?;
    }
    let chain = certificates(&joined.certificate_pem, "certificate")?;
    let key = PrivateKeyDer::from_pem_slice(identity.key_pem.as_bytes())
        .map_err(|_| TlsError::Damaged("key"))?;
    let time = DoorTime { keeper, floor: floor(identity)? };
    let provider = Arc::new(ring::default_provider());
    let mut config = ClientConfig::builder_with_details(provider, Arc::new(time))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_client_auth_cert(chain, key)?;
    config.resumption = Resumption::disabled();
    Ok(Arc::new(config))
}

/// The moment the door's certificate was made: it is not earlier now.
///
/// # Errors
/// When the certificate is damaged.
pub fn floor(identity: &Identity) -> Result<Wall, TlsError> {
    let damaged = TlsError::Damaged("certificate");
    let chain = certificates(&identity.joined.certificate_pem, "certificate")?;
    let Some(own) = chain.first() else { return Err(damaged) };
    let (_, own) = X509Certificate::from_der(own).map_err(|_| damaged)?;
    Ok(Wall(own.validity().not_before.timestamp().saturating_mul(1000)))
}

pub(crate) fn certificates(
    pem: &str,
    what: &'static str,
) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let found = CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<Vec<_>, _>>();
    found.ok().filter(|found| !found.is_empty()).ok_or(TlsError::Damaged(what))
}
