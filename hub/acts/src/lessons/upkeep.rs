//! Lessons go on by themselves: made from the timetable days ahead, and closed as they end.

use crate::events::{Event, Events};
use crate::marks;
use crate::planning::maker;
use crate::upkeep::Upkeep;
use jiff::tz::TimeZone;
use rules::care::AsideKind;
use rules::error::Error;
use std::time::Duration;
use store::{Db, Tx, review, session};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use wire::pulse::Beat;

/// How often lessons that are over are looked for.
const CLOSE: Duration = Duration::from_secs(2);
/// Periods whose lessons are made in one transaction: a school has hundreds, and others write too.
const MADE_AT_ONCE: usize = 20;
/// Lessons closed in one look.
const CLOSED_AT_ONCE: u32 = 50;

/// What makes and closes lessons.
#[derive(Clone)]
pub struct LessonUpkeep {
    /// The database.
    pub db: Db,
    /// Who is told.
    pub events: Events,
    /// Where the school is.
    pub zone: TimeZone,
    /// What fails is tried again.
    pub upkeep: Upkeep,
}

impl LessonUpkeep {
    /// Makes the lessons of the days ahead from the timetable.
    pub async fn make(&self) -> Result<(), Error> {
        let now = self.upkeep.clock.wall();
        let of = self.zone.clone();
        let mut stale = self.db.read(move |tx| maker::stale(tx, &of, now)).await?;
        stale.retain(|id| self.upkeep.is_due(AsideKind::Period, &id.to_string()));
        let make = |some: Vec<Uuid>| {
            let zone = self.zone.clone();
            self.db.write_behind(move |tx| {
                let one = |id: &Uuid| maker::make(tx, maker::MakeFor::Period(*id), &zone, now);
                some.iter().try_for_each(|id| one(id).map(drop))
            })
        };
        for some in stale.chunks(MADE_AT_ONCE) {
            if make(some.to_vec()).await.is_ok() {
                some.iter()
                    .for_each(|id| self.upkeep.aside.done(AsideKind::Period, &id.to_string()));
                continue;
            }
            for id in some {
                self.upkeep.one(AsideKind::Period, &id.to_string(), make(vec![*id]).await)?;
            }
        }
        if !stale.is_empty() {
            tracing::info!(periods = stale.len(), "lessons were made from the timetable");
        }
        Ok(())
    }

    /// Closes lessons that are over: whoever is on their roster without a mark gets one. Says how
    /// many it closed.
    pub async fn close(&self) -> Result<usize, Error> {
        let now = self.upkeep.clock.wall();
        let aside =
            u32::try_from(self.upkeep.aside.count(AsideKind::Lesson)).unwrap_or(CLOSED_AT_ONCE);
        let most = CLOSED_AT_ONCE + aside;
        let mut over = self.db.read(move |tx| session::over(tx, now, most)).await?;
        over.retain(|id| self.upkeep.is_due(AsideKind::Lesson, &id.to_string()));
        let mut closed = 0;
        for id in over {
            // People may have changed it since it was looked for.
            let done = self.db.write_behind(move |tx| marks::end(tx, id, now)).await;
            if self.upkeep.one(AsideKind::Lesson, &id.to_string(), done)?.flatten().is_some() {
                self.events.say(Event::SessionClosed(id));
                closed += 1;
            }
        }
        Ok(closed)
    }

    /// Closes lessons as they end, and lets the faces of rejected sightings go, until `stop`.
    ///
    /// # Errors
    /// Never.
    pub async fn run(self, beat: Beat, stop: CancellationToken) -> Result<(), Error> {
        while stop.run_until_cancelled(tokio::time::sleep(CLOSE)).await.is_some() {
            beat.turn();
            self.turn().await;
        }
        Ok(())
    }

    /// One turn of it; nothing while the clock is not believed, or another hub does it.
    pub async fn turn(&self) {
        if !self.upkeep.is_ours() || !self.upkeep.is_believed().await {
            return;
        }
        self.upkeep.tried("closing lessons", self.close().await);
        let now = self.upkeep.clock.wall();
        let sweep = move |tx: &Tx<'_>| review::sweep_evidence(tx, now);
        self.upkeep.tried("sweeping evidence", self.db.write_behind(sweep).await);
    }
}
