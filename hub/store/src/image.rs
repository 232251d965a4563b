//! Table `image`: photos of whole classes, sealed, until they are confirmed or too old.

use super::{Read, Row, Tx, audit, params, parsed, parsed_option};
use crate::reader::Reader;
use rules::error::Error;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::HashSet;
use uuid::Uuid;
use wire::Wall;

/// Where a photo stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = State)]
pub enum ImageState {
    /// Nobody has looked for faces yet.
    New,
    /// Its faces are cut out and wait for a person.
    Processed,
    /// A person confirmed who is on it; photo and crops are gone.
    Confirmed,
    /// Nobody confirmed it in time; photo and crops are gone.
    Expired,
}

impl ImageState {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::New, Self::Processed, Self::Confirmed, Self::Expired];

    /// As the database and the API write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Processed => "processed",
            Self::Confirmed => "confirmed",
            Self::Expired => "expired",
        }
    }
}

impl std::str::FromStr for ImageState {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|state| state.as_str() == text);
        found.ok_or_else(|| format!("“{text}” is no state of a photo"))
    }
}

/// A photo, without its pixels.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Image {
    /// Own id.
    pub id: Uuid,
    /// Whose.
    pub class: Uuid,
    /// The lesson it was taken in, if one is known.
    pub session: Option<Uuid>,
    /// Where it stands.
    pub state: ImageState,
    /// When it was taken.
    pub taken_at: Wall,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// Whether the pixels are still there.
    pub kept: bool,
    /// When it came.
    pub created_at: Wall,
    /// The account that sent it.
    pub created_by: String,
    /// When its faces were cut out.
    pub processed_at: Option<Wall>,
    /// Counts changes.
    pub version: i64,
    /// Faces found in it.
    pub faces: i64,
    /// Of those, the ones somebody is known on.
    pub identified: i64,
}

/// Columns of a photo `i`, as [`read`] takes them.
const COLUMNS: &str = "i.id, i.class, i.session, i.state, i.taken_at, i.width, i.height,
     i.sealed is not null, i.created_at, i.created_by, i.processed_at, i.version,
     (select count(*) from face_crop f where f.image = i.id),
     (select count(*) from face_crop f where f.image = i.id and f.student is not null)";

/// Whether the reader (`$1` role, `$2` account, `$3` day) may see what belongs to `class`.
pub(super) fn visible(class: &str) -> String {
    format!(
        "($1 = 'admin' or ($1 = 'teacher' and exists (select 1 from teaches t
             where t.class = {class} and t.teacher = $2 and t.from_day <= $3
               and (t.to_day is null or t.to_day >= $3))))"
    )
}

/// Where a photo's pixels are sealed for.
#[must_use]
pub fn place(id: Uuid) -> String {
    format!("image|{id}")
}

/// Adds a photo with its sealed pixels.
pub fn add(tx: &Tx<'_>, new: &Image, sealed: &[u8]) -> Result<(), Error> {
    let sql = "insert into image (id, class, session, state, taken_at, width, height, sealed,
             created_at, created_by, version) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 1)";
    let values = params![
        new.id.to_string(),
        new.class.to_string(),
        new.session.map(|id| id.to_string()),
        new.state.as_str(),
        new.taken_at.0,
        new.width,
        new.height,
        sealed,
        new.created_at.0,
        new.created_by,
    ];
    tx.execute(sql, values)?;
    noted(tx, new.created_at, &new.created_by, "add", new.id, json!({ "class": new.class }))
}

/// The photo `id`, if the reader may see it.
///
/// # Errors
/// `NotFound`, for a foreign one too.
pub fn find(tx: &Tx<'_>, reader: Reader, id: &str) -> Result<Image, Error> {
    let (role, user, today) = reader.keys();
    let sql = format!("select {COLUMNS} from image i where {} and i.id = $4", visible("i.class"));
    let found = tx.row(&sql, params![role, user, today, id.trim()], read)?;
    found.ok_or_else(|| Error::unknown("photo", id))
}

/// The photo `id`, whoever asks.
///
/// # Errors
/// `NotFound`.
pub fn get(tx: &Tx<'_>, id: Uuid) -> Result<Image, Error> {
    let sql = format!("select {COLUMNS} from image i where i.id = $1");
    tx.row(&sql, params![id.to_string()], read)?.ok_or_else(|| Error::unknown("photo", id))
}

/// Which photos to list.
#[derive(Clone, Copy, Debug, Default)]
pub struct ImageFilter {
    /// Of this class.
    pub class: Option<Uuid>,
    /// Of this lesson.
    pub session: Option<Uuid>,
    /// In this state.
    pub state: Option<ImageState>,
    /// Only those whose pixels are still there.
    pub is_kept: bool,
    /// Those before this one.
    pub before: Option<Uuid>,
}

/// Photos the reader may see, the newest first.
pub fn list(
    tx: &Tx<'_>,
    reader: Reader,
    filter: &ImageFilter,
    limit: u32,
) -> Result<Vec<Image>, Error> {
    let (role, user, today) = reader.keys();
    let sql = format!(
        "select {COLUMNS} from image i where {}
           and (i.class = $4 or $4 is null) and (i.session = $5 or $5 is null)
           and (i.state = $6 or $6 is null) and (i.id < $7 or $7 is null)
           and ($8 = 0 or i.sealed is not null)
         order by i.id desc limit $9",
        visible("i.class")
    );
    let text = |id: Option<Uuid>| id.map(|id| id.to_string());
    let ImageFilter { class, session, state, is_kept, before } = *filter;
    let (class, session, before) = (text(class), text(session), text(before));
    let state = state.map(ImageState::as_str);
    let values = params![role, user, today, class, session, state, before, is_kept, limit];
    tx.query(&sql, values, read)
}

/// The sealed pixels, where they are still there.
pub fn sealed(tx: &Tx<'_>, id: Uuid) -> Result<Option<Vec<u8>>, Error> {
    let sql = "select sealed from image where id = $1";
    Ok(tx.row(sql, params![id.to_string()], |row| row.get(0))?.flatten())
}

/// Notes that its faces were cut out.
pub fn processed(tx: &Tx<'_>, id: Uuid, faces: usize, by: &str, now: Wall) -> Result<(), Error> {
    let sql = "update image set state = 'processed', processed_at = $2, version = version + 1
         where id = $1";
    tx.execute(sql, params![id.to_string(), now.0])?;
    noted(tx, now, by, "process", id, json!({ "faces": faces }))
}

/// Puts a photo, and the crops from it, into another lesson.
pub fn set_session(
    tx: &Tx<'_>,
    id: Uuid,
    session: Option<Uuid>,
    by: &str,
    now: Wall,
) -> Result<(), Error> {
    let lesson = session.map(|id| id.to_string());
    let sql = "update image set session = $2, version = version + 1 where id = $1";
    tx.execute(sql, params![id.to_string(), lesson])?;
    let sql = "update face_crop set session = $2, version = version + 1 where image = $1";
    tx.execute(sql, params![id.to_string(), lesson])?;
    noted(tx, now, by, "move", id, json!({ "session": session }))
}

/// Takes the pixels of a photo and of its crops away; the rows stay. Its key goes after that.
pub fn empty(tx: &Tx<'_>, id: Uuid, state: ImageState, by: &str, now: Wall) -> Result<(), Error> {
    let sql = "update image set state = $2, sealed = null, version = version + 1 where id = $1";
    tx.execute(sql, params![id.to_string(), state.as_str()])?;
    let sql = "update face_crop set crop = null, template = null where image = $1";
    tx.execute(sql, params![id.to_string()])?;
    noted(
        tx,
        now,
        by,
        if state == ImageState::Confirmed { "confirm" } else { "expire" },
        id,
        json!({}),
    )
}

/// Takes a photo away, with its crops. Its key goes after that.
pub fn remove(tx: &Tx<'_>, id: Uuid, by: &str, now: Wall) -> Result<(), Error> {
    tx.execute("delete from face_crop where image = $1", params![id.to_string()])?;
    tx.execute("delete from image where id = $1", params![id.to_string()])?;
    noted(tx, now, by, "delete", id, json!({}))
}

/// Photos that came before `before` and are still there, the oldest first.
pub fn kept_since(tx: &Tx<'_>, before: Wall, limit: u32) -> Result<Vec<Uuid>, Error> {
    let sql = "select id from image where sealed is not null and created_at < $1
         order by created_at limit $2";
    tx.query(sql, params![before.0, limit], |row| parsed(row, 0))
}

/// Empties the crops of photos whose pixels went before them, because somebody on them was erased.
pub fn empty_orphans(tx: &Tx<'_>) -> Result<usize, Error> {
    let sql = "update face_crop set crop = null, template = null where crop is not null
         and image in (select id from image where sealed is null and state in ('new', 'processed',
             'expired'))";
    tx.execute(sql, [])
}

/// Every photo that is still there: their keys are needed.
pub fn kept(tx: &Tx<'_>) -> Result<HashSet<Uuid>, Error> {
    let ids = tx.query("select id from image where sealed is not null", [], |row| parsed(row, 0));
    Ok(ids?.into_iter().collect())
}

fn noted(
    tx: &Tx<'_>,
    now: Wall,
    actor: &str,
    action: &str,
    image: Uuid,
    meta: Value,
) -> Result<(), Error> {
    let id = image.to_string();
    audit::add(tx, now, &audit::AuditEntry { actor, action, table: "image", id: &id, meta })
}

fn read(row: &Row<'_>) -> Read<Image> {
    Ok(Image {
        id: parsed(row, 0)?,
        class: parsed(row, 1)?,
        session: parsed_option(row, 2)?,
        state: parsed(row, 3)?,
        taken_at: Wall(row.get(4)?),
        width: row.get(5)?,
        height: row.get(6)?,
        kept: row.get(7)?,
        created_at: Wall(row.get(8)?),
        created_by: row.get(9)?,
        processed_at: row.get::<Option<i64>>(10)?.map(Wall),
        version: row.get(11)?,
        faces: row.get(12)?,
        identified: row.get(13)?,
    })
}
