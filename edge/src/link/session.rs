//! One connection as a state machine: events and the time go in, actions come out.
//!
//! Subscribe, greet, and once the hub has said where it stands, send: at most `window` batches
//! on the way, each again until the hub acknowledges it. Everything is forgotten with the
//! connection; what counts is in the outbox.

use super::flight::{Flight, numbers};
use crate::outbox::{Acked, Cursor, Parcel, anew};
use rand::rngs::StdRng;
use wire::care::{Condition, Grasp, Running, Tail};
use wire::link::{
    Ack, Batch, Command, Desired, Greeting, Heard, Hello, Interest, Reported, Run, Settings, Snap,
    Status, Time, Vitals, WINDOW,
};
use wire::program::{Offer, Progress};
use wire::topic::Leaf;
use wire::{Message, Mono, Ranges, Wall};

/// Nothing heard for so long: the connection is dead, whatever TCP believes.
const SILENCE_MS: u64 = 75_000;
/// A greeting without an answer, or a hub that said “hold”: greet again.
const GREET_MS: u64 = 10_000;
const HOLD_MS: u64 = 30_000;
/// An outbox that could not do what it was asked: greet again, and begin from there.
const AGAIN_MS: u64 = 4_000;
/// At most five batches of the backlog a second.
const BACKLOG_MS: u64 = 200;
/// Batches on the way at most, those that the hub lets wait among them.
const MOST: usize = 64;
/// Seconds between two looks at the board at least, whatever the hub says.
const LEAST_S: u16 = 10;

/// What happened.
#[derive(Clone, PartialEq, Debug)]
pub enum Event {
    /// The hub accepted the connection.
    Connected,
    /// The hub accepted the subscriptions.
    Subscribed,
    /// Any packet came: the connection lives.
    Heard,
    /// A message came.
    Message(Message),
    /// The outbox applied an acknowledgement.
    Acked(Acked),
    /// The outbox answered a [`Action::Heard`]: the runs to greet with.
    Runs(Vec<Run>),
    /// The outbox answered a [`Action::Fetch`].
    Parcel(Parcel),
    /// The outbox could not do what it was asked: its disk is full, or does not work.
    Troubled,
    /// The outbox has new rows.
    Stored,
    /// The door runs something else now.
    Reported(Reported),
    /// What the hub asked to see.
    Snap(Snap),
    /// How the board is, and the program.
    Measured(Vitals, Condition),
    /// The newest lines of the log.
    Tail(Tail),
    /// Other settings run, or stand against what was asked for.
    Running(Running),
    /// Which program runs, and how far the door is with another.
    Progress(Progress),
    /// Time passed.
    Tick,
}

impl Event {
    /// Whether the door itself made it: it says nothing about the connection.
    fn is_own(&self) -> bool {
        matches!(
            self,
            Self::Tick
                | Self::Troubled
                | Self::Stored
                | Self::Reported(_)
                | Self::Snap(_)
                | Self::Measured(..)
                | Self::Tail(_)
                | Self::Running(_)
                | Self::Progress(_)
                | Self::Runs(_)
        )
    }
}

/// What is to be done, in this order.
#[derive(Clone, PartialEq, Debug)]
pub enum Action {
    /// Subscribe to everything the hub says, at once.
    Subscribe,
    /// Publish; the topic's rule says whether retained.
    Say(Leaf, Message),
    /// Ask the outbox for a parcel, and come back with it.
    Fetch {
        /// On the way already.
        skip: Ranges,
        /// Whether the backlog may go now.
        backlog: bool,
    },
    /// Give the acknowledgement to the outbox, and come back with what came of it.
    Apply {
        /// What the hub said.
        ack: Ack,
        /// Whether it answers a greeting.
        fresh: bool,
    },
    /// Tell the outbox which run the hub has heard of, and come back with those to greet with.
    Heard(Option<u64>),
    /// Tell the gallery what the hub wants.
    Want(Desired),
    /// The hub said settings of the door.
    Settle(Settings),
    /// The hub said which program the door should run.
    Offered(Offer),
    /// Do what the hub says.
    Obey(Command),
    /// Look how the board and the program are, and come back with it.
    Measure,
    /// Fetch the newest lines of the log, and come back with them.
    Tail,
    /// How much this hub understands, as [`Grasp`] counts it.
    Grasped(u16),
    /// The hub's time at a moment.
    Tell {
        /// When.
        at: Mono,
        /// The wall time then.
        wall: Wall,
        /// How far it may be off.
        err_ms: u32,
    },
    /// Give this connection up.
    Drop(&'static str),
}

/// What a session says about the door.
#[derive(Clone, PartialEq, Debug)]
pub struct Facts {
    /// Rises with each connection of this boot.
    pub connection: u64,
    /// Version of the daemon.
    pub software: String,
    /// What the door runs.
    pub reported: Reported,
    /// Which program, and how far the door is with another.
    pub progress: Option<Progress>,
    /// The settings it runs with.
    pub running: Running,
    /// The runs to greet with; none where the hub keeps none.
    pub runs: Vec<Run>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    Connecting,
    Subscribing,
    Greeting,
    Open,
}

/// One connection. See the module above.
#[derive(Debug)]
pub struct Session {
    facts: Facts,
    cursor: Cursor,
    rng: StdRng,
    stage: Stage,
    heard: Mono,
    greet: Option<Mono>,
    /// It greeted with runs and has no answer: a hub of before does not understand that.
    unanswered: bool,
    window: u16,
    flights: Vec<Flight>,
    /// Asked the outbox, for the backlog too or not.
    fetching: Option<bool>,
    /// Rows may be waiting in the outbox.
    more: bool,
    /// Only rows of the backlog may be waiting.
    quiet: bool,
    /// When a batch of the backlog may go again.
    backlog: Mono,
    /// Half the round trip of the last greeting, milliseconds.
    half_trip_ms: Option<u64>,
    /// How often the hub wants to hear of the board, milliseconds, and when it does next.
    vitals: Option<(u64, Mono)>,
    /// Whether the hub offers programs, and hears how far they are.
    offers: bool,
    /// How much the hub understands.
    grasp: u16,
}

impl Session {
    /// A session that is about to connect.
    #[must_use]
    pub fn new(facts: Facts, cursor: Cursor, rng: StdRng, now: Mono) -> Self {
        Self {
            facts,
            cursor,
            rng,
            stage: Stage::Connecting,
            heard: now,
            greet: None,
            unanswered: false,
            window: 0,
            flights: Vec::new(),
            fetching: None,
            more: true,
            quiet: false,
            backlog: now,
            half_trip_ms: None,
            vitals: None,
            offers: false,
            grasp: 0,
        }
    }

    /// Whether the hub has said where it stands.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.stage == Stage::Open
    }

    /// Batches on the way, but for those that the hub lets wait for long.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.flights.iter().filter(|flight| !flight.is_parked()).count()
    }

    /// Takes an event; the actions are to be done in order.
    pub fn on(&mut self, event: Event, now: Mono) -> Vec<Action> {
        if !event.is_own() {
            self.heard = now;
        }
        let mut actions = match event {
            Event::Connected => self.subscribe(),
            Event::Subscribed => self.enter(now),
            Event::Heard => vec![],
            Event::Message(message) => self.message(message, now),
            Event::Acked(acked) => self.acked(acked, now),
            Event::Runs(runs) => self.runs(runs, now),
            Event::Parcel(parcel) => self.parcel(parcel, now),
            Event::Troubled => self.troubled(now),
            Event::Stored => self.stored(),
            Event::Reported(reported) => self.report(reported),
            Event::Snap(snap) => self.tell(Leaf::Snap, snap),
            Event::Measured(vitals, condition) => self.measured(vitals, condition),
            Event::Tail(tail) => self.tell(Leaf::Log, tail),
            Event::Running(running) => self.run_with(running),
            Event::Progress(progress) => self.progress(progress),
            Event::Tick => self.tick(now),
        };
        actions.extend(self.fetch(now));
        actions
    }

    /// When a [`Event::Tick`] is due at the latest.
    #[must_use]
    pub fn wake(&self, now: Mono) -> Mono {
        let mut wake = Mono(self.heard.0 + SILENCE_MS);
        let flights = self.flights.iter().map(Flight::due);
        let backlog = (self.may_fetch() && self.backlog > now).then_some(self.backlog);
        let vitals = self.vitals.map(|(_, due)| due);
        for due in flights.chain(self.greet).chain(backlog).chain(vitals) {
            wake = wake.min(due);
        }
        wake
    }

    fn subscribe(&mut self) -> Vec<Action> {
        self.stage = Stage::Subscribing;
        // A hub of before says nothing of it.
        vec![Action::Grasped(0), Action::Subscribe]
    }

    fn enter(&mut self, now: Mono) -> Vec<Action> {
        let Facts { connection, reported, .. } = &self.facts;
        let status = Status { online: true, connection: *connection, boot: self.cursor.boot };
        let reported = Action::Say(Leaf::Reported, reported.clone().into());
        vec![self.hello(now), Action::Say(Leaf::Status, status.into()), reported]
    }

    fn hello(&mut self, now: Mono) -> Action {
        if self.stage != Stage::Open {
            self.stage = Stage::Greeting;
        }
        self.greet = Some(Mono(now.0 + GREET_MS));
        let Cursor { epoch, boot, max_seq, cum } = self.cursor;
        let hello = Hello {
            epoch,
            boot,
            max_seq,
            cum,
            mono: now,
            software: self.facts.software.clone(),
            gallery: self.facts.reported.gallery,
            model: self.facts.reported.model.clone(),
        };
        self.unanswered = !self.unanswered && !self.facts.runs.is_empty();
        let said = match self.unanswered {
            true => Greeting { hello, runs: self.facts.runs.clone() }.into(),
            false => hello.into(),
        };
        Action::Say(Leaf::Up, said)
    }

    fn message(&mut self, message: Message, now: Mono) -> Vec<Action> {
        match message {
            Message::Ack(ack) => self.ack(ack, now),
            Message::Heard(heard) => self.heard(heard),
            Message::Desired(desired) => vec![Action::Want(desired)],
            Message::Settings(settings) => vec![Action::Settle(settings)],
            Message::Command(Command::Log) => vec![Action::Tail],
            Message::Command(command) => vec![Action::Obey(command)],
            Message::Grasp(grasp) => self.grasped(grasp),
            Message::Time(time) => self.time(time, now),
            Message::Interest(interest) => self.interest(interest, now),
            Message::Offer(offer) => self.offered(offer),
            // A door's own kinds do not come down; the topic was one of ours, so this is a bug
            // of the hub and no reason to hang up.
            Message::Batch(_)
            | Message::Hello(_)
            | Message::Greeting(_)
            | Message::Status(_)
            | Message::Reported(_)
            | Message::Snap(_)
            | Message::Progress(_)
            | Message::Tail(_)
            | Message::Running(_)
            | Message::Condition(_)
            | Message::Vitals(_) => vec![],
        }
    }

    fn ack(&mut self, ack: Ack, now: Mono) -> Vec<Action> {
        let fresh = self.stage == Stage::Greeting;
        if ack.epoch == self.cursor.epoch {
            self.stage = Stage::Open;
            self.unanswered = false;
            self.window = ack.window.min(WINDOW);
            self.greet = (self.window == 0).then_some(Mono(now.0 + HOLD_MS));
            self.flights.retain_mut(|flight| !flight.landed(&ack));
        }
        vec![Action::Apply { ack, fresh }]
    }

    fn acked(&mut self, acked: Acked, now: Mono) -> Vec<Action> {
        self.cursor = acked.cursor;
        if acked.renewed {
            self.stage = Stage::Greeting;
            self.flights.clear();
            self.facts.runs = anew(&self.facts.runs);
            return vec![self.hello(now)];
        }
        self.more |= acked.restored;
        vec![]
    }

    /// The outbox notes it once it has taken the acknowledgement that came before.
    fn heard(&self, heard: Heard) -> Vec<Action> {
        match heard.epoch == self.cursor.epoch && self.is_open() {
            true => vec![Action::Heard(heard.run)],
            false => vec![],
        }
    }

    fn runs(&mut self, runs: Vec<Run>, now: Mono) -> Vec<Action> {
        let news = self.facts.runs.is_empty() && !runs.is_empty();
        self.facts.runs = runs;
        if news { vec![self.hello(now)] } else { vec![] }
    }

    /// Sends nothing new until the hub has said again where it stands.
    fn troubled(&mut self, now: Mono) -> Vec<Action> {
        // The next answer is one to a greeting again, whatever became of this one.
        if self.stage == Stage::Open {
            self.stage = Stage::Greeting;
        }
        (self.fetching, self.window) = (None, 0);
        self.greet = Some(Mono(now.0 + AGAIN_MS));
        vec![]
    }

    fn time(&mut self, time: Time, now: Mono) -> Vec<Action> {
        if let Some(echo) = time.echo.filter(|echo| *echo <= now) {
            self.half_trip_ms = Some(now.since(echo) / 2);
        }
        let Some(half) = self.half_trip_ms else { return vec![] };
        let err_ms = u32::try_from(half).unwrap_or(u32::MAX);
        let ahead = half.cast_signed();
        vec![Action::Tell { at: now, wall: time.wall.plus_ms(ahead), err_ms }]
    }

    fn interest(&mut self, interest: Interest, now: Mono) -> Vec<Action> {
        let every_ms = u64::from(interest.every_s.max(LEAST_S)) * 1_000;
        // A hub says it after each greeting, and a door in trouble greets again and again.
        let due = self.vitals.map_or(now, |(_, due)| due.min(Mono(now.0 + every_ms)));
        self.vitals = Some((every_ms, due));
        vec![]
    }

    fn offered(&mut self, offer: Offer) -> Vec<Action> {
        self.offers = true;
        let said = self.facts.progress.clone().into_iter();
        let said = said.flat_map(|progress| self.tell(Leaf::Program, progress));
        std::iter::once(Action::Offered(offer)).chain(said).collect()
    }

    fn progress(&mut self, progress: Progress) -> Vec<Action> {
        self.facts.progress = Some(progress.clone());
        if self.offers { self.tell(Leaf::Program, progress) } else { vec![] }
    }

    fn grasped(&mut self, grasp: Grasp) -> Vec<Action> {
        let news = !self.cares() && grasp.level >= Grasp::CARE;
        self.grasp = grasp.level;
        let said = self.facts.running.clone();
        let said = if news { self.tell(Leaf::Config, said) } else { vec![] };
        std::iter::once(Action::Grasped(grasp.level)).chain(said).collect()
    }

    /// Whether the hub looks after the door from afar.
    fn cares(&self) -> bool {
        self.grasp >= Grasp::CARE
    }

    fn run_with(&mut self, running: Running) -> Vec<Action> {
        self.facts.running = running.clone();
        if self.cares() { self.tell(Leaf::Config, running) } else { vec![] }
    }

    fn measured(&self, vitals: Vitals, condition: Condition) -> Vec<Action> {
        let mut said = self.tell(Leaf::Vitals, vitals);
        if self.cares() {
            said.extend(self.tell(Leaf::Vitals, condition));
        }
        said
    }

    fn stored(&mut self) -> Vec<Action> {
        (self.more, self.quiet) = (true, false);
        vec![]
    }

    fn report(&mut self, reported: Reported) -> Vec<Action> {
        self.facts.reported = reported.clone();
        self.tell(Leaf::Reported, reported)
    }

    /// Says it, once the door has greeted.
    fn tell(&self, leaf: Leaf, message: impl Into<Message>) -> Vec<Action> {
        match self.stage {
            Stage::Greeting | Stage::Open => vec![Action::Say(leaf, message.into())],
            Stage::Connecting | Stage::Subscribing => vec![],
        }
    }

    fn tick(&mut self, now: Mono) -> Vec<Action> {
        if now.since(self.heard) >= SILENCE_MS {
            return vec![Action::Drop("the hub has been silent for 75 s")];
        }
        let mut actions = Vec::new();
        if self.greet.is_some_and(|due| due <= now) {
            actions.push(self.hello(now));
        }
        if let Some((every_ms, due)) = self.vitals.filter(|(_, due)| *due <= now) {
            self.vitals = Some((every_ms, Mono(due.0.max(now.0) + every_ms)));
            actions.push(Action::Measure);
        }
        for flight in self.flights.iter_mut().filter(|flight| flight.due() <= now) {
            flight.again(now, &mut self.rng);
            actions.push(Action::Say(Leaf::Up, flight.batch.clone().into()));
        }
        actions
    }

    fn may_fetch(&self) -> bool {
        self.is_open() && self.more && self.fetching.is_none() && self.has_room()
    }

    /// What the hub lets wait for long takes no place from what it would store, up to a bound.
    fn has_room(&self) -> bool {
        self.in_flight() < usize::from(self.window) && self.flights.len() < MOST
    }

    fn fetch(&mut self, now: Mono) -> Option<Action> {
        let backlog = self.backlog <= now;
        if !self.may_fetch() || (self.quiet && !backlog) {
            return None;
        }
        self.fetching = Some(backlog);
        Some(Action::Fetch { skip: numbers(&self.flights), backlog })
    }

    fn parcel(&mut self, parcel: Parcel, now: Mono) -> Vec<Action> {
        let all = self.fetching.take().unwrap_or(false);
        if parcel.epoch != self.cursor.epoch || !self.is_open() || !self.has_room() {
            // The rows stay in the outbox and are asked for when they may go.
            return vec![];
        }
        if parcel.items.is_empty() {
            (self.more, self.quiet) = (!all, true);
            return vec![];
        }
        if parcel.backlog {
            self.backlog = Mono(now.0 + BACKLOG_MS);
        }
        let batch = Batch { epoch: parcel.epoch, items: parcel.items };
        self.flights.push(Flight::new(batch.clone(), now, &mut self.rng));
        vec![Action::Say(Leaf::Up, batch.into())]
    }
}
