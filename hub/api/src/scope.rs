//! `/api/gallery/scope`: which people a door gets.

use acts::doors::galleries;
use http::call::Call;
use http::endpoint::Endpoint;
use http::problem::Outcome;
use http::reply::json;
use http::route::Route;
use rules::gallery::scope::Scope;
use serde::{Deserialize, Serialize};
use store::scope;
use utoipa::ToSchema;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    let path = "/api/gallery/scope";
    vec![
        Route::get(path).admin().gives::<ScopeBody>().by(show),
        Route::put(path).admin().takes::<ScopeBody>().gives::<ScopeBody>().by(change),
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
