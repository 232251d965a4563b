//! What a device may and may not say, packet by packet.

use super::*;
use mqtt_protocol_core::mqtt::packet::{SubOpts, TopicAlias, WillDelayInterval};
use proptest::prelude::*;
use wire::{Wall, link::Time};

const UP: &str = "rollcall/1/main/d1/up";

fn offline() -> Vec<u8> {
    Message::from(Status { online: false, connection: 3, boot: 1 }).encode()
}

fn connect(id: &str) -> Vec<u8> {
    let packet = v5_0::Connect::builder().client_id(id).unwrap().clean_start(true).keep_alive(30);
    packet.build().unwrap().to_continuous_buffer()
}

fn willing(topic: &str, payload: Vec<u8>, qos: Qos, retain: bool) -> Vec<u8> {
    let delay = vec![WillDelayInterval::new(10).unwrap().into()];
    let packet = v5_0::Connect::builder().client_id("d1").unwrap().keep_alive(30);
    let packet = packet.will_message(topic, payload, qos, retain).unwrap();
    packet.will_props(delay).build().unwrap().to_continuous_buffer()
}

fn publish(topic: &str, qos: Qos, retain: bool, payload: Vec<u8>) -> Vec<u8> {
    let packet = v5_0::Publish::builder().topic_name(topic).unwrap().qos(qos).retain(retain);
    let packet = if qos == Qos::AtMostOnce { packet } else { packet.packet_id(7u16) };
    packet.payload(payload).build().unwrap().to_continuous_buffer()
}

fn subscribe(filter: &str) -> Vec<u8> {
    let entry = SubEntry::new(filter, SubOpts::new().set_qos(Qos::AtLeastOnce)).unwrap();
    let packet = v5_0::Subscribe::builder().packet_id(9u16).entries(vec![entry]).build();
    packet.unwrap().to_continuous_buffer()
}

fn open() -> MqttSession {
    let mut session = MqttSession::new("d1".parse().unwrap());
    let steps = session.feed(&connect("d1"));
    let silence = Duration::from_secs(45);
    assert_eq!(steps, [MqttStep::Connected { silence, will: None }]);
    assert_eq!(session.take_output()[0], 0x20, "CONNACK");
    session
}

fn refused(mut session: MqttSession, bytes: &[u8]) -> (MqttRefusal, u8) {
    let steps = session.feed(bytes);
    let output = session.take_output();
    assert!(!session.is_open());
    match steps.as_slice() {
        [MqttStep::Refused(why)] => (
            why.clone(),
            *output.iter().find(|byte| **byte >= 0x80 && **byte != 0xe0).expect("a reason"),
        ),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_device_says_what_it_may_and_is_acknowledged_when_told_to() {
    let mut session = open();
    let [MqttStep::Published(Leaf::Up, 7, payload)] =
        &session.feed(&publish(UP, Qos::AtLeastOnce, false, vec![1, 2]))[..]
    else {
        panic!("not published");
    };
    assert_eq!(payload, &[1, 2]);
    assert!(session.take_output().is_empty(), "nothing is acknowledged by itself");
    session.acknowledge(7);
    assert_eq!(session.take_output(), [0x40, 3, 0, 7, 0]);
}

#[test]
fn the_hub_speaks_only_to_those_who_listen() {
    let mut session = open();
    let time = Time { wall: Wall(5), echo: None };
    session.publish(Leaf::Time, time);
    assert!(session.take_output().is_empty());
    let steps = session.feed(&subscribe("rollcall/1/main/d1/time"));
    assert_eq!(steps, [MqttStep::Subscribed(Leaf::Time)]);
    assert_eq!(session.take_output()[0], 0x90, "SUBACK");
    session.publish(Leaf::Time, time);
    assert!(session.take_output().ends_with(&Message::from(time).encode()));
}

#[test]
fn every_trick_has_its_own_reason() {
    let qos1 = Qos::AtLeastOnce;
    let big = vec![0; wire::link::BATCH_BYTES + 100];
    for (bytes, why, code) in [
        (publish("rollcall/1/main/d2/up", qos1, false, vec![1]), MqttRefusal::Topic, 0x87),
        (publish("rollcall/1/main/d1/ack", qos1, false, vec![1]), MqttRefusal::Topic, 0x87),
        (publish("$SYS/x", qos1, false, vec![1]), MqttRefusal::Topic, 0x87),
        (publish(UP, Qos::AtMostOnce, false, vec![1]), MqttRefusal::Qos, 0x9b),
        (publish(UP, Qos::ExactlyOnce, false, vec![1]), MqttRefusal::Qos, 0x9b),
        (publish(UP, qos1, true, vec![1]), MqttRefusal::Retain, 0x9a),
        (publish("rollcall/1/main/d1/status", qos1, false, vec![1]), MqttRefusal::Retain, 0x9a),
        (publish(UP, qos1, false, vec![]), MqttRefusal::Payload, 0x95),
        (publish(UP, qos1, false, big), MqttRefusal::Payload, 0x95),
        (subscribe("#"), MqttRefusal::Wildcard, 0xa2),
        (subscribe("rollcall/1/main/+/ack"), MqttRefusal::Wildcard, 0xa2),
        (subscribe("$share/x/rollcall/1/main/d1/ack"), MqttRefusal::Wildcard, 0xa2),
        (subscribe("rollcall/1/main/d2/ack"), MqttRefusal::Topic, 0x87),
        (subscribe(UP), MqttRefusal::Topic, 0x87),
    ] {
        assert_eq!(refused(open(), &bytes), (why, code));
    }
}

#[test]
fn topic_aliases_are_off() {
    let packet = v5_0::Publish::builder().topic_name(UP).unwrap().qos(Qos::AtLeastOnce);
    let props = vec![TopicAlias::new(1).unwrap().into()];
    let packet = packet.packet_id(7u16).props(props).payload(vec![1]).build().unwrap();
    let (_, code) = refused(open(), &packet.to_continuous_buffer());
    assert_eq!(code, 0x94);
}

#[test]
fn a_client_id_other_than_the_certificates_name_is_refused() {
    let session = MqttSession::new("d1".parse().unwrap());
    let (why, _) = refused(session, &connect("d2"));
    assert_eq!(why, MqttRefusal::ClientId);
}

#[test]
fn a_will_is_the_devices_own_offline_status_or_nothing() {
    let status = "rollcall/1/main/d1/status";
    let online = Message::from(Status { online: true, connection: 3, boot: 1 }).encode();
    let qos1 = Qos::AtLeastOnce;
    for (topic, payload, qos, retain) in [
        ("rollcall/1/main/d2/status", offline(), qos1, true),
        (UP, offline(), qos1, true),
        (status, online, qos1, true),
        (status, b"gone".to_vec(), qos1, true),
        (status, offline(), Qos::AtMostOnce, true),
        (status, offline(), qos1, false),
    ] {
        let session = MqttSession::new("d1".parse().unwrap());
        assert_eq!(refused(session, &willing(topic, payload, qos, retain)).0, MqttRefusal::Will);
    }
    let mut session = MqttSession::new("d1".parse().unwrap());
    let steps = session.feed(&willing(status, offline(), qos1, true));
    let will = Some((Status { online: false, connection: 3, boot: 1 }, Duration::from_secs(10)));
    assert_eq!(steps, [MqttStep::Connected { silence: Duration::from_secs(45), will }]);
}

#[test]
fn bytes_that_come_one_by_one_mean_the_same() {
    let mut session = open();
    let bytes = publish(UP, Qos::AtLeastOnce, false, vec![5; 300]);
    let (last, rest) = bytes.split_last().unwrap();
    for byte in rest {
        assert_eq!(session.feed(&[*byte]), []);
        assert!(session.is_partial());
    }
    assert_eq!(session.feed(&[*last]), [MqttStep::Published(Leaf::Up, 7, vec![5; 300])]);
    assert!(!session.is_partial());
}

#[test]
fn more_than_sixteen_unacknowledged_messages_end_it() {
    let mut session = open();
    for id in 1..=17u16 {
        let packet = v5_0::Publish::builder().topic_name(UP).unwrap().qos(Qos::AtLeastOnce);
        let packet = packet.packet_id(id).payload(vec![1]).build().unwrap();
        let steps = session.feed(&packet.to_continuous_buffer());
        assert_eq!(matches!(steps[..], [MqttStep::Published(..)]), id <= 16, "{id}");
    }
    assert!(!session.is_open());
}

#[test]
fn version_3_is_turned_away() {
    let bytes = b"\x10\x0e\x00\x04MQTT\x04\x02\x00\x3c\x00\x02d1";
    let mut session = MqttSession::new("d1".parse().unwrap());
    assert!(matches!(session.feed(bytes)[..], [MqttStep::Refused(MqttRefusal::Protocol(_))]));
}

#[test]
fn a_connect_that_the_core_asserts_on_ends_only_its_own_connection() {
    // Protocol 5, clean start, keep-alive 30, property 0x22 (topic alias maximum) = 0, id "d1".
    let bytes = b"\x10\x12\x00\x04MQTT\x05\x02\x00\x1e\x03\x22\x00\x00\x00\x02d1";
    let mut session = MqttSession::new("d1".parse().unwrap());
    let steps = session.feed(bytes);
    assert_eq!(steps, [MqttStep::Refused(MqttRefusal::Protocol(MqttError::MalformedPacket))]);
    assert!(!session.is_open() && session.feed(bytes).is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn no_bytes_panic_and_none_speak_for_another(
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        which in 0usize..4, open_first: bool, cut in any::<prop::sample::Index>()
    ) {
        let mut bytes = match which {
            0 => connect("d1"),
            1 => publish(UP, Qos::AtLeastOnce, false, vec![1, 2, 3]),
            2 => subscribe("rollcall/1/main/d1/ack"),
            _ => willing("rollcall/1/main/d1/status", offline(), Qos::AtLeastOnce, true),
        };
        for (at, byte) in flips {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let mut session = if open_first { open() } else { MqttSession::new("d1".parse().unwrap()) };
        let (head, tail) = bytes.split_at(cut.index(bytes.len()));
        session.feed(head);
        session.feed(tail);
        session.take_output();
    }
}
