//! Tokens by which a program sends pictures in a door's name.

use crate::auth;
use rules::error::Error;
use store::Db;
use store::device::capture_token::{self, TokenLife};
use wire::{DeviceId, Wall};

/// What every such token begins with.
pub const CAPTURE_TOKEN: &str = "door_";
/// Days a token counts unless somebody says otherwise.
const DAYS: i64 = 90;
/// Milliseconds of an hour.
const HOUR_MS: i64 = 3_600_000;

/// How long a new token is to count.
#[derive(Clone, Copy, Debug, Default)]
pub struct Lifetime {
    /// Days.
    pub days: Option<i64>,
    /// Hours for which the token before it counts besides.
    pub overlap_hours: Option<i64>,
}

/// A token that was just made.
pub struct CaptureTokenGiven {
    /// What a program shows; nobody can read it again.
    pub token: String,
    /// Until when.
    pub until: Wall,
}

impl Lifetime {
    fn from(self, now: Wall) -> Result<TokenLife, Error> {
        let days = self.days.unwrap_or(DAYS);
        let hours = self.overlap_hours.unwrap_or(0);
        if !(1..=365).contains(&days) {
            return Err(Error::field("days", "give a number from 1 to 365"));
        }
        if !(0..=72).contains(&hours) {
            return Err(Error::field("overlap_hours", "give a number from 0 to 72"));
        }
        let until = now.plus_ms(days * 24 * HOUR_MS);
        let overlap = now.plus_ms(hours * HOUR_MS);
        Ok(TokenLife { from: now, until, overlap })
    }
}

/// Gives the door `id` a new token.
///
/// # Errors
/// `NotFound`; `Conflict` when the door is cut off; `Field` for a life that cannot be.
pub async fn give(
    db: &Db,
    id: DeviceId,
    life: Lifetime,
    by: String,
    now: Wall,
) -> Result<CaptureTokenGiven, Error> {
    let life = life.from(now)?;
    let token = format!("{CAPTURE_TOKEN}{}", auth::secret());
    let digest = auth::digest(&token);
    db.write(move |tx| capture_token::add(tx, &id, &digest, life, &by)).await?;
    Ok(CaptureTokenGiven { token, until: life.until })
}

/// When the newest token of the door `id` ends, if it has one that counts.
///
/// # Errors
/// `NotFound` for the door.
pub async fn until(db: &Db, id: &DeviceId, now: Wall) -> Result<Option<Wall>, Error> {
    let id = id.clone();
    let read = move |tx: &store::Tx<'_>| {
        super::there(tx, &id)?;
        capture_token::until(tx, &id, now)
    };
    db.read(read).await
}

/// Ends the tokens of the door `id`.
///
/// # Errors
/// `NotFound` for the door.
pub async fn end(db: &Db, id: DeviceId, by: String, now: Wall) -> Result<(), Error> {
    db.write(move |tx| capture_token::end(tx, &id, &by, now)).await
}
