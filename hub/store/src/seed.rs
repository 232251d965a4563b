//! What only a made-up school asks.

use super::session::{self, Session};
use super::{Tx, params};
use rules::attendance::placing::Policy;
use rules::error::Error;
use uuid::Uuid;
use wire::Wall;

/// Whether anybody is on this hub.
pub fn is_used(tx: &Tx<'_>) -> Result<bool, Error> {
    Ok(tx.row("select 1 from student limit 1", [], |_| Ok(()))?.is_some())
}

/// Lessons that begin in this span.
pub fn lessons(tx: &Tx<'_>, from: Wall, until: Wall) -> Result<Vec<Session>, Error> {
    let sql = "select id from session where starts >= $1 and starts < $2 order by starts, id";
    let ids = tx.query(sql, params![from.0, until.0], |row| super::parsed::<Uuid>(row, 0))?;
    let found = ids.into_iter().map(|id| session::get(tx, id));
    Ok(found.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
}

/// Says how a class treats what doors say.
pub fn policy(tx: &Tx<'_>, class: Uuid, policy: &Policy) -> Result<(), Error> {
    let (name, line, budget) = match policy {
        Policy::Review => ("review", None, None),
        Policy::Auto { line, budget } => ("auto", Some(line), Some(budget)),
    };
    let sql = "update class set policy = $2, auto_line = $3, error_budget = $4 where id = $1";
    tx.execute(sql, params![class.to_string(), name, line, budget]).map(drop)
}
