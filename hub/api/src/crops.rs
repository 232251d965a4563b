//! `/api/face-crops`: faces cut from photos of classes, and who they are.

use acts::album::sort;
use http::call::Call;
use http::endpoint::Endpoint;
use http::page::{Paged, page, rows};
use http::problem::Problem;
use http::reply::{bytes, json};
use http::route::Route;
use http::{problem::Outcome, route::Object};
use jiff::Timestamp;
use rules::error::Error;
use rules::scores;
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};
use store::crop::{self, Area, As, Crop, CropFilter, CropOf};
use store::desk::PersonSeen;
use store::reader::Reader;
use store::{Tx, class, image, session, student};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use wire::Reason;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    vec![
        Route::get("/api/face-crops")
            .staff()
            .asks::<CropQuery>()
            .gives::<Vec<CropBody>>()
            .by(index),
        Route::get("/api/face-crops/{id}").staff().of(Object::Crop).gives::<CropBody>().by(show),
        Route::get("/api/face-crops/{id}/crop")
            .staff()
            .of(Object::Crop)
            .file("image/jpeg")
            .by(picture),
        Route::post("/api/face-crops/{id}/generate-embedding")
            .staff()
            .of(Object::Crop)
            .gives::<CropBody>()
            .by(generate),
        Route::get("/api/face-crops/{id}/similar-faces")
            .staff()
            .of(Object::Crop)
            .asks::<Near>()
            .gives::<Vec<Similar>>()
            .by(near),
        Route::post("/api/face-crops/{id}/assign")
            .staff()
            .of(Object::Crop)
            .takes::<Assign>()
            .gives::<CropBody>()
            .by(assign),
        Route::post("/api/face-crops/{id}/assign-from-candidate")
            .staff()
            .of(Object::Crop)
            .takes::<AssignFrom>()
            .gives::<CropBody>()
            .by(assign_from),
        Route::post("/api/face-crops/{id}/unidentify")
            .staff()
            .of(Object::Crop)
            .gives::<CropBody>()
            .by(unidentify),
    ]
}

/// A face crop, as the API says it; never its template.
#[derive(Serialize, ToSchema)]
#[schema(as = CropsBody)]
pub struct CropBody {
    id: Uuid,
    image_id: Uuid,
    class_id: Uuid,
    session_id: Option<Uuid>,
    /// Where it is in the photo, in pixels.
    #[serde(rename = "box")]
    #[schema(rename = "box")]
    area: Area,
    /// How sure the detector is, 0 to 1.
    detection_score: f64,
    #[schema(value_type = Vec<String>)]
    doubts: Vec<Reason>,
    /// Whether its picture is still there.
    kept: bool,
    has_embedding: bool,
    model_id: Option<String>,
    is_identified: bool,
    /// Student number of whom it shows.
    student_id: Option<String>,
    student_name: Option<String>,
    /// A person said so, or the hub on a person's order.
    assigned_as: Option<As>,
    /// Student number of whom it may show.
    proposed_student_id: Option<String>,
    proposed_name: Option<String>,
    /// Of the proposal, 0 to 1.
    confidence: Option<f64>,
    #[schema(value_type = Option<String>, format = DateTime)]
    assigned_at: Option<Timestamp>,
    /// Where the last clustering put it.
    cluster: Option<i64>,
    version: i64,
}

impl From<Crop> for CropBody {
    fn from(crop: Crop) -> Self {
        let student = crop.student.as_ref();
        let proposed = crop.proposed.as_ref();
        let number = |person: &PersonSeen| person.number.clone();
        let name = |person: &PersonSeen| person.name.clone();
        let at = crop.assigned.as_ref().map(|(_, _, at)| *at);
        let model = crop.model.as_deref().unwrap_or_default();
        Self {
            id: crop.id,
            image_id: crop.image,
            class_id: crop.class,
            session_id: crop.session,
            area: crop.at,
            detection_score: crop.score,
            kept: crop.kept,
            has_embedding: crop.embedded,
            is_identified: crop.student.is_some(),
            student_id: student.map(number),
            student_name: student.map(name),
            assigned_as: crop.assigned.as_ref().map(|(says, _, _)| *says),
            proposed_student_id: proposed.map(|(person, _)| number(person)),
            proposed_name: proposed.map(|(person, _)| name(person)),
            confidence: proposed.map(|(_, score)| scores::confidence(model, *score)),
            assigned_at: at.and_then(|at| Timestamp::from_millisecond(at.0).ok()),
            cluster: crop.cluster,
            version: crop.version,
            doubts: crop.doubts,
            model_id: crop.model,
        }
    }
}

/// Another crop that looks alike.
#[derive(Serialize, ToSchema)]
pub struct Similar {
    crop_id: Uuid,
    /// Cosine.
    similarity: f32,
    /// The same as a confidence, 0 to 1.
    confidence: f32,
    crop: CropBody,
}

/// Whom a crop shows.
#[derive(Deserialize, ToSchema)]
pub struct Assign {
    /// Own id or student number, of the class.
    student_id: String,
}

/// Whom a crop shows: whoever another crop shows.
#[derive(Deserialize, ToSchema)]
pub struct AssignFrom {
    /// The other crop.
    candidate_crop_id: String,
}

/// Which to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct CropQuery {
    /// Of this class: own id or code.
    class_id: Option<String>,
    /// Of this lesson.
    session_id: Option<String>,
    /// Of this photo.
    image_id: Option<String>,
    /// Showing this person: own id or student number.
    student_id: Option<String>,
    /// On which somebody is known, or nobody.
    is_identified: Option<bool>,
    /// The page after this crop.
    after: Option<Uuid>,
    /// Rows of a page.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

impl CropQuery {
    /// What to list: of the narrowest of photo, lesson and class that were named, or nothing where
    /// it is not of the others too.
    fn filter(self, tx: &Tx<'_>, reader: Reader) -> Result<Option<CropFilter>, Error> {
        let image = self.image_id.map(|id| image::find(tx, reader, &id)).transpose()?;
        let lesson = self.session_id.map(|id| session::find(tx, reader, &id)).transpose()?;
        let class = self.class_id.map(|name| class::find(tx, reader, &name)).transpose()?;
        let who = self.student_id.map(|name| student::find_for(tx, reader, &name)).transpose()?;
        let taken = image.as_ref().map(|image| image.session);
        let held = lesson.as_ref().map(|lesson| lesson.id);
        let class = class.map(|class| class.id);
        let classes = [image.as_ref().map(|of| of.class), lesson.map(|of| of.class), class];
        let classes: HashSet<Uuid> = classes.into_iter().flatten().collect();
        if classes.len() > 1 || taken.zip(held).is_some_and(|(taken, held)| taken != Some(held)) {
            return Ok(None);
        }
        let of = image.map(|image| CropOf::Image(image.id));
        Ok(Some(CropFilter {
            of: of.or(held.map(CropOf::Session)).or(class.map(CropOf::Class)),
            identified: self.is_identified,
            student: who.map(|who| who.id),
            before: self.after,
            ..CropFilter::default()
        }))
    }
}

/// How like.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Near {
    /// From which similarity on, 0 to 1; 0.5 if it is left out.
    #[param(minimum = 0, maximum = 1)]
    similarity_threshold: Option<f32>,
    /// How many.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

async fn index(call: Call) -> Outcome {
    let which: CropQuery = call.query()?;
    let limit = rows(which.limit);
    let reader = call.reader()?;
    let read = call.app().db.read(move |tx| {
        let filter = which.filter(tx, reader)?;
        filter.map_or(Ok(Vec::new()), |filter| crop::list(tx, reader, &filter, limit))
    });
    give(&call, read.await?, limit)
}

/// One page of the crops of something.
///
/// # Errors
/// 422 for a page that is none.
pub async fn page_of(call: &Call, of: CropOf) -> Outcome {
    let paged: Paged = call.query()?;
    let limit = rows(paged.limit);
    let reader = call.reader()?;
    let before = paged.after.as_deref().map(str::parse::<Uuid>).transpose();
    let before = before.map_err(|_| Problem::field("after", "this is no face crop"))?;
    let filter = CropFilter { of: Some(of), before, ..CropFilter::default() };
    let read = call.app().db.read(move |tx| crop::list(tx, reader, &filter, limit));
    give(call, read.await?, limit)
}

fn give(call: &Call, crops: Vec<Crop>, limit: u32) -> Outcome {
    let crops: Vec<CropBody> = crops.into_iter().map(CropBody::from).collect();
    page(call, &crops, limit, crops.last().map(|crop| crop.id.to_string()))
}

/// The crop that the address names.
async fn found(call: &Call) -> Result<Crop, Problem> {
    let reader = call.reader()?;
    let name = call.param("id").to_owned();
    Ok(call.app().db.read(move |tx| crop::find(tx, reader, &name)).await?)
}

async fn show(call: Call) -> Outcome {
    json(&CropBody::from(found(&call).await?))
}

async fn picture(call: Call) -> Outcome {
    let crop = found(&call).await?;
    let jpeg = call.app().album().crop(crop.image, crop.id).await?;
    bytes("image/jpeg", jpeg.to_vec())
}

/// A crop that has a template of the network in use has what is asked for; otherwise its photo
/// is looked at again.
async fn generate(call: Call) -> Outcome {
    let crop = found(&call).await?;
    let model = call.app().recogniser.model().as_str();
    if crop.embedded && crop.model.as_deref() == Some(model) {
        return json(&CropBody::from(crop));
    }
    if !crop.kept {
        return Err(Problem::conflict("This crop is gone: nobody can look at it again."));
    }
    let _place = call.front.photos.acquire().await.map_err(|_| Problem::internal())?;
    call.app().album().find_faces(crop.image, call.actor()?.user.to_string()).await?;
    json(&CropBody::from(found(&call).await?))
}

async fn near(call: Call) -> Outcome {
    let near: Near = call.query()?;
    let crop = found(&call).await?;
    let album = call.app().album();
    let line = album.line(near.similarity_threshold.unwrap_or(0.5))?;
    let most = rows(near.limit.or(Some(10))) as usize;
    let alike = album.alike(crop.class, crop.id, (line, most)).await?;
    let scale = album.scale();
    let reader = call.reader()?;
    let ids = alike.iter().map(|a| a.crop).collect::<Vec<_>>();
    let read = call.app().db.read(move |tx| {
        let one = |id: &Uuid| Ok((*id, crop::find(tx, reader, &id.to_string())?));
        ids.iter().map(one).collect::<Result<HashMap<_, _>, rules::Error>>()
    });
    let mut crops = read.await?;
    let similar = |alike: &sort::Alike| {
        Some(Similar {
            crop_id: alike.crop,
            similarity: alike.score,
            confidence: scale.confidence(alike.score),
            crop: CropBody::from(crops.remove(&alike.crop)?),
        })
    };
    json(&alike.iter().filter_map(similar).collect::<Vec<_>>())
}

async fn assign(call: Call) -> Outcome {
    let say: Assign = call.json()?;
    let reader = call.reader()?;
    let id = call.param("id").to_owned();
    let crop = call.app().album().assign(reader, id, say.student_id).await?;
    json(&CropBody::from(crop))
}

async fn assign_from(call: Call) -> Outcome {
    let say: AssignFrom = call.json()?;
    let reader = call.reader()?;
    let id = call.param("id").to_owned();
    let album = call.app().album();
    let crop = album.assign_from(reader, id, say.candidate_crop_id).await?;
    json(&CropBody::from(crop))
}

async fn unidentify(call: Call) -> Outcome {
    let reader = call.reader()?;
    let id = call.param("id").to_owned();
    let crop = call.app().album().unidentify(reader, id).await?;
    json(&CropBody::from(crop))
}
