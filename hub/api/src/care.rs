//! `/api/care`: what waits for a person who runs the system, each with what to do about it.

use http::call::Call;
use http::endpoint::Endpoint;
use http::problem::Outcome;
use http::reply::json;
use http::route::Route;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rules::care::Worry;
use serde::Serialize;
use utoipa::ToSchema;
use words::language::Language;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    vec![Route::get("/api/care").admin().gives::<Vec<CareBody>>().by(index)]
}

/// Something that waits for a person.
#[derive(Serialize, ToSchema)]
#[schema(as = Worry)]
pub struct CareBody {
    /// One word, such as `dead-letters`.
    kind: &'static str,
    /// Whether something is lost or stands still; else it may, soon.
    is_grave: bool,
    /// What it is about, such as a door.
    name: Option<String>,
    /// How many.
    #[schema(minimum = 0)]
    count: u64,
    /// Since when, or until when.
    #[schema(value_type = Option<String>, format = DateTime)]
    at: Option<Timestamp>,
    /// What it is, in a sentence.
    what: String,
    /// What to do.
    next: String,
    /// What a program said about it.
    why: Option<String>,
    /// The page where it is mended.
    link: Option<String>,
}

impl CareBody {
    fn of(worry: Worry, zone: &TimeZone) -> Self {
        let (what, next) = words::care::said(Language::English, &worry, zone);
        let plain = |text: String| text.replace(['\u{2068}', '\u{2069}'], "");
        let some = |text: String| Some(text).filter(|text| !text.is_empty());
        Self {
            kind: worry.kind(),
            is_grave: worry.is_grave,
            count: worry.count,
            at: worry.at.and_then(|at| Timestamp::from_millisecond(at.0).ok()),
            what: plain(what),
            next: plain(next),
            name: some(worry.name),
            why: some(worry.why),
            link: some(worry.link),
        }
    }
}

async fn index(call: Call) -> Outcome {
    let zone = &call.app().config.zone;
    let found = call.app().cares().worries().await?.into_iter();
    json(&found.map(|worry| CareBody::of(worry, zone)).collect::<Vec<_>>())
}
