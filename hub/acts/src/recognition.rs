//! From which score on a face is a person: an admin chooses, and every search and door follows.

use super::people::People;
use crate::gallery::lines::{self, Choice};
use config::LinesSetting;
use rules::auth::Actor;
use rules::error::Error;
use rules::scores::{Histogram, SiteScores};
use store::{Tx, score};
use vision::decide;
use wire::Wall;

/// Pairs of enrolled people that are compared.
const PAIRS: usize = 20_000;

/// Where lines are chosen; cheap to clone.
#[derive(Clone)]
pub struct Recognition {
    /// Who follows.
    pub people: People,
    /// The lines of the hub's own file.
    pub file: LinesSetting,
}

impl Recognition {
    /// Whether the hub's file sets the lines.
    #[must_use]
    pub fn is_fixed(&self) -> bool {
        let own = self.file.of(self.people.galleries.gallery.model().as_str());
        own.is_ok_and(|(lines, _)| lines.is_some())
    }

    /// What is known of the site.
    pub async fn site(&self) -> Result<SiteScores, Error> {
        let People { db, galleries, .. } = &self.people;
        let index = galleries.gallery.index();
        let model = galleries.gallery.model().clone();
        let usual = index.usual();
        let read = move |tx: &Tx<'_>| {
            Ok((score::decided(tx, &model, &usual)?, lines::chosen(tx)?.is_some()))
        };
        let (scores, chosen) = db.read(read).await?;
        // Figures are for a school, however empty it still is.
        let lines = index.lines();
        let guard = index.guard();
        let people = index.len().max(1);
        let strangers = tokio::task::spawn_blocking(move || index.strangers(PAIRS)).await;
        let mut pairs = Histogram::default();
        strangers.unwrap_or_default().iter().for_each(|cosine| pairs.add(f64::from(*cosine), 1));
        let measured = usual == decide::LINES;
        Ok(SiteScores { scores, pairs, lines, usual, guard, people, measured, chosen })
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
        self.people.follow().await;
        Ok(())
    }
}
