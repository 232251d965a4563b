//! Who a device is: what its certificate says, never what it says itself.

use crate::pki;
use std::fmt;
use wire::{DeviceId, Wall};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

/// A certificate's serial number in lower-case hexadecimal digits, without leading zeros.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Serial(String);

impl Serial {
    /// From the number's bytes, most significant first.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let hex = data_encoding::HEXLOWER.encode(bytes);
        Self(hex.trim_start_matches('0').to_owned())
    }

    /// From hexadecimal digits, as the database keeps them.
    #[must_use]
    pub fn from_hex(hex: &str) -> Self {
        Self(hex.trim_start_matches('0').to_ascii_lowercase())
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Who is at the other end of a connection.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DoorIdentity {
    /// Common name and alternative name of the certificate.
    pub device: DeviceId,
    /// Which of the device's certificates it shows.
    pub serial: Serial,
    /// That one's [`digest`](pki::digest).
    pub digest: String,
    /// When that certificate ends, and the connection with it.
    pub not_after: Wall,
    /// Which authority signed it, by the number of its key: TLS refuses what names another.
    pub authority: String,
}

/// Why a certificate of ours names no device.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum DoorIdentityError {
    /// None was shown.
    #[error("the device showed no certificate")]
    Missing,
    /// It does not parse.
    #[error("the device's certificate cannot be read")]
    Malformed,
    /// Its names are not one device's.
    #[error("the certificate's common name and alternative name are not those of one device")]
    Names,
}

/// The URI that a certificate carries as its alternative name: the plain name again.
#[must_use]
pub fn uri(device: &DeviceId) -> String {
    device.to_string()
}

impl DoorIdentity {
    /// The identity in a verified end-entity certificate.
    ///
    /// # Errors
    /// When it does not name exactly one device, in both places.
    pub fn of(der: &[u8]) -> Result<Self, DoorIdentityError> {
        let (_, cert) = X509Certificate::from_der(der).map_err(|_| DoorIdentityError::Malformed)?;
        let mut names = cert.subject().iter_common_name().map(|name| name.as_str());
        let (Some(Ok(name)), None) = (names.next(), names.next()) else {
            return Err(DoorIdentityError::Names);
        };
        let device: DeviceId = name.parse().map_err(|_| DoorIdentityError::Names)?;
        if alternatives(&cert)? != [uri(&device)] {
            return Err(DoorIdentityError::Names);
        }
        let not_after = Wall(cert.validity().not_after.timestamp().saturating_mul(1000));
        let serial = Serial::from_bytes(cert.raw_serial());
        let authority = pki::signer(&cert);
        Ok(Self { device, serial, digest: pki::digest(der), not_after, authority })
    }
}

fn alternatives(cert: &X509Certificate<'_>) -> Result<Vec<String>, DoorIdentityError> {
    let extension = cert.subject_alternative_name().map_err(|_| DoorIdentityError::Malformed)?;
    let names = extension.map(|e| e.value.general_names.as_slice()).unwrap_or_default();
    names
        .iter()
        .map(|name| match name {
            GeneralName::URI(uri) => Ok((*uri).to_owned()),
            _ => Err(DoorIdentityError::Names),
        })
        .collect()
}
