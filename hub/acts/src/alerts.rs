//! Watches over the doors: what is wrong with one for long enough is written down once, and so is
//! its end. Mail and webhooks follow from the rows (`outgoing`).

use crate::doors::boards::Boards;
use crate::doors::state::faults;
use crate::events::{Event, Events};
use crate::upkeep::{Upkeep, rest};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use rules::alerts::{
    AlertFacts, AlertKind, AlertNews, AlertWatch, SchoolDay, is_open, old_programs,
};
use rules::error::{Doing, Error};
use rules::timetable::{day, day_of};
use std::time::Duration;
use store::{Db, Tx, alert, care, holiday};
use tokio_util::sync::CancellationToken;
use wire::pulse::Beat;
use wire::{Mono, Wall};

/// How often it looks.
const LOOK: Duration = Duration::from_secs(30);
/// Days around this one in which a school that plans has lessons.
const AROUND: i64 = 14;
/// The hub's own program.
const PROGRAM: &str = env!("CARGO_PKG_VERSION");

/// What watches over the doors; cheap to clone.
#[derive(Clone)]
pub struct Alerts {
    /// The database.
    pub db: Db,
    /// How doors' boards are.
    pub boards: Boards,
    /// Where the school is.
    pub zone: TimeZone,
    /// Who is told.
    pub events: Events,
    /// What fails is tried again.
    pub upkeep: Upkeep,
}

impl Alerts {
    /// Watches until `stop`. What fails is noted, and the next look is the retry.
    ///
    /// # Errors
    /// Never.
    pub async fn run(self, beat: Beat, stop: CancellationToken) -> Result<(), Error> {
        let mut watch = AlertWatch::default();
        while !stop.is_cancelled() {
            beat.turn();
            if self.upkeep.is_ours() {
                self.upkeep.tried("watching over doors", self.look(&mut watch).await);
            } else {
                // What it had seen says nothing of when it watches again.
                watch = AlertWatch::default();
            }
            rest(LOOK, &beat, &stop).await;
        }
        Ok(())
    }

    /// One look at all doors: what follows from it is written in one transaction.
    pub async fn look(&self, watch: &mut AlertWatch) -> Result<(), Error> {
        let (now, mono) = self.upkeep.now();
        let (boards, zone) = (self.boards.clone(), self.zone.clone());
        let facts = self.db.read(move |tx| facts(tx, &boards, &zone, (now, mono))).await?;
        let news = watch.look(&facts, mono);
        if news.is_empty() {
            return Ok(());
        }
        let told = news.clone();
        self.db.write(move |tx| write(tx, &told, now)).await?;
        let doors = news.begins.into_keys().chain(news.ends.into_keys()).map(|(door, _)| door);
        doors.for_each(|door| self.events.say(Event::DeviceChanged(door)));
        Ok(())
    }
}

fn write(tx: &Tx<'_>, news: &AlertNews, now: Wall) -> Result<(), Error> {
    let look = wire::id::v7(now);
    let ago = |ms: u64| now.plus_ms(-i64::try_from(ms).unwrap_or(0));
    news.begins.iter().try_for_each(|(of, held)| alert::begin(tx, of, ago(*held), look, now))?;
    news.ends.iter().try_for_each(|(of, away)| alert::end(tx, of, ago(*away), look))
}

/// What is known of all doors.
fn facts(
    tx: &Tx<'_>,
    boards: &Boards,
    zone: &TimeZone,
    (now, mono): (Wall, Mono),
) -> Result<AlertFacts, Error> {
    let open_now = is_open(&school_day(tx, zone, now)?, now);
    let mut facts = AlertFacts { open: alert::open(tx)?, ..AlertFacts::default() };
    let mut programs = Vec::new();
    for known in care::doors(tx)? {
        let device = &known.device;
        let id = device.id.clone();
        facts.doors.insert(id.clone());
        if device.online {
            let board = boards.of(&id, mono).vitals;
            let found = faults(&known, board, now).map(|(kind, is)| ((id.clone(), kind), is));
            facts.seen.extend(found);
            facts.seen.insert((id.clone(), AlertKind::Offline), false);
            programs.push((id, known.device.software));
        } else if device.last_seen.is_some() && open_now {
            facts.seen.insert((id, AlertKind::Offline), true);
        }
    }
    let old = old_programs(&programs, PROGRAM).into_iter();
    facts.seen.extend(old.map(|(door, is)| ((door, AlertKind::OldProgram), is)));
    Ok(facts)
}

fn school_day(tx: &Tx<'_>, zone: &TimeZone, now: Wall) -> Result<SchoolDay, Error> {
    let doing = "looking when the school is open";
    let today = day(now, zone);
    let around = Span::new().days(AROUND);
    let weeks = (today.checked_sub(around).doing(doing)?, today.checked_add(around).doing(doing)?);
    let weeks = (day_of(weeks.0, zone)?.0, day_of(weeks.1, zone)?.1);
    let at = Timestamp::from_millisecond(now.0).doing(doing)?;
    Ok(SchoolDay {
        is_holiday: !holiday::between(tx, today, today)?.is_empty(),
        lessons: alert::lessons(tx, day_of(today, zone)?)?,
        is_planned: alert::lessons(tx, weeks)?.is_some(),
        hour: at.to_zoned(zone.clone()).hour(),
    })
}
