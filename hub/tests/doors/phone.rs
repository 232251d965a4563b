//! A door's end of MQTT: rumqttc, one step at a time.

use crate::rig::{Door, Hub, SOON};
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{DisconnectReasonCode, LastWill, Packet};
use rumqttc::v5::{AsyncClient, ConnectionError, Event, EventLoop, MqttOptions, StateError};
use rumqttc::{TlsConfiguration, Transport};
use std::collections::VecDeque;
use std::time::Duration;
use tokio::time::timeout;
use wire::link::{Ack, Batch, Greeting, Hello, Run};
use wire::topic::Leaf;
use wire::{DeviceId, Epoch, Item, Message, Mono};

pub struct Phone {
    pub id: DeviceId,
    pub client: AsyncClient,
    events: EventLoop,
    acknowledged: usize,
    messages: VecDeque<Message>,
}

pub fn options(hub: &Hub, door: &Door) -> MqttOptions {
    let mut options = MqttOptions::new(door.id.as_str(), "localhost", hub.running.mqtt.port());
    options.set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(door.tls.clone())));
    options.set_keep_alive(Duration::from_secs(30)).set_clean_start(true);
    options.set_max_packet_size(Some(128 * 1024));
    options
}

impl Phone {
    /// Connects and subscribes to all that the hub says.
    pub async fn call(hub: &Hub, door: &Door) -> Self {
        let mut phone = Self::dial(door, options(hub, door));
        phone.listen().await.unwrap();
        phone
    }

    pub fn dial(door: &Door, mut options: MqttOptions) -> Self {
        options.set_outgoing_inflight_upper_limit(16);
        let (client, events) = AsyncClient::new(options, 64);
        let id = door.id.clone();
        Self { id, client, events, acknowledged: 0, messages: VecDeque::new() }
    }

    pub async fn listen(&mut self) -> Result<(), ConnectionError> {
        while !matches!(self.step().await?, Event::Incoming(Packet::ConnAck(_))) {}
        for leaf in [Leaf::Ack, Leaf::Desired, Leaf::Cmd, Leaf::Time] {
            let topic = leaf.topic(&self.id);
            self.client.try_subscribe(topic, QoS::AtLeastOnce).unwrap();
            while !matches!(self.step().await?, Event::Incoming(Packet::SubAck(_))) {}
        }
        Ok(())
    }

    /// The next thing that happens.
    pub async fn step(&mut self) -> Result<Event, ConnectionError> {
        let event = timeout(SOON, self.events.poll()).await.expect("something happens soon")?;
        match &event {
            Event::Incoming(Packet::PubAck(_)) => self.acknowledged += 1,
            Event::Incoming(Packet::Publish(publish)) => {
                self.messages.push_back(Message::decode(&publish.payload).unwrap());
            }
            _ => {}
        }
        Ok(event)
    }

    pub fn say(&self, leaf: Leaf, message: impl Into<Message>) {
        let (topic, payload) = (leaf.topic(&self.id), message.into().encode());
        self.client.try_publish(topic, QoS::AtLeastOnce, leaf.rule().retained, payload).unwrap();
    }

    pub fn hello(&self, epoch: Epoch) {
        self.say(Leaf::Up, hello(epoch, 0));
    }

    /// With the names of its runs, and where each began.
    pub fn greet(&self, epoch: Epoch, max_seq: u64, runs: &[(u64, u64)]) {
        let runs = runs.iter().map(|&(id, first)| Run { id, first }).collect();
        self.say(Leaf::Up, Greeting { hello: hello(epoch, max_seq), runs });
    }

    pub fn batch(&self, epoch: Epoch, items: Vec<Item>) {
        self.say(Leaf::Up, Batch { epoch, items });
    }

    /// The next message that `pick` takes; others are forgotten.
    pub async fn hear<T>(&mut self, mut pick: impl FnMut(Message) -> Option<T>) -> T {
        loop {
            while let Some(message) = self.messages.pop_front() {
                if let Some(picked) = pick(message) {
                    return picked;
                }
            }
            self.step().await.unwrap();
        }
    }

    pub async fn ack(&mut self) -> Ack {
        self.hear(|message| if let Message::Ack(ack) = message { Some(ack) } else { None }).await
    }

    /// Until `count` messages were acknowledged by MQTT.
    pub async fn acknowledged(&mut self, count: usize) {
        while self.acknowledged < count {
            self.step().await.unwrap();
        }
    }

    /// Why the hub ends the connection.
    pub async fn cut(&mut self) -> Option<DisconnectReasonCode> {
        loop {
            match self.step().await {
                Ok(_) => {}
                Err(ConnectionError::MqttState(StateError::ServerDisconnect {
                    reason_code,
                    ..
                })) => return Some(reason_code),
                Err(error) => {
                    println!("ended without a reason: {error:?}");
                    return None;
                }
            }
        }
    }
}

fn hello(epoch: Epoch, max_seq: u64) -> Hello {
    let (model, software) = ("dlib-1".parse().unwrap(), "1".into());
    Hello { epoch, boot: 1, max_seq, cum: 0, mono: Mono(77), software, gallery: 0, model }
}

/// A will for `topic`.
pub fn will(topic: &str, payload: Vec<u8>) -> LastWill {
    LastWill::new(topic, payload, QoS::AtLeastOnce, true, None)
}
