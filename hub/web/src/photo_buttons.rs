//! What happens to one photo of a class: it is looked at, deleted, or done.
//!
//! One form says who everybody on it is and for which lesson; with it the photo goes for good.

use super::photo::{ClassPhotoQuery, show};
use crate::shell::shell;
use acts::album::name::NamingWhole;
use http::call::Call;
use http::endpoint::Endpoint;
use http::problem::Problem;
use http::reply::see;
use http::route::Route;
use http::{problem::Outcome, route::Object};
use std::collections::{HashMap, HashSet};
use store::crop;
use store::image::{self, Image};
use uuid::Uuid;
use wire::StudentId;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    vec![
        Route::post("/photo/{id}/look").staff().of(Object::Image).form().page().by(find_faces),
        Route::post("/photo/{id}/done").staff().of(Object::Image).form().page().by(done),
        Route::post("/photo/{id}/remove").staff().of(Object::Image).form().page().by(remove),
    ]
}

/// The photo that the address names.
async fn named(call: &Call) -> Result<Image, Problem> {
    let reader = call.reader()?;
    let name = call.param("id").to_owned();
    Ok(call.app().db.read(move |tx| image::find(tx, reader, &name)).await?)
}

async fn find_faces(call: Call) -> Outcome {
    let photo = named(&call).await?;
    let album = call.app().album();
    let by = call.actor()?.user;
    let job = album.look_later(&call.app().jobs, &photo, by).await?;
    see(&format!("/class/{}/photo?photo={}&job={}", photo.class, photo.id, job.id))
}

async fn remove(call: Call) -> Outcome {
    let photo = named(&call).await?;
    call.app().album().remove(photo.id, None, call.actor()?.user.to_string()).await?;
    see(&format!("/class/{}/photo", photo.class))
}

/// Who is on a photo, as the form says it: all of it becomes marks of one lesson, and the photo
/// goes.
async fn done(call: Call) -> Outcome {
    let photo = named(&call).await?;
    match settle(&call, &photo).await {
        Ok((lesson, present)) => {
            see(&format!("/class/{}/today?lesson={lesson}&photo={present}", photo.class))
        }
        Err(problem) => {
            let (photo, class) = (Some(photo.id), photo.class.to_string());
            show(
                &call,
                &class,
                ClassPhotoQuery { photo, ..ClassPhotoQuery::default() },
                problem.status,
                Some(problem.detail),
            )
            .await
        }
    }
}

async fn settle(call: &Call, photo: &Image) -> Result<(Uuid, usize), Problem> {
    let reader = call.reader()?;
    let id = photo.id;
    let shell = shell(call, "class");
    let crops = call.app().db.read(move |tx| crop::of_image(tx, id)).await?;
    let faces: HashMap<Uuid, StudentId> =
        (crops.iter()).filter_map(|crop| Some((crop.id, said(call, crop.id)?))).collect();
    if faces.is_empty() {
        return Err(Problem::invalid(shell.say("photo-nobody-chosen")));
    }
    if faces.values().collect::<HashSet<_>>().len() < faces.len() {
        return Err(Problem::invalid(shell.say("photo-twice")));
    }
    let lesson = call.content.field("lesson").filter(|id| !id.is_empty()).map(str::to_owned);
    let version = call.form_version()?;
    let said = NamingWhole { photo: id.to_string(), lesson, faces, version };
    let confirmed = call.app().album().settle(reader, said).await?;
    Ok((confirmed.session_id, confirmed.present.len()))
}

/// Whom the form says a face shows.
fn said(call: &Call, crop: Uuid) -> Option<StudentId> {
    call.content.field(&format!("face-{crop}"))?.parse().ok()
}
