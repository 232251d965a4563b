//! Table `setting`: small facts of the site.

use super::{Tx, params};
use rules::error::{Doing, Error};
use wire::Epoch;

/// The value of `name`.
pub fn get(tx: &Tx<'_>, name: &str) -> Result<Option<String>, Error> {
    tx.row("select value from setting where name = $1", params![name], |row| row.get(0))
}

/// Sets `name` to `value`.
pub fn set(tx: &Tx<'_>, name: &str, value: &str) -> Result<(), Error> {
    let sql = "insert into setting (name, value) values ($1, $2)
         on conflict (name) do update set value = excluded.value";
    tx.execute(sql, params![name, value]).map(drop)
}

/// Takes `name` away.
pub fn remove(tx: &Tx<'_>, name: &str) -> Result<(), Error> {
    tx.execute("delete from setting where name = $1", params![name]).map(drop)
}

/// The life of this database: doors send everything above our cursor anew when it changes.
///
/// # Errors
/// When the database fails, or was never set up.
pub fn hub_epoch(tx: &Tx<'_>) -> Result<Epoch, Error> {
    let text = get(tx, "hub_epoch")?.ok_or_else(|| {
        Error::internal("reading the hub's epoch", "the database was not made by init")
    })?;
    text.parse().doing("reading the hub's epoch")
}
