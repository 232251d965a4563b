//! Table `idempotency`: what a write was answered, so that sending it twice does it once.

use super::{Row, Tx, params};
use rules::error::Error;
use uuid::Uuid;
use wire::Wall;

/// Answers are kept this long, milliseconds: a day.
pub const KEPT_MS: i64 = 24 * 60 * 60 * 1000;

/// Which request: whose, under which key, to which route.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IdempotencyPlace {
    /// The account.
    pub account: Uuid,
    /// Digest of the key.
    pub key: Vec<u8>,
    /// Method and pattern of the route.
    pub route: String,
}

/// What a request with a key meets.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum IdempotencyBegun {
    /// Nobody sent it before: answer it.
    New,
    /// It was answered; the answer, sealed.
    Answered(Vec<u8>),
    /// The first one is not answered yet, or the hub stopped in the middle of it.
    Unfinished,
    /// The key was used for something else.
    Other,
}

/// Takes the place for a request with this `hash`, unless somebody did within a day.
pub fn begin(
    tx: &Tx<'_>,
    place: &IdempotencyPlace,
    hash: &[u8],
    now: Wall,
) -> Result<IdempotencyBegun, Error> {
    tx.execute("delete from idempotency where created_at < $1", [now.0 - KEPT_MS])?;
    let sql = "select hash, answer from idempotency
         where account = $1 and key = $2 and route = $3";
    let IdempotencyPlace { account, key, route } = place;
    let account = account.to_string();
    let read = |row: &Row<'_>| Ok((row.get::<Vec<u8>>(0)?, row.get(1)?));
    match tx.row(sql, params![account, key, route], read)? {
        Some((old, _)) if old != hash => Ok(IdempotencyBegun::Other),
        Some((_, Some(answer))) => Ok(IdempotencyBegun::Answered(answer)),
        Some((_, None)) => Ok(IdempotencyBegun::Unfinished),
        None => {
            let sql = "insert into idempotency (account, key, route, hash, created_at)
                 values ($1, $2, $3, $4, $5)";
            tx.execute(sql, params![account, key, route, hash, now.0])?;
            Ok(IdempotencyBegun::New)
        }
    }
}

/// Keeps the sealed answer.
pub fn keep(tx: &Tx<'_>, place: &IdempotencyPlace, answer: &[u8]) -> Result<(), Error> {
    let sql = "update idempotency set answer = $4
         where account = $1 and key = $2 and route = $3";
    let IdempotencyPlace { account, key, route } = place;
    tx.execute(sql, params![account.to_string(), key, route, answer]).map(drop)
}

/// Frees the place: the request was refused and changed nothing, so it may be tried again.
pub fn free(tx: &Tx<'_>, place: &IdempotencyPlace) -> Result<(), Error> {
    let sql = "delete from idempotency where account = $1 and key = $2 and route = $3";
    let IdempotencyPlace { account, key, route } = place;
    tx.execute(sql, params![account.to_string(), key, route]).map(drop)
}
