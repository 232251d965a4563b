//! One device's connection: moves bytes between socket and [`MqttSession`], deliveries to the
//! writer, and answers back. One task, no shared state, every wait bounded.

use super::Listener;
use super::answers::Answers;
use super::bucket::Allowance;
use super::refusal::MqttRefusal;
use super::session::{MqttSession, MqttStep};
use crate::tls;
use accept::Guest;
use acts::device::DoorIdentity;
use acts::doors::boards::EVERY_S;
use acts::ingest::delivery::{Delivery, DeliveryAnswer, Sent};
use acts::online::OnlinePlace;
use config::doors::DoorLimits;
use rules::spans;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use tracing::Span;
use wire::care::{Condition, Grasp, Running, Tail};
use wire::link::{
    Ack, BATCH_ITEMS, Desired, Greeting, Heard, Interest, RUNS, Settings, Snap, Status, Time,
    Vitals,
};
use wire::program::Offer;
use wire::topic::Leaf;
use wire::{DeviceId, Message, Mono};

/// Bytes read at once.
const BUFFER: usize = 16 * 1024;
/// Bytes of a packet that buy it another second.
const SLOWEST: u64 = 500;
/// How far ahead a connection that never ends sets its alarm.
const FAR: Duration = Duration::from_secs(24 * 3600);

/// Why a connection ended.
#[derive(Debug)]
enum MqttEnd {
    /// The hub ended it.
    Refused(MqttRefusal),
    /// The device said good-bye.
    Bye { will: bool },
    /// The network ended it.
    Lost(std::io::Error),
}

impl From<MqttRefusal> for MqttEnd {
    fn from(refusal: MqttRefusal) -> Self {
        Self::Refused(refusal)
    }
}

/// Serves one guest from CONNECT to the will.
pub(super) async fn serve(guest: Guest, house: Listener) {
    let Guest { address, stream, half_open, slot, stop } = guest;
    let identity = match tls::identity(&stream) {
        Ok(identity) => identity,
        Err(error) => {
            rules::security!("identity", %address, %error, "a certificate names no device");
            return;
        }
    };
    let mut connection = Connection::new(stream, identity.clone(), address, house.clone());
    let greeted = timeout(house.limits.connect, connection.greet()).await;
    drop(half_open);
    let end = match greeted {
        Err(_) => MqttEnd::Refused(MqttRefusal::Silent),
        Ok(Err(end)) => end,
        Ok(Ok(())) => {
            house.fleet.saw(&identity, address.ip(), Instant::now());
            let mut place = house.online.enter(&identity.device);
            house.boards.connected(&identity.device);
            if place.took_over {
                let device = &identity.device;
                rules::security!("taken_over", %device, %address, "a newer connection took over");
            }
            connection.run(&mut place, &stop).await
        }
    };
    let will = connection.close(end, address).await;
    drop(slot);
    if let Some((status, delay)) = will {
        bequeath(house, identity, status, delay, &stop).await;
    }
}

/// Says that the device is gone, unless it comes back in time.
async fn bequeath(
    house: Listener,
    identity: DoorIdentity,
    status: Status,
    delay: Duration,
    stop: &CancellationToken,
) {
    let said = async {
        sleep(delay).await;
        if !house.online.has(&identity.device) {
            let (answer, _) = oneshot::channel();
            let sent = Sent::Status(status);
            let _ = house.ingest.send(Delivery { device: identity.device, sent, answer }).await;
        }
    };
    let _ = stop.run_until_cancelled(said).await;
}

/// A delivery that the writer has and has not answered.
struct Pending {
    packet_id: u16,
    what: MqttWhat,
    answer: oneshot::Receiver<DeliveryAnswer>,
    began: Instant,
    /// Of records: how long they take, for whoever reads traces.
    span: Span,
}

#[derive(Clone, Copy)]
enum MqttWhat {
    Batch(usize),
    Hello(Mono, Heard),
    Note,
}

impl MqttWhat {
    fn records(self) -> usize {
        if let Self::Batch(records) = self { records } else { 0 }
    }
}

struct Connection<S> {
    stream: S,
    session: MqttSession,
    identity: DoorIdentity,
    address: SocketAddr,
    house: Listener,
    limits: DoorLimits,
    inbox: VecDeque<Delivery>,
    pending: VecDeque<Pending>,
    answers: Answers,
    allowance: Allowance,
    silence: Duration,
    will: Option<(Status, Duration)>,
    desired: Option<Desired>,
    settings: Option<Settings>,
    offer: Option<Offer>,
    stalled: bool,
    /// Last time that reading made sense and something came.
    heard: Instant,
    /// When the packet that is still arriving began, and how much of it came.
    partial: Option<(Instant, u64)>,
    paused: Instant,
    time: Instant,
    expires: Instant,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    fn new(stream: S, identity: DoorIdentity, address: SocketAddr, house: Listener) -> Self {
        let now = Instant::now();
        let limits = house.limits;
        let left = identity.not_after.0.saturating_sub(house.clock.wall().0);
        let left = Duration::from_millis(u64::try_from(left).unwrap_or(0)).min(FAR * 365);
        Self {
            stream,
            session: MqttSession::new(identity.device.clone()),
            identity,
            address,
            house,
            limits,
            inbox: VecDeque::new(),
            pending: VecDeque::new(),
            answers: Answers::default(),
            allowance: Allowance::new(&limits, now),
            silence: limits.connect,
            will: None,
            desired: None,
            settings: None,
            offer: None,
            stalled: false,
            heard: now,
            partial: None,
            paused: now,
            time: now + limits.time,
            expires: now + left,
        }
    }

    /// Until CONNECT is answered.
    async fn greet(&mut self) -> Result<(), MqttEnd> {
        let mut buffer = vec![0; BUFFER];
        while !self.session.is_open() {
            let count = self.stream.read(&mut buffer).await.map_err(MqttEnd::Lost)?;
            self.take(&buffer[..count])?;
        }
        self.write().await
    }

    async fn run(&mut self, place: &mut OnlinePlace, stop: &CancellationToken) -> MqttEnd {
        match self.converse(place, stop).await {
            Err(end) => end,
            Ok(never) => match never {},
        }
    }

    async fn converse(
        &mut self,
        place: &mut OnlinePlace,
        stop: &CancellationToken,
    ) -> Result<std::convert::Infallible, MqttEnd> {
        let mut buffer = vec![0; BUFFER];
        let ingest = self.house.ingest.clone();
        let mut fleet = self.house.fleet.watch();
        fleet.mark_changed();
        loop {
            let now = Instant::now();
            if let Some(ack) = self.answers.take(now) {
                self.tell(ack);
            }
            self.write().await?;
            let reading = self.inbox.is_empty() && self.paused <= now;
            if !reading {
                self.heard = now;
            }
            let wake = self.wake(now, reading);
            tokio::select! {
                biased;
                () = stop.cancelled() => return Err(MqttRefusal::Stopping.into()),
                () = place.replaced.cancelled() => return Err(MqttRefusal::TakenOver.into()),
                Ok(()) = fleet.changed() => {
                    let state = fleet.borrow_and_update().clone();
                    if state.revoked.contains(&self.identity.serial) {
                        return Err(MqttRefusal::Revoked.into());
                    }
                    self.desire(false);
                }
                Some(command) = place.commands.recv() => {
                    self.session.publish(Leaf::Cmd, command);
                }
                answer = next(&mut self.pending), if !self.pending.is_empty() => {
                    self.answered(answer)?;
                }
                permit = ingest.reserve(), if !self.inbox.is_empty() => {
                    let permit = permit.map_err(|_| MqttRefusal::Stopping)?;
                    if let Some(delivery) = self.inbox.pop_front() {
                        permit.send(delivery);
                    }
                    self.resume();
                }
                count = self.stream.read(&mut buffer), if reading => {
                    let count = count.map_err(MqttEnd::Lost)?;
                    self.take(&buffer[..count])?;
                }
                () = sleep_until(wake) => self.tick(reading)?,
            }
        }
    }

    /// The next moment at which something is due.
    fn wake(&self, now: Instant, reading: bool) -> Instant {
        let mut wake = self.time.min(self.expires).min(now + FAR);
        if reading {
            wake = wake.min(self.patience());
        } else if self.paused > now {
            wake = wake.min(self.paused);
        }
        self.answers.deadline().map_or(wake, |due| wake.min(due))
    }

    /// Until when the device may stay as silent or slow as it is.
    fn patience(&self) -> Instant {
        let silence = self.heard + self.silence;
        self.partial.map_or(silence, |(since, bytes)| {
            silence.min(since + self.limits.packet + Duration::from_secs(bytes / SLOWEST))
        })
    }

    fn tick(&mut self, reading: bool) -> Result<(), MqttEnd> {
        let now = Instant::now();
        if self.expires <= now {
            return Err(MqttRefusal::Expired.into());
        }
        if reading && self.patience() <= now {
            return Err(MqttRefusal::Silent.into());
        }
        if self.time <= now {
            self.house.fleet.saw(&self.identity, self.address.ip(), self.heard);
            self.say_time(None);
        }
        Ok(())
    }

    fn take(&mut self, bytes: &[u8]) -> Result<(), MqttEnd> {
        if bytes.is_empty() {
            return Err(MqttEnd::Lost(std::io::ErrorKind::UnexpectedEof.into()));
        }
        let now = Instant::now();
        self.heard = now;
        let steps = self.session.feed(bytes);
        let (since, before) = self.partial.filter(|_| steps.is_empty()).unwrap_or((now, 0));
        let more = before + bytes.len() as u64;
        self.partial = self.session.is_partial().then_some((since, more));
        for step in steps {
            self.step(step, now)?;
        }
        Ok(())
    }

    fn step(&mut self, step: MqttStep, now: Instant) -> Result<(), MqttEnd> {
        match step {
            MqttStep::Connected { silence, will } => {
                self.silence = silence;
                self.will = will;
            }
            MqttStep::Subscribed(Leaf::Desired) => self.desire(true),
            MqttStep::Subscribed(_) => {}
            MqttStep::Published(leaf, id, payload) => self.published(leaf, id, payload, now)?,
            MqttStep::Bye { will } => return Err(MqttEnd::Bye { will }),
            MqttStep::Refused(refusal) => return Err(refusal.into()),
        }
        Ok(())
    }

    fn published(
        &mut self,
        leaf: Leaf,
        packet_id: u16,
        payload: Vec<u8>,
        now: Instant,
    ) -> Result<(), MqttEnd> {
        let said = understand(leaf, payload);
        let what = match &said {
            MqttSaid::Store(Sent::Batch(batch)) if batch.items.len() > BATCH_ITEMS => {
                return Err(MqttRefusal::Payload.into());
            }
            MqttSaid::Store(Sent::Batch(batch)) => MqttWhat::Batch(batch.items.len()),
            MqttSaid::Store(Sent::Hello(said)) if said.runs.len() > RUNS => {
                return Err(MqttRefusal::Payload.into());
            }
            MqttSaid::Store(Sent::Hello(said)) => {
                let run = said.runs.last().map(|run| run.id);
                MqttWhat::Hello(said.hello.mono, Heard { epoch: said.hello.epoch, run })
            }
            MqttSaid::Store(_) | MqttSaid::Note(_) => MqttWhat::Note,
        };
        self.paused = self.paused.max(self.allowance.take(leaf, what.records(), now));
        let (answer, receiver) = oneshot::channel();
        let device = self.identity.device.clone();
        let span = match what {
            MqttWhat::Batch(records) => spans::batch(&device, records),
            MqttWhat::Hello(..) | MqttWhat::Note => Span::none(),
        };
        self.pending.push_back(Pending { packet_id, what, answer: receiver, began: now, span });
        match said {
            MqttSaid::Store(sent) => self.deliver(Delivery { device, sent, answer }),
            MqttSaid::Note(note) => {
                self.note(&device, note);
                // Acknowledged in its turn, like all else.
                let _ = answer.send(DeliveryAnswer::Stored(None));
            }
        }
        Ok(())
    }

    /// What is kept in RAM only.
    fn note(&self, device: &DeviceId, note: MqttNote) {
        let Listener { snaps, tails, boards, clock, .. } = &self.house;
        let now = clock.mono();
        match note {
            MqttNote::Snap(snap) => snaps.show(device, snap, now),
            MqttNote::Tail(tail) => tails.show(device, tail, (clock.wall(), now)),
            MqttNote::Board(vitals) => boards.say(device, vitals, now),
            MqttNote::Condition(condition) => boards.condition(device, condition, now),
            MqttNote::Running(running) => boards.runs(device, running),
        }
    }

    /// To the writer, in order; when its queue is full the socket waits and the device is told
    /// to hold.
    fn deliver(&mut self, delivery: Delivery) {
        use tokio::sync::mpsc::error::TrySendError::{Closed, Full};
        if !self.inbox.is_empty() {
            return self.inbox.push_back(delivery);
        }
        if let Err(Full(delivery) | Closed(delivery)) = self.house.ingest.try_send(delivery) {
            self.inbox.push_back(delivery);
            self.stalled = true;
            if let Some(ack) = self.answers.flush() {
                self.session.publish(Leaf::Ack, Ack { window: 0, ..ack });
            }
        }
    }

    fn resume(&mut self) {
        if self.stalled && self.inbox.is_empty() {
            self.stalled = false;
            if let Some(ack) = self.answers.flush() {
                self.tell(ack);
            }
        }
    }

    fn answered(&mut self, answer: DeliveryAnswer) -> Result<(), MqttEnd> {
        let Some(Pending { packet_id, what, began, span, .. }) = self.pending.pop_front() else {
            return Ok(());
        };
        drop(span);
        let DeliveryAnswer::Stored(ack) = answer else {
            if let Some(ack) = self.answers.flush() {
                self.session.publish(Leaf::Ack, Ack { window: 0, ..ack });
            }
            return Err(MqttRefusal::Busy.into());
        };
        self.session.acknowledge(packet_id);
        if let MqttWhat::Batch(records) = what {
            metrics::counter!("records_total").increment(records as u64);
            metrics::histogram!("acknowledge_seconds").record(began.elapsed());
        }
        if let Some(ack) = ack
            && let Some(other) = self.answers.committed(ack, what.records(), Instant::now())
        {
            self.tell(other);
        }
        if let MqttWhat::Hello(mono, heard) = what {
            if let Some(ack) = self.answers.flush() {
                self.tell(ack);
            }
            self.session.publish(Leaf::Ack, heard);
            self.say_time(Some(mono));
            self.desire(true);
            if self.session.listens(Leaf::Desired) {
                self.session.publish(Leaf::Desired, Grasp { level: Grasp::CARE });
                self.session.publish(Leaf::Desired, Interest { every_s: EVERY_S });
            }
        }
        Ok(())
    }

    fn tell(&mut self, ack: Ack) {
        let window = if self.stalled { 0 } else { ack.window };
        self.session.publish(Leaf::Ack, Ack { window, ..ack });
    }

    fn say_time(&mut self, echo: Option<Mono>) {
        self.time = Instant::now() + self.limits.time;
        let wall = self.house.clock.wall();
        self.session.publish(Leaf::Time, Time { wall, echo });
    }

    /// Says what the device should run, by which program and with which settings, if that is news or `again` is
    /// asked for.
    fn desire(&mut self, again: bool) {
        let state = self.house.fleet.watch().borrow().clone();
        if !self.session.listens(Leaf::Desired) {
            return;
        }
        let settings = state.settings.get(&self.identity.device).copied();
        if let Some(said) = settings
            && (again || self.settings != settings)
        {
            self.settings = settings;
            self.session.publish(Leaf::Desired, said);
        }
        let offer = state.offers.get(&self.identity.device).cloned().unwrap_or_default();
        if again || self.offer.as_ref() != Some(&offer) {
            self.offer = Some(offer.clone());
            self.session.publish(Leaf::Desired, offer);
        }
        let Some(desired) = state.desired.get(&self.identity.device) else { return };
        if again || self.desired.as_ref() != Some(desired) {
            self.desired = Some(desired.clone());
            self.session.publish(Leaf::Desired, desired.clone());
        }
    }

    async fn write(&mut self) -> Result<(), MqttEnd> {
        let output = self.session.take_output();
        if output.is_empty() {
            return Ok(());
        }
        let written = async {
            self.stream.write_all(&output).await?;
            self.stream.flush().await
        };
        match timeout(self.limits.write, written).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(MqttEnd::Lost(error)),
            Err(_) => Err(MqttRefusal::Silent.into()),
        }
    }

    /// Says why, closes the socket, and returns the will if it is to be done.
    async fn close(mut self, end: MqttEnd, address: SocketAddr) -> Option<(Status, Duration)> {
        let device = &self.identity.device;
        let will = match &end {
            MqttEnd::Refused(why) => {
                if why.is_suspicious() {
                    rules::security!("refused", %device, %address, "{device} was cut off: {why}");
                } else {
                    tracing::info!(%device, %address, "{device} was disconnected: {why}");
                }
                self.session.refuse(why);
                !matches!(why, MqttRefusal::Stopping | MqttRefusal::TakenOver)
            }
            MqttEnd::Bye { will } => *will,
            MqttEnd::Lost(error) => {
                tracing::info!(%device, %address, %error, "{device} was lost");
                true
            }
        };
        let _ = self.write().await;
        let _ = timeout(Duration::from_secs(1), self.stream.shutdown()).await;
        self.will.take().filter(|_| will)
    }
}

/// Something a device said: for the store, or to be shown and forgotten.
enum MqttSaid {
    Store(Sent),
    Note(MqttNote),
}

/// Something that is shown and forgotten.
enum MqttNote {
    Snap(Snap),
    Tail(Tail),
    Board(Vitals),
    Condition(Condition),
    Running(Running),
}

/// What a payload on this topic says.
fn understand(leaf: Leaf, payload: Vec<u8>) -> MqttSaid {
    let note = MqttSaid::Note;
    MqttSaid::Store(match (leaf, Message::decode(&payload)) {
        (Leaf::Snap, Ok(Message::Snap(snap))) => return note(MqttNote::Snap(snap)),
        (Leaf::Log, Ok(Message::Tail(tail))) => return note(MqttNote::Tail(tail)),
        (Leaf::Vitals, Ok(Message::Vitals(vitals))) => return note(MqttNote::Board(vitals)),
        (Leaf::Vitals, Ok(Message::Condition(of))) => return note(MqttNote::Condition(of)),
        (Leaf::Config, Ok(Message::Running(running))) => return note(MqttNote::Running(running)),
        (Leaf::Up, Ok(Message::Batch(batch))) => Sent::Batch(batch),
        (Leaf::Up, Ok(Message::Hello(hello))) => Sent::Hello(Greeting { hello, runs: vec![] }),
        (Leaf::Up, Ok(Message::Greeting(said))) => Sent::Hello(said),
        (Leaf::Status, Ok(Message::Status(status))) => Sent::Status(status),
        (Leaf::Reported, Ok(Message::Reported(reported))) => Sent::Reported(reported),
        (Leaf::Program, Ok(Message::Progress(progress))) => Sent::Progress(progress),
        (_, Err(error)) => Sent::Poison(payload, error),
        (_, Ok(_)) => {
            let kind = payload[2];
            let version = payload[3];
            Sent::Poison(payload, wire::EnvelopeError::Unknown { kind, version })
        }
    })
}

/// The writer's answer to the oldest pending delivery. Cancel-safe.
async fn next(pending: &mut VecDeque<Pending>) -> DeliveryAnswer {
    match pending.front_mut() {
        Some(first) => (&mut first.answer).await.unwrap_or(DeliveryAnswer::Held),
        None => std::future::pending().await,
    }
}
