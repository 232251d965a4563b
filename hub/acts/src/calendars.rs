//! Secret addresses under which a calendar program reads one's lessons.

use crate::auth;
use rules::auth::Actor;
use rules::error::Error;
use store::feed::{self, Feed};
use store::reader::Reader;
use store::{Db, Tx, class};
use uuid::Uuid;
use wire::Wall;

/// A new address, told once.
#[derive(Clone)]
pub struct NewFeed {
    /// Under which it is ended.
    pub id: Uuid,
    /// What its address ends with.
    pub secret: String,
}

/// Makes an address for the lessons of `class`, own id or code, or of all the reader teaches.
///
/// # Errors
/// `NotFound` for a class that is not theirs, `Conflict` when they have too many.
pub async fn add(
    db: &Db,
    reader: Reader,
    class: Option<String>,
    now: Wall,
) -> Result<NewFeed, Error> {
    let secret = auth::secret();
    let id = wire::id::v7(now);
    let digest = auth::digest(&secret);
    let work = move |tx: &Tx<'_>| {
        let class = class.map(|name| class::find(tx, reader, &name)).transpose()?;
        let account = reader.actor.user;
        let class = class.map(|class| class.id);
        feed::add(tx, &Feed { id, account, class, created_at: now }, &digest, now)
    };
    db.write(work).await?;
    Ok(NewFeed { id, secret })
}

/// Ends an address of the caller.
///
/// # Errors
/// `NotFound`, for a foreign one too.
pub async fn end(db: &Db, by: Actor, id: Uuid, now: Wall) -> Result<(), Error> {
    db.write(move |tx| feed::remove(tx, by.user, id, now)).await
}
