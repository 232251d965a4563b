//! What delivery relies on in rumqttc, shown by the library itself. When one of these
//! fails, the library changed, and the workaround it justified may go.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::{AsyncClient, MqttOptions};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// CONNACK of MQTT 5: no session, success, no properties.
const CONNACK: [u8; 5] = [0x20, 3, 0, 0, 0];
const PUBLISH: u8 = 3;

/// The next packet: its kind and its body.
async fn packet(socket: &mut TcpStream) -> (u8, Vec<u8>) {
    let kind = socket.read_u8().await.unwrap() >> 4;
    let (mut length, mut shift) = (0usize, 0);
    loop {
        let byte = socket.read_u8().await.unwrap();
        length |= usize::from(byte & 0x7f) << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            break;
        }
    }
    let mut body = vec![0; length];
    socket.read_exact(&mut body).await.unwrap();
    (kind, body)
}

async fn greet(listener: &TcpListener) -> TcpStream {
    let (mut socket, _) = listener.accept().await.unwrap();
    packet(&mut socket).await;
    socket.write_all(&CONNACK).await.unwrap();
    socket
}

/// Why the outbox is the only queue that counts.
#[tokio::test]
async fn rumqttc_forgets_everything_handed_over_when_the_broker_forgot_the_session() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut options = MqttOptions::new("d", "127.0.0.1", listener.local_addr().unwrap().port());
    options.set_outgoing_inflight_upper_limit(16);
    let (client, mut events) = AsyncClient::new(options, 64);
    for _ in 0..50 {
        client.try_publish("t", QoS::AtLeastOnce, false, "before").unwrap();
    }
    let broker = async {
        let mut first = greet(&listener).await;
        assert_eq!(packet(&mut first).await.0, PUBLISH);
        drop(first);
        let mut second = greet(&listener).await;
        client.publish("t", QoS::AtLeastOnce, false, "after").await.unwrap();
        let mut before = 0;
        loop {
            let (kind, body) = packet(&mut second).await;
            if kind == PUBLISH && body.ends_with(b"after") {
                return before;
            }
            before += usize::from(kind == PUBLISH);
        }
    };
    let poll = async {
        loop {
            // Errors are the point: rumqttc reconnects at the next poll.
            let _ = events.poll().await;
        }
    };
    let survived = tokio::select! {
        before = broker => before,
        () = poll => 50,
    };
    assert_eq!(survived, 0, "rumqttc now keeps what it was given");
}
