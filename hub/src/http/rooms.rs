//! `/api/rooms`: where lessons and doors are.

use super::call::Call;
use super::page::{Paged, page, rows};
use super::problem::Problem;
use super::reply::{created, nothing, versioned};
use super::route::{ADMIN, Object, Outcome, Route, SMALL, STAFF, Shapes, Takes};
use serde::{Deserialize, Serialize};
use store::room::{self, Room};
use utoipa::ToSchema;
use uuid::Uuid;
use warp::http::Method;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Route> {
    let (some, one) = ("/api/rooms", "/api/rooms/{id}");
    let (room, body, no) = (Object::Room, Takes::Json(SMALL), Takes::Nothing);
    let (gives, list) = (Shapes::gives::<Body>(), Shapes::gives::<Vec<Body>>().asks::<Paged>());
    let (new, both) = (Shapes::both::<Typed, Body>().created(), Shapes::both::<Described, Body>());
    vec![
        Route::new((Method::GET, some), STAFF, Object::None, no, list, index),
        Route::new((Method::POST, some), ADMIN, Object::None, body, new, add),
        Route::new((Method::GET, one), STAFF, room, no, gives, show),
        Route::new((Method::PUT, one), ADMIN, room, body, both, change),
        Route::new((Method::DELETE, one), ADMIN, room, no, Shapes::EMPTY, remove),
    ]
}

/// A room, as the API says it.
#[derive(Serialize, ToSchema)]
#[schema(as = Room)]
pub struct Body {
    id: Uuid,
    /// Unique; doors, classes and lessons use it.
    name: String,
    location: String,
    version: i64,
}

/// A new room.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewRoom)]
pub struct Typed {
    /// What people call it.
    pub name: String,
    /// How to get there.
    #[serde(default)]
    pub location: String,
}

/// What may change about a room.
#[derive(Deserialize, ToSchema)]
#[schema(as = RoomChange)]
pub struct Described {
    /// How to get there.
    pub location: String,
    /// Counts changes.
    pub version: Option<i64>,
}

impl From<Room> for Body {
    fn from(Room { id, name, location, version }: Room) -> Self {
        Self { id, name, location, version }
    }
}

async fn index(call: Call) -> Outcome {
    let paged: Paged = call.query()?;
    let (after, limit) = (paged.after.clone().unwrap_or_default(), rows(paged.limit));
    let read = call.app().db.read(move |tx| room::list(tx, &after, limit));
    let rooms: Vec<_> = read.await?.into_iter().map(Body::from).collect();
    page(&call, &rooms, limit, rooms.last().map(|last| last.name.clone()))
}

async fn add(call: Call) -> Outcome {
    let body = Body::from(added(&call, call.json()?).await?);
    created(&format!("/api/rooms/{}", body.id), &body)
}

/// A new room.
///
/// # Errors
/// 409 when there is one of this name, 422 for a name that cannot be.
pub async fn added(call: &Call, typed: Typed) -> Result<Room, Problem> {
    let (actor, now) = (call.actor()?.user.to_string(), call.now);
    let write =
        call.app().db.write(move |tx| room::add(tx, &typed.name, &typed.location, &actor, now));
    Ok(write.await?)
}

async fn show(call: Call) -> Outcome {
    let name = call.param("id").to_owned();
    let room = Body::from(call.app().db.read(move |tx| room::find(tx, &name)).await?);
    versioned(&room, room.version)
}

async fn change(call: Call) -> Outcome {
    let room = Body::from(described(&call, call.json()?).await?);
    versioned(&room, room.version)
}

/// Says anew how to get to the room that the address names.
///
/// # Errors
/// 404; 409 when it was changed meanwhile.
pub async fn described(call: &Call, typed: Described) -> Result<Room, Problem> {
    let (actor, name, now) =
        (call.actor()?.user.to_string(), call.param("id").to_owned(), call.now);
    let version = call.version(typed.version)?;
    let write = call.app().db.write(move |tx| {
        let room = room::find(tx, &name)?;
        room::describe(tx, &room, &typed.location, version, &actor, now)
    });
    Ok(write.await?)
}

async fn remove(call: Call) -> Outcome {
    removed(&call).await?;
    nothing()
}

/// Takes the room that the address names away.
///
/// # Errors
/// 404; 409 while something is there.
pub async fn removed(call: &Call) -> Result<(), Problem> {
    let (actor, name, now) =
        (call.actor()?.user.to_string(), call.param("id").to_owned(), call.now);
    let write = call.app().db.write(move |tx| {
        let room = room::find(tx, &name)?;
        room::remove(tx, &room, &actor, now)
    });
    Ok(write.await?)
}
