//! What happens to one photo of a class: it is looked at, deleted, or done.
//!
//! One form says who everybody on it is and for which lesson; with it the photo goes for good.

use super::photo::{ClassPhotoQuery, show};
use crate::shell::shell;
use acts::album::name::NamingPlace;
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
    call.app().album().remove(photo.id, call.actor()?.user.to_string()).await?;
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
    let album = call.app().album();
    let shell = shell(call, "class");
    let crops = call.app().db.read(move |tx| crop::of_image(tx, id)).await?;
    let said: HashMap<Uuid, StudentId> =
        (crops.iter()).filter_map(|crop| Some((crop.id, said(call, crop.id)?))).collect();
    if said.is_empty() {
        return Err(Problem::invalid(shell.say("photo-nobody-chosen")));
    }
    if said.values().collect::<HashSet<_>>().len() < said.len() {
        return Err(Problem::invalid(shell.say("photo-twice")));
    }
    let lesson = call.content.field("lesson").filter(|id| !id.is_empty()).map(str::to_owned);
    let other =
        lesson.as_ref().is_some_and(|id| photo.session.map(|s| s.to_string()).as_ref() != Some(id));
    for crop in &crops {
        let stands = crop.student.as_ref().map(|person| person.student);
        if stands.is_some() && (other || stands != said.get(&crop.id).copied()) {
            album.unidentify(reader, crop.id.to_string()).await?;
        }
    }
    if let Some(lesson) = lesson.filter(|_| other) {
        let to = NamingPlace { photo: id.to_string(), lesson: Some(lesson), version: None };
        album.place(reader, to).await?;
    }
    for (crop, student) in said {
        let crop = crop.to_string();
        let student = student.to_string();
        album.assign(reader, crop, student).await?;
    }
    let confirmed = album.confirm(reader, id.to_string(), false).await?;
    Ok((confirmed.session_id, confirmed.present.len()))
}

/// Whom the form says a face shows.
fn said(call: &Call, crop: Uuid) -> Option<StudentId> {
    call.content.field(&format!("face-{crop}"))?.parse().ok()
}
