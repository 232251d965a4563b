//! `/api/gallery`: what doors should run, how far they are with it, and going back.

use acts::doors::galleries::{self, Before, ReleaseStep, step};
use http::call::Call;
use http::endpoint::Endpoint;
use http::page::{page, rows};
use http::problem::Outcome;
use http::problem::Problem;
use http::reply::json;
use http::route::Route;
use jiff::Timestamp;
use rules::error::Error;
use serde::{Deserialize, Serialize};
use store::device;
use store::release::{self, Progress};
use utoipa::{IntoParams, ToSchema};
use wire::{DeviceId, Wall};

/// Doors an answer to a push or a rollback names at most; the list of releases has pages.
pub const SHOWN: u32 = 500;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    vec![
        Route::post("/api/gallery/push").admin().gives::<Vec<GalleryBody>>().by(push),
        Route::get("/api/gallery/releases")
            .staff()
            .asks::<GalleryQuery>()
            .gives::<Vec<GalleryBody>>()
            .by(index),
        Route::post("/api/gallery/rollback")
            .admin()
            .takes::<GalleryBackForm>()
            .gives::<Vec<GalleryBody>>()
            .by(take_back),
    ]
}

/// A release, and how far its door is with it.
#[derive(Serialize, ToSchema)]
#[schema(as = GalleryRelease)]
pub struct GalleryBody {
    device_id: String,
    version: u64,
    #[schema(value_type = Option<String>, format = DateTime)]
    created_at: Option<Timestamp>,
    /// When a door that heard nothing more forgets it.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    /// People in it.
    people: i64,
    state: ReleaseState,
    /// When the door had the whole file.
    #[schema(value_type = Option<String>, format = DateTime)]
    fetched_at: Option<Timestamp>,
    /// The release the door says it uses; 0 if none.
    in_use_version: u64,
    /// Whether the door still uses an older release than this.
    behind: bool,
    online: bool,
    /// Why it does not use what it should, in a sentence; empty if it does.
    trouble: String,
    /// Whether the door was taken back, and gets nobody new until the next push.
    held: bool,
}

/// How far a door is with a release.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = GalleryState)]
pub enum ReleaseState {
    /// Signed; the door has not fetched it.
    Released,
    /// The door has the file and does not use it yet.
    Fetched,
    /// The door uses it.
    InUse,
    /// The door uses a newer one.
    Replaced,
}

/// Which releases to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct GalleryQuery {
    /// Every release of this door, newest first; the newest of each door if it is left out.
    device_id: Option<String>,
    /// The page after this one, as the last answer's `Link` says it.
    after: Option<String>,
    /// Rows of a page.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// Where to go back to.
#[derive(Deserialize, ToSchema)]
#[schema(as = GalleryRollback)]
struct GalleryBackForm {
    /// This door only; every active door if it is left out.
    device_id: Option<String>,
    /// That release of the door; the last one with other people if it is left out.
    version: Option<u64>,
}

impl From<Progress> for GalleryBody {
    fn from(of: Progress) -> Self {
        let time = |at: Wall| Timestamp::from_millisecond(at.0).ok();
        Self {
            state: step(&of).into(),
            device_id: of.device.to_string(),
            version: of.version,
            created_at: time(of.created),
            expires_at: time(of.expires),
            people: of.people,
            fetched_at: of.fetched.and_then(time),
            in_use_version: of.in_use,
            behind: of.in_use < of.version,
            online: of.online,
            trouble: of.trouble,
            held: of.held,
        }
    }
}

impl From<ReleaseStep> for ReleaseState {
    fn from(step: ReleaseStep) -> Self {
        match step {
            ReleaseStep::Released => Self::Released,
            ReleaseStep::Fetched => Self::Fetched,
            ReleaseStep::InUse => Self::InUse,
            ReleaseStep::Replaced => Self::Replaced,
        }
    }
}

async fn index(call: Call) -> Outcome {
    let which: GalleryQuery = call.query()?;
    let limit = rows(which.limit);
    let Some(name) = which.device_id else {
        let after = which.after.unwrap_or_default();
        let read = call.app().db.read(move |tx| release::progress(tx, &after, limit));
        let all: Vec<_> = read.await?.into_iter().map(GalleryBody::from).collect();
        return page(&call, &all, limit, all.last().map(|last| last.device_id.clone()));
    };
    let door = named(&name)?;
    let before = which.after.map(|after| after.parse::<u64>()).transpose();
    let before = before.map_err(|_| Problem::field("after", "this is not from a list’s link"))?;
    let read = call.app().db.read(move |tx| {
        device::get(tx, &door)?.ok_or_else(|| Error::unknown("door", &door))?;
        release::history(tx, &door, before.unwrap_or(u64::MAX), limit)
    });
    let all: Vec<_> = read.await?.into_iter().map(GalleryBody::from).collect();
    page(&call, &all, limit, all.last().map(|last| last.version.to_string()))
}

fn named(name: &str) -> Result<DeviceId, Problem> {
    name.parse().map_err(|_| Error::unknown("door", name).into())
}

async fn push(call: Call) -> Outcome {
    call.app().doors().push(call.name()?, call.now).await?;
    all(&call).await
}

async fn take_back(call: Call) -> Outcome {
    let back = call.json::<GalleryBackForm>()?.which()?;
    call.app().doors().take_back(back, call.name()?, call.now).await?;
    all(&call).await
}

impl GalleryBackForm {
    fn which(self) -> Result<galleries::GalleryBack, Problem> {
        let before = self.version.map_or(Before::Last, Before::Release);
        match (self.device_id, before) {
            (Some(name), before) => Ok(galleries::GalleryBack::One(named(&name)?, before)),
            (None, Before::Last) => Ok(galleries::GalleryBack::All),
            (None, Before::Release(_)) => {
                let say = "doors count their releases each for itself: name the door";
                Err(Problem::field("device_id", say))
            }
        }
    }
}

/// How far each door is.
async fn all(call: &Call) -> Outcome {
    let read = call.app().db.read(|tx| release::progress(tx, "", SHOWN));
    json(&read.await?.into_iter().map(GalleryBody::from).collect::<Vec<_>>())
}
