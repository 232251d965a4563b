//! `/api/gallery/scope`: which people a door gets.

use acts::doors::galleries;
use http::call::Call;
use http::endpoint::Endpoint;
use http::reply::json;
use http::{
    problem::Outcome,
    route::{ADMIN, Object, Shapes},
    takes::{SMALL, Takes},
};
use rules::gallery::scope::Scope;
use serde::{Deserialize, Serialize};
use store::scope;
use utoipa::ToSchema;
use warp::http::Method;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    let path = "/api/gallery/scope";
    let no = Takes::Nothing;
    let body = Takes::Json(SMALL);
    let gives = Shapes::gives::<ScopeBody>();
    let both = Shapes::both::<ScopeBody, ScopeBody>();
    vec![
        Endpoint::new((Method::GET, path), ADMIN, Object::None, no, gives, show),
        Endpoint::new((Method::PUT, path), ADMIN, Object::None, body, both, change),
    ]
}

/// Which people a door gets.
#[derive(Clone, Copy, Serialize, Deserialize, ToSchema)]
#[schema(as = GalleryScope)]
pub struct ScopeBody {
    scope: ScopeWord,
}

/// The two words.
#[derive(Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = GalleryScopeWord)]
pub enum ScopeWord {
    /// Those timetabled in its room; everybody where nothing ever is.
    Room,
    /// Everybody.
    All,
}

impl From<Scope> for ScopeBody {
    fn from(scope: Scope) -> Self {
        Self { scope: if scope == Scope::All { ScopeWord::All } else { ScopeWord::Room } }
    }
}

async fn show(call: Call) -> Outcome {
    json(&ScopeBody::from(call.app().db.read(scope::scope).await?))
}

async fn change(call: Call) -> Outcome {
    let body: ScopeBody = call.json()?;
    let app = call.app();
    let to = match body.scope {
        ScopeWord::Room => Scope::Room,
        ScopeWord::All => Scope::All,
    };
    galleries::narrow(&app.db, &app.events, to, call.name()?, call.now).await?;
    json(&body)
}
