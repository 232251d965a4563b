//! What a place carries while a school moves in, and after it moved out: nobody opens either.

use crate::{Tx, setting};
use rules::error::Error;
use std::fmt::Display;

/// The setting that says which school is on its way here.
pub(crate) const MARK: &str = "moving";
/// The setting that says where the school went.
pub(crate) const GONE: &str = "moved";

/// Refuses a place that is not filled yet, or was left.
pub(crate) fn refuse(tx: &Tx<'_>, place: impl Display) -> Result<(), Error> {
    refuse_half(tx, &place)?;
    refuse_left(tx, &place)
}

/// Refuses a place that is not filled yet.
pub(crate) fn refuse_half(tx: &Tx<'_>, place: impl Display) -> Result<(), Error> {
    match setting::get(tx, MARK)? {
        None => Ok(()),
        Some(_) => Err(Error::Conflict(format!(
            "{place} is not filled yet: run the same `rollcall-hub move` again, and it goes on"
        ))),
    }
}

/// Refuses a place that its school left.
pub(crate) fn refuse_left(tx: &Tx<'_>, place: impl Display) -> Result<(), Error> {
    match setting::get(tx, GONE)? {
        None => Ok(()),
        Some(to) => Err(Error::Conflict(format!(
            "the school in {place} moved to {to}: set “database” to that"
        ))),
    }
}
