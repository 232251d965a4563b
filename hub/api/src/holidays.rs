//! `/api/holidays`: days without lessons.

use acts::holidays::{self, Days};
use http::call::Call;
use http::endpoint::Endpoint;
use http::page::{Paged, page, rows};
use http::problem::Problem;
use http::reply::{created, json, nothing};
use http::route::Route;
use http::{problem::Outcome, route::Object};
use jiff::civil::Date;
use rules::timetable::Holiday;
use serde::{Deserialize, Serialize};
use store::holiday;
use utoipa::ToSchema;
use uuid::Uuid;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    let some = "/api/holidays";
    let one = "/api/holidays/{id}";
    vec![
        Route::get(some).staff().asks::<Paged>().gives::<Vec<HolidayBody>>().by(index),
        Route::post(some).admin().takes::<HolidayForm>().gives::<HolidayBody>().created().by(add),
        Route::get(one).staff().of(Object::Holiday).gives::<HolidayBody>().by(show),
        Route::put(one)
            .admin()
            .of(Object::Holiday)
            .takes::<HolidayForm>()
            .gives::<HolidayBody>()
            .by(change),
        Route::delete(one).admin().of(Object::Holiday).by(remove),
    ]
}

/// Days without lessons, as the API says them.
#[derive(Serialize, ToSchema)]
#[schema(as = Holiday)]
pub struct HolidayBody {
    id: Uuid,
    name: String,
    #[schema(value_type = String, format = Date)]
    from_day: Date,
    /// The last one, inclusive.
    #[schema(value_type = String, format = Date)]
    to_day: Date,
}

/// Days without lessons, as typed.
#[derive(Deserialize, ToSchema)]
#[schema(as = HolidayTyped)]
pub struct HolidayForm {
    /// What people call it.
    name: String,
    /// First day.
    #[schema(value_type = String, format = Date)]
    #[serde(alias = "date")]
    from_day: Date,
    /// The same day if it is left out.
    #[schema(value_type = Option<String>, format = Date)]
    to_day: Option<Date>,
}

impl From<HolidayForm> for Days {
    fn from(HolidayForm { name, from_day: from, to_day }: HolidayForm) -> Self {
        Self { name, from, to: to_day.unwrap_or(from) }
    }
}

impl From<Holiday> for HolidayBody {
    fn from(Holiday { id, name, from, to }: Holiday) -> Self {
        Self { id, name, from_day: from, to_day: to }
    }
}

async fn index(call: Call) -> Outcome {
    let paged: Paged = call.query()?;
    let after = paged.after.as_deref().map(str::parse).transpose();
    let after =
        after.map_err(|_| Problem::field("after", "this is not from a list’s next link"))?;
    let limit = rows(paged.limit);
    let days = call.app().db.read(move |tx| holiday::list(tx, after, limit)).await?;
    let days: Vec<_> = days.into_iter().map(HolidayBody::from).collect();
    page(&call, &days, limit, days.last().map(|last| last.id.to_string()))
}

async fn add(call: Call) -> Outcome {
    let typed: HolidayForm = call.json()?;
    let by = call.actor()?;
    let db = &call.app().db;
    let zone = &call.app().config.zone;
    let body = HolidayBody::from(holidays::add(db, zone, typed.into(), by, call.now).await?);
    created(&format!("/api/holidays/{}", body.id), &body)
}

async fn show(call: Call) -> Outcome {
    let id: Uuid = call.id("id")?;
    json(&HolidayBody::from(call.app().db.read(move |tx| holiday::get(tx, id)).await?))
}

async fn change(call: Call) -> Outcome {
    let id: Uuid = call.id("id")?;
    let typed: HolidayForm = call.json()?;
    let Days { name, from, to } = typed.into();
    let db = &call.app().db;
    let zone = &call.app().config.zone;
    let to = Holiday { id, name, from, to };
    json(&HolidayBody::from(holidays::change(db, zone, to, call.actor()?, call.now).await?))
}

async fn remove(call: Call) -> Outcome {
    let db = &call.app().db;
    let zone = &call.app().config.zone;
    holidays::remove(db, zone, call.id("id")?, call.actor()?, call.now).await?;
    nothing()
}
