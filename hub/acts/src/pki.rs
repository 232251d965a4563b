//! The hub's certificate authority: its own certificate, and one for each door.
//!
//! Of a door's request only the public key is used: name, purpose, validity and serial are the
//! hub's choice, because a request is input from outside and may ask to become an authority.

mod authority;
mod server;

pub use server::{ServerCertificateLife, ServerCertificateShown};

use authority::Authorities;
pub use authority::signer;
use data_encoding::{BASE32_NOPAD, HEXLOWER};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DistinguishedName,
    DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, PKCS_ED25519, SanType, SerialNumber,
};
use rules::certificate::DEVICE_DAYS;
use rules::error::{Doing, Error};
use rustls::server::danger::ClientCertVerifier;
use rustls_pki_types::CertificateDer;
use sha2::{Digest as _, Sha256};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use store::keys::Keys;
use wire::{DeviceId, Wall};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;
const SERVER_DAYS: i64 = 398;
const CA_DAYS: i64 = 3650;
/// Doors boot with clocks that are a little behind.
const SLACK_MS: i64 = 60 * 60 * 1000;
/// Names in the key store.
const CA_KEY: &str = "ca";
const SERVER_KEY: &str = "server";
/// When the authority before one of this number ended.
const ENDED: &str = "ca-ended";

/// What lies open beside the private keys.
pub const PAPERS: [&str; 2] = [authority::FILE, server::FILE];

/// The authority; cheap to clone. Which certificates no longer count, the
/// [`Fleet`](crate::device::Fleet) knows.
#[derive(Clone)]
pub struct Pki {
    inner: Arc<PkiInner>,
}

struct PkiInner {
    now: RwLock<Arc<Authorities>>,
    shown: ServerCertificateShown,
}

/// A door's certificate.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Issued {
    /// The certificate.
    pub pem: String,
    /// 32 hexadecimal digits.
    pub serial: String,
    /// Its [`digest`].
    pub digest: String,
    /// When it ends.
    pub expires: Wall,
}

impl Pki {
    /// Makes an authority and a server certificate for `names` (host names or addresses), which go
    /// to `keys` with their private keys.
    ///
    /// # Errors
    /// When a name is none, or the disk refuses.
    pub fn create(keys: &Keys, names: &[String], now: Wall) -> Result<Self, Error> {
        let ca_key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).doing("making the CA key")?;
        let ca = ca_params(now).self_signed(&ca_key).doing("making the CA certificate")?;
        let server_key =
            KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).doing("making the server key")?;
        let server = server_params(names, now)?;
        let issuer = Issuer::new(ca_params(now), &ca_key);
        let server =
            server.signed_by(&server_key, &issuer).doing("making the server certificate")?;
        keys.put(CA_KEY, 1, ca_key.serialized_der(), now)?;
        keys.put(SERVER_KEY, 1, server_key.serialized_der(), now)?;
        keys.lay_paper(server::FILE, &server.pem())?;
        keys.lay_paper(authority::FILE, &ca.pem())?;
        Self::open(keys)
    }

    /// Opens the authority of `keys`.
    ///
    /// # Errors
    /// When a paper or a key is missing or damaged.
    pub fn open(keys: &Keys) -> Result<Self, Error> {
        let now = Authorities::read(keys)?;
        let shown = ServerCertificateShown::new(server::read(keys, &now)?);
        let inner = Arc::new(PkiInner { now: RwLock::new(Arc::new(now)), shown });
        Ok(Self { inner })
    }

    /// The authority's certificate, which doors and the careful trust; two while it is replaced.
    #[must_use]
    pub fn ca_pem(&self) -> String {
        self.now().pem()
    }

    /// The authority of what the hub shows.
    #[must_use]
    pub fn ca(&self) -> CertificateDer<'static> {
        self.now().oldest().clone()
    }

    /// Checks certificates of doors.
    #[must_use]
    pub fn doors(&self) -> Arc<dyn ClientCertVerifier> {
        self.now().doors.clone()
    }

    fn now(&self) -> Arc<Authorities> {
        self.inner.now.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The hub's certificate, for every listener.
    #[must_use]
    pub fn shown(&self) -> &ServerCertificateShown {
        &self.inner.shown
    }

    /// SHA-256 of the authority's public key (SPKI), in base32 without padding: what a door
    /// pins before it says its token.
    ///
    /// # Errors
    /// When the certificate is damaged.
    pub fn pin(&self) -> Result<String, Error> {
        spki_pin(&self.ca())
    }

    /// A client certificate for `device` from its request.
    ///
    /// # Errors
    /// `Invalid` when the request is none, is not signed by its own key, or its key is neither
    /// P-256 nor Ed25519.
    pub fn sign(&self, device: &DeviceId, csr_pem: &str, now: Wall) -> Result<Issued, Error> {
        let invalid = |why: &str| Error::Invalid(format!("the certificate request {why}"));
        let request = CertificateSigningRequestParams::from_pem(csr_pem)
            .map_err(|_| invalid("cannot be read, or is not signed by its own key"))?;
        let kind = request.public_key.algorithm();
        if *kind != PKCS_ECDSA_P256_SHA256 && *kind != PKCS_ED25519 {
            return Err(invalid("must hold a P-256 or Ed25519 key"));
        }
        let serial = serial();
        let expires = now.plus_ms(DEVICE_DAYS * DAY_MS);
        let params = device_params(device, &serial, now, expires)?;
        let signed = params.signed_by(&request.public_key, self.now().last());
        let signed = signed.doing("signing a door's certificate")?;
        let pem = signed.pem();
        let digest = digest(signed.der());
        Ok(Issued { pem, serial: HEXLOWER.encode(&serial), digest, expires })
    }
}

/// SHA-256 of a whole certificate, in hexadecimal digits: no other one has it.
#[must_use]
pub fn digest(certificate: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(certificate))
}

fn spki_pin(certificate: &CertificateDer<'_>) -> Result<String, Error> {
    let (_, parsed) =
        x509_parser::parse_x509_certificate(certificate).doing("reading the CA certificate")?;
    Ok(BASE32_NOPAD.encode(&Sha256::digest(parsed.tbs_certificate.subject_pki.raw)))
}

/// 128 random bits, kept positive and of full length so that every reader prints it alike.
fn serial() -> [u8; 16] {
    let mut serial: [u8; 16] = rand::random();
    serial[0] = serial[0] & 0x7F | 0x40;
    serial
}

fn params(name: &str, from: Wall, to: Wall) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    let at = |wall: Wall| {
        rcgen::date_time_ymd(1970, 1, 1) + Duration::from_millis(u64::try_from(wall.0).unwrap_or(0))
    };
    params.not_before = at(from.plus_ms(-SLACK_MS));
    params.not_after = at(to);
    params.use_authority_key_identifier_extension = true;
    params
}

fn ca_params(now: Wall) -> CertificateParams {
    let mut ca = params("Rollcall hub CA", now, now.plus_ms(CA_DAYS * DAY_MS));
    ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    ca
}

fn server_params(names: &[String], now: Wall) -> Result<CertificateParams, Error> {
    let first = names.first().map_or("rollcall-hub", String::as_str);
    let mut server = params(first, now, now.plus_ms(SERVER_DAYS * DAY_MS));
    let invalid = |_| Error::Invalid("a host name may hold letters, digits, “-” and “.”".into());
    let named = CertificateParams::new(names).map_err(invalid)?;
    server.subject_alt_names = named.subject_alt_names;
    server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    server.serial_number = Some(SerialNumber::from_slice(&serial()));
    Ok(server)
}

fn device_params(
    device: &DeviceId,
    serial: &[u8],
    now: Wall,
    expires: Wall,
) -> Result<CertificateParams, Error> {
    let mut door = params(device.as_str(), now, expires);
    let uri = device.as_str().try_into().doing("naming a door's certificate")?;
    door.subject_alt_names = vec![SanType::URI(uri)];
    door.is_ca = IsCa::ExplicitNoCa;
    door.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    door.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    door.serial_number = Some(SerialNumber::from_slice(serial));
    Ok(door)
}

#[cfg(test)]
mod tests;
