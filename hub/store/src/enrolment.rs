//! Table `enrolment`: a sealed template for each photo a person was enrolled by.

use super::{Read, Row, Tx, audit, change, member, odd, params, parsed};
use rules::error::Error;
use serde_json::json;
use uuid::Uuid;
use wire::{ModelId, Quality, StudentId, Wall};

/// One enrolment, without its template.
#[derive(Clone, PartialEq, Debug)]
pub struct Enrolment {
    /// Own id.
    pub id: Uuid,
    /// Whose face.
    pub student: StudentId,
    /// That person's number; filled in when it is read.
    pub number: String,
    /// The network of the template.
    pub model: ModelId,
    /// Where the picture came from: `photo`, `webcam`, `crop`.
    pub source: String,
    /// How good the picture was.
    pub quality: Quality,
    /// Whether it counts.
    pub is_active: bool,
    /// When it was made.
    pub created_at: Wall,
    /// Who made it.
    pub created_by: String,
    /// Counts changes.
    pub version: i64,
}

/// A sealed template of somebody who may be recognised.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Eligible {
    /// Which enrolment.
    pub id: Uuid,
    /// Whose face.
    pub student: StudentId,
    /// The template, sealed with the student's key for [`place`].
    pub sealed: Vec<u8>,
}

/// Which enrolments to list.
#[derive(Clone, Copy, Debug, Default)]
pub struct EnrolmentFilter {
    /// Only of this person.
    pub student: Option<StudentId>,
    /// Only these: counting or not.
    pub is_active: Option<bool>,
}

const COLUMNS: &str = "e.id, e.student, e.model, e.source, e.quality, e.is_active, e.created_at,
     e.created_by, e.version, (select s.student_number from student s where s.id = e.student)";

/// What a template is sealed for: it opens in no other row.
#[must_use]
pub fn place(student: StudentId, model: &ModelId, id: Uuid) -> String {
    format!("enrolment|{student}|{model}|{id}")
}

/// Adds an enrolment with its sealed template.
pub fn add(tx: &Tx<'_>, new: &Enrolment, sealed: &[u8], actor: &str) -> Result<(), Error> {
    let sql = "insert into enrolment (id, student, model, source, quality, template, is_active,
             created_at, created_by, version)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1)";
    let quality = serde_json::to_string(&new.quality).expect("five numbers are JSON");
    let values = params![
        new.id.to_string(),
        new.student.to_string(),
        new.model.as_str(),
        new.source,
        quality,
        sealed,
        new.is_active,
        new.created_at.0,
        new.created_by
    ];
    tx.execute(sql, values)?;
    member::another_face(tx, new.student)?;
    noted(tx, new.created_at, actor, "add", new.id)
}

/// All enrolments of `student`, oldest first.
pub fn of(tx: &Tx<'_>, student: StudentId) -> Result<Vec<Enrolment>, Error> {
    let sql = format!(
        "select {COLUMNS} from enrolment e where e.student = $1
         order by e.created_at, e.id"
    );
    tx.query(&sql, params![student.to_string()], read)
}

/// The newest enrolments, those before `before`.
pub fn list(
    tx: &Tx<'_>,
    filter: EnrolmentFilter,
    before: Option<Uuid>,
    limit: u32,
) -> Result<Vec<Enrolment>, Error> {
    let before = before.map(|id| id.to_string());
    let student = filter.student;
    // Of one person there are few, of everybody many: each way has its index.
    let whose = if student.is_some() { "e.student = $4" } else { "cast($4 as text) is null" };
    let sql = format!(
        "select {COLUMNS} from enrolment e
         where (e.id < $1 or $1 is null) and (e.is_active = $3 or $3 is null) and {whose}
         order by e.id desc limit $2"
    );
    let student = student.map(|id| id.to_string());
    tx.query(&sql, params![before, limit, filter.is_active, student], read)
}

/// The enrolment `id`.
///
/// # Errors
/// `NotFound` when there is none.
pub fn get(tx: &Tx<'_>, id: Uuid) -> Result<Enrolment, Error> {
    let sql = format!("select {COLUMNS} from enrolment e where e.id = $1");
    tx.row(&sql, params![id.to_string()], read)?.ok_or_else(|| Error::unknown("enrolment", id))
}

/// Lets an enrolment count, or not.
///
/// # Errors
/// `NotFound` when there is none.
pub fn set_active(
    tx: &Tx<'_>,
    id: Uuid,
    active: bool,
    actor: &str,
    now: Wall,
) -> Result<(), Error> {
    let sql = "update enrolment set is_active = $2, version = version + 1 where id = $1";
    if tx.execute(sql, params![id.to_string(), active])? == 0 {
        return Err(Error::unknown("enrolment", id));
    }
    if active {
        member::another_face(tx, get(tx, id)?.student)?;
    }
    noted(tx, now, actor, if active { "activate" } else { "deactivate" }, id)
}

/// Deletes an enrolment and its template.
///
/// # Errors
/// `NotFound` when there is none.
pub fn delete(tx: &Tx<'_>, id: Uuid, actor: &str, now: Wall) -> Result<(), Error> {
    if tx.execute("delete from enrolment where id = $1", params![id.to_string()])? == 0 {
        return Err(Error::unknown("enrolment", id));
    }
    noted(tx, now, actor, "delete", id)
}

/// Deletes every enrolment of `student` and its template. Returns how many there were.
pub fn delete_all(tx: &Tx<'_>, student: StudentId) -> Result<usize, Error> {
    let gone =
        tx.execute("delete from enrolment where student = $1", params![student.to_string()])?;
    change::bump(tx, change::GALLERY)?;
    Ok(gone)
}

/// The sealed templates of `model` of everybody who may be recognised: active people whose
/// newest word on consent is yes.
pub fn eligible(tx: &Tx<'_>, model: &ModelId) -> Result<Vec<Eligible>, Error> {
    let sql = "select e.id, e.student, e.template from enrolment e
         join student s on s.id = e.student
         where e.model = $1 and e.is_active = 1 and s.is_active = 1
           and (select c.given from consent c where c.student = s.id order by c.n desc limit 1) = 1
         order by e.student, e.created_at, e.id";
    tx.query(sql, params![model.as_str()], |row| {
        Ok(Eligible { id: parsed(row, 0)?, student: parsed(row, 1)?, sealed: row.get(2)? })
    })
}

/// Whether `student` has a template that counts of another model than `model`.
pub fn has_of_another(tx: &Tx<'_>, student: StudentId, model: &ModelId) -> Result<bool, Error> {
    let sql =
        "select 1 from enrolment where student = $1 and is_active = 1 and model <> $2 limit 1";
    Ok(tx.row(sql, params![student.to_string(), model.as_str()], |_| Ok(()))?.is_some())
}

/// The models of which there are templates.
pub fn models(tx: &Tx<'_>) -> Result<Vec<ModelId>, Error> {
    let sql = "select distinct model from enrolment order by model";
    tx.query(sql, [], |row| parsed(row, 0))
}

/// The setting that names the network in use.
const IN_USE: &str = "model_in_use";

/// The network that was in use when the hub started last with a whole pack; before the first such
/// start the one that most are enrolled with.
pub fn model_in_use(tx: &Tx<'_>) -> Result<Option<ModelId>, Error> {
    if let Some(name) = super::setting::get(tx, IN_USE)? {
        return Ok(name.parse().ok());
    }
    let sql = "select model from enrolment where is_active = 1 group by model
         order by count(*) desc, model limit 1";
    tx.row(sql, [], |row| parsed(row, 0))
}

/// Remembers the network in use.
pub fn use_model(tx: &Tx<'_>, model: &ModelId) -> Result<(), Error> {
    super::setting::set(tx, IN_USE, model.as_str())
}

fn noted(tx: &Tx<'_>, now: Wall, actor: &str, action: &str, id: Uuid) -> Result<(), Error> {
    change::bump(tx, change::GALLERY)?;
    let id = id.to_string();
    let meta = json!({});
    audit::add(tx, now, &audit::AuditEntry { actor, action, table: "enrolment", id: &id, meta })
}

fn read(row: &Row<'_>) -> Read<Enrolment> {
    let quality = serde_json::from_str(&row.get::<String>(4)?).map_err(|why| odd(4, why))?;
    Ok(Enrolment {
        id: parsed(row, 0)?,
        student: parsed(row, 1)?,
        model: parsed(row, 2)?,
        source: row.get(3)?,
        quality,
        is_active: row.get(5)?,
        created_at: Wall(row.get(6)?),
        created_by: row.get(7)?,
        version: row.get(8)?,
        number: row.get(9)?,
    })
}
