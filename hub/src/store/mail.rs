//! Table `mail`: what is to be sent, and what became of it.

use super::{Tx, params};
use crate::error::Error;
use wire::StudentId;

/// Forgets every mail about an erased person, sent or not.
///
/// # Errors
/// When the database fails.
pub fn forget(tx: &Tx<'_>, student: StudentId) -> Result<usize, Error> {
    tx.execute("delete from mail where student = $1", params![student.to_string()])
}
