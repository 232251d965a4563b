//! Whether something is still as somebody read it before they changed it.

use crate::error::Error;

/// Nothing where the version that was `read` is the one that is; whoever names none takes it as it
/// is.
///
/// # Errors
/// `Conflict`.
pub fn as_read(version: i64, read: Option<i64>) -> Result<(), Error> {
    match read.is_none_or(|read| read == version) {
        true => Ok(()),
        false => Err(Error::Conflict("this was changed meanwhile: look again".into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_changed_since_it_was_read_is_a_conflict_and_whoever_read_nothing_has_none() {
        assert!(as_read(3, Some(3)).is_ok() && as_read(3, None).is_ok());
        assert!(matches!(as_read(3, Some(2)), Err(Error::Conflict(_))));
    }
}
