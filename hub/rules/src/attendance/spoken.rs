//! What a person says of a student by hand, as a mark.

use super::{Mark, Source, Status};
use crate::error::Error;
use wire::Wall;

/// Longest note, bytes.
const NOTE: usize = 2000;

/// A person's word about one student.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SpokenWord {
    /// Whether they are there.
    pub status: Status,
    /// When they came, and what is noted with it.
    pub details: Details,
    /// Which marks give way to it.
    pub over: Over,
}

/// When somebody came, and what is noted with their mark.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Details {
    /// As the mark has them that stands there.
    Kept,
    /// As the person says.
    Said {
        /// When they came, if that is known.
        arrived_at: Option<Wall>,
        /// What is noted.
        notes: Option<String>,
    },
}

/// Which marks give way to a word; those that do not are left alone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Over {
    /// Each.
    Any,
    /// The one that the person looked at, by its [`stamp`]: another one is somebody's who was
    /// faster.
    Seen(String),
    /// One of whoever no door can know, or none.
    Unverified,
    /// One that says otherwise: who is late is there, and who is excused is not.
    Other,
}

/// Which mark somebody looked at.
#[must_use]
pub fn stamp(mark: Option<&Mark>) -> String {
    mark.map_or_else(|| "0".to_owned(), |mark| format!("{}-{}", mark.version, mark.at.0))
}

/// Whether `old` is the mark that somebody looked at; without a stamp it is.
///
/// # Errors
/// `Conflict` when it is another one.
pub fn unchanged(old: Option<&Mark>, seen: Option<&str>) -> Result<(), Error> {
    match seen.is_none_or(|seen| seen == stamp(old)) {
        true => Ok(()),
        false => Err(Error::Conflict("this mark was changed meanwhile: look again".into())),
    }
}

impl SpokenWord {
    /// The mark that `by` makes with this word where `old` stands; none where that is left alone.
    ///
    /// # Errors
    /// `Conflict` when somebody was faster; `Invalid` for details that do not fit.
    pub fn over(self, old: Option<&Mark>, by: &str, now: Wall) -> Result<Option<Mark>, Error> {
        if !self.over.admits(old, self.status)? {
            return Ok(None);
        }
        let status = self.status;
        let there = status.was_there();
        let (arrived_at, notes) = match self.details {
            Details::Kept => {
                let arrived = old.and_then(|old| old.arrived_at).filter(|_| there);
                (arrived, old.and_then(|old| old.notes.clone()))
            }
            Details::Said { arrived_at, notes } => (arrived_at, checked(notes)?),
        };
        if arrived_at.is_some() && !there {
            return Err(Error::Invalid("arrived_at: only who is there has arrived".into()));
        }
        let source = Source::Manual;
        let by = by.to_owned();
        Ok(Some(Mark {
            status,
            source,
            sighting: None,
            arrived_at,
            by,
            at: now,
            notes,
            version: 1,
        }))
    }
}

impl Over {
    fn admits(&self, old: Option<&Mark>, new: Status) -> Result<bool, Error> {
        let stands = old.map(|old| old.status);
        match self {
            Self::Any => Ok(true),
            Self::Seen(seen) => unchanged(old, Some(seen)).map(|()| true),
            Self::Unverified => Ok(stands.is_none_or(|stands| stands == Status::Unverified)),
            Self::Other => Ok(match new {
                Status::Present => !stands.is_some_and(Status::was_there),
                Status::Absent => stands != Some(Status::Excused),
                _ => true,
            }),
        }
    }
}

/// A note without the space around it; an empty one is none.
fn checked(notes: Option<String>) -> Result<Option<String>, Error> {
    let notes = notes.map(|note| note.trim().to_owned()).filter(|note| !note.is_empty());
    match notes.as_ref().is_some_and(|note| note.len() > NOTE) {
        true => Err(Error::Invalid(format!("notes: use at most {NOTE} bytes"))),
        false => Ok(notes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(status: Status, over: Over) -> SpokenWord {
        SpokenWord { status, details: Details::Kept, over }
    }

    fn came(status: Status) -> Mark {
        let (by, notes) = ("hub".to_owned(), Some("by bus".to_owned()));
        let arrived_at = Some(Wall(7));
        let at = Wall(8);
        Mark { status, source: Source::Door, sighting: None, arrived_at, by, at, notes, version: 3 }
    }

    #[test]
    fn what_was_noted_stays_and_so_does_when_somebody_came_who_is_there() {
        let old = came(Status::Present);
        let said = |status| word(status, Over::Any).over(Some(&old), "ada", Wall(9)).unwrap();
        let late = said(Status::Late).unwrap();
        assert_eq!((late.arrived_at, late.notes.as_deref()), (Some(Wall(7)), Some("by bus")));
        let absent = said(Status::Absent).unwrap();
        assert_eq!((absent.arrived_at, absent.notes.as_deref()), (None, Some("by bus")));
        assert_eq!((absent.source, absent.by.as_str()), (Source::Manual, "ada"));
    }

    #[test]
    fn details_that_do_not_fit_are_refused() {
        let said = |arrived_at, notes| {
            let details = Details::Said { arrived_at, notes };
            SpokenWord { status: Status::Absent, details, over: Over::Any }.over(
                None,
                "ada",
                Wall(9),
            )
        };
        assert!(matches!(said(Some(Wall(7)), None), Err(Error::Invalid(_))));
        assert!(matches!(said(None, Some("x".repeat(NOTE + 1))), Err(Error::Invalid(_))));
        assert_eq!(said(None, Some("  ".into())).unwrap().unwrap().notes, None);
    }

    #[test]
    fn whoever_was_faster_wins_over_a_page_that_is_old() {
        let (old, now) = (came(Status::Present), Wall(9));
        let seen = |stamp: &str| word(Status::Absent, Over::Seen(stamp.into()));
        assert!(seen("3-8").over(Some(&old), "ada", now).unwrap().is_some());
        for stale in ["2-8", "0", ""] {
            let told = seen(stale).over(Some(&old), "ada", now);
            assert!(matches!(told, Err(Error::Conflict(_))), "{stale}");
        }
        assert!(seen("0").over(None, "ada", now).unwrap().is_some());
    }

    #[test]
    fn a_mark_that_says_as_much_already_is_left_alone() {
        let left = |new, over: &Over, old| {
            word(new, over.clone()).over(Some(&came(old)), "ada", Wall(9)).unwrap().is_none()
        };
        assert!(left(Status::Present, &Over::Other, Status::Late));
        assert!(left(Status::Absent, &Over::Other, Status::Excused));
        assert!(!left(Status::Absent, &Over::Other, Status::Late));
        assert!(left(Status::Present, &Over::Unverified, Status::Absent));
        assert!(!left(Status::Present, &Over::Unverified, Status::Unverified));
    }
}
