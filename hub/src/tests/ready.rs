//! What a balancer is told at `/ready`.

use super::{House, body, get};
use crate::app;
use http::front::STRANGERS;
use serde_json::{Value, json};
use std::time::Duration;
use store::{Tx, params};
use tokio::time::timeout;

async fn ready(house: &House) -> (u16, Value) {
    let answer = house.send(get("/ready")).await;
    (answer.status().as_u16(), body(&answer))
}

#[tokio::test]
async fn a_hub_whose_school_moved_sends_balancers_elsewhere() {
    let house = House::new().await;
    let (status, said) = ready(&house).await;
    assert_eq!((status, &said["database"]), (200, &json!("ok")), "{said}");
    let moved = |tx: &Tx<'_>| {
        tx.execute("insert into setting (name, value) values ('moved', 'elsewhere')", params![])
    };
    house.app.db.write(moved).await.unwrap();
    house.clock.advance(1_000);
    let (status, said) = ready(&house).await;
    assert_eq!((status, &said["status"]), (503, &json!("unready")), "{said}");
    assert_eq!(said["database"], "moved");
    assert_eq!(house.send(get("/health")).await.status(), 200, "it lives all the same");
}

#[tokio::test]
async fn a_hub_that_was_told_to_stop_says_so_at_once() {
    let house = House::new().await;
    assert_eq!(ready(&house).await.0, 200);
    house.app.readiness.close();
    let (status, said) = ready(&house).await;
    assert_eq!((status, &said["status"]), (503, &json!("closing")), "{said}");
    assert_eq!(said["database"], "ok", "what was found before");
}

#[tokio::test]
async fn strangers_who_fill_the_hub_do_not_make_it_look_away() {
    let house = House::new().await;
    let _crowd = house.front.strangers.acquire_many(STRANGERS as u32).await.unwrap();
    assert_eq!(ready(&house).await.0, 200);
    let page = timeout(Duration::from_millis(50), house.send(get("/sign-in"))).await;
    assert!(page.is_err(), "everybody else who is not signed in waits");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_still_comes_while_it_drains_is_served() {
    let house = House::new().await;
    let _in_use = rustls::crypto::ring::default_provider().install_default();
    let any = "127.0.0.1:0".parse().unwrap();
    let mut config = (*house.app.config).clone();
    config.listen = config::Listen { web: any, mqtt: any, device: any };
    (config.plain, config.drain) = (true, Duration::from_secs(1));
    let hub = app::serve(config, house.clock.clone()).await.unwrap();
    let web = hub.web;
    let ask = |path: &str| reqwest::get(format!("http://{web}{path}"));
    let (ready, health, again) = (ask("/ready"), ask("/health"), ask("/health"));
    let draining = async {
        let (ready, health) = (ready.await.unwrap(), health.await.unwrap());
        assert_eq!((ready.status().as_u16(), health.status().as_u16()), (503, 200));
        assert!(ready.text().await.unwrap().contains("closing"));
    };
    let (stopped, ()) = tokio::join!(biased; hub.stop(), draining);
    stopped.unwrap();
    again.await.unwrap_err();
}
