//! Rooms: an admin names them, says how to get there, and takes them away.

use rules::auth::Actor;
use rules::error::Error;
use rules::version::as_read;
use store::{Db, Tx};

use store::room::{self, Room};
use wire::Wall;

/// A new room.
#[derive(Clone, Debug)]
pub struct NewRoom {
    /// What people call it.
    pub name: String,
    /// How to get there.
    pub location: String,
}

/// What changes about a room.
#[derive(Clone, Debug)]
pub struct RoomChanges {
    /// Own id or name.
    pub room: String,
    /// How to get there.
    pub location: String,
    /// The version that was read.
    pub version: Option<i64>,
}

/// A new room.
///
/// # Errors
/// `Conflict` when there is one of this name, `Invalid` for a name that cannot be.
pub async fn add(db: &Db, new: NewRoom, by: Actor, now: Wall) -> Result<Room, Error> {
    let actor = by.user.to_string();
    db.write(move |tx| room::add(tx, &new.name, &new.location, &actor, now)).await
}

/// Says anew how to get to a room.
///
/// # Errors
/// `NotFound`; `Conflict` when it was changed meanwhile.
pub async fn change(db: &Db, to: RoomChanges, by: Actor, now: Wall) -> Result<Room, Error> {
    let actor = by.user.to_string();
    let work = move |tx: &Tx<'_>| {
        let room = room::find(tx, &to.room)?;
        room::describe(tx, &room, &to.location, to.version, &actor, now)
    };
    db.write(work).await
}

/// Takes a room away.
///
/// # Errors
/// `NotFound`; `Conflict` while something is there, or when it was changed since `version`.
pub async fn remove(
    db: &Db,
    name: String,
    version: Option<i64>,
    by: Actor,
    now: Wall,
) -> Result<(), Error> {
    let actor = by.user.to_string();
    let work = move |tx: &Tx<'_>| {
        let room = room::find(tx, &name)?;
        as_read(room.version, version)?;
        room::remove(tx, &room, &actor, now)
    };
    db.write(work).await
}
