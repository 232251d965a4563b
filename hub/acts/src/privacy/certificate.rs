//! The certificate of an erasure: what went, which doors have said so, signed by the hub.
//!
//! It holds no name: the person's id is the only thing left of them.

use data_encoding::{BASE64, HEXLOWER};
use ed25519_dalek::{SigningKey, VerifyingKey};
use jiff::Timestamp;
use rules::error::{Doing, Error};
use serde::{Deserialize, Serialize};
use store::Db;
use store::erasure::{self, Erasure, ErasureDoor};
use store::erasure::{ErasureReason, Gone};
use store::keys::Keys;
use utoipa::ToSchema;
use uuid::Uuid;
use wire::sign::Signed;
use wire::{StudentId, Wall};

/// What the signature is for.
const DOMAIN: &str = "rollcall-erasure-v1";
/// Backups of keys live this long; then no backup can be read for this person.
const KEY_BACKUPS_MS: i64 = 30 * 24 * 3600 * 1000;

/// The statement, and the signature over its exact text.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Certificate)]
pub struct ErasureCertificate {
    /// What is certified.
    #[serde(flatten)]
    pub statement: Statement,
    /// The same as text: what was signed, byte for byte.
    pub signed: String,
    /// ed25519 over `rollcall-erasure-v1`, a zero byte, and `signed`; base64.
    pub signature: String,
    /// The hub's public key, base64: the one every door has pinned.
    pub public_key: String,
}

/// What is certified.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Statement {
    /// The erasure's own id.
    pub erasure_id: Uuid,
    /// The erased person's id; nothing else is left.
    pub student_id: Uuid,
    /// Why.
    pub reason: ErasureReason,
    /// The account that asked, or `hub`.
    pub asked_by: String,
    /// When the data went.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub erased_at: Option<Timestamp>,
    /// When the key went: from then on no copy of templates and crops opens.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub key_erased_at: Option<Timestamp>,
    /// When the last backup of the key is destroyed.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub backups_unreadable_from: Option<Timestamp>,
    /// What went, counted.
    pub deleted: Gone,
    /// A row with this id and no name stays, because attendance counts with it.
    pub pseudonym_kept: bool,
    /// Doors that had a gallery with this person, or may have had.
    pub doors: Vec<ErasureReceipt>,
    /// Whether nothing is open any more and every door has said so.
    pub complete: bool,
    /// When this was written.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub issued_at: Option<Timestamp>,
}

/// A door's part of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = Receipt)]
pub struct ErasureReceipt {
    /// Which.
    pub device_id: String,
    /// Where it stands.
    pub state: ErasureState,
    /// The release that destroys every earlier one.
    pub release: u64,
    /// When the door said, with its certificate, that it runs it.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub confirmed_at: Option<Timestamp>,
    /// BLAKE3 of the signed manifest it runs.
    pub manifest: Option<String>,
    /// When it forgets everybody by itself, if it runs.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub lease_ends: Option<Timestamp>,
}

/// Where a door stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = PrivacyCertificateState)]
pub enum ErasureState {
    /// It said so.
    Confirmed,
    /// Not heard of though its lease is over: nobody knows what its disk holds.
    Unconfirmed,
    /// Not heard of yet.
    Waiting,
}

/// Where `door` stands at `now`.
#[must_use]
pub fn state(door: &ErasureDoor, now: Wall) -> ErasureState {
    match door.confirmed_at {
        Some(_) => ErasureState::Confirmed,
        None if door.lease_ends <= now => ErasureState::Unconfirmed,
        None => ErasureState::Waiting,
    }
}

fn time(at: Wall) -> Option<Timestamp> {
    Timestamp::from_millisecond(at.0).ok()
}

/// Certifies `erasure` as it stands at `now`.
///
/// # Errors
/// When the statement cannot be written, which only a bug can cause.
pub fn certify(
    erasure: &Erasure,
    doors: &[ErasureDoor],
    now: Wall,
    key: &SigningKey,
) -> Result<ErasureCertificate, Error> {
    let receipt = |door: &ErasureDoor| ErasureReceipt {
        device_id: door.device.to_string(),
        state: state(door, now),
        release: door.release,
        confirmed_at: door.confirmed_at.and_then(time),
        manifest: door.manifest.as_ref().map(|digest| HEXLOWER.encode(digest)),
        lease_ends: time(door.lease_ends),
    };
    let ends = erasure.key_erased_at.map(|at| at.plus_ms(KEY_BACKUPS_MS));
    let statement = Statement {
        erasure_id: erasure.id,
        student_id: erasure.student.0,
        reason: erasure.reason,
        asked_by: erasure.asked_by.clone(),
        erased_at: time(erasure.asked_at),
        key_erased_at: erasure.key_erased_at.and_then(time),
        backups_unreadable_from: ends.and_then(time),
        deleted: erasure.gone,
        pseudonym_kept: erasure.row_kept,
        doors: doors.iter().map(receipt).collect(),
        complete: erasure.done_at.is_some() && doors.iter().all(|door| door.confirmed_at.is_some()),
        issued_at: time(now),
    };
    let text = serde_json::to_string(&statement).doing("writing a certificate")?;
    let signed = Signed::new(key, DOMAIN, text.clone().into_bytes());
    let signature = BASE64.encode(&signed.signature);
    let public_key = BASE64.encode(key.verifying_key().as_bytes());
    Ok(ErasureCertificate { statement, signed: text, signature, public_key })
}

/// The statement of a certificate, if `key` signed exactly this text.
///
/// # Errors
/// `Invalid` when it did not.
pub fn verify(text: &str, signature: &str, key: &VerifyingKey) -> Result<Statement, Error> {
    let forged = || Error::Invalid("this certificate is not from this hub".into());
    let signature = BASE64.decode(signature.as_bytes()).map_err(|_| forged())?;
    let signed = Signed { bytes: text.as_bytes().to_vec(), signature };
    let bytes = signed.verify(key, DOMAIN).map_err(|_| forged())?;
    serde_json::from_slice(bytes).map_err(|_| forged())
}

/// The certificate of the erasure of `student` as it stands.
///
/// # Errors
/// `NotFound` when nobody with this id was erased.
pub async fn of(
    db: &Db,
    keys: &Keys,
    student: StudentId,
    now: Wall,
) -> Result<ErasureCertificate, Error> {
    let read = db.read(move |tx| {
        let none = || Error::NotFound("nobody with this id was erased".into());
        let erasure = erasure::of(tx, student)?.ok_or_else(none)?;
        let doors = erasure::doors(tx, erasure.id)?;
        Ok((erasure, doors))
    });
    let (erasure, doors) = read.await?;
    certify(&erasure, &doors, now, &keys.signing()?)
}
