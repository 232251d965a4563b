//! Signed heads of the audit chain: kept elsewhere, they show that its end was not cut off.

use data_encoding::BASE64;
use ed25519_dalek::{SigningKey, VerifyingKey};
use jiff::Timestamp;
use rules::error::{Doing, Error};
use serde::{Deserialize, Serialize};
use std::path::Path;
use store::audit::Head;
use store::audit_head::AuditSigned as Row;
use utoipa::ToSchema;
use wire::Wall;
use wire::sign::Signed;

/// What the signature is for.
const DOMAIN: &str = "rollcall-audit-head-v1";
/// The folder of the heads in the data directory.
pub const FOLDER: &str = "audit-heads";

/// A head as a file and as the API says it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Witness {
    /// The school's date.
    pub day: String,
    /// Rows of the chain.
    pub rows: i64,
    /// Hash of the last, 64 hexadecimal digits.
    pub hash: String,
    /// When it was signed.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub signed_at: Option<Timestamp>,
    /// ed25519 over `rollcall-audit-head-v1`, a zero byte, and `DAY ROWS HASH`; base64.
    pub signature: String,
}

fn text(day: &str, head: &Head) -> Vec<u8> {
    format!("{day} {} {}", head.rows, head.hash).into_bytes()
}

/// Signs `head` as that of `day`.
#[must_use]
pub fn sign(day: &str, head: Head, at: Wall, key: &SigningKey) -> Row {
    let signature = Signed::new(key, DOMAIN, text(day, &head)).signature;
    Row { day: day.to_owned(), head, at, signature }
}

impl From<Row> for Witness {
    fn from(row: Row) -> Self {
        Self {
            day: row.day,
            rows: row.head.rows,
            hash: row.head.hash,
            signed_at: Timestamp::from_millisecond(row.at.0).ok(),
            signature: BASE64.encode(&row.signature),
        }
    }
}

impl Witness {
    /// The head it vouches for, if the hub with `key` signed it.
    ///
    /// # Errors
    /// `Invalid` when it did not.
    pub fn head(&self, key: &VerifyingKey) -> Result<Head, Error> {
        let forged = || Error::Invalid("this head was not signed by this hub".into());
        let head = Head { rows: self.rows, hash: self.hash.clone() };
        let signature = BASE64.decode(self.signature.as_bytes()).map_err(|_| forged())?;
        let signed = Signed { bytes: text(&self.day, &head), signature };
        signed.verify(key, DOMAIN).map_err(|_| forged())?;
        Ok(head)
    }

    /// Writes it as a file of its own into the data directory.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn write(&self, data: &Path) -> Result<(), Error> {
        let folder = data.join(FOLDER);
        let doing = "writing the audit chain's head";
        std::fs::create_dir_all(&folder).doing(doing)?;
        let text = serde_json::to_string_pretty(self).doing(doing)?;
        std::fs::write(folder.join(format!("{}.json", self.day)), text).doing(doing)
    }

    /// Reads one that [`Witness::write`] wrote.
    ///
    /// # Errors
    /// `Invalid` when the file is none.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let doing = format!("reading {}", path.display());
        let bytes = std::fs::read(path).doing(&doing)?;
        serde_json::from_slice(&bytes)
            .map_err(|why| Error::Invalid(format!("{} is no head: {why}", path.display())))
    }
}
