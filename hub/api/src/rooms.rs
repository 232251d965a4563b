//! `/api/rooms`: where lessons and doors are.

use acts::rooms::{self, NewRoom, RoomChanges};
use http::call::Call;
use http::endpoint::Endpoint;
use http::page::{Paged, page, rows};
use http::reply::{created, nothing, versioned};
use http::route::Route;
use http::{problem::Outcome, route::Object};
use serde::{Deserialize, Serialize};
use store::room::{self, Room};
use utoipa::ToSchema;
use uuid::Uuid;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    let some = "/api/rooms";
    let one = "/api/rooms/{id}";
    vec![
        Route::get(some).staff().asks::<Paged>().gives::<Vec<RoomBody>>().by(index),
        Route::post(some).admin().takes::<RoomForm>().gives::<RoomBody>().created().by(add),
        Route::get(one).staff().of(Object::Room).gives::<RoomBody>().by(show),
        Route::put(one)
            .admin()
            .of(Object::Room)
            .takes::<Described>()
            .gives::<RoomBody>()
            .by(change),
        Route::delete(one).admin().of(Object::Room).by(remove),
    ]
}

/// A room, as the API says it.
#[derive(Serialize, ToSchema)]
#[schema(as = Room)]
pub struct RoomBody {
    id: Uuid,
    /// Unique; doors, classes and lessons use it.
    name: String,
    location: String,
    version: i64,
}

/// A new room.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewRoom)]
pub struct RoomForm {
    /// What people call it.
    name: String,
    /// How to get there.
    #[serde(default)]
    location: String,
}

/// What may change about a room.
#[derive(Deserialize, ToSchema)]
#[schema(as = RoomChange)]
pub struct Described {
    /// How to get there.
    location: String,
    /// Counts changes.
    version: Option<i64>,
}

impl From<Room> for RoomBody {
    fn from(Room { id, name, location, version }: Room) -> Self {
        Self { id, name, location, version }
    }
}

async fn index(call: Call) -> Outcome {
    let paged: Paged = call.query()?;
    let after = paged.after.clone().unwrap_or_default();
    let limit = rows(paged.limit);
    let read = call.app().db.read(move |tx| room::list(tx, &after, limit));
    let rooms: Vec<_> = read.await?.into_iter().map(RoomBody::from).collect();
    page(&call, &rooms, limit, rooms.last().map(|last| last.name.clone()))
}

async fn add(call: Call) -> Outcome {
    let RoomForm { name, location } = call.json()?;
    let new = NewRoom { name, location };
    let body = RoomBody::from(rooms::add(&call.app().db, new, call.actor()?, call.now).await?);
    created(&format!("/api/rooms/{}", body.id), &body)
}

async fn show(call: Call) -> Outcome {
    let name = call.param("id").to_owned();
    let room = RoomBody::from(call.app().db.read(move |tx| room::find(tx, &name)).await?);
    versioned(&room, room.version)
}

async fn change(call: Call) -> Outcome {
    let Described { location, version } = call.json()?;
    let room = call.param("id").to_owned();
    let version = call.version(version)?;
    let to = RoomChanges { room, location, version };
    let room = RoomBody::from(rooms::change(&call.app().db, to, call.actor()?, call.now).await?);
    versioned(&room, room.version)
}

async fn remove(call: Call) -> Outcome {
    let room = call.param("id").to_owned();
    let version = call.version(None)?;
    rooms::remove(&call.app().db, room, version, call.actor()?, call.now).await?;
    nothing()
}
