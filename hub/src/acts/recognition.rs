//! From which score on a face is a person: an admin chooses, and every search and door follows.

use super::people::People;
use crate::gallery::lines::{self, Choice};
use config::Lines;
use rules::auth::Actor;
use rules::error::Error;
use wire::Wall;

/// Where lines are chosen; cheap to clone.
#[derive(Clone)]
pub struct Recognition {
    /// Who follows.
    pub people: People,
    /// The lines of the hub's own file.
    pub file: Lines,
}

impl Recognition {
    /// Whether the hub's file sets the lines.
    #[must_use]
    pub fn is_fixed(&self) -> bool {
        let own = self.file.of(self.people.galleries.gallery.model().as_str());
        own.is_ok_and(|(lines, _)| lines.is_some())
    }

    /// Keeps a choice, or (nothing) goes back to the network's own lines, and makes the releases
    /// that follow.
    ///
    /// # Errors
    /// `Conflict` where the hub's file sets the lines, `Invalid` for lines that cannot be.
    pub async fn choose(&self, new: Option<Choice>, by: Actor, now: Wall) -> Result<(), Error> {
        if self.is_fixed() {
            let say = "the hub's own file sets the lines: remove lines.high and lines.review there";
            return Err(Error::Conflict(say.into()));
        }
        let usual = self.people.galleries.gallery.index().usual();
        let new = new.map(|new| new.checked(&usual)).transpose()?;
        let actor = by.user.to_string();
        self.people.db.write(move |tx| lines::choose(tx, new, &actor, now)).await?;
        self.people.follow().await
    }
}
