//! MQTT 5 with one device, without a socket: bytes in, steps and bytes out.
//!
//! The packets are `mqtt-protocol-core`'s; what a device may do with them is decided here, by
//! `wire::topic` and nothing else. It is no broker: everything not in that table ends it.

use super::refusal::MqttRefusal;
use mqtt_protocol_core::mqtt::common::Cursor;
use mqtt_protocol_core::mqtt::connection::{ConnectionOptions, GenericEvent};
use mqtt_protocol_core::mqtt::packet::{
    GenericPacketTrait, Packet, Property, Qos, ReasonString, ServerKeepAlive,
    SharedSubscriptionAvailable, SubEntry, SubscriptionIdentifierAvailable,
    WildcardSubscriptionAvailable, v5_0,
};
use mqtt_protocol_core::mqtt::result_code::{
    ConnectReasonCode, DisconnectReasonCode, MqttError, PubackReasonCode, SubackReasonCode,
};
use mqtt_protocol_core::mqtt::{Connection, Version, role::Server};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;
use wire::link::{PACKET_BYTES, Status};
use wire::topic::{self, Leaf, Rule};
use wire::{DeviceId, Message};

/// Un-acknowledged messages a device may have on the way.
const RECEIVE_MAXIMUM: u16 = 16;
/// The longest keep-alive granted, seconds.
const KEEP_ALIVE_MAX: u16 = 60;
/// The longest a will waits for its device to come back, seconds.
const WILL_DELAY_MAX: u32 = 60;

/// What the other side did.
#[derive(Debug, PartialEq)]
pub enum MqttStep {
    /// CONNECT was in order and is answered.
    Connected {
        /// Silence after which the connection ends.
        silence: Duration,
        /// What to say, and how much later, when the connection ends without good-bye.
        will: Option<(Status, Duration)>,
    },
    /// A message on one of the device's own topics, to be acknowledged with its packet id.
    Published(Leaf, u16, Vec<u8>),
    /// The device now listens to this topic.
    Subscribed(Leaf),
    /// DISCONNECT came; the will is wanted or not.
    Bye {
        /// Whether the will is to be published all the same.
        will: bool,
    },
    /// The connection is over; the output still holds what to say.
    Refused(MqttRefusal),
}

/// One device's side of the protocol.
pub struct MqttSession {
    core: Connection<Server>,
    device: DeviceId,
    open: bool,
    over: bool,
    partial: bool,
    listening: [bool; topic::RULES.len()],
    output: Vec<u8>,
}

impl MqttSession {
    /// Waiting for the CONNECT of `device`.
    #[must_use]
    pub fn new(device: DeviceId) -> Self {
        let packet = u32::try_from(PACKET_BYTES).expect("a packet is far below 4 GiB");
        let options = ConnectionOptions::new()
            .maximum_packet_size_recv(packet)
            .receive_maximum(RECEIVE_MAXIMUM);
        let mut core = Connection::with_options(Version::V5_0, options);
        core.set_auto_pub_response(false);
        core.set_auto_ping_response(true);
        let listening = [false; topic::RULES.len()];
        Self { core, device, open: false, over: false, partial: false, listening, output: vec![] }
    }

    /// Takes bytes as they come and says what they mean, in order. After a refusal or a
    /// good-bye further bytes mean nothing.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<MqttStep> {
        let mut steps = Vec::new();
        let mut cursor = Cursor::new(bytes);
        while !self.over && cursor.position() < bytes.len() as u64 {
            // The core asserts on some bytes (0.7.9: a topic alias maximum of 0). That ends this
            // connection, without another word from a core in doubt, and nothing else.
            let recv = AssertUnwindSafe(|| self.core.recv(&mut cursor));
            let Ok(events) = catch_unwind(recv) else {
                self.over = true;
                steps.push(MqttStep::Refused(MqttRefusal::Protocol(MqttError::MalformedPacket)));
                return steps;
            };
            self.partial = events.is_empty();
            for event in events {
                self.event(event, &mut steps);
            }
        }
        steps
    }

    /// Whether CONNECT has been answered and nothing ended since.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.open && !self.over
    }

    /// Whether the last bytes ended inside a packet.
    #[must_use]
    pub fn is_partial(&self) -> bool {
        self.partial
    }

    /// Whether the device subscribed to `leaf`.
    #[must_use]
    pub fn listens(&self, leaf: Leaf) -> bool {
        self.listening[leaf as usize]
    }

    /// Publishes if the device listens. Quality of service 0: what the hub says is state, said
    /// again after every hello, and lost only together with the connection.
    pub fn publish(&mut self, leaf: Leaf, message: impl Into<Message>) {
        if !self.is_open() || !self.listens(leaf) {
            return;
        }
        let packet = v5_0::Publish::builder()
            .topic_name(leaf.topic(&self.device))
            .and_then(|p| {
                let retained = leaf.rule().retained;
                p.qos(Qos::AtMostOnce).retain(retained).payload(message.into().encode()).build()
            })
            .expect("our own topics and payloads are valid MQTT");
        self.send(packet.into());
    }

    /// Acknowledges a message: it is dealt with for good.
    pub fn acknowledge(&mut self, packet_id: u16) {
        let packet = v5_0::Puback::builder()
            .packet_id(packet_id)
            .reason_code(PubackReasonCode::Success)
            .build()
            .expect("a packet id that came is valid");
        self.send(packet.into());
    }

    /// Ends the connection, saying why.
    pub fn refuse(&mut self, why: &MqttRefusal) {
        if self.over {
            return;
        }
        if self.open {
            // With the reason in words: rumqttc 0.25 cannot read one without properties.
            let packet = v5_0::Disconnect::builder()
                .reason_code(why.disconnect())
                .props(vec![valid(ReasonString::new(why.to_string()))])
                .build();
            self.send(packet.expect("our own sentences are valid MQTT").into());
        } else {
            self.connack(why.connack(), Vec::new());
        }
        self.over = true;
    }

    /// The bytes to write now.
    pub fn take_output(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.output)
    }

    fn event(&mut self, event: GenericEvent<u16>, steps: &mut Vec<MqttStep>) {
        match event {
            GenericEvent::RequestSendPacket { packet, .. } => {
                self.output.extend(packet.to_continuous_buffer());
            }
            GenericEvent::NotifyPacketReceived(packet) if !self.over => {
                if let Err(refusal) = self.packet(packet, steps) {
                    self.refuse(&refusal);
                    steps.push(MqttStep::Refused(refusal));
                }
            }
            GenericEvent::NotifyError(error) if !self.over => {
                self.over = true;
                steps.push(MqttStep::Refused(MqttRefusal::Protocol(error)));
            }
            GenericEvent::RequestClose if !self.over => {
                self.over = true;
                steps.push(MqttStep::Refused(MqttRefusal::Protocol(MqttError::ProtocolError)));
            }
            _ => {}
        }
    }

    fn packet(&mut self, packet: Packet, steps: &mut Vec<MqttStep>) -> Result<(), MqttRefusal> {
        match packet {
            Packet::V5_0Connect(connect) => steps.push(self.connect(&connect)?),
            Packet::V5_0Publish(publish) => steps.push(self.published(&publish)?),
            Packet::V5_0Subscribe(subscribe) => self.subscribe(&subscribe, steps)?,
            Packet::V5_0Pingreq(_) => {}
            Packet::V5_0Disconnect(bye) => {
                self.over = true;
                let wanted = DisconnectReasonCode::DisconnectWithWillMessage;
                steps.push(MqttStep::Bye { will: bye.reason_code() == Some(wanted) });
            }
            _ => return Err(MqttRefusal::Protocol(MqttError::ProtocolError)),
        }
        Ok(())
    }

    fn connect(&mut self, connect: &v5_0::Connect) -> Result<MqttStep, MqttRefusal> {
        if connect.client_id() != self.device.as_str() {
            return Err(MqttRefusal::ClientId);
        }
        let will = if connect.will_flag() { Some(self.will(connect)?) } else { None };
        let asked = connect.keep_alive();
        let keep_alive = if asked == 0 { KEEP_ALIVE_MAX } else { asked.min(KEEP_ALIVE_MAX) };
        let mut props = no_extras();
        if keep_alive != asked {
            props.push(valid(ServerKeepAlive::new(keep_alive)));
        }
        self.connack(ConnectReasonCode::Success, props);
        self.open = true;
        Ok(MqttStep::Connected {
            silence: Duration::from_secs(u64::from(keep_alive)) * 3 / 2,
            will,
        })
    }

    /// Only “I am offline”, on the device's own status topic.
    fn will(&self, connect: &v5_0::Connect) -> Result<(Status, Duration), MqttRefusal> {
        let rule = Leaf::Status.rule();
        let own = connect.will_topic() == Some(Leaf::Status.topic(&self.device).as_str())
            && connect.will_retain() == rule.retained
            && connect.will_qos() == Qos::AtLeastOnce;
        match Message::decode(connect.will_payload().unwrap_or_default()) {
            Ok(Message::Status(status)) if own && !status.online => {
                let delay = will_delay(connect).min(WILL_DELAY_MAX);
                Ok((status, Duration::from_secs(u64::from(delay))))
            }
            _ => Err(MqttRefusal::Will),
        }
    }

    fn published(&self, publish: &v5_0::Publish) -> Result<MqttStep, MqttRefusal> {
        if publish.props().iter().any(|p| matches!(p, Property::TopicAlias(_))) {
            return Err(MqttRefusal::Alias);
        }
        let rule = self.rule(publish.topic_name(), true)?;
        let Some(id) = publish.packet_id().filter(|_| publish.qos() == Qos::AtLeastOnce) else {
            return Err(MqttRefusal::Qos);
        };
        if publish.retain() != rule.retained {
            return Err(MqttRefusal::Retain);
        }
        let payload = publish.payload().as_slice();
        if payload.is_empty() || payload.len() > rule.max_bytes + ENVELOPE {
            return Err(MqttRefusal::Payload);
        }
        Ok(MqttStep::Published(rule.leaf, id, payload.to_vec()))
    }

    fn subscribe(
        &mut self,
        subscribe: &v5_0::Subscribe,
        steps: &mut Vec<MqttStep>,
    ) -> Result<(), MqttRefusal> {
        let mut leaves = Vec::new();
        for entry in subscribe.entries() {
            leaves.push(self.subscription(entry)?);
        }
        let granted = vec![SubackReasonCode::GrantedQos0; leaves.len()];
        let packet = v5_0::Suback::builder()
            .packet_id(subscribe.packet_id())
            .reason_codes(granted)
            .build()
            .map_err(MqttRefusal::Protocol)?;
        self.send(packet.into());
        for leaf in leaves {
            self.listening[leaf as usize] = true;
            steps.push(MqttStep::Subscribed(leaf));
        }
        Ok(())
    }

    fn subscription(&self, entry: &SubEntry) -> Result<Leaf, MqttRefusal> {
        let filter = entry.topic_filter();
        if filter.contains(['+', '#', '$']) {
            return Err(MqttRefusal::Wildcard);
        }
        Ok(self.rule(filter, false)?.leaf)
    }

    fn rule(&self, topic: &str, from_door: bool) -> Result<&'static Rule, MqttRefusal> {
        let rule = topic::find(topic, &self.device).ok_or(MqttRefusal::Topic)?;
        if rule.from_door == from_door { Ok(rule) } else { Err(MqttRefusal::Topic) }
    }

    fn connack(&mut self, code: ConnectReasonCode, props: Vec<Property>) {
        let packet = v5_0::Connack::builder()
            .session_present(false)
            .reason_code(code)
            .props(props)
            .build()
            .expect("our own answer is valid MQTT");
        self.send(packet.into());
    }

    fn send(&mut self, packet: Packet) {
        for event in self.core.send(packet) {
            match event {
                GenericEvent::RequestSendPacket { packet, .. } => {
                    self.output.extend(packet.to_continuous_buffer());
                }
                GenericEvent::NotifyError(error) => {
                    tracing::warn!(device = %self.device, ?error, "a packet could not be sent");
                }
                _ => {}
            }
        }
    }
}

/// Head of the envelope: a batch's own limit does not count it.
const ENVELOPE: usize = 16;

fn no_extras() -> Vec<Property> {
    vec![
        valid(WildcardSubscriptionAvailable::new(0)),
        valid(SubscriptionIdentifierAvailable::new(0)),
        valid(SharedSubscriptionAvailable::new(0)),
    ]
}

fn valid<P: Into<Property>>(property: Result<P, MqttError>) -> Property {
    property.expect("our own values are within their range").into()
}

fn will_delay(connect: &v5_0::Connect) -> u32 {
    let delay = |p: &Property| match p {
        Property::WillDelayInterval(delay) => Some(delay.val()),
        _ => None,
    };
    connect.will_props().iter().find_map(delay).unwrap_or(0)
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;
