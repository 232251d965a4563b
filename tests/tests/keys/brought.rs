//! A certificate that people bring.

use crate::work::{LIMIT, shown};
use house::client::Api;
use house::process::Process;
use house::school::{ADMIN, PASSWORD, School};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use std::fs;
use std::path::Path;

/// Writes a certificate of somebody else's authority and its key, and returns it.
fn bring(dir: &Path) -> Vec<u8> {
    let (ca_key, key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let mut ca = CertificateParams::new(vec![]).unwrap();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = ca.self_signed(&ca_key).unwrap();
    let leaf = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let leaf = leaf.signed_by(&key, &Issuer::new(ca, ca_key)).unwrap();
    fs::write(dir.join("own.key"), key.serialize_pem()).unwrap();
    fs::write(dir.join("own.pem"), leaf.pem()).unwrap();
    fs::write(dir.join("own-ca.pem"), authority.pem()).unwrap();
    leaf.der().to_vec()
}

/// The admin, who trusts the authority that was brought.
fn admin(school: &School) -> Api {
    let mut api = Api::new(school.ports.web, &school.hub_dir().join("own-ca.pem")).unwrap();
    api.sign_in(ADMIN, PASSWORD).unwrap();
    api
}

/// Whether the page of what needs care speaks of the certificate.
fn cares(api: &Api) -> bool {
    let all = api.get("/api/care").unwrap();
    all.as_array().unwrap().iter().any(|one| one["kind"] == "tls")
}

#[test]
fn a_certificate_that_was_brought_is_shown_to_people_and_doors_still_join() {
    let dir = tempfile::tempdir().unwrap();
    let _another_is_in_use = rustls::crypto::ring::default_provider().install_default();
    let school = School::found(dir.path()).unwrap();
    let (data, web) = (school.hub_dir(), school.ports.web);
    let own = bring(&data);
    let settings = data.join("hub.toml");
    let tls = "[tls]\ncert = \"own.pem\"\nkey = \"own.key\"\n";
    fs::write(&settings, fs::read_to_string(&settings).unwrap() + tls).unwrap();
    let mut serve = school.hub_command(&["serve"]);
    let mut hub = Process::start(&mut serve, &dir.path().join("hub.log")).unwrap();
    hub.until("ready", LIMIT, || shown(web)).unwrap();
    assert_eq!(shown(web).unwrap(), own);
    let api = admin(&school);
    assert!(!cares(&api));
    school.door("door-1", "[camera]\nkind = \"v4l2\"\n").unwrap();

    fs::write(data.join("own.pem"), "half").unwrap();
    hub.until("a word of it", LIMIT, || cares(&api).then_some(())).unwrap();
    assert!(hub.said().contains("cannot be used"));
    assert_eq!(shown(web).unwrap(), own, "the one before stays");
    let next = bring(&data);
    hub.until("the next one", LIMIT, || shown(web).filter(|now| *now == next)).unwrap();
    assert!(!cares(&admin(&school)), "it is mended");
}
