//! Faces without a name in photos of a class: put together, guessed, and named many at once.

use super::photo::{ClassPhotoQuery, show};
use acts::album::later::{Put, Putting};
use http::call::Call;
use http::endpoint::Endpoint;
use http::problem::Problem;
use http::reply::see;
use http::route::Route;
use http::{problem::Outcome, route::Object};
use rules::error::Error;
use rules::{cluster, knn};
use store::class;
use store::crop::CropOf;
use store::reader::Reader;
use uuid::Uuid;

/// From this likeness on faces are put together, as the API does it.
const TOGETHER: f32 = 0.7;
/// From this likeness on somebody is guessed, as the API does it.
const GUESSED: f32 = 0.6;
/// Groups at most.
const GROUPS: usize = 200;
/// So many of the nearest faces vote.
const VOTES: usize = 5;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    vec![
        Route::post("/class/{id}/photo/sort").staff().of(Object::Class).form().page().by(start),
        Route::post("/class/{id}/photo/name").staff().of(Object::Class).form().page().by(assign),
    ]
}

/// The class that the address names.
async fn named(call: &Call, reader: Reader) -> Result<Uuid, Problem> {
    let name = call.param("id").to_owned();
    Ok(call.app().db.read(move |tx| Ok(class::find(tx, reader, &name)?.id)).await?)
}

async fn start(call: Call) -> Outcome {
    let reader = call.reader()?;
    let jobs = &call.app().jobs;
    let class = named(&call, reader).await?;
    let of = (CropOf::Class(class), class);
    let album = call.app().album();
    let rule = knn::KnnRule { k: VOTES, line: album.line(GUESSED)?, voting: true };
    let job = match call.content.field("do") {
        Some("group") => {
            let line = album.line(TOGETHER)?;
            let rule = cluster::ClusterRule { line, most: GROUPS, force: false };
            album.cluster_later(jobs, of, rule, reader.actor.user).await?
        }
        Some("guess") => {
            let kind = "suggest-assignments";
            let outcome = Put::Suggest;
            album.put_later(jobs, Putting { kind, of, rule, outcome }, reader).await?
        }
        Some("name") => {
            let kind = "auto-assign-all-crops";
            let outcome = Put::Assign;
            album.put_later(jobs, Putting { kind, of, rule, outcome }, reader).await?
        }
        _ => return Err(Problem::field("do", "say group, guess or name")),
    };
    see(&format!("/class/{class}/photo?job={}#unnamed", job.id))
}

/// Names a group: each of its faces is that student's, unless they are on its photo already.
async fn assign(call: Call) -> Outcome {
    let reader = call.reader()?;
    let class = named(&call, reader).await?;
    let student = call.field("student")?.to_owned();
    let crops: Vec<String> = call.field("crops")?.split_whitespace().map(str::to_owned).collect();
    let album = call.app().album();
    let mut left = None;
    for crop in crops {
        match album.assign(reader, crop, student.clone()).await {
            Ok(_) => {}
            Err(error @ (Error::Conflict(_) | Error::NotFound(_))) => left = Some(error),
            Err(error) => return Err(error.into()),
        }
    }
    match left.map(Problem::from) {
        None => see(&format!("/class/{class}/photo#unnamed")),
        Some(problem) => {
            show(
                &call,
                &class.to_string(),
                ClassPhotoQuery::default(),
                problem.status,
                Some(problem.detail),
            )
            .await
        }
    }
}
