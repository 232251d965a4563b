//! Several hubs of one school side by side. What must be one is in the database; what must be told
//! is told here: pages that are open, doors that are connected elsewhere, who is there.
//!
//! Nothing waits for a word, and a word that is lost harms nothing: whoever may have missed one
//! reads the tables again. Words are sealed with a key that only hubs of the school have, so that
//! whoever runs the database neither reads nor says any.

pub mod frame;

use crate::doors::boards::Boards;
use crate::events::Events;
use crate::hubs::Hubs;
use crate::hubs::roll::Run;
use crate::jobs::Jobs;
use crate::online::Online;
use crate::snaps::Snaps;
use crate::tails::Tails;
use crate::upkeep::Upkeep;
use crate::word::{Event, Word};
use frame::{Cutter, Frame, Joined, Joiner};
use rules::error::{Doing, Error};
use std::time::Duration;
use store::keys::Keys;
use store::line::{Heard, Line};
use store::{Tx, device};
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;
use wire::DeviceId;
use wire::link::Command;
use wire::pulse::Beat;

/// How often a hub says that it is there.
const EVERY: Duration = Duration::from_secs(1);
/// What words are sealed for.
const PLACE: &str = "line between hubs";
/// The program of this hub.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What listens to the other hubs, and tells them; cheap to clone.
#[derive(Clone)]
pub struct Neighbours {
    /// This hub.
    pub hubs: Hubs,
    /// What words are sealed with.
    pub keys: Keys,
    /// Who is told what happened elsewhere.
    pub events: Events,
    /// Which doors are connected here.
    pub online: Online,
    /// What cameras show when somebody asked.
    pub snaps: Snaps,
    /// What doors logged when somebody asked.
    pub tails: Tails,
    /// How doors' boards are.
    pub boards: Boards,
    /// Long work.
    pub jobs: Jobs,
    /// What fails is tried again.
    pub upkeep: Upkeep,
}

impl Neighbours {
    /// Tells and listens until `stop`.
    ///
    /// # Errors
    /// When the line cannot be set up.
    pub async fn run(self, beat: Beat, stop: CancellationToken) -> Result<(), Error> {
        let none = || Error::internal("telling other hubs", "there is no server");
        let mut said = self.hubs.out().listen().ok_or_else(none)?;
        let mut line = self.upkeep.db.line()?.ok_or_else(none)?;
        let mut cutter = Cutter::new(rand::random());
        let mut joiner = Joiner::new(cutter.run());
        let mut tick = tokio::time::interval(EVERY);
        while !stop.is_cancelled() {
            tokio::select! {
                () = stop.cancelled() => {}
                _ = tick.tick() => {
                    beat.turn();
                    let here = Word::Here { name: self.hubs.name().into(), version: VERSION.into() };
                    self.say(&line, &mut cutter, &here)?;
                    self.look(&mut joiner).await;
                }
                word = said.recv() => match word {
                    Ok(word) => self.say(&line, &mut cutter, &word)?,
                    Err(RecvError::Lagged(_)) => self.say(&line, &mut cutter, &Word::Missed)?,
                    Err(RecvError::Closed) => return Err(none()),
                },
                heard = line.heard.recv() => match heard {
                    Some(Heard::Said(sealed)) => self.hear(&mut joiner, &sealed)?,
                    Some(Heard::Missed) => {
                        let now = self.upkeep.clock.mono();
                        self.hubs.roll(|roll| roll.excuse(now));
                        self.missed();
                    }
                    None => return Err(none()),
                },
            }
        }
        self.say(&line, &mut cutter, &Word::Bye)
    }

    /// Says it; what does not fit is lost, and its number tells the others.
    fn say(&self, line: &Line, cutter: &mut Cutter, word: &Word) -> Result<(), Error> {
        let doing = "telling other hubs";
        let word = postcard::to_stdvec(word).doing(doing)?;
        for frame in cutter.cut(&word, self.upkeep.clock.wall()) {
            let sealed = self.keys.seal(PLACE, &postcard::to_stdvec(&frame).doing(doing)?);
            let _lost_and_noticed = line.say.try_send(sealed);
        }
        Ok(())
    }

    /// What was not sealed by a hub of this school, or is said in words of a newer one, says
    /// nothing.
    fn hear(&self, joiner: &mut Joiner, sealed: &[u8]) -> Result<(), Error> {
        let Ok(plain) = self.keys.unseal(PLACE, sealed) else {
            rules::security!("hubs", "a word that no hub of this school said was passed over");
            return Ok(());
        };
        let Ok(frame) = postcard::from_bytes::<Frame>(&plain) else { return Ok(()) };
        match joiner.take(frame, self.upkeep.clock.wall()) {
            Joined::Nothing => {}
            Joined::Missed => self.missed(),
            Joined::Word(run, word) => {
                if let Ok(word) = postcard::from_bytes(&word) {
                    self.heard(run, word);
                }
            }
        }
        Ok(())
    }

    /// Somebody may have said something that was not heard.
    fn missed(&self) {
        self.events.relay(Event::Missed);
    }

    fn heard(&self, run: Run, word: Word) {
        let (wall, now) = self.upkeep.now();
        match word {
            Word::Here { name, version } => {
                let new = self.hubs.roll(|roll| roll.here(run, name.clone(), version, now));
                if new {
                    tracing::info!(hub = name, "another hub is there");
                }
            }
            Word::Bye => self.hubs.roll(|roll| roll.bye(run)),
            Word::Event(event) => self.events.relay(event),
            Word::Missed => self.missed(),
            Word::Entered(door) => self.online.leave(&door),
            Word::Ask { id, door, order } => self.tell(id, &door, order),
            Word::Told { id, taken } => self.hubs.told(id, taken),
            Word::Snap(door, snap) => self.snaps.relay(&door, snap, now),
            Word::Tail(door, tail) => self.tails.relay(&door, tail, (wall, now)),
            Word::Vitals(door, vitals) => self.boards.relay_vitals(&door, vitals, now),
            Word::Condition(door, condition) => self.boards.relay_condition(&door, condition, now),
            Word::Running(door, running) => self.boards.relay_running(&door, running),
            Word::Cancel(job) => self.jobs.relay_cancel(job),
        }
    }

    /// Tells a door that is connected here what somebody wants at another hub.
    fn tell(&self, id: u64, door: &DeviceId, order: Command) {
        if !self.online.has(door) {
            return;
        }
        let now = self.upkeep.clock.mono();
        match order {
            Command::Snap => self.snaps.ask(door, now),
            Command::Log => self.tails.ask(door, now),
            Command::Restart | Command::Reload => {}
        }
        let taken = self.online.command(door, order).is_ok();
        self.hubs.out().say(|| Word::Told { id, taken });
    }

    /// Whether hubs are gone: what they had yet to say is looked for, and their doors are noted.
    async fn look(&self, joiner: &mut Joiner) {
        let gone = self.hubs.roll(|roll| roll.gone(self.upkeep.clock.mono()));
        for (run, name) in gone {
            tracing::warn!(hub = name, "another hub is gone");
            joiner.forget(run);
            self.missed();
            if self.hubs.roll(|roll| roll.has(&name)) {
                continue;
            }
            let inherited = name.clone();
            let note = move |tx: &Tx<'_>| device::offline_at(tx, &name, &[]);
            let noted = self.upkeep.db.write_behind(note).await;
            self.upkeep.tried("noting doors that are gone", noted);
            let ended = self.jobs.inherit(inherited).await;
            self.upkeep.tried("ending jobs that were cut short", ended);
        }
    }
}
