//! All data of one person in one piece, for them: everything but the templates, which are for
//! nobody.

use data_encoding::BASE64;
use jiff::Timestamp;
use rules::error::{Doing, Error};
use rules::person::PersonDetails;
use serde::Serialize;
use serde_json::json;
use store::export::{ExportFace, ExportLetter, ExportMark, ExportSighting};
use store::keys::Keys;
use store::{self, Db, Tx, audit, consent, enrolment, student};
use utoipa::ToSchema;
use uuid::Uuid;
use wire::seal::Part;
use wire::{StudentId, Wall};

/// Everything.
#[derive(Debug, Serialize, ToSchema)]
pub struct Export {
    /// When it was read.
    #[schema(value_type = Option<String>, format = DateTime)]
    exported_at: Option<Timestamp>,
    /// Who they are.
    profile: ExportedProfile,
    /// The consent ledger, newest first.
    consents: Vec<Consent>,
    /// What their face was enrolled by; never the templates themselves.
    enrolments: Vec<ExportedEnrolment>,
    /// Classes they are on the roster of.
    classes: Vec<ExportedClass>,
    /// Accounts they sign in with.
    accounts: Vec<ExportedAccount>,
    /// What doors took to be them, or what may have been them; oldest first.
    sightings: Vec<ExportedSeen>,
    /// What is recorded of them in lessons; oldest first.
    marks: Vec<ExportedMarked>,
    /// Where they were found in photos of a class; oldest first.
    faces: Vec<ExportedFound>,
    /// Mail about them.
    mails: Vec<ExportedMail>,
    /// Who did what about them; oldest first.
    audit: Vec<ExportedNote>,
}

/// Who somebody is.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Profile)]
struct ExportedProfile {
    id: Uuid,
    student_number: String,
    first_name: String,
    last_name: String,
    email: Option<String>,
    phone: Option<String>,
    department: Option<String>,
    position: Option<String>,
    year: Option<String>,
    is_staff: bool,
    is_active: bool,
}

/// An entry of the consent ledger.
#[derive(Debug, Serialize, ToSchema)]
struct Consent {
    given: bool,
    by: String,
    text_version: String,
    #[schema(value_type = Option<String>, format = DateTime)]
    at: Option<Timestamp>,
    recorded_by: String,
}

/// A photo their face was enrolled by; it was not kept.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Enrolment)]
struct ExportedEnrolment {
    id: Uuid,
    model: String,
    source: String,
    is_active: bool,
    #[schema(value_type = Option<String>, format = DateTime)]
    created_at: Option<Timestamp>,
    created_by: String,
}

/// A class.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PrivacyExportClass)]
struct ExportedClass {
    class_code: String,
    class_name: String,
    verified: bool,
}

/// An account.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Account)]
struct ExportedAccount {
    id: String,
    email: String,
    name: String,
    is_active: bool,
    /// What they call their passkeys.
    passkeys: Vec<String>,
}

/// A sighting.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PrivacyExportSeen)]
struct ExportedSeen {
    id: String,
    #[schema(value_type = Option<String>, format = DateTime)]
    at: Option<Timestamp>,
    device_id: String,
    room: String,
    direction: String,
    status: String,
    confidence: f64,
    score: Option<f64>,
    decided: bool,
    reviewer_id: Option<String>,
    notes: Option<String>,
    /// The face as the door saw it, JPEG in base64, where it is still kept and theirs.
    crop: Option<String>,
}

/// A mark.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Marked)]
struct ExportedMarked {
    session_id: String,
    class_name: String,
    date: String,
    status: String,
    source: String,
    #[schema(value_type = Option<String>, format = DateTime)]
    arrived_at: Option<Timestamp>,
    by: String,
    #[schema(value_type = Option<String>, format = DateTime)]
    at: Option<Timestamp>,
    notes: Option<String>,
}

/// A face in a photo.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Found)]
struct ExportedFound {
    id: String,
    image_id: String,
    class_name: String,
    #[schema(value_type = Option<String>, format = DateTime)]
    taken_at: Option<Timestamp>,
    left: i64,
    top: i64,
    width: i64,
    height: i64,
    assigned: bool,
}

/// A mail.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Mail)]
struct ExportedMail {
    recipient: String,
    subject: String,
    body: String,
    state: String,
    #[schema(value_type = Option<String>, format = DateTime)]
    at: Option<Timestamp>,
}

/// A row of the audit chain.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Note)]
struct ExportedNote {
    id: i64,
    user_id: String,
    action: String,
    target_table: String,
    target_id: String,
    #[schema(value_type = Option<String>, format = DateTime)]
    at: Option<Timestamp>,
}

fn time(at: Wall) -> Option<Timestamp> {
    Timestamp::from_millisecond(at.0).ok()
}

/// Hands out all data of `id`, once the audit chain says who took it.
///
/// # Errors
/// `NotFound` without such a person.
pub async fn hand_out(
    db: &Db,
    keys: Keys,
    id: StudentId,
    actor: String,
    now: Wall,
) -> Result<Export, Error> {
    let note = move |tx: &Tx<'_>| {
        let key = id.to_string();
        let meta = json!({});
        let action = "export";
        let table = "student";
        audit::add(tx, now, &audit::AuditEntry { actor: &actor, action, table, id: &key, meta })
    };
    db.write(note).await?;
    db.read(move |tx| export(tx, &keys, id, now)).await
}

/// All data of `id`.
///
/// # Errors
/// `NotFound` without such a person; when the database or the key store fails.
pub fn export(tx: &Tx<'_>, keys: &Keys, id: StudentId, now: Wall) -> Result<Export, Error> {
    let person = student::get(tx, id)?.ok_or_else(|| Error::unknown("student", id))?;
    let sightings = store::export::sightings(tx, id)?;
    let seen = sightings.into_iter().map(|one| seen(tx, keys, id, one));
    Ok(Export {
        exported_at: time(now),
        consents: consent::list(tx, id, None, u32::MAX)?.into_iter().map(Consent::from).collect(),
        enrolments: enrolment::of(tx, id)?.into_iter().map(ExportedEnrolment::from).collect(),
        classes: store::export::classes(tx, id)?.into_iter().map(ExportedClass::from).collect(),
        accounts: store::export::accounts(tx, id)?.into_iter().map(ExportedAccount::from).collect(),
        sightings: seen.collect::<Result<_, _>>()?,
        marks: store::export::marks(tx, id)?.into_iter().map(ExportedMarked::from).collect(),
        faces: store::export::faces(tx, id)?.into_iter().map(ExportedFound::from).collect(),
        mails: store::export::letters(tx, id)?.into_iter().map(ExportedMail::from).collect(),
        audit: audit::about(tx, id)?.into_iter().map(ExportedNote::from).collect(),
        profile: ExportedProfile::from(person),
    })
}

/// A sighting with its crop, if that is kept under this person's key.
fn seen(
    tx: &Tx<'_>,
    keys: &Keys,
    id: StudentId,
    one: ExportSighting,
) -> Result<ExportedSeen, Error> {
    let kept = store::review::evidence(tx, one.id, Part::Crop)?.filter(|crop| crop.student == id);
    let crop = match (kept, keys.student(id)?) {
        (Some(crop), Some(key)) => {
            let open = crop.open(one.id, Part::Crop, &key).doing("opening a crop")?;
            Some(BASE64.encode(&open))
        }
        _ => None,
    };
    Ok(ExportedSeen {
        id: one.id.to_string(),
        at: time(one.at),
        device_id: one.device,
        room: one.room,
        direction: one.direction,
        status: one.status,
        confidence: one.confidence,
        score: one.score,
        decided: one.decided,
        reviewer_id: one.reviewer,
        notes: one.notes,
        crop,
    })
}

impl From<student::Student> for ExportedProfile {
    fn from(person: student::Student) -> Self {
        let of = person.profile;
        let PersonDetails { email, phone, department, position, year } = of.details;
        Self {
            id: person.id.0,
            student_number: of.student_number,
            first_name: of.first_name,
            last_name: of.last_name,
            email,
            phone,
            department,
            position,
            year,
            is_staff: of.is_staff,
            is_active: person.is_active,
        }
    }
}

impl From<consent::ConsentEntry> for Consent {
    fn from(entry: consent::ConsentEntry) -> Self {
        Self {
            given: entry.given,
            by: entry.by_whom,
            text_version: entry.text_version,
            at: time(entry.at),
            recorded_by: entry.actor,
        }
    }
}

impl From<enrolment::Enrolment> for ExportedEnrolment {
    fn from(row: enrolment::Enrolment) -> Self {
        Self {
            id: row.id,
            model: row.model.to_string(),
            source: row.source,
            is_active: row.is_active,
            created_at: time(row.created_at),
            created_by: row.created_by,
        }
    }
}

impl From<(String, String, bool)> for ExportedClass {
    fn from((class_code, class_name, verified): (String, String, bool)) -> Self {
        Self { class_code, class_name, verified }
    }
}

impl From<store::export::ExportAccount> for ExportedAccount {
    fn from(of: store::export::ExportAccount) -> Self {
        let store::export::ExportAccount { id, email, name, is_active, passkeys } = of;
        Self { id: id.to_string(), email, name, is_active, passkeys }
    }
}

impl From<ExportMark> for ExportedMarked {
    fn from(mark: ExportMark) -> Self {
        Self {
            session_id: mark.session,
            class_name: mark.class,
            date: mark.day,
            status: mark.status,
            source: mark.source,
            arrived_at: mark.arrived_at.and_then(time),
            by: mark.by,
            at: time(mark.at),
            notes: mark.notes,
        }
    }
}

impl From<ExportFace> for ExportedFound {
    fn from(face: ExportFace) -> Self {
        let [left, top, width, height] = face.place;
        let image_id = face.image;
        let class_name = face.class;
        let taken_at = time(face.taken_at);
        let id = face.id;
        let assigned = face.assigned;
        Self { id, image_id, class_name, taken_at, left, top, width, height, assigned }
    }
}

impl From<ExportLetter> for ExportedMail {
    fn from(mail: ExportLetter) -> Self {
        let ExportLetter { recipient, subject, body, state, at } = mail;
        Self { recipient, subject, body, state, at: time(at) }
    }
}

impl From<audit::AuditRow> for ExportedNote {
    fn from(row: audit::AuditRow) -> Self {
        Self {
            id: row.n,
            user_id: row.actor,
            action: row.action,
            target_table: row.table,
            target_id: row.id,
            at: time(row.at),
        }
    }
}
