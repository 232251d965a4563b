//! Joining, and fetching over HTTPS with the certificate that joining gave.

use crate::rig::{Door, Hub};
use rcgen::{CertificateParams, KeyPair};
use reqwest::{Client, Response, header};
use rules::Error;
use std::net::{IpAddr, Ipv4Addr};
use wire::join::{
    AUTHORITY_DOMAIN, AUTHORITY_PATH, GALLERY_PATH, KEY_PATH, MANIFEST_PATH, RENEW_PATH,
};
use wire::sign::Signed;
use wire::time::{Clock, SystemClock};
use wire::{JoinRequest, Manifest};

const PEER: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

async fn get(hub: &Hub, door: &Door, path: &str, range: Option<(&str, &str)>) -> Response {
    let tls = (*door.tls).clone();
    let client = Client::builder().tls_backend_preconfigured(tls).build().unwrap();
    let url = format!("https://localhost:{}{path}", hub.running.device.port());
    let request = client.get(url);
    let request = match range {
        Some((range, version)) => {
            request.header(header::RANGE, range).header(header::IF_RANGE, version)
        }
        None => request,
    };
    request.send().await.unwrap()
}

#[tokio::test]
async fn a_door_gets_its_own_gallery_and_goes_on_where_it_stopped() {
    let hub = Hub::new().await;
    let door = hub.door("d1").await;
    hub.running.app.galleries().follow().await.unwrap();
    let bytes = get(&hub, &door, MANIFEST_PATH, None).await.bytes().await.unwrap();
    let signed: Signed = postcard::from_bytes(&bytes).unwrap();
    let key = hub.running.app.keys.signing().unwrap().verifying_key();
    let manifest = Manifest::open(&signed, &key).unwrap();
    assert_eq!(manifest.device, door.id);
    let path = format!("{GALLERY_PATH}{}", manifest.version);
    let whole = get(&hub, &door, &path, None).await;
    let etag = whole.headers()[header::ETAG].to_str().unwrap().to_owned();
    let file = whole.bytes().await.unwrap();
    manifest.check(&file).unwrap();
    let rest = get(&hub, &door, &path, Some(("bytes=10-", &etag))).await;
    assert_eq!(rest.status(), 206);
    assert_eq!(rest.bytes().await.unwrap(), file[10..]);
    let other_version = get(&hub, &door, &path, Some(("bytes=10-", "\"old\""))).await;
    assert_eq!(
        (other_version.status(), other_version.bytes().await.unwrap()),
        (200.try_into().unwrap(), file)
    );
    for path in ["/gallery/9999", "/gallery/../hub.db", "/gallery/", "/"] {
        assert_eq!(get(&hub, &door, path, None).await.status(), 404, "{path}");
    }
}

#[tokio::test]
async fn a_door_gets_the_model_pack_and_nothing_beside_it() {
    let hub = Hub::new().await;
    let folder = hub.running.app.config.models.clone();
    let pack = std::fs::read(folder.join("pack.toml")).unwrap();
    let door = hub.door("d1").await;
    let (at, of) = (&hub, &door);
    let text = |path| async move { get(at, of, path, None).await.bytes().await.unwrap() };
    assert_eq!(text("/models/pack.toml").await, pack);
    let net = std::fs::read(folder.join("pnet.safetensors")).unwrap();
    assert_eq!(text("/models/pnet.safetensors").await, net);
    let signed: Signed = postcard::from_bytes(&text("/models/pack.signed").await).unwrap();
    let key = hub.running.app.keys.signing().unwrap().verifying_key();
    assert_eq!(signed.verify(&key, wire::join::MODELS_DOMAIN).unwrap(), pack);
    for path in ["/models/LICENCE", "/models/../hub.db", "/models/", "/models/%2e%2e/hub.db"] {
        assert_eq!(get(&hub, &door, path, None).await.status(), 404, "{path}");
    }
}

#[tokio::test]
async fn a_door_gets_the_key_of_its_own_gallery_until_it_is_cut_off() {
    let hub = Hub::new().await;
    let (one, two) = (hub.door("d1").await, hub.door("d2").await);
    let key = async |door| get(&hub, door, KEY_PATH, None).await.bytes().await.unwrap();
    let first = key(&one).await;
    assert!(first.len() == 32 && first == key(&one).await, "the same at each start");
    assert_ne!(first, key(&two).await);
    hub.revoke(&one).await;
    let client = Client::builder().tls_backend_preconfigured((*one.tls).clone()).build().unwrap();
    let url = format!("https://localhost:{}{KEY_PATH}", hub.running.device.port());
    let late = client.get(url).send().await;
    assert!(late.is_err() || late.is_ok_and(|answer| answer.status() == 403), "at once");
    hub.running.app.follower().refresh().await.unwrap();
    assert!(!hub.running.app.keys.has_door(&one.id).unwrap(), "and the key is destroyed");
    assert!(hub.running.app.keys.has_door(&two.id).unwrap());
}

#[tokio::test]
async fn a_revoked_door_gets_nothing() {
    let hub = Hub::new().await;
    let door = hub.door("d1").await;
    hub.revoke(&door).await;
    hub.running.app.follower().refresh().await.unwrap();
    let client = Client::builder().tls_backend_preconfigured((*door.tls).clone()).build().unwrap();
    let url = format!("https://localhost:{}/gallery/manifest", hub.running.device.port());
    assert!(client.get(url).send().await.is_err());
}

/// Asks for the door's next certificate, with a key of its own.
pub async fn renew(hub: &Hub, door: &Door) -> (u16, Door) {
    let key = KeyPair::generate().unwrap();
    let csr = CertificateParams::default().serialize_request(&key).unwrap().pem().unwrap();
    let client = Client::builder().tls_backend_preconfigured((*door.tls).clone()).build().unwrap();
    let url = format!("https://localhost:{}{RENEW_PATH}", hub.running.device.port());
    let answer = client.post(url).body(csr).send().await.unwrap();
    let (status, pem) = (answer.status().as_u16(), answer.text().await.unwrap());
    if status != 200 {
        return (status, door.clone());
    }
    let tls = crate::rig::trust(&hub.running.app.pki.ca_pem(), &pem, &key);
    (status, Door { id: door.id.clone(), tls })
}

#[tokio::test]
async fn a_door_renews_early_only_while_another_authority_signs_doors_and_is_told_which() {
    let hub = Hub::new().await;
    let (door, app) = (hub.door("d1").await, &hub.running.app);
    assert_eq!(renew(&hub, &door).await.0, 409);
    hub.rotate_ca().await;
    let bytes = get(&hub, &door, AUTHORITY_PATH, None).await.bytes().await.unwrap();
    let signed: Signed = postcard::from_bytes(&bytes).unwrap();
    let signer = app.keys.signing().unwrap().verifying_key();
    let told = signed.verify(&signer, AUTHORITY_DOMAIN).unwrap();
    assert_eq!(told, app.pki.ca_pem().as_bytes());
    let (status, door) = renew(&hub, &door).await;
    assert_eq!((status, renew(&hub, &door).await.0), (200, 409), "once");
}

/// What an admin reads of certificates that nobody here gave: whose, and whether refused.
pub async fn found(hub: &Hub) -> Vec<(String, bool)> {
    hub.running.app.follower().refresh().await.unwrap();
    let all = hub.running.app.cares().worries().await.unwrap();
    let of = all.into_iter().filter(|one| ["found", "refused"].contains(&one.kind()));
    of.map(|one| (one.name.clone(), one.is_grave)).collect()
}

pub async fn is_heard(hub: &Hub, door: &Door) -> bool {
    let tls = (*door.tls).clone();
    let client = Client::builder().tls_backend_preconfigured(tls).build().unwrap();
    let url = format!("https://localhost:{}{AUTHORITY_PATH}", hub.running.device.port());
    client.get(url).send().await.is_ok()
}

#[tokio::test]
async fn what_somebody_signs_with_the_authority_before_is_refused_and_ends_no_doors_own() {
    let hub = Hub::new().await;
    let (door, now) = (hub.door("d1").await, SystemClock.wall());
    let (late, _) = hub.signed(&door.id, now);
    hub.rotate_ca().await;
    assert!(!is_heard(&hub, &late).await);
    assert_eq!(found(&hub).await, [("d1".to_owned(), true)]);
    let (status, next) = renew(&hub, &door).await;
    assert_eq!(status, 200, "the door's own counts on");
    let (unknown, _) = hub.signed(&door.id, now);
    assert!(is_heard(&hub, &next).await && is_heard(&hub, &unknown).await, "of the newest");
}

#[tokio::test]
async fn what_was_only_seen_in_use_gets_no_successor_of_the_next_authority_nor_do_its_own() {
    let hub = Hub::new().await;
    let (id, other) = (hub.add("d1").await, hub.add("d2").await);
    let then = SystemClock.wall().plus_ms(-61 * 24 * 3_600_000);
    let (lost, kept) = (hub.signed(&id, then).0, hub.signed(&other, SystemClock.wall()).0);
    assert!(is_heard(&hub, &kept).await && is_heard(&hub, &lost).await);
    assert_eq!(found(&hub).await, [("d1".to_owned(), false), ("d2".to_owned(), false)]);
    let (status, next) = renew(&hub, &lost).await;
    assert_eq!(status, 200, "a hub made of a backup goes on with its doors");
    assert!(is_heard(&hub, &next).await);
    assert_eq!(found(&hub).await.len(), 2);
    hub.rotate_ca().await;
    for door in [&next, &kept] {
        assert!(is_heard(&hub, door).await, "it brings what it has");
        assert_eq!(renew(&hub, door).await.0, 403, "{}", door.id);
    }
    assert_eq!(found(&hub).await, [("d1".to_owned(), true), ("d2".to_owned(), true)]);
}

fn request(token: &str, key: &KeyPair) -> JoinRequest {
    let csr = CertificateParams::default().serialize_request(key).unwrap();
    JoinRequest { token: token.into(), csr_pem: csr.pem().unwrap() }
}

#[tokio::test]
async fn a_token_lets_one_device_in_once() {
    let hub = Hub::new().await;
    let (id, app) = (hub.add("d7").await, &hub.running.app);
    let now = SystemClock.wall();
    let of = id.clone();
    let ends = now.plus_ms(store::device::TOKEN_MS);
    let token =
        move |tx: &store::Tx<'_>| store::device::add_token(tx, &of, "SECRET", ends, "test", now);
    app.db.write(token).await.unwrap();
    let key = KeyPair::generate().unwrap();
    let bad = JoinRequest { token: "SECRET-PIN".into(), csr_pem: "no".into() };
    assert!(
        matches!(app.joining().join(PEER, bad).await, Err(Error::Invalid(_))),
        "and the token is kept"
    );
    let joined = app.joining().join(PEER, request("SECRET-PIN", &key)).await.unwrap();
    assert_eq!((joined.device.clone(), joined.room.as_str()), (id.clone(), "204"));
    assert_eq!(joined.https, format!("localhost:{}", hub.running.device.port()));
    let again = app.joining().join(PEER, request("SECRET-PIN", &key)).await;
    assert!(matches!(again, Err(Error::Unauthorised(_))));
    let tls = crate::rig::trust(&joined.ca_pem, &joined.certificate_pem, &key);
    let door = Door { id, tls };
    crate::phone::Phone::call(&hub, &door).await;
}

#[tokio::test]
async fn whoever_guesses_tokens_has_to_wait() {
    let hub = Hub::new().await;
    let key = KeyPair::generate().unwrap();
    for n in 0..6 {
        let guess =
            hub.running.app.joining().join(PEER, request(&format!("GUESS{n}-PIN"), &key)).await;
        assert_eq!(matches!(guess, Err(Error::Unavailable(_))), n == 5, "{guess:?}");
    }
}
