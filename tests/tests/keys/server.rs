//! The hub's certificate.

use crate::work::{Work, keys, pki, shown, until};
use house::school::School;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::sign::CertifiedKey;
use wire::Clock as _;
use wire::time::SystemClock;

const DAY_MS: i64 = 24 * 3600 * 1000;

/// Whether the hub can still show the certificate `der`: it has the key of it.
fn can_show(school: &School, der: &[u8]) -> bool {
    let keys = keys(school);
    let fits = |id: &u32| {
        let key = PrivatePkcs8KeyDer::from(keys.get("server", *id).unwrap().to_vec());
        let chain = vec![CertificateDer::from(der.to_vec())];
        CertifiedKey::from_der(chain, key.into(), &ring::default_provider()).is_ok()
    };
    keys.ids("server").unwrap().iter().any(fits)
}

#[test]
fn the_hubs_certificate_is_replaced_under_load_and_its_key_is_gone() {
    let dir = tempfile::tempdir().unwrap();
    let mut work = Work::begin(dir.path());
    let web = work.school().ports.web;
    let before = shown(web).unwrap();
    assert!(can_show(work.school(), &before));
    work.rotate("server");
    until("the new certificate", || shown(web).is_some_and(|now| now != before));
    work.restart(|_| ());
    assert!(!can_show(work.school(), &before), "what was shown before can be shown by nobody");
    assert!(can_show(work.school(), &shown(web).unwrap()));
    work.school().admin().unwrap().get("/api/students").unwrap();
    work.end(1);
}

/// Gives the hub a certificate that was made 380 days ago.
fn age(school: &School) {
    let then = SystemClock.wall().plus_ms(-380 * DAY_MS);
    pki(school).renew(&keys(school), &[], then).unwrap();
    assert!(days_left(school) < 19);
}

fn days_left(school: &School) -> i64 {
    (pki(school).life().unwrap().to.0 - SystemClock.wall().0) / DAY_MS
}

#[test]
fn near_its_end_the_hub_renews_its_certificate_by_itself_and_doors_follow() {
    let dir = tempfile::tempdir().unwrap();
    let mut work = Work::begin(dir.path());
    work.restart(age);
    assert!(days_left(work.school()) >= 397, "at its start");
    age(work.school());
    until("the renewal", || days_left(work.school()) >= 397);
    work.school().admin().unwrap().get("/api/students").unwrap();
    work.goes_on();
    work.restart(|_| ());
    work.end(1);
}
