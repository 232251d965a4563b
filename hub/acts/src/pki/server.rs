//! The hub's own certificate: what its listeners show, and its successor.

use super::authority::{self, Authorities};
use super::{Pki, SERVER_KEY, server_params};
use rcgen::{Issuer, KeyPair, PKCS_ECDSA_P256_SHA256};
use rules::error::{Doing, Error};
use rustls::crypto::ring;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer, pem::PemObject as _};
use std::sync::{Arc, PoisonError, RwLock};
use store::keys::Keys;
use wire::Wall;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

pub(super) const FILE: &str = "server.pem";

/// The certificate that listeners show: replaced while they listen. Cheap to clone.
#[derive(Clone, Debug)]
pub struct ServerCertificateShown(Arc<RwLock<Arc<CertifiedKey>>>);

impl ServerCertificateShown {
    pub(super) fn new(first: CertifiedKey) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(first))))
    }

    /// What is shown now.
    #[must_use]
    pub fn get(&self) -> Arc<CertifiedKey> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// From now on `next` is shown. Returns whether that is another one.
    pub(super) fn take(&self, next: CertifiedKey) -> bool {
        let mut now = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let differs = now.cert != next.cert;
        if differs {
            *now = Arc::new(next);
        }
        differs
    }
}

impl ResolvesServerCert for ServerCertificateShown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.get())
    }
}

/// From when to when a certificate is good.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ServerCertificateLife {
    /// It is good from then on.
    pub from: Wall,
    /// When it ends.
    pub to: Wall,
}

impl ServerCertificateLife {
    /// That of the certificate in `der`.
    ///
    /// # Errors
    /// When it does not parse.
    pub fn of(der: &[u8]) -> Result<Self, Error> {
        let (_, parsed) = X509Certificate::from_der(der).doing("reading a certificate")?;
        let wall = |seconds: i64| Wall(seconds.saturating_mul(1000));
        let validity = parsed.validity();
        let (from, to) = (validity.not_before.timestamp(), validity.not_after.timestamp());
        Ok(Self { from: wall(from), to: wall(to) })
    }

    /// Whether two thirds of it are over, or it has not begun: its dates are of a wrong clock.
    #[must_use]
    pub fn is_due(self, now: Wall) -> bool {
        now < self.from || self.to.0.saturating_sub(now.0) <= (self.to.0 - self.from.0) / 3
    }
}

/// The certificate with that one of the keys which belongs to it.
pub(super) fn read(keys: &Keys, authorities: &Authorities) -> Result<CertifiedKey, Error> {
    let doing = "reading server.pem";
    let pem = keys.paper(FILE)?;
    // Its authority goes along, so that a joining door can check it against its pin.
    let own = CertificateDer::from_pem_slice(pem.as_bytes()).doing(doing)?;
    let above = authorities.certificates().find(|above| is_below(&own, above));
    let chain = vec![own, above.unwrap_or(authorities.oldest()).clone()];
    let mut last = None;
    for id in keys.ids(SERVER_KEY)? {
        let key = PrivatePkcs8KeyDer::from(keys.get(SERVER_KEY, id)?.to_vec());
        match CertifiedKey::from_der(chain.clone(), key.into(), &ring::default_provider()) {
            Ok(found) => return Ok(found),
            Err(error) => last = Some(error),
        }
    }
    let why = last.map_or_else(|| "there is no key".to_owned(), |error| error.to_string());
    Err(Error::internal(doing, format!("no key of the hub belongs to it: {why}")))
}

/// Whether the authority `above` signed `own`, by the number of its key.
fn is_below(own: &[u8], above: &[u8]) -> bool {
    let parse = |der| X509Certificate::from_der(der).ok().map(|(_, parsed)| parsed);
    let (Some(own), Some(above)) = (parse(own), parse(above)) else { return false };
    authority::signer(&own) == authority::number(&above)
}

impl Pki {
    /// When the hub's own certificate is good.
    ///
    /// # Errors
    /// When it is damaged.
    pub fn life(&self) -> Result<ServerCertificateLife, Error> {
        ServerCertificateLife::of(&self.shown().get().cert[0])
    }

    /// The hub's next certificate, with a key of its own, for the names of the one before and
    /// `more`; what listens shows it at once. The key before it goes.
    ///
    /// # Errors
    /// When a name is none, or the disk refuses.
    pub fn renew(&self, keys: &Keys, more: &[String], now: Wall) -> Result<(), Error> {
        let _alone = self.alone(keys)?;
        self.issue(self.now().first(), keys, more, now)
    }

    /// The same, signed by `issuer`, by whoever is alone.
    pub(super) fn issue(
        &self,
        issuer: &Issuer<'static, KeyPair>,
        keys: &Keys,
        more: &[String],
        now: Wall,
    ) -> Result<(), Error> {
        let mut names = names(&self.shown().get().cert[0])?;
        let new = more.iter().filter(|name| !names.contains(name)).cloned().collect::<Vec<_>>();
        names.extend(new);
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).doing("making the server key")?;
        let signed = server_params(&names, now)?.signed_by(&key, issuer);
        let pem = signed.doing("making the server certificate")?.pem();
        let before = keys.ids(SERVER_KEY)?;
        let next = before.first().map_or(1, |newest| newest + 1);
        keys.put(SERVER_KEY, next, key.serialized_der(), now)?;
        keys.lay_paper(FILE, &pem)?;
        before.into_iter().try_for_each(|id| keys.forget(SERVER_KEY, id))?;
        self.reload(keys).map(drop)
    }

    /// Shows what the keys say now: another process may have renewed it. Returns whether that is
    /// another one.
    ///
    /// # Errors
    /// When it is damaged; what was shown stays.
    pub fn reload(&self, keys: &Keys) -> Result<bool, Error> {
        self.reload_authorities(keys)?;
        Ok(self.shown().take(read(keys, &self.now())?))
    }
}

/// Host names and addresses that a certificate is for.
fn names(der: &[u8]) -> Result<Vec<String>, Error> {
    let doing = "reading the names of the hub's certificate";
    let (_, parsed) = X509Certificate::from_der(der).doing(doing)?;
    let extension = parsed.subject_alternative_name().doing(doing)?;
    let all = extension.map(|all| all.value.general_names.as_slice()).unwrap_or_default();
    let name = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress([a, b, c, d]) => Some(format!("{a}.{b}.{c}.{d}")),
        GeneralName::IPAddress(bytes) => {
            let bytes = <[u8; 16]>::try_from(*bytes).ok()?;
            Some(std::net::Ipv6Addr::from(bytes).to_string())
        }
        _ => None,
    };
    Ok(all.iter().filter_map(name).collect())
}
