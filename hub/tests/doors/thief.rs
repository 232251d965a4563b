//! Somebody who has the key of an authority, while that one is being replaced and before.

use crate::fetch::{found, is_heard, renew};
use crate::rig::{Door, Hub, trust};
use rcgen::{
    CertificateParams, CustomExtension, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, SanType, SerialNumber,
};
use rustls::pki_types::PrivatePkcs8KeyDer;
use std::time::Duration;
use store::Tx;
use wire::DeviceId;
use wire::time::{Clock, SystemClock};

const DAY_MS: i64 = 24 * 3_600_000;
/// Number of the extension that names the key of whoever signed.
const AUTHORITY: &[u64] = &[2, 5, 29, 35];

/// What was copied: the authority's certificate, which is public, and its key.
struct Thief {
    ca: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Thief {
    fn of(hub: &Hub) -> Self {
        let (app, algorithm) = (&hub.running.app, &PKCS_ECDSA_P256_SHA256);
        let key = PrivatePkcs8KeyDer::from(app.keys.get("ca", 1).unwrap().to_vec());
        let key = KeyPair::from_pkcs8_der_and_sign_algo(&key, algorithm).unwrap();
        let ca = app.pki.ca_pem();
        Self { issuer: Issuer::from_ca_cert_pem(&ca, key).unwrap(), ca }
    }

    /// A certificate of the door `id` like the hub's, which ends in `days`, with this number and
    /// this name of the authority; without, the right one.
    fn signs(&self, id: &DeviceId, days: i64, serial: &str, authority: Option<&str>) -> Door {
        let bytes = |hex: &str| data_encoding::HEXLOWER.decode(hex.as_bytes()).unwrap();
        let at = |days: i64| {
            let wall = SystemClock.wall().plus_ms(days * DAY_MS).0;
            rcgen::date_time_ymd(1970, 1, 1) + Duration::from_millis(wall.try_into().unwrap())
        };
        let mut door = CertificateParams::default();
        door.distinguished_name = DistinguishedName::new();
        door.distinguished_name.push(DnType::CommonName, id.as_str());
        (door.not_before, door.not_after) = (at(days - 90), at(days));
        door.subject_alt_names = vec![SanType::URI(id.as_str().try_into().unwrap())];
        door.is_ca = IsCa::ExplicitNoCa;
        door.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        door.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        door.serial_number = Some(SerialNumber::from_slice(&bytes(serial)));
        door.use_authority_key_identifier_extension = authority.is_none();
        let named = authority.map(|number| named(&bytes(number)));
        door.custom_extensions = named.into_iter().collect();
        let key = KeyPair::generate().unwrap();
        let pem = door.signed_by(&key, &self.issuer).unwrap().pem();
        Door { id: id.clone(), tls: trust(&self.ca, &pem, &key) }
    }
}

fn named(number: &[u8]) -> CustomExtension {
    let length = u8::try_from(number.len()).unwrap();
    let content = [&[0x30, length + 2, 0x80, length], number].concat();
    CustomExtension::from_oid_content(AUTHORITY, content)
}

async fn number(hub: &Hub, door: &Door) -> String {
    let id = door.id.clone();
    let sql = "select serial from device_cert where device = $1 and state = 'valid'";
    let read = move |tx: &Tx<'_>| tx.row(sql, [id.as_str()], |row| row.get(0));
    hub.running.app.db.read(read).await.unwrap().unwrap()
}

#[tokio::test]
async fn whoever_has_the_authority_before_and_names_the_next_one_is_refused() {
    let hub = Hub::new().await;
    let (door, thief) = (hub.door("d1").await, Thief::of(&hub));
    hub.rotate_ca().await;
    let next = hub.running.app.pki.signer();
    let made = thief.signs(&door.id, 20, &"55".repeat(16), Some(&next));
    assert!(!is_heard(&hub, &made).await);
    assert_eq!(found(&hub).await, [("d1".to_owned(), true)]);
    let (status, door) = renew(&hub, &door).await;
    assert!(status == 200 && is_heard(&hub, &door).await, "the door's own counts on");
}

#[tokio::test]
async fn whoever_has_the_authority_before_and_gives_a_doors_number_is_refused() {
    let hub = Hub::new().await;
    let (door, thief) = (hub.door("d1").await, Thief::of(&hub));
    let made = thief.signs(&door.id, 20, &number(&hub, &door).await, None);
    assert!(is_heard(&hub, &door).await && !is_heard(&hub, &made).await, "at any time");
    hub.rotate_ca().await;
    assert!(!is_heard(&hub, &made).await);
    assert_eq!(found(&hub).await, [("d1".to_owned(), true)]);
    let (status, door) = renew(&hub, &door).await;
    assert!(status == 200 && is_heard(&hub, &door).await, "the door's own counts on");
}

#[tokio::test]
async fn what_was_given_before_digests_were_kept_is_followed_once_it_was_shown_in_time() {
    let hub = Hub::new().await;
    let (shown, away, thief) = (hub.door("d1").await, hub.door("d2").await, Thief::of(&hub));
    let forget = |tx: &Tx<'_>| tx.execute("update device_cert set digest = null", []);
    hub.running.app.db.write(forget).await.unwrap();
    assert!(is_heard(&hub, &shown).await);
    hub.running.app.follower().refresh().await.unwrap();
    hub.rotate_ca().await;
    let made = thief.signs(&shown.id, 20, &number(&hub, &shown).await, None);
    assert!(!is_heard(&hub, &made).await);
    assert_eq!(renew(&hub, &shown).await.0, 200);
    assert_eq!(renew(&hub, &away).await.0, 403, "of one that was away nobody can say whose it is");
    assert!(is_heard(&hub, &away).await, "it brings what it has");
    let told = [("d1".to_owned(), true), ("d2".to_owned(), true)];
    assert_eq!(found(&hub).await, told);
}
