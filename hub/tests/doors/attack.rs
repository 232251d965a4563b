//! What no honest door does, and what it gets.

use crate::phone::{Phone, options, will};
use crate::rig::{Door, Hub, SOON, trust};
use crate::talk::{EPOCH, health};
use accept::Limits;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use rcgen::{CertificateParams, DnType, Issuer, KeyPair, SanType};
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{ConnectReturnCode, DisconnectReasonCode as Code};
use rumqttc::v5::{ConnectionError, MqttOptions};
use rustls::pki_types::ServerName;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::{TlsConnector, client::TlsStream};
use wire::Message;
use wire::link::Status;
use wire::topic::Leaf;

async fn raw(hub: &Hub, door: &Door) -> std::io::Result<TlsStream<TcpStream>> {
    let tcp = TcpStream::connect(hub.running.mqtt).await?;
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(door.tls.clone()).connect(name, tcp).await
}

/// Whether the other side ends the connection, within `limit`.
async fn closes(stream: &mut (impl AsyncReadExt + Unpin), limit: Duration) -> bool {
    let mut buffer = [0; 1024];
    let end = async { while matches!(stream.read(&mut buffer).await, Ok(1..)) {} };
    timeout(limit, end).await.is_ok()
}

/// An honest door is served, now.
async fn honest(hub: &Hub, door: &Door, seq: u64) {
    let mut phone = Phone::call(hub, door).await;
    phone.batch(EPOCH, vec![health(seq)]);
    assert!(phone.ack().await.max_seq >= seq);
}

fn stranger(hub: &Hub) -> Door {
    let (ca_key, key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let mut ca = CertificateParams::default();
    ca.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "d1");
    params.subject_alt_names = vec![SanType::URI("d1".try_into().unwrap())];
    let certificate = params.signed_by(&key, &Issuer::new(ca, ca_key)).unwrap();
    let tls = trust(&hub.running.app.pki.ca_pem(), &certificate.pem(), &key);
    Door { id: "d1".parse().unwrap(), tls }
}

#[tokio::test]
async fn a_certificate_of_another_authority_gets_nowhere() {
    let hub = Hub::new().await;
    hub.add("d1").await;
    let mut phone = Phone::dial(&stranger(&hub), options(&hub, &stranger(&hub)));
    assert!(phone.listen().await.is_err());
    assert_eq!(hub.running.app.online.count(), 0);
}

#[tokio::test]
async fn a_revoked_door_is_cut_within_a_second_and_stays_out() {
    let hub = Hub::new().await;
    let (door, other) = (hub.door("d1").await, hub.door("d2").await);
    let mut phone = Phone::call(&hub, &door).await;
    let start = Instant::now();
    hub.revoke(&door).await;
    assert_eq!(phone.cut().await, Some(Code::AdministrativeAction));
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    let mut again = Phone::dial(&door, options(&hub, &door));
    assert!(again.listen().await.is_err());
    honest(&hub, &other, 1).await;
}

#[tokio::test]
async fn a_resumed_session_does_not_pass_the_verifier() {
    let hub = Hub::new().await;
    let door = hub.door("d1").await;
    for _ in 0..2 {
        // One client configuration keeps what the server offers for resumption.
        let mut stream = raw(&hub, &door).await.unwrap();
        stream.write_all(&[0xc0, 0]).await.unwrap();
        assert!(closes(&mut stream, SOON).await);
        let kind = stream.get_ref().1.handshake_kind();
        assert_eq!(kind, Some(rustls::HandshakeKind::Full));
    }
}

#[tokio::test]
async fn another_doors_name_is_refused() {
    let hub = Hub::new().await;
    let (door, victim) = (hub.door("d1").await, hub.door("d2").await);
    let mut honest = Phone::call(&hub, &victim).await;
    let mut options = MqttOptions::new("d2", "localhost", hub.running.mqtt.port());
    options.set_transport(self::options(&hub, &door).transport());
    let refused = Phone::dial(&door, options).listen().await.unwrap_err();
    let invalid = ConnectReturnCode::ClientIdentifierNotValid;
    assert!(matches!(refused, ConnectionError::ConnectionRefused(code) if code == invalid));
    honest.batch(EPOCH, vec![health(1)]);
    assert_eq!(honest.ack().await.cum, 1, "the victim's connection is untouched");
}

#[tokio::test]
async fn topics_of_others_and_wildcards_end_the_connection() {
    let hub = Hub::new().await;
    let door = hub.door("d1").await;
    let qos = QoS::AtLeastOnce;
    for topic in ["rollcall/1/main/d2/up", "rollcall/1/main/d1/ack", "anything"] {
        let mut phone = Phone::call(&hub, &door).await;
        phone.client.try_publish(topic, qos, false, "x").unwrap();
        assert_eq!(phone.cut().await, Some(Code::NotAuthorized), "{topic}");
    }
    for filter in ["#", "rollcall/1/main/+/ack"] {
        let mut phone = Phone::call(&hub, &door).await;
        phone.client.try_subscribe(filter, qos).unwrap();
        assert_eq!(phone.cut().await, Some(Code::WildcardSubscriptionsNotSupported), "{filter}");
    }
}

#[tokio::test]
async fn a_will_on_anothers_topic_is_refused() {
    let hub = Hub::new().await;
    let (door, victim) = (hub.door("d1").await, hub.door("d2").await);
    let offline = Message::from(Status { online: false, connection: 9, boot: 9 }).encode();
    let mut options = options(&hub, &door);
    options.set_last_will(will(&Leaf::Status.topic(&victim.id), offline));
    let refused = Phone::dial(&door, options).listen().await.unwrap_err();
    let no = ConnectReturnCode::NotAuthorized;
    assert!(matches!(refused, ConnectionError::ConnectionRefused(code) if code == no));
}

/// CONNECT of d1, then an empty message on its `up`: both valid, until they are mutated.
const CONNECT: &[u8] = b"\x10\x0f\x00\x04MQTT\x05\x02\x00\x1e\x00\x00\x02d1";
const PUBLISH: &[u8] = b"\x32\x1b\x00\x15rollcall/1/main/d1/up\x00\x07\x00x";

#[tokio::test]
async fn two_thousand_mutated_packets_disturb_nobody() {
    let hub = Hub::new().await;
    let (door, other) = (hub.door("d1").await, hub.door("d2").await);
    let seed = rand::random();
    println!("seed {seed}");
    let mut rng = StdRng::seed_from_u64(seed);
    let start = Instant::now();
    for round in 0..100u64 {
        let mut stream = raw(&hub, &door).await.unwrap();
        let mut bytes = if round % 2 == 0 { CONNECT.to_vec() } else { Vec::new() };
        for _ in 0..20 {
            let mut packet = if rng.random() { CONNECT.to_vec() } else { PUBLISH.to_vec() };
            for _ in 0..rng.random_range(1..5) {
                let at = rng.random_range(0..packet.len());
                packet[at] = rng.random();
            }
            bytes.extend(packet);
        }
        let _may_be_cut_at_once = stream.write_all(&bytes).await;
        let _done = stream.shutdown().await;
        assert!(closes(&mut stream, SOON).await, "round {round}");
        if round % 25 == 0 {
            honest(&hub, &other, round + 1).await;
        }
    }
    println!("2000 mutated packets on 100 connections in {:?}", start.elapsed());
}

fn impatient(config: &mut config::Config) {
    let quick = Duration::from_millis(300);
    (config.doors.packet, config.doors.connect) = (quick, quick);
    config.doors.accept = Limits { handshake: quick, half_open_per_ip: 1000, ..Limits::default() };
}

#[tokio::test]
async fn the_slow_and_the_silent_are_cut_and_the_honest_served() {
    let hub = Hub::with(impatient).await;
    let (door, other) = (hub.door("d1").await, hub.door("d2").await);
    let mut slow = JoinSet::new();
    for _ in 0..20 {
        let mut idle = TcpStream::connect(hub.running.mqtt).await.unwrap();
        slow.spawn(async move { closes(&mut idle, SOON).await });
        let mut stalled = TcpStream::connect(hub.running.mqtt).await.unwrap();
        stalled.write_all(&[0x16, 3, 1, 0]).await.unwrap();
        slow.spawn(async move { closes(&mut stalled, SOON).await });
    }
    let mut silent = raw(&hub, &door).await.unwrap();
    slow.spawn(async move { closes(&mut silent, SOON).await });
    honest(&hub, &other, 1).await;
    let mut dripping = raw(&hub, &door).await.unwrap();
    dripping.write_all(CONNECT).await.unwrap();
    dripping.write_all(&PUBLISH[..9]).await.unwrap();
    assert!(closes(&mut dripping, SOON).await, "a packet that never ends");
    assert!(slow.join_all().await.into_iter().all(|closed| closed));
    honest(&hub, &other, 2).await;
}

#[tokio::test]
async fn a_packet_that_is_too_large_is_refused_before_it_comes() {
    let hub = Hub::new().await;
    let door = hub.door("d1").await;
    let mut stream = raw(&hub, &door).await.unwrap();
    stream.write_all(CONNECT).await.unwrap();
    stream.write_all(b"\x32\xff\xff\xff\x7f").await.unwrap();
    let mut answer = Vec::new();
    timeout(SOON, stream.read_to_end(&mut answer)).await.unwrap().unwrap();
    assert_eq!(answer[answer.len() - 3..], [0xe0, 1, 0x95], "DISCONNECT, packet too large");
}
