//! Days without lessons: an admin says them, and the lessons of the days ahead follow.

use crate::planning::maker::{MakeFor, make};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rules::auth::Actor;
use rules::error::Error;
use rules::timetable::Holiday;
use store::{Db, Tx, holiday};
use uuid::Uuid;
use wire::Wall;

/// Days without lessons, as somebody says them.
#[derive(Clone, Debug)]
pub struct Days {
    /// What people call them.
    pub name: String,
    /// The first.
    pub from: Date,
    /// The last, inclusive.
    pub to: Date,
}

/// Adds a holiday, and takes its lessons out of the days ahead.
///
/// # Errors
/// `Invalid` for days that cannot be.
pub async fn add(
    db: &Db,
    zone: &TimeZone,
    days: Days,
    by: Actor,
    now: Wall,
) -> Result<Holiday, Error> {
    let id = wire::id::v7(now);
    let zone = zone.clone();
    let Days { name, from, to } = days;
    let new = Holiday { id, name, from, to };
    db.write(move |tx| put(tx, &new, &zone, HolidaySaid { by, now })).await
}

/// Changes a holiday.
///
/// # Errors
/// `NotFound`; `Invalid` for days that cannot be.
pub async fn change(
    db: &Db,
    zone: &TimeZone,
    to: Holiday,
    by: Actor,
    now: Wall,
) -> Result<Holiday, Error> {
    let zone = zone.clone();
    let work = move |tx: &Tx<'_>| {
        holiday::get(tx, to.id)?;
        put(tx, &to, &zone, HolidaySaid { by, now })
    };
    db.write(work).await
}

/// Takes the holiday `id` away; its lessons come back.
///
/// # Errors
/// `NotFound`.
pub async fn remove(db: &Db, zone: &TimeZone, id: Uuid, by: Actor, now: Wall) -> Result<(), Error> {
    let actor = by.user.to_string();
    let zone = zone.clone();
    let work = move |tx: &Tx<'_>| {
        holiday::remove(tx, id, &actor, now)?;
        make(tx, MakeFor::Everybody, &zone, now).map(drop)
    };
    db.write(work).await
}

/// Who says it, and when.
struct HolidaySaid {
    by: Actor,
    now: Wall,
}

fn put(
    tx: &Tx<'_>,
    holiday: &Holiday,
    zone: &TimeZone,
    HolidaySaid { by, now }: HolidaySaid,
) -> Result<Holiday, Error> {
    holiday::put(tx, holiday, &by.user.to_string(), now)?;
    make(tx, MakeFor::Everybody, zone, now)?;
    holiday::get(tx, holiday.id)
}
