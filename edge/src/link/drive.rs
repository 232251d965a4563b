//! The thin part: carries events to the session and does what it says.

use super::{Action, Backoff, Config, Event, Facts, Session};
use crate::care::Care;
use crate::clock::Timekeeper;
use crate::journal;
use crate::outbox::{Outbox, OutboxError, Place};
use crate::status::Road;
use crate::tls::Badge;
use crate::vitals;
use rand::{SeedableRng, rngs::StdRng};
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{Filter, Packet, PubAckReason, SubscribeReasonCode};
use rumqttc::v5::{AsyncClient, Event as Happened, EventLoop};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use wire::link::{Command, Desired, Reported, Settings, Snap};
use wire::program::{Offer, Progress};
use wire::topic::{Leaf, RULES};
use wire::{Message, Mono};

/// Packets between the event loop and the session; the socket is not read while it is full.
const PACKETS: usize = 64;
/// Requests to the event loop; publishing waits while it is full.
const REQUESTS: usize = 8;
/// A publish that cannot be handed over for so long: rumqttc hangs on a dead socket.
const STUCK: Duration = Duration::from_secs(75);

/// The link to the hub, ready to run.
pub struct Link {
    /// Where to connect.
    pub config: Config,
    /// As whom: when that changes, it connects again.
    pub badge: Badge,
    /// What is to be sent, and where acknowledgements go.
    pub outbox: Outbox,
    /// Gets the hub's time.
    pub time: Timekeeper,
    /// Version of the daemon.
    pub software: String,
    /// What the hub wants the door to run: newest only.
    pub desired: watch::Sender<Option<Desired>>,
    /// What the hub says of the door's settings: newest only.
    pub settings: watch::Sender<Option<Settings>>,
    /// Which program the hub offers: newest only.
    pub offers: watch::Sender<Option<Offer>>,
    /// How far the door is with it: newest only.
    pub progress: watch::Receiver<Option<Progress>>,
    /// What the door runs: newest only.
    pub reported: watch::Receiver<Reported>,
    /// What the hub wants done; when full, the command is dropped: a person asks again.
    pub commands: mpsc::Sender<Command>,
    /// What the hub asked to see. What was asked over an older connection is dropped.
    pub snaps: mpsc::Receiver<Snap>,
    /// What else is said of the door, and how much the hub understands.
    pub care: Care,
    /// Whether the hub answers.
    pub online: watch::Sender<bool>,
    /// How the way there is, for whoever looks after this unit.
    pub way: watch::Sender<Road>,
    /// For waits only.
    pub rng: StdRng,
}

/// Why the link cannot go on.
#[derive(Debug, thiserror::Error)]
#[error("the link lost its outbox")]
pub struct LinkError(#[from] Arc<OutboxError>);

/// Why one connection ended.
enum End {
    Outbox(Arc<OutboxError>),
    Broken(String),
    /// There is a new certificate to connect with.
    Renewed,
    Stop,
}

impl From<Arc<OutboxError>> for End {
    fn from(error: Arc<OutboxError>) -> Self {
        Self::Outbox(error)
    }
}

impl Link {
    /// Connects, and connects again, until told to stop. Dropping the connection without a
    /// good-bye lets the hub publish the will.
    ///
    /// # Errors
    /// When the outbox has stopped.
    pub async fn run(mut self, stop: CancellationToken) -> Result<(), LinkError> {
        let mut backoff = Backoff::default();
        let mut connection = 0;
        while !stop.is_cancelled() {
            // By time since boot, so that a restarted daemon does not begin below its own will.
            connection = self.time.mono().0.max(connection + 1);
            let end = self.connect(connection, &mut backoff, &stop).await;
            self.online.send_if_modified(|online| std::mem::replace(online, false));
            match end {
                End::Stop => break,
                End::Renewed => tracing::info!(connection, "connecting with the new certificate"),
                End::Outbox(error) => return Err(error.into()),
                End::Broken(why) => {
                    self.way.send_modify(|way| way.trouble.clone_from(&why));
                    let wait = backoff.failed(self.time.mono(), &mut self.rng);
                    tracing::info!(connection, wait_ms = wait.as_millis() as u64, "no hub: {why}");
                    let _ = stop.run_until_cancelled(sleep(wait)).await;
                }
            }
        }
        Ok(())
    }

    /// One connection, from CONNECT to its end. The two halves run side by side, so neither
    /// keeps the other from being polled; whichever ends first ends the connection.
    async fn connect(
        &mut self,
        connection: u64,
        backoff: &mut Backoff,
        stop: &CancellationToken,
    ) -> End {
        let cursor = match self.outbox.cursor().await {
            Ok(cursor) => cursor,
            Err(error) => return error.into(),
        };
        let options = self.config.options(cursor.boot, connection);
        let mut badge = self.badge.watch();
        let (client, event_loop) = AsyncClient::new(options, REQUESTS);
        let (packets, events) = mpsc::channel(PACKETS);
        let way = self.way.clone();
        self.reported.mark_unchanged();
        let reported = report(&self.reported.borrow(), &self.outbox.trouble().borrow());
        while self.snaps.try_recv().is_ok() {}
        let progress = self.progress.borrow_and_update().clone();
        let running = self.care.running.borrow().clone();
        let runs = match self.outbox.runs().await {
            Ok(runs) => runs,
            Err(error) => return error.into(),
        };
        let software = self.software.clone();
        let facts = Facts { connection, software, reported, progress, running, runs };
        let rng = StdRng::from_rng(&mut self.rng);
        let session = Session::new(facts, cursor, rng, self.time.mono());
        let talk = Talk { link: self, session, client, backoff };
        tokio::select! {
            () = stop.cancelled() => End::Stop,
            Ok(()) = badge.changed() => End::Renewed,
            why = pump(event_loop, packets, &way) => End::Broken(why),
            end = talk.run(events) => end,
        }
    }
}

/// Polls rumqttc until it fails; `poll` is never cancelled while the connection is to live.
async fn pump(
    mut event_loop: EventLoop,
    packets: mpsc::Sender<Event>,
    way: &watch::Sender<Road>,
) -> String {
    loop {
        let event = match event_loop.poll().await {
            Ok(Happened::Incoming(packet)) => match understand(packet, way) {
                Ok(event) => event,
                Err(why) => return why,
            },
            Ok(Happened::Outgoing(_)) => continue,
            Err(error) => return error.to_string(),
        };
        if packets.send(event).await.is_err() {
            return "the session ended".to_owned();
        }
    }
}

fn understand(packet: Packet, way: &watch::Sender<Road>) -> Result<Event, String> {
    match packet {
        Packet::ConnAck(_) => Ok(Event::Connected),
        Packet::SubAck(ack) => {
            let granted = |code: &_| matches!(code, SubscribeReasonCode::Success(_));
            match ack.return_codes.iter().find(|code| !granted(code)) {
                None => Ok(Event::Subscribed),
                Some(code) => Err(format!("the hub refused a subscription ({code:?})")),
            }
        }
        Packet::Publish(publish) => match Message::decode(&publish.payload) {
            Ok(message) => Ok(Event::Message(message)),
            Err(error) => {
                tracing::warn!(%error, "a message of the hub was not understood");
                way.send_modify(|way| way.strange += 1);
                Ok(Event::Heard)
            }
        },
        Packet::PubAck(ack) => {
            // Not stored for all we know: the hub's own acknowledgement decides.
            if !matches!(ack.reason, PubAckReason::Success | PubAckReason::NoMatchingSubscribers) {
                tracing::warn!(reason = ?ack.reason, "the hub did not take a message");
            }
            Ok(Event::Heard)
        }
        Packet::Disconnect(bye) => Err(format!("the hub hung up ({:?})", bye.reason_code)),
        _ => Ok(Event::Heard),
    }
}

/// What the hub is told about the door: what is wrong with the gallery, or else with the outbox.
fn report(reported: &Reported, outbox: &str) -> Reported {
    let mut reported = reported.clone();
    if reported.trouble.is_empty() {
        outbox.clone_into(&mut reported.trouble);
    }
    reported
}

/// What the outbox answered, as an event. Only a damaged one ends the link.
fn settle<T>(
    answer: Result<T, Arc<OutboxError>>,
    event: impl FnOnce(T) -> Event,
) -> Result<Option<Event>, End> {
    match answer {
        Err(error) if error.is_final() => Err(error.into()),
        Err(error) => {
            tracing::warn!(%error, "the outbox holds what it was asked: {error}");
            Ok(Some(Event::Troubled))
        }
        Ok(answer) => Ok(Some(event(answer))),
    }
}

/// One connection's conversation.
struct Talk<'a> {
    link: &'a mut Link,
    session: Session,
    client: AsyncClient,
    backoff: &'a mut Backoff,
}

impl Talk<'_> {
    async fn run(mut self, mut packets: mpsc::Receiver<Event>) -> End {
        let mut newest = self.link.outbox.newest();
        newest.mark_unchanged();
        let mut trouble = self.link.outbox.trouble();
        trouble.mark_unchanged();
        let mut running = self.link.care.running.subscribe();
        running.mark_changed();
        loop {
            let now = self.link.time.mono();
            let wait = Duration::from_millis(self.session.wake(now).since(now));
            let event = tokio::select! {
                packet = packets.recv() => match packet {
                    Some(event) => event,
                    None => return End::Broken("the event loop ended".to_owned()),
                },
                changed = newest.changed() => match changed {
                    Ok(()) => Event::Stored,
                    Err(_) => return End::Outbox(Arc::new(OutboxError::Stopped)),
                },
                Ok(()) = self.link.reported.changed() => {
                    Event::Reported(report(&self.link.reported.borrow_and_update(), &trouble.borrow()))
                }
                Ok(()) = trouble.changed() => {
                    Event::Reported(report(&self.link.reported.borrow(), &trouble.borrow_and_update()))
                }
                Ok(()) = self.link.progress.changed() => {
                    match self.link.progress.borrow_and_update().clone() {
                        Some(progress) => Event::Progress(progress),
                        None => continue,
                    }
                }
                Ok(()) = running.changed() => Event::Running(running.borrow_and_update().clone()),
                Some(snap) = self.link.snaps.recv() => Event::Snap(snap),
                () = sleep(wait) => Event::Tick,
            };
            if let Err(end) = self.handle(event).await {
                return end;
            }
        }
    }

    async fn handle(&mut self, event: Event) -> Result<(), End> {
        let mut actions: VecDeque<_> = self.session.on(event, self.now()).into();
        while let Some(action) = actions.pop_front() {
            if let Some(event) = self.act(action).await? {
                actions.extend(self.session.on(event, self.now()));
            }
        }
        if self.session.is_open() {
            self.backoff.reset();
            if self.link.online.send_if_modified(|online| !std::mem::replace(online, true)) {
                self.link.way.send_modify(|way| way.trouble.clear());
            }
        }
        Ok(())
    }

    fn now(&self) -> Mono {
        self.link.time.mono()
    }

    async fn act(&mut self, action: Action) -> Result<Option<Event>, End> {
        let Link { outbox, time, .. } = &*self.link;
        match action {
            Action::Subscribe => self.subscribe().await?,
            Action::Say(leaf, message) => self.say(leaf, &message).await?,
            Action::Fetch { skip, backlog } => {
                let parcel = outbox.pending(skip, backlog, time.now()).await;
                return settle(parcel, Event::Parcel);
            }
            Action::Apply { ack, fresh } => {
                for (seq, why) in &ack.rejects {
                    tracing::warn!(seq, ?why, "the hub set record {seq} aside");
                }
                let acked = outbox.acknowledge(ack, fresh, time.now()).await;
                return settle(acked, Event::Acked);
            }
            Action::Heard(run) => return settle(outbox.heard(run).await, Event::Runs),
            Action::Want(desired) => self.want(desired).await?,
            Action::Settle(settings) => drop(self.link.settings.send_replace(Some(settings))),
            Action::Offered(offer) => {
                self.link.offers.send_if_modified(|old| {
                    let differs = old.as_ref() != Some(&offer);
                    *old = Some(offer);
                    differs
                });
            }
            Action::Measure => {
                let care = &self.link.care;
                let measured =
                    |waiting| Event::Measured(vitals::read(), care.condition(time, waiting));
                return settle(outbox.stock().await.map(|stock| stock.waiting), measured);
            }
            Action::Tail => return Ok(Some(Event::Tail(journal::tail(time.mono())))),
            Action::Grasped(level) => drop(self.link.care.grasp.send_replace(level)),
            Action::Obey(command) => {
                if self.link.commands.try_send(command).is_err() {
                    tracing::warn!("a command of the hub was dropped: too many at once");
                }
            }
            Action::Tell { at, wall, err_ms } => time.told(outbox, at, (wall, err_ms)).await?,
            Action::Drop(why) => return Err(End::Broken(why.to_owned())),
        }
        Ok(None)
    }

    async fn want(&mut self, desired: Desired) -> Result<(), End> {
        let place = Place { room: desired.room.clone(), direction: desired.direction };
        self.link.outbox.set_place(place).await?;
        self.link.desired.send_if_modified(|old| {
            let differs = old.as_ref() != Some(&desired);
            *old = Some(desired);
            differs
        });
        Ok(())
    }

    async fn subscribe(&self) -> Result<(), End> {
        let device = &self.link.config.device;
        let down = RULES.iter().filter(|rule| !rule.from_door);
        let filters: Vec<_> =
            down.map(|rule| Filter::new(rule.leaf.topic(device), QoS::AtLeastOnce)).collect();
        self.hand_over(self.client.subscribe_many(filters)).await
    }

    async fn say(&self, leaf: Leaf, message: &Message) -> Result<(), End> {
        let topic = leaf.topic(&self.link.config.device);
        let retained = leaf.rule().retained;
        let sent = self.client.publish(topic, QoS::AtLeastOnce, retained, message.encode());
        self.hand_over(sent).await
    }

    async fn hand_over<E>(&self, sent: impl Future<Output = Result<(), E>>) -> Result<(), End> {
        match timeout(STUCK, sent).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(End::Broken("the connection is stuck".to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rumqttc::v5::mqttbytes::v5::Publish;

    #[test]
    fn a_moment_without_the_disk_ends_no_link_and_a_damaged_outbox_does() {
        let moment = OutboxError::Held { held: 1, lost: 0, why: Box::new(OutboxError::Full) };
        let asked = |error| settle(Err::<(), _>(Arc::new(error)), |()| Event::Stored);
        assert!(matches!(asked(moment), Ok(Some(Event::Troubled))));
        assert!(matches!(asked(OutboxError::Stopped), Err(End::Outbox(_))));
    }

    #[test]
    fn what_a_newer_hub_says_is_counted_and_goes_no_further() {
        let way = watch::Sender::new(Road::default());
        let publish =
            |bytes: Vec<u8>| Packet::Publish(Publish::new("d/ack", QoS::AtLeastOnce, bytes, None));
        let known = Message::from(Settings::default()).encode();
        assert!(matches!(understand(publish(known.clone()), &way), Ok(Event::Message(_))));
        assert_eq!(way.borrow().strange, 0);
        let newer = [&known[..2], &[99], &known[3..]].concat();
        assert!(matches!(understand(publish(newer), &way), Ok(Event::Heard)));
        assert_eq!(way.borrow().strange, 1);
    }
}
