//! Table `face_crop`: faces cut from photos of classes, and who they are.

use super::desk::PersonSeen;
use super::image::visible;
use super::{Read, Row, Tx, audit, odd, params, parsed, parsed_option};
use crate::reader::Reader;
use rules::error::Error;
use serde_json::{Value, json};
use uuid::Uuid;
use wire::{Quality, Reason, StudentId, Wall};

/// Crops that one look at a class takes at most: the newest.
pub const MOST: u32 = 2000;

/// Who says whom a crop shows.
#[derive(
    Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum As {
    /// A person, for this crop.
    Person,
    /// The hub, on a person's order; a person confirms the photo later.
    Machine,
}

impl As {
    /// As the database and the API write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Machine => "machine",
        }
    }
}

impl std::str::FromStr for As {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "person" => Ok(Self::Person),
            "machine" => Ok(Self::Machine),
            other => Err(format!("“{other}” assigns nothing")),
        }
    }
}

/// Where a face is in its photo, in pixels.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, utoipa::ToSchema)]
pub struct Area {
    /// From the left.
    pub x: i64,
    /// From the top.
    pub y: i64,
    /// Across.
    pub width: i64,
    /// Down.
    pub height: i64,
}

/// A crop, without its pixels and its template.
#[derive(Clone, PartialEq, Debug)]
pub struct Crop {
    /// Own id.
    pub id: Uuid,
    /// The photo.
    pub image: Uuid,
    /// Whose photo.
    pub class: Uuid,
    /// The lesson it was taken in.
    pub session: Option<Uuid>,
    /// Where it is in the photo.
    pub at: Area,
    /// How sure the detector is, 0..=1.
    pub score: f64,
    /// How good the look is.
    pub quality: Quality,
    /// Why it is not better.
    pub doubts: Vec<Reason>,
    /// Whether the pixels are still there.
    pub kept: bool,
    /// Whether the template is still there.
    pub embedded: bool,
    /// The network of its template.
    pub model: Option<String>,
    /// Who it may be, and the cosine.
    pub proposed: Option<(PersonSeen, f64)>,
    /// Who it is.
    pub student: Option<PersonSeen>,
    /// Who says so: how, the account, and when.
    pub assigned: Option<(As, String, Wall)>,
    /// Where the last clustering put it.
    pub cluster: Option<i64>,
    /// Counts changes.
    pub version: i64,
}

/// A face that has just been found.
#[derive(Clone, Debug)]
pub struct NewCrop {
    /// Own id.
    pub id: Uuid,
    /// Where it is in the photo.
    pub at: Area,
    /// How sure the detector is, 0..=1.
    pub score: f64,
    /// How good the look is.
    pub quality: Quality,
    /// Why it is not better.
    pub doubts: Vec<Reason>,
    /// Its pixels, sealed.
    pub crop: Option<Vec<u8>>,
    /// Its template, sealed.
    pub template: Vec<u8>,
    /// The network of its template.
    pub model: String,
    /// Who it may be, and the cosine.
    pub proposed: Option<(StudentId, f32)>,
}

/// A crop whose template is still there.
#[derive(Clone, Debug)]
pub struct Embedded {
    /// The crop.
    pub id: Uuid,
    /// Its photo.
    pub image: Uuid,
    /// Who it is, and who says so.
    pub student: Option<(StudentId, As)>,
    /// Its template, sealed for [`template_place`].
    pub sealed: Vec<u8>,
    /// The network of its template.
    pub model: String,
}

/// All crops of something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CropOf {
    /// Of a class.
    Class(Uuid),
    /// Of a lesson.
    Session(Uuid),
    /// Of a photo.
    Image(Uuid),
}

impl CropOf {
    fn column(self) -> (&'static str, String) {
        match self {
            Self::Class(id) => ("class", id.to_string()),
            Self::Session(id) => ("session", id.to_string()),
            Self::Image(id) => ("image", id.to_string()),
        }
    }
}

const COLUMNS: &str = "f.id, f.image, f.class, f.session, f.x, f.y, f.width, f.height, f.score,
     f.quality, f.doubts, f.crop is not null, f.template is not null, f.model,
     p.id, p.student_number, trim(p.first_name || ' ' || p.last_name), f.proposed_score,
     q.id, q.student_number, trim(q.first_name || ' ' || q.last_name),
     f.assigned_as, f.assigned_by, f.assigned_at, f.cluster, f.version";
const TABLES: &str = "face_crop f left join student p on p.id = f.proposed
     left join student q on q.id = f.student";

/// What a crop's pixels are sealed for.
#[must_use]
pub fn place(id: Uuid) -> String {
    format!("face-crop|{id}")
}

/// What a crop's template is sealed for.
#[must_use]
pub fn template_place(id: Uuid) -> String {
    format!("face-crop-template|{id}")
}

/// Adds the faces of a photo.
pub fn add(tx: &Tx<'_>, image: &super::image::Image, found: &[NewCrop]) -> Result<(), Error> {
    let sql = "insert into face_crop (id, image, class, session, x, y, width, height, score,
             quality, doubts, crop, template, model, proposed, proposed_score, version)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, 1)";
    for face in found {
        let quality = text(&face.quality)?;
        let doubts = text(&face.doubts)?;
        let Area { x, y, width, height } = face.at;
        let values = params![
            face.id.to_string(),
            image.id.to_string(),
            image.class.to_string(),
            image.session.map(|id| id.to_string()),
            x,
            y,
            width,
            height,
            face.score,
            quality,
            doubts,
            face.crop,
            face.template,
            face.model,
            face.proposed.map(|(student, _)| student.to_string()),
            face.proposed.map(|(_, score)| f64::from(score)),
        ];
        tx.execute(sql, values)?;
    }
    Ok(())
}

fn text<T: serde::Serialize>(value: &T) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|why| Error::internal("writing a face crop", why))
}

/// Looks anew at the face of a crop that is there already: its id and its person stay.
pub fn renew(tx: &Tx<'_>, id: Uuid, face: &NewCrop) -> Result<(), Error> {
    let sql = "update face_crop set score = $2, quality = $3, doubts = $4, template = $5,
             model = $6, proposed = $7, proposed_score = $8, version = version + 1
         where id = $1";
    let quality = text(&face.quality)?;
    let doubts = text(&face.doubts)?;
    let who = face.proposed.map(|(student, _)| student.to_string());
    let score = face.proposed.map(|(_, score)| f64::from(score));
    let values =
        params![id.to_string(), face.score, quality, doubts, face.template, face.model, who, score];
    tx.execute(sql, values).map(drop)
}

/// Takes a crop away that is no face after all.
pub fn remove(tx: &Tx<'_>, id: Uuid) -> Result<(), Error> {
    tx.execute("delete from face_crop where id = $1", params![id.to_string()]).map(drop)
}

/// The crop `id`, if the reader may see it.
///
/// # Errors
/// `NotFound`, for a foreign one too.
pub fn find(tx: &Tx<'_>, reader: Reader, id: &str) -> Result<Crop, Error> {
    let (role, user, today) = reader.keys();
    let sql = format!("select {COLUMNS} from {TABLES} where {} and f.id = $4", visible("f.class"));
    let found = tx.row(&sql, params![role, user, today, id.trim()], read)?;
    found.ok_or_else(|| Error::unknown("face crop", id))
}

/// Which crops to list.
#[derive(Clone, Copy, Debug, Default)]
pub struct CropFilter {
    /// Of these.
    pub of: Option<CropOf>,
    /// On whom somebody is known, or nobody.
    pub identified: Option<bool>,
    /// Of this person.
    pub student: Option<StudentId>,
    /// Only those that can still be looked at and compared.
    pub is_waiting: bool,
    /// Those before this one.
    pub before: Option<Uuid>,
}

/// Crops the reader may see, the newest first.
pub fn list(
    tx: &Tx<'_>,
    reader: Reader,
    filter: &CropFilter,
    limit: u32,
) -> Result<Vec<Crop>, Error> {
    let (role, user, today) = reader.keys();
    let (column, of) = filter.of.map_or(("id", None), |of| {
        let (column, id) = of.column();
        (column, Some(id))
    });
    let sql = format!(
        "select {COLUMNS} from {TABLES} where {} and (f.{column} = $4 or $4 is null)
           and ((f.student is not null) = $5 or $5 is null) and (f.student = $6 or $6 is null)
           and (f.id < $7 or $7 is null)
           and ($8 = 0 or (f.crop is not null and f.template is not null))
         order by f.id desc limit $9",
        visible("f.class")
    );
    let student = filter.student.map(|id| id.to_string());
    let before = filter.before.map(|id| id.to_string());
    let CropFilter { identified, is_waiting, .. } = *filter;
    let values = params![role, user, today, of, identified, student, before, is_waiting, limit];
    tx.query(&sql, values, read)
}

/// Every crop of a photo, whoever asks.
pub fn of_image(tx: &Tx<'_>, image: Uuid) -> Result<Vec<Crop>, Error> {
    let sql =
        format!("select {COLUMNS} from {TABLES} where f.image = $1 order by f.id limit {MOST}");
    tx.query(&sql, params![image.to_string()], read)
}

/// The newest crops whose templates are still there, by photo.
pub fn embedded(tx: &Tx<'_>, of: CropOf) -> Result<Vec<Embedded>, Error> {
    let (column, id) = of.column();
    let sql = format!(
        "select f.id, f.image, f.student, f.assigned_as, f.template, f.model from face_crop f
         where f.{column} = $1 and f.template is not null and f.model is not null
         order by f.id desc limit {MOST}"
    );
    tx.query(&sql, params![id], |row| {
        let student: Option<StudentId> = parsed_option(row, 2)?;
        let says: Option<As> = parsed_option(row, 3)?;
        Ok(Embedded {
            id: parsed(row, 0)?,
            image: parsed(row, 1)?,
            student: student.zip(says),
            sealed: row.get(4)?,
            model: row.get(5)?,
        })
    })
}

/// The sealed pixels, where they are still there.
pub fn sealed(tx: &Tx<'_>, id: Uuid) -> Result<Option<Vec<u8>>, Error> {
    let sql = "select crop from face_crop where id = $1";
    Ok(tx.row(sql, params![id.to_string()], |row| row.get(0))?.flatten())
}

/// Photos of a class or lesson that are still there and have crops without a template of `model`.
pub fn without(tx: &Tx<'_>, of: CropOf, model: &str) -> Result<Vec<Uuid>, Error> {
    let (column, id) = of.column();
    let sql = format!(
        "select distinct f.image from face_crop f join image i on i.id = f.image
         where f.{column} = $1 and i.sealed is not null
           and (f.template is null or f.model is null or f.model <> $2)
         order by f.image limit {MOST}"
    );
    tx.query(&sql, params![id, model], |row| parsed(row, 0))
}

/// Takes a crop's template away: its person did not consent.
pub fn drop_template(tx: &Tx<'_>, id: Uuid) -> Result<(), Error> {
    let sql = "update face_crop set template = null where id = $1";
    tx.execute(sql, params![id.to_string()]).map(drop)
}

/// Says whom a crop shows.
///
/// # Errors
/// `Conflict` when they are on another face of the photo.
pub fn assign(
    tx: &Tx<'_>,
    crop: &Crop,
    student: StudentId,
    says: As,
    by: &str,
    now: Wall,
) -> Result<(), Error> {
    let there = "select 1 from face_crop where image = $1 and student = $2 and id <> $3";
    let id = crop.id.to_string();
    let image = crop.image.to_string();
    let who = student.to_string();
    if tx.row(there, params![image, who, id], |_| Ok(()))?.is_some() {
        let say = "this student is already on another face of this photo: nobody is on it twice";
        return Err(Error::Conflict(say.into()));
    }
    let sql = "update face_crop set student = $2, assigned_as = $3, assigned_by = $4,
             assigned_at = $5, version = version + 1 where id = $1";
    tx.execute(sql, params![id, who, says.as_str(), by, now.0])?;
    renamed(tx, crop.id)?;
    let meta = json!({ "student": student, "as": says.as_str(), "image": crop.image });
    noted(tx, now, by, "assign", crop.id, meta)
}

/// Takes back whom a crop shows.
pub fn unassign(tx: &Tx<'_>, id: Uuid, by: &str, now: Wall) -> Result<(), Error> {
    let sql = "update face_crop set student = null, assigned_as = null, assigned_by = null,
             assigned_at = null, version = version + 1 where id = $1";
    tx.execute(sql, params![id.to_string()])?;
    renamed(tx, id)?;
    noted(tx, now, by, "unidentify", id, json!({}))
}

/// Whoever read the photo of a crop read who is on it.
fn renamed(tx: &Tx<'_>, crop: Uuid) -> Result<(), Error> {
    let sql = "update image set version = version + 1
         where id = (select image from face_crop where id = $1)";
    tx.execute(sql, params![crop.to_string()]).map(drop)
}

/// Whether a person is on another photo of a lesson, as a person said.
pub fn elsewhere(tx: &Tx<'_>, session: Uuid, student: StudentId, but: Uuid) -> Result<bool, Error> {
    let sql = "select 1 from face_crop f join image i on i.id = f.image
         where f.student = $1 and f.session = $2 and f.id <> $3
           and (f.assigned_as = 'person' or i.state = 'confirmed')";
    let values = params![student.to_string(), session.to_string(), but.to_string()];
    Ok(tx.row(sql, values, |_| Ok(()))?.is_some())
}

/// Remembers where a clustering put the crops; the others of `of` are in no cluster.
pub fn set_clusters(tx: &Tx<'_>, of: CropOf, clusters: &[Vec<Uuid>]) -> Result<(), Error> {
    let (column, id) = of.column();
    let sql = format!("update face_crop set cluster = null where {column} = $1");
    tx.execute(&sql, params![id])?;
    for (n, ids) in (1i64..).zip(clusters) {
        for id in ids {
            let sql = "update face_crop set cluster = $2 where id = $1";
            tx.execute(sql, params![id.to_string(), n])?;
        }
    }
    Ok(())
}

fn noted(
    tx: &Tx<'_>,
    now: Wall,
    actor: &str,
    action: &str,
    crop: Uuid,
    meta: Value,
) -> Result<(), Error> {
    let id = crop.to_string();
    audit::add(tx, now, &audit::AuditEntry { actor, action, table: "face_crop", id: &id, meta })
}

fn person(row: &Row<'_>, column: usize) -> Read<Option<PersonSeen>> {
    let Some(student) = parsed_option(row, column)? else { return Ok(None) };
    Ok(Some(PersonSeen { student, number: row.get(column + 1)?, name: row.get(column + 2)? }))
}

fn read(row: &Row<'_>) -> Read<Crop> {
    let json = |column: usize| row.get::<String>(column);
    let quality = serde_json::from_str(&json(9)?).map_err(|why| odd(9, why))?;
    let doubts = serde_json::from_str(&json(10)?).map_err(|why| odd(10, why))?;
    let says: Option<As> = parsed_option(row, 21)?;
    let by: Option<String> = row.get(22)?;
    let at: Option<i64> = row.get(23)?;
    let score: Option<f64> = row.get(17)?;
    Ok(Crop {
        id: parsed(row, 0)?,
        image: parsed(row, 1)?,
        class: parsed(row, 2)?,
        session: parsed_option(row, 3)?,
        at: Area { x: row.get(4)?, y: row.get(5)?, width: row.get(6)?, height: row.get(7)? },
        score: row.get(8)?,
        quality,
        doubts,
        kept: row.get(11)?,
        embedded: row.get(12)?,
        model: row.get(13)?,
        proposed: person(row, 14)?.zip(score),
        student: person(row, 18)?,
        assigned: says.zip(by).zip(at).map(|((says, by), at)| (says, by, Wall(at))),
        cluster: row.get(24)?,
        version: row.get(25)?,
    })
}
