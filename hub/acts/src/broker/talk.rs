//! One connection to the broker, from the call to its end.

use super::herald::Herald;
use super::line::trouble;
use super::told::{Kept, Told};
use super::topics::BrokerTopics;
use crate::events::Event;
use rules::error::{Doing, Error};
use rumqttc::mqttbytes::v4::{Packet, Publish, SubscribeReasonCode};
use rumqttc::{AsyncClient, EventLoop, QoS, SubscribeFilter};
use std::collections::VecDeque;
use std::pin::pin;
use std::time::Duration;
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use wire::pulse::Beat;

/// How often it looks at the doors.
const LOOK: Duration = Duration::from_secs(30);
/// The same where something happened at a door.
const SOON: Duration = Duration::from_secs(2);
/// A broker that passes on what the hub says has done so by then, and has taken what waits.
const PATIENCE: Duration = Duration::from_secs(20);
/// Whoever waits turns this often.
const TURN: Duration = Duration::from_secs(2);
/// What the hub says when it begins, and Home Assistant.
const ONLINE: &[u8] = b"online";

/// A connection.
pub(super) struct Talk<'a> {
    herald: &'a Herald,
    topics: &'a BrokerTopics,
    client: AsyncClient,
    told: Told,
    /// What waits for room in the client: of one look.
    waiting: VecDeque<Kept>,
    heard: Receiver<Event>,
    /// Since when the broker answers.
    since: Option<Instant>,
    /// Whether what the hub says came back: to be let in is not to be heard.
    echoed: bool,
    /// When the client last had room for what waits.
    moved: Instant,
    /// Home Assistant began: all is to be said again. When that was done last.
    began: bool,
    anew: Option<Instant>,
    looked: Instant,
    due: Instant,
}

impl<'a> Talk<'a> {
    pub(super) fn new(herald: &'a Herald, topics: &'a BrokerTopics, client: AsyncClient) -> Self {
        let (now, heard) = (Instant::now(), herald.events.listen());
        let (told, waiting) = (Told::default(), VecDeque::new());
        Self {
            herald,
            topics,
            client,
            told,
            waiting,
            heard,
            since: None,
            echoed: false,
            moved: now,
            began: false,
            anew: None,
            looked: now,
            due: now,
        }
    }

    /// Whether the broker heard the hub.
    pub(super) fn is_heard(&self) -> bool {
        self.echoed
    }

    /// Talks until `stop`. The line is hung up then without a word: that the hub is gone, the
    /// broker says itself.
    ///
    /// # Errors
    /// Why the connection ended.
    pub(super) async fn hold(
        &mut self,
        mut line: EventLoop,
        turning: (&Beat, &CancellationToken),
    ) -> Result<(), Error> {
        while let Some(happened) = self.meanwhile(line.poll(), turning).await {
            if let rumqttc::Event::Incoming(packet) = happened.map_err(|why| trouble(&why))? {
                self.hear(packet)?;
                self.patience()?;
            }
        }
        Ok(())
    }

    /// Waits for `event`, which is never cut short but by `stop`, and does what is due meanwhile.
    async fn meanwhile<T>(
        &mut self,
        event: impl Future<Output = T>,
        (beat, stop): (&Beat, &CancellationToken),
    ) -> Option<T> {
        let mut event = pin!(event);
        while !stop.is_cancelled() && self.herald.upkeep.is_ours() {
            beat.turn();
            self.look().await;
            self.hand_over();
            let turn = Instant::now() + TURN;
            let wake = if self.may_look() { turn.min(self.due) } else { turn };
            tokio::select! {
                happened = &mut event => return Some(happened),
                heard = self.heard.recv() => self.hasten(&heard),
                () = sleep_until(wake) => {}
                () = stop.cancelled() => {}
            }
        }
        None
    }

    /// What waits goes before the next look: a broker that is slow hears what is so by then.
    fn may_look(&self) -> bool {
        self.since.is_some() && self.waiting.is_empty()
    }

    /// A look at the doors, if one is due.
    async fn look(&mut self) {
        if !self.may_look() || Instant::now() < self.due {
            return;
        }
        self.looked = Instant::now();
        self.due = self.looked + LOOK;
        if self.began && self.anew.is_none_or(|at| at.elapsed() >= LOOK) {
            (self.began, self.anew) = (false, Some(self.looked));
            self.told.forget();
        }
        let upkeep = &self.herald.upkeep;
        let doors = upkeep.tried("looking at doors for the broker", self.herald.doors().await);
        let (pages, now) = (&self.herald.pages, upkeep.now());
        if let Some(doors) = doors {
            self.waiting.extend(self.told.look(self.topics, &doors, pages, now));
        }
    }

    /// Gives the client what it has room for; the rest waits until it has sent some.
    fn hand_over(&mut self) {
        while let Some(Kept { topic, payload }) = self.waiting.front().cloned() {
            if self.client.try_publish(topic, QoS::AtLeastOnce, true, payload).is_err() {
                return;
            }
            self.waiting.pop_front();
            self.moved = Instant::now();
        }
        self.moved = Instant::now();
    }

    /// Whether the broker takes what is said; it is asked whenever something comes, and something
    /// comes at least as often as either side says that it is there.
    fn patience(&self) -> Result<(), Error> {
        if self.moved.elapsed() > PATIENCE {
            return Err(Error::Unavailable("the broker takes nothing any more".into()));
        }
        if self.since.is_some_and(|since| since.elapsed() > PATIENCE) && !self.echoed {
            let say = format!(
                "the broker lets the hub in and does not pass on what it says: give its user leave to \
                 write and read {}",
                self.topics.heard()[1..].join(", ")
            );
            return Err(Error::Unavailable(say));
        }
        Ok(())
    }

    /// What happened at a door is looked at soon, however much happens.
    fn hasten(&mut self, heard: &Result<Event, RecvError>) {
        if matches!(heard, Ok(Event::DeviceChanged(_) | Event::Missed) | Err(RecvError::Lagged(_)))
        {
            self.due = self.due.min(self.looked + SOON);
        }
    }

    fn hear(&mut self, packet: Packet) -> Result<(), Error> {
        match packet {
            Packet::ConnAck(_) => self.begin(),
            Packet::SubAck(ack) if ack.return_codes.contains(&SubscribeReasonCode::Failure) => {
                let topics = self.topics.heard().join(", ");
                Err(Error::Unavailable(format!("the broker does not let the hub read {topics}")))
            }
            Packet::Publish(said) => {
                self.read(&said);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn begin(&mut self) -> Result<(), Error> {
        let now = Instant::now();
        (self.since, self.due, self.moved) = (Some(now), now, now);
        let filters =
            self.topics.heard().map(|topic| SubscribeFilter::new(topic, QoS::AtLeastOnce));
        self.client.try_subscribe_many(filters).doing("hearing what the broker keeps")?;
        self.here();
        Ok(())
    }

    fn here(&mut self) {
        let payload = String::from_utf8_lossy(ONLINE).into_owned();
        self.waiting.push_front(Kept { topic: self.topics.status(), payload });
    }

    /// The hub's own word came back, Home Assistant began, or the broker keeps something from before.
    fn read(&mut self, said: &Publish) {
        let is_online = said.payload.as_ref() == ONLINE;
        if said.topic == self.topics.status() {
            if is_online && !said.retain {
                self.echoed = true;
                self.herald.note(Ok(()));
            }
        } else if said.topic == self.topics.birth() {
            if is_online && !said.retain {
                self.began = true;
                self.due = self.due.min(self.looked + SOON);
            }
        } else if said.retain
            && let Some(door) = self.topics.door(&said.topic, &said.payload)
        {
            self.told.found(door);
            self.due = self.due.min(self.looked + SOON);
        }
    }
}
