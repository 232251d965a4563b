//! The tools of classes and lessons over their face crops: process, embed, cluster, assign.
//!
//! All of them are jobs: 202, and `/api/jobs/{id}` says how far they are. With `?wait=true` the
//! answer comes when the job has ended.

use super::crops;
use super::jobs::{self, JobWait};
use acts::album::later::{Put, Putting};
use acts::album::{Album, sort};
use http::call::Call;
use http::draft::RouteDraft;
use http::endpoint::Endpoint;
use http::page::Paged;
use http::problem::Problem;
use http::reply::json;
use http::route::Route;
use http::{problem::Outcome, route::Object};
use rules::{cluster, knn};
use serde::Deserialize;
use store::crop::{self, CropOf};
use store::image::{ImageFilter, ImageState};
use store::{class, image, session};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Photos that one job looks at.
const PHOTOS: u32 = 500;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    let classes = [
        "/api/classes/{id}/face-crops",
        "/api/classes/{id}/generate-embeddings",
        "/api/classes/{id}/cluster-crops",
        "/api/classes/{id}/auto-assign-all-crops",
        "/api/classes/{id}/suggest-assignments",
    ];
    let sessions = [
        "/api/sessions/{id}/face-crops",
        "/api/sessions/{id}/generate-embeddings",
        "/api/sessions/{id}/cluster-crops",
        "/api/sessions/{id}/auto-assign-all-crops",
        "/api/sessions/{id}/suggest-assignments",
    ];
    let all = Route::post("/api/classes/{id}/process-all-images").staff().of(Object::Class);
    [
        sorting_of(Whose::Class, classes),
        sorting_of(Whose::Session, sessions),
        vec![job(all).by(process_all)],
    ]
    .concat()
}

fn sorting_of(
    whose: Whose,
    [faces, embed, cluster, assign, suggest]: [&'static str; 5],
) -> Vec<Endpoint> {
    let get = |path| Route::get(path).staff().of(whose.object());
    let begin = |path| job(Route::post(path).staff().of(whose.object()));
    let list = get(faces).asks::<Paged>().gives::<Vec<crops::CropBody>>();
    let read = get(suggest).asks::<Suggesting>().gives::<sort::Sorted>();
    vec![
        list.by(move |call| crops_of(call, whose)),
        begin(embed).by(move |call| embed_all(call, whose)),
        begin(cluster).takes::<Clustering>().by(move |call| cluster_all(call, whose)),
        begin(assign).takes::<Sorting>().by(move |call| assign_all(call, whose)),
        begin(suggest).takes::<Suggesting>().by(move |call| suggest_all(call, whose)),
        read.by(move |call| read_suggestions(call, whose)),
    ]
}

fn job(route: RouteDraft) -> RouteDraft {
    route.asks::<JobWait>().gives::<jobs::JobBody>().accepted()
}

/// Whether an address names a class or a lesson.
#[derive(Clone, Copy)]
enum Whose {
    Class,
    Session,
}

impl Whose {
    fn object(self) -> Object {
        match self {
            Self::Class => Object::Class,
            Self::Session => Object::Session,
        }
    }
}

/// How to cluster.
#[derive(Deserialize, ToSchema)]
pub struct Clustering {
    /// 2 to 200; 10 if it is left out.
    #[schema(minimum = 2, maximum = 200)]
    max_clusters: Option<usize>,
    /// Goes on joining until there are at most so many.
    #[serde(default)]
    force_clustering: bool,
    /// 0 to 1, as a confidence; 0.7 if it is left out.
    #[schema(minimum = 0, maximum = 1)]
    similarity_threshold: Option<f32>,
}

/// How to put crops to people.
#[derive(Deserialize, ToSchema)]
pub struct Sorting {
    /// So many nearest faces vote, 1 to 50; 5 if it is left out.
    #[schema(minimum = 1, maximum = 50)]
    k: Option<usize>,
    /// 0 to 1, as a confidence; 0.6 if it is left out.
    #[schema(minimum = 0, maximum = 1)]
    similarity_threshold: Option<f32>,
    /// Whether most of the nearest win (the usual), or the nearest.
    use_voting: Option<bool>,
    /// Puts the crops to those people at once; a person confirms the photo later.
    #[serde(default)]
    auto_commit: bool,
}

/// How to suggest people.
#[derive(Deserialize, ToSchema, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Suggesting {
    /// So many nearest faces vote, 1 to 50; 5 if it is left out.
    #[schema(minimum = 1, maximum = 50)]
    #[param(minimum = 1, maximum = 50)]
    k: Option<usize>,
    /// 0 to 1, as a confidence; 0.6 if it is left out.
    #[schema(minimum = 0, maximum = 1)]
    #[param(minimum = 0, maximum = 1)]
    similarity_threshold: Option<f32>,
    /// Whether most of the nearest win (the usual), or the nearest.
    use_voting: Option<bool>,
}

/// The crops of the class or lesson that the address names, and its class.
async fn found(call: &Call, whose: Whose) -> Result<(CropOf, Uuid), Problem> {
    let reader = call.reader()?;
    let name = call.param("id").to_owned();
    let read = call.app().db.read(move |tx| match whose {
        Whose::Session => {
            let session = session::find(tx, reader, &name)?;
            Ok((CropOf::Session(session.id), session.class))
        }
        Whose::Class => {
            let class = class::find(tx, reader, &name)?;
            Ok((CropOf::Class(class.id), class.id))
        }
    });
    Ok(read.await?)
}

async fn crops_of(call: Call, whose: Whose) -> Outcome {
    let (of, _) = found(&call, whose).await?;
    crops::page_of(&call, of).await
}

/// Looks at the photos of the class that nobody has looked at.
async fn process_all(call: Call) -> Outcome {
    let (_, class) = found(&call, Whose::Class).await?;
    let reader = call.reader()?;
    let class = Some(class);
    let state = Some(ImageState::New);
    let filter = ImageFilter { class, state, ..ImageFilter::default() };
    let new = call.app().db.read(move |tx| image::list(tx, reader, &filter, PHOTOS)).await?;
    let ids = new.into_iter().map(|photo| photo.id).collect();
    look_at(&call, "process-all-images", ids).await
}

/// Looks again at the photos with crops that have no template of the network in use.
async fn embed_all(call: Call, whose: Whose) -> Outcome {
    let (of, _) = found(&call, whose).await?;
    let model = call.app().recogniser.model().as_str().to_owned();
    let ids = call.app().db.read(move |tx| crop::without(tx, of, &model)).await?;
    look_at(&call, "generate-embeddings", ids).await
}

async fn look_at(call: &Call, kind: &'static str, photos: Vec<Uuid>) -> Outcome {
    let wait = jobs::waits(call)?;
    let by = call.actor()?.user;
    let job = call.app().album().look_at_all(&call.app().jobs, kind, photos, by).await?;
    jobs::follow(call, job, wait).await
}

async fn cluster_all(call: Call, whose: Whose) -> Outcome {
    let wait = jobs::waits(&call)?;
    let asked: Clustering = call.json()?;
    let most = within("max_clusters", asked.max_clusters, 10, (2, 200))?;
    let album = call.app().album();
    let by = call.actor()?.user;
    let line = album.line(asked.similarity_threshold.unwrap_or(0.7))?;
    let of = found(&call, whose).await?;
    let rule = cluster::ClusterRule { line, most, force: asked.force_clustering };
    let job = album.cluster_later(&call.app().jobs, of, rule, by).await?;
    jobs::follow(&call, job, wait).await
}

async fn assign_all(call: Call, whose: Whose) -> Outcome {
    let Sorting { k, similarity_threshold, use_voting, auto_commit } = call.json()?;
    let asked = Suggesting { k, similarity_threshold, use_voting };
    let outcome = if auto_commit { Put::Assign } else { Put::Suggest };
    put_to_people(call, whose, "auto-assign-all-crops", asked, outcome).await
}

async fn suggest_all(call: Call, whose: Whose) -> Outcome {
    let asked: Suggesting = call.json()?;
    put_to_people(call, whose, "suggest-assignments", asked, Put::Suggest).await
}

/// Who the crops may show, at once: nothing changes.
async fn read_suggestions(call: Call, whose: Whose) -> Outcome {
    let album = call.app().album();
    let asked: Suggesting = call.query()?;
    let rule = asked.rule(&album)?;
    let of = found(&call, whose).await?;
    json(&album.suggest(of, rule).await?)
}

impl Suggesting {
    fn rule(&self, album: &Album) -> Result<knn::KnnRule, Problem> {
        let k = within("k", self.k, 5, (1, 50))?;
        let line = album.line(self.similarity_threshold.unwrap_or(0.6))?;
        Ok(knn::KnnRule { k, line, voting: self.use_voting.unwrap_or(true) })
    }
}

async fn put_to_people(
    call: Call,
    whose: Whose,
    kind: &'static str,
    asked: Suggesting,
    outcome: Put,
) -> Outcome {
    let wait = jobs::waits(&call)?;
    let album = call.app().album();
    let rule = asked.rule(&album)?;
    let putting = Putting { kind, of: found(&call, whose).await?, rule, outcome };
    let job = album.put_later(&call.app().jobs, putting, call.reader()?).await?;
    jobs::follow(&call, job, wait).await
}

/// A number of a body, within its bounds.
fn within(
    field: &str,
    given: Option<usize>,
    usual: usize,
    (least, most): (usize, usize),
) -> Result<usize, Problem> {
    let n = given.unwrap_or(usual);
    let odd = || Problem::field(field, format!("use a number from {least} to {most}"));
    if (least..=most).contains(&n) { Ok(n) } else { Err(odd()) }
}
