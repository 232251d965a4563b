//! A hub that cannot store as fast as doors speak: it tells them to hold, and loses nothing.

use crate::phone::{Phone, options};
use crate::rig::{Hub, SOON};
use crate::talk::{EPOCH, health};
use acts::doors::boards::Boards;
use acts::snaps::Snaps;
use acts::tails::Tails;
use acts::{
    ingest::delivery::{Delivery, DeliveryAnswer, Sent},
    online::Online,
};
use config::doors::DoorLimits;
use doors::mqtt::Listener;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use wire::link::{Ack, WINDOW};
use wire::time::SystemClock;
use wire::{Epoch, Ranges};

fn ack(cum: u64) -> DeliveryAnswer {
    let (hub_epoch, ranges, rejects) = (Epoch([9; 16]), Ranges::default(), Vec::new());
    let (max_seq, window) = (cum, WINDOW);
    let ack = Ack { hub_epoch, epoch: EPOCH, cum, ranges, rejects, backed_up: 0, max_seq, window };
    DeliveryAnswer::Stored(Some(ack))
}

async fn next(queue: &mut mpsc::Receiver<Delivery>) -> Delivery {
    timeout(SOON, queue.recv()).await.unwrap().unwrap()
}

/// A listener with the hub's certificates and a queue of one, which the test empties.
async fn listener(hub: &Hub) -> (u16, mpsc::Receiver<Delivery>, JoinSet<()>) {
    let app = &hub.running.app;
    let tls = doors::tls::server(app.pki.clone(), app.fleet.clone()).unwrap();
    let (ingest, queue) = mpsc::channel(1);
    let limits = DoorLimits::default();
    let (fleet, online) = (app.fleet.clone(), Online::default());
    let listener = Listener {
        ingest,
        fleet,
        online,
        snaps: Snaps::default(),
        tails: Tails::default(),
        boards: Boards::default(),
        clock: Arc::new(SystemClock),
        limits,
    };
    let start = |guests: &mut accept::Guests, visit| drop(guests.spawn(visit));
    let house = accept::House { limits: limits.accept, ..accept::House::new(start, Some(tls)) };
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (port, mut tasks) = (socket.local_addr().unwrap().port(), JoinSet::new());
    tasks.spawn(async move {
        listener.run(socket, house, CancellationToken::new()).await.unwrap();
    });
    (port, queue, tasks)
}

#[tokio::test]
async fn a_full_queue_says_hold_and_an_empty_one_says_go_on() {
    let hub = Hub::new().await;
    let door = hub.door("d1").await;
    let (port, mut queue, _tasks) = listener(&hub).await;
    let mut to = rumqttc::v5::MqttOptions::new("d1", "localhost", port);
    to.set_transport(options(&hub, &door).transport());
    let mut phone = Phone::dial(&door, to);
    phone.listen().await.unwrap();
    phone.hello(EPOCH);
    let greet = async {
        let hello = next(&mut queue).await;
        hello.answer.send(ack(0)).unwrap();
    };
    let ((), first) = tokio::join!(greet, phone.ack());
    assert_eq!(first.window, WINDOW);
    for seq in 1..=3 {
        phone.batch(EPOCH, vec![health(seq)]);
    }
    assert_eq!(phone.ack().await.window, 0, "one waits in the queue, the next finds it full");
    let mut stored = 0;
    let drain = async {
        while stored < 3 {
            let delivery = next(&mut queue).await;
            assert!(matches!(delivery.sent, Sent::Batch(_)));
            stored += 1;
            delivery.answer.send(ack(stored)).unwrap();
        }
    };
    let told = async {
        loop {
            let ack = phone.ack().await;
            if ack.cum == 3 {
                return ack.window;
            }
        }
    };
    assert_eq!(tokio::join!(drain, told).1, WINDOW);
}
