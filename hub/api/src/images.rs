//! `/api/images`: photos of whole classes.

use super::crops;
use super::jobs::{self, JobWait};
use acts::album::NewImage;
use acts::album::name::{NamingConfirmed, NamingPlace};
use http::call::Call;
use http::endpoint::Endpoint;
use http::page::{page, rows};
use http::problem::Problem;
use http::reply::{bytes, created, json, nothing, versioned};
use http::route::Route;
use http::{problem::Outcome, route::Object, takes::PHOTO};
use jiff::Timestamp;
use rules::error::Error;
use serde::{Deserialize, Deserializer, Serialize};
use store::image::{self, Image, ImageFilter, ImageState};
use store::reader::Reader;
use store::{Tx, class, crop, session};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use wire::Wall;

/// How far back a photo's time may lie, milliseconds: 30 days.
const BACK_MS: i64 = 30 * 24 * 60 * 60 * 1000;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    let some = "/api/images";
    let one = "/api/images/{id}";
    vec![
        Route::get(some).staff().asks::<ImageQuery>().gives::<Vec<ImageBody>>().by(index),
        Route::post(some)
            .staff()
            .parts(PHOTO)
            .fields::<ImageUpload>()
            .gives::<ImageBody>()
            .created()
            .by(add),
        Route::get(one).staff().of(Object::Image).gives::<ImageBody>().by(show),
        Route::put(one)
            .staff()
            .of(Object::Image)
            .takes::<ImageChange>()
            .gives::<ImageBody>()
            .by(move_to),
        Route::patch(one)
            .staff()
            .of(Object::Image)
            .takes::<ImageChange>()
            .gives::<ImageBody>()
            .by(move_to),
        Route::delete(one).staff().of(Object::Image).by(remove),
        Route::get("/api/images/{id}/file")
            .staff()
            .of(Object::Image)
            .file("image/jpeg")
            .by(picture),
        Route::post("/api/images/{id}/process-image")
            .staff()
            .of(Object::Image)
            .asks::<JobWait>()
            .gives::<jobs::JobBody>()
            .accepted()
            .by(process),
        Route::post("/api/images/{id}/confirm")
            .staff()
            .of(Object::Image)
            .takes::<ImageConfirm>()
            .gives::<NamingConfirmed>()
            .by(settle),
        Route::get("/api/images/{id}/face_crops")
            .staff()
            .of(Object::Image)
            .asks::<http::page::Paged>()
            .gives::<Vec<crops::CropBody>>()
            .by(faces_of),
    ]
}

/// A photo of a class, as the API says it.
#[derive(Serialize, ToSchema)]
#[schema(as = ImagesBody)]
pub struct ImageBody {
    id: Uuid,
    class_id: Uuid,
    session_id: Option<Uuid>,
    state: ImageState,
    /// Whether its faces were cut out.
    is_processed: bool,
    #[schema(value_type = String, format = DateTime)]
    taken_at: Option<Timestamp>,
    /// Pixels across.
    width: u32,
    /// Pixels down.
    height: u32,
    /// Whether photo and crops are still there.
    kept: bool,
    /// Faces found on it.
    face_count: i64,
    /// Of those, the ones somebody is known on.
    identified_count: i64,
    #[schema(value_type = String, format = DateTime)]
    created_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    processed_at: Option<Timestamp>,
    version: i64,
}

impl From<Image> for ImageBody {
    fn from(image: Image) -> Self {
        let time = |at: Wall| Timestamp::from_millisecond(at.0).ok();
        Self {
            id: image.id,
            class_id: image.class,
            session_id: image.session,
            state: image.state,
            is_processed: image.processed_at.is_some(),
            taken_at: time(image.taken_at),
            width: image.width,
            height: image.height,
            kept: image.kept,
            face_count: image.faces,
            identified_count: image.identified,
            created_at: time(image.created_at),
            processed_at: image.processed_at.and_then(time),
            version: image.version,
        }
    }
}

/// A photo that comes: of a class, or of a lesson.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the form is read field by field; this is its description")]
#[schema(as = Upload)]
pub struct ImageUpload {
    /// JPEG, PNG, BMP, TIFF or WebP with any number of faces.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
    /// The class: own id or code. One of class and lesson is needed.
    class_id: Option<String>,
    /// The lesson.
    session_id: Option<String>,
    /// When it was taken; now if it is left out.
    taken_at: Option<String>,
}

/// What may be changed about a photo.
#[derive(Deserialize, ToSchema)]
#[schema(as = Change)]
pub struct ImageChange {
    /// The lesson it was taken in; null takes it out of its lesson, and left out it stays.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>)]
    session_id: Option<Option<String>>,
    /// The version that was read, so that nobody’s change is overwritten.
    version: Option<i64>,
}

/// What was said, be it null; what is left out is not.
fn said<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(from).map(Some)
}

/// Who is on a photo.
#[derive(Deserialize, ToSchema)]
#[schema(as = ImagesConfirm)]
pub struct ImageConfirm {
    /// Whether faces that nobody named are those whom the hub proposes.
    #[serde(default)]
    accept_proposals: bool,
}

/// Which to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ImageQuery {
    /// Of this class: own id or code.
    class_id: Option<String>,
    /// Of this lesson.
    session_id: Option<String>,
    /// In this state.
    #[param(inline)]
    state: Option<ImageState>,
    /// The page after this photo.
    after: Option<Uuid>,
    /// Rows of a page.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// Class and lesson as somebody named them.
///
/// # Errors
/// `NotFound`, for foreign ones too; `Invalid` when the lesson is not of the class.
fn named(
    tx: &Tx<'_>,
    reader: Reader,
    class_name: Option<&str>,
    lesson: Option<&str>,
) -> Result<(Option<Uuid>, Option<Uuid>), Error> {
    let class = class_name.map(|name| class::find(tx, reader, name)).transpose()?;
    let lesson = lesson.map(|id| session::find(tx, reader, id)).transpose()?;
    let class = class.map(|class| class.id);
    if let (Some(class), Some(lesson)) = (class, &lesson)
        && lesson.class != class
    {
        return Err(Error::Invalid("session_id: this lesson is of another class".into()));
    }
    Ok((class.or(lesson.as_ref().map(|lesson| lesson.class)), lesson.map(|lesson| lesson.id)))
}

async fn index(call: Call) -> Outcome {
    let which: ImageQuery = call.query()?;
    let limit = rows(which.limit);
    let reader = call.reader()?;
    let read = call.app().db.read(move |tx| {
        let class = which.class_id.as_deref();
        let lesson = which.session_id.as_deref();
        let (class, session) = named(tx, reader, class, lesson)?;
        let ImageQuery { state, after: before, .. } = which;
        let filter = ImageFilter { class, session, state, before, ..ImageFilter::default() };
        image::list(tx, reader, &filter, limit)
    });
    let photos: Vec<ImageBody> = read.await?.into_iter().map(ImageBody::from).collect();
    page(&call, &photos, limit, photos.last().map(|photo| photo.id.to_string()))
}

async fn add(call: Call) -> Outcome {
    let field = |name: &str| {
        let text = call.content.field(name).map(str::trim).filter(|text| !text.is_empty());
        text.map(str::to_owned)
    };
    let class = field("class_id");
    let lesson = field("session_id");
    let picture = call.content.file("file").or_else(|| call.content.file("image")).cloned();
    let picture = picture.ok_or_else(|| Problem::field("file", "a picture is missing"))?;
    let reader = call.reader()?;
    let taken = super::capture::when(&call, "taken_at", BACK_MS)?;
    let find = move |tx: &Tx<'_>| named(tx, reader, class.as_deref(), lesson.as_deref());
    let (class, session) = call.app().db.read(find).await?;
    let class = class.ok_or_else(|| Problem::field("class_id", "name a class or a lesson"))?;
    let _place = call.photo_place().await?;
    let album = call.app().album();
    let by = reader.actor.user.to_string();
    let new = NewImage { class, session, taken_at: taken };
    let photo = ImageBody::from(album.add(new, picture.to_vec(), by).await?);
    created(&format!("/api/images/{}", photo.id), &photo)
}

/// The photo that the address names.
async fn found(call: &Call) -> Result<Image, Problem> {
    let reader = call.reader()?;
    let name = call.param("id").to_owned();
    Ok(call.app().db.read(move |tx| image::find(tx, reader, &name)).await?)
}

async fn show(call: Call) -> Outcome {
    let photo = ImageBody::from(found(&call).await?);
    versioned(&photo, photo.version)
}

async fn move_to(call: Call) -> Outcome {
    let ImageChange { session_id: lesson, version } = call.json()?;
    let photo = call.param("id").to_owned();
    let version = call.version(version)?;
    let to = NamingPlace { photo, lesson, version };
    let photo = ImageBody::from(call.app().album().place(call.reader()?, to).await?);
    versioned(&photo, photo.version)
}

async fn remove(call: Call) -> Outcome {
    let photo = found(&call).await?;
    let by = call.actor()?.user.to_string();
    call.app().album().remove(photo.id, call.version(None)?, by).await?;
    nothing()
}

async fn picture(call: Call) -> Outcome {
    let photo = found(&call).await?;
    let jpeg = call.app().album().picture(photo.id).await?;
    bytes("image/jpeg", jpeg.to_vec())
}

async fn process(call: Call) -> Outcome {
    let wait = jobs::waits(&call)?;
    let photo = found(&call).await?;
    let by = call.actor()?.user;
    let job = call.app().album().look_later(&call.app().jobs, &photo, by).await?;
    jobs::follow(&call, job, wait).await
}

async fn faces_of(call: Call) -> Outcome {
    let photo = found(&call).await?;
    crops::page_of(&call, crop::CropOf::Image(photo.id)).await
}

async fn settle(call: Call) -> Outcome {
    let confirm: ImageConfirm = call.json()?;
    let reader = call.reader()?;
    let album = call.app().album();
    let id = call.param("id").to_owned();
    let version = call.version(None)?;
    json(&album.confirm(reader, id, confirm.accept_proposals, version).await?)
}
