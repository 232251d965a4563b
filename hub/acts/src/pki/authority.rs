//! The authorities of the hub: one, and while it is being replaced two.
//!
//! The first signs what the hub shows, the last signs doors, and each is trusted. Doors fetch both
//! over a connection that they trust already, so that none has to join again. One whose key is
//! gone counts no more, whatever `ca.pem` says.

use super::{CA_KEY, ENDED, Pki, ca_params};
use data_encoding::HEXLOWER;
use rcgen::{Issuer, KeyPair, PKCS_ECDSA_P256_SHA256};
use rules::error::{Doing, Error};
use rustls::RootCertStore;
use rustls::crypto::ring;
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer, UnixTime, pem::PemObject as _};
use std::sync::{Arc, PoisonError};
use store::keys::{Keys, PapersHeld};
use wire::Wall;
use x509_parser::prelude::{ParsedExtension, X509Certificate};

pub(super) const FILE: &str = "ca.pem";
const END: &str = "-----END CERTIFICATE-----";

/// What is trusted now.
pub(super) struct Authorities {
    /// `ca.pem`, as it was read.
    file: String,
    /// Never empty.
    all: Vec<Authority>,
    /// Checks doors against all of them.
    pub(super) doors: Arc<dyn ClientCertVerifier>,
}

struct Authority {
    pem: String,
    der: CertificateDer<'static>,
    /// Number and time of its key in the key store.
    key: (u32, Wall),
    /// Number of its key in certificates.
    number: String,
    /// Checks doors against it alone.
    doors: Arc<dyn ClientCertVerifier>,
    issuer: Issuer<'static, KeyPair>,
}

impl Authorities {
    /// Those whose keys are there.
    pub(super) fn read(keys: &Keys) -> Result<Self, Error> {
        let doing = "reading ca.pem";
        let file = keys.paper(FILE)?;
        let each = file.split_inclusive(END).filter(|text| text.contains(END));
        let each = each.map(|text| Authority::read(text, keys)).collect::<Result<Vec<_>, _>>()?;
        let all = each.into_iter().flatten().collect::<Vec<_>>();
        if all.is_empty() {
            let why = "no key of the hub belongs to the authority in it";
            return Err(Error::internal(doing, why));
        }
        let doors = verifier(all.iter().map(|one| &one.der))?;
        Ok(Self { doors, file, all })
    }

    /// All of them, in PEM.
    pub(super) fn pem(&self) -> String {
        self.all.iter().map(|one| one.pem.as_str()).collect()
    }

    /// All of them.
    pub(super) fn certificates(&self) -> impl Iterator<Item = &CertificateDer<'static>> {
        self.all.iter().map(|one| &one.der)
    }

    /// The first of them.
    pub(super) fn oldest(&self) -> &CertificateDer<'static> {
        &self.all[0].der
    }

    /// Who signs what the hub shows.
    pub(super) fn first(&self) -> &Issuer<'static, KeyPair> {
        &self.all[0].issuer
    }

    /// Who signs doors.
    pub(super) fn last(&self) -> &Issuer<'static, KeyPair> {
        &self.newest().issuer
    }

    fn newest(&self) -> &Authority {
        &self.all[self.all.len() - 1]
    }
}

impl Authority {
    /// The one in `text` with that of the keys which belongs to it, if there is one.
    fn read(text: &str, keys: &Keys) -> Result<Option<Self>, Error> {
        let doing = "reading ca.pem";
        let der = CertificateDer::from_pem_slice(text.as_bytes()).doing(doing)?;
        let (_, parsed) = x509_parser::parse_x509_certificate(&der).doing(doing)?;
        let public = parsed.tbs_certificate.subject_pki.subject_public_key.data.to_vec();
        for id in keys.ids(CA_KEY)? {
            let key = PrivatePkcs8KeyDer::from(keys.get(CA_KEY, id)?.to_vec());
            let key = KeyPair::from_pkcs8_der_and_sign_algo(&key, &PKCS_ECDSA_P256_SHA256);
            let key = key.doing("reading the CA key")?;
            if rcgen::PublicKeyData::der_bytes(&key) == public {
                let issuer = Issuer::from_ca_cert_der(&der, key).doing(doing)?;
                let pem = format!("{}\n", text.trim());
                let key = (id, keys.made(CA_KEY, id)?);
                let number = number(&parsed);
                let doors = verifier([&der])?;
                return Ok(Some(Self { pem, der, key, number, doors, issuer }));
            }
        }
        Ok(None)
    }
}

/// Checks certificates of doors against the authorities `roots`.
fn verifier<'a>(
    roots: impl IntoIterator<Item = &'a CertificateDer<'static>>,
) -> Result<Arc<dyn ClientCertVerifier>, Error> {
    let doing = "reading ca.pem";
    let mut all = RootCertStore::empty();
    roots.into_iter().try_for_each(|root| all.add(root.clone())).doing(doing)?;
    let provider = Arc::new(ring::default_provider());
    let doors = WebPkiClientVerifier::builder_with_provider(Arc::new(all), provider).build();
    doors.map(|doors| doors as Arc<dyn ClientCertVerifier>).doing(doing)
}

/// The number of the key that signed `certificate`, as that one says; empty if it does not.
pub fn signer(certificate: &X509Certificate<'_>) -> String {
    let id = certificate.iter_extensions().find_map(|one| match one.parsed_extension() {
        ParsedExtension::AuthorityKeyIdentifier(id) => id.key_identifier.as_ref().map(|id| id.0),
        _ => None,
    });
    HEXLOWER.encode(id.unwrap_or_default())
}

/// The number of the key of an authority; empty if it does not say.
pub(super) fn number(authority: &X509Certificate<'_>) -> String {
    let id = authority.iter_extensions().find_map(|one| match one.parsed_extension() {
        ParsedExtension::SubjectKeyIdentifier(id) => Some(id.0),
        _ => None,
    });
    HEXLOWER.encode(id.unwrap_or_default())
}

impl Pki {
    /// Begins to replace the authority: doors get certificates of the new one, and trust both.
    ///
    /// # Errors
    /// `Conflict` while one is being replaced already.
    pub fn rotate_ca(&self, keys: &Keys, now: Wall) -> Result<(), Error> {
        let _alone = self.alone(keys)?;
        if self.is_rotating() {
            let why = "the authority is being replaced already: doors that did not follow yet \
                       keep the one before alive. “What needs care” names them";
            return Err(Error::Conflict(why.into()));
        }
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).doing("making the CA key")?;
        let ca = ca_params(now).self_signed(&key).doing("making the CA certificate")?;
        let next = keys.ids(CA_KEY)?.first().map_or(1, |newest| newest + 1);
        keys.put(CA_KEY, next, key.serialized_der(), now)?;
        keys.lay_paper(FILE, &format!("{}{}", self.ca_pem(), ca.pem()))?;
        self.reload(keys).map(drop)
    }

    /// Whether two authorities are trusted.
    #[must_use]
    pub fn is_rotating(&self) -> bool {
        self.now().all.len() > 1
    }

    /// Since when the newest authority signs doors.
    #[must_use]
    pub fn since(&self) -> Wall {
        self.now().newest().key.1
    }

    /// The number of the key that signs doors.
    #[must_use]
    pub fn signer(&self) -> String {
        self.now().newest().number.clone()
    }

    /// Checks a door's certificate below any authority that is trusted now: the number of the key
    /// that did sign it, whatever is written in it.
    pub fn check(
        &self,
        door: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        at: UnixTime,
    ) -> Result<(ClientCertVerified, String), rustls::Error> {
        let now = self.now();
        let verified = now.doors.verify_client_cert(door, intermediates, at)?;
        let signed =
            |one: &&Authority| one.doors.verify_client_cert(door, intermediates, at).is_ok();
        let signer = now.all.iter().rev().find(signed).map(|one| one.number.clone());
        Ok((verified, signer.unwrap_or_default()))
    }

    /// Ends it: the hub shows a certificate of the new authority, and the one before is trusted no
    /// more. What a crash leaves in between is ended by the next call.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn finish_ca(&self, keys: &Keys, now: Wall) -> Result<(), Error> {
        let _alone = self.alone(keys)?;
        let state = self.now();
        let newest = state.newest();
        let kept = state.newest().key.0;
        if !keys.ids(ENDED)?.contains(&kept) {
            keys.put(ENDED, kept, &[], now)?;
        }
        self.issue(&newest.issuer, keys, &[], now)?;
        let old = keys.ids(CA_KEY)?.into_iter().filter(|id| *id != kept);
        old.into_iter().try_for_each(|id| keys.forget(CA_KEY, id))?;
        self.read(keys)?;
        keys.lay_paper(FILE, &newest.pem)?;
        self.reload(keys).map(drop)
    }

    /// Takes what the keys say now while nobody else replaces it. Until the answer is dropped.
    pub fn alone(&self, keys: &Keys) -> Result<PapersHeld, Error> {
        let held = keys.alone()?;
        self.reload(keys)?;
        Ok(held)
    }

    /// Takes the authorities as they are now, if `ca.pem` changed.
    pub(super) fn reload_authorities(&self, keys: &Keys) -> Result<(), Error> {
        let file = keys.paper(FILE)?;
        if file == self.now().file { Ok(()) } else { self.read(keys) }
    }

    fn read(&self, keys: &Keys) -> Result<(), Error> {
        let next = Arc::new(Authorities::read(keys)?);
        *self.inner.now.write().unwrap_or_else(PoisonError::into_inner) = next;
        Ok(())
    }
}
