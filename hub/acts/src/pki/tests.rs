use super::*;
use rustls_pki_types::pem::PemObject as _;
use std::fs;
use std::path::Path;
use x509_parser::prelude::{FromDer as _, X509Certificate};

const NOW: Wall = Wall(1_790_000_000_000);

fn temp() -> (tempfile::TempDir, Keys, Pki) {
    let dir = tempfile::tempdir().unwrap();
    let keys = Keys::create(dir.path(), NOW).unwrap();
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let pki = Pki::create(&keys, &names, NOW).unwrap();
    (dir, keys, pki)
}

fn request(ask: impl FnOnce(&mut CertificateParams)) -> String {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    ask(&mut params);
    params.serialize_request(&key).unwrap().pem().unwrap()
}

/// Runs `check` on the certificate that a request gets.
fn issued(ask: impl FnOnce(&mut CertificateParams), check: impl FnOnce(&X509Certificate<'_>)) {
    let (_dir, _keys, pki) = temp();
    let issued = pki.sign(&"door-1".parse().unwrap(), &request(ask), NOW).unwrap();
    let der = CertificateDer::from_pem_slice(issued.pem.as_bytes()).unwrap();
    let (_, certificate) = X509Certificate::from_der(&der).unwrap();
    let authority = pki.ca();
    let (_, ca) = X509Certificate::from_der(&authority).unwrap();
    certificate.verify_signature(Some(ca.public_key())).unwrap();
    assert_eq!(
        certificate.serial.to_bytes_be(),
        HEXLOWER.decode(issued.serial.as_bytes()).unwrap()
    );
    check(&certificate);
}

#[test]
fn a_request_that_wants_to_be_an_authority_gets_a_plain_certificate() {
    let ask = |params: &mut CertificateParams| {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    };
    issued(ask, |certificate| {
        assert!(!certificate.is_ca());
        let usage = certificate.key_usage().unwrap().unwrap().value;
        assert!(!usage.key_cert_sign() && usage.digital_signature());
    });
}

#[test]
fn a_request_for_another_name_gets_its_own() {
    let ask = |params: &mut CertificateParams| {
        params.distinguished_name.push(DnType::CommonName, "door-2");
        params.subject_alt_names = vec![SanType::DnsName("hub.example".try_into().unwrap())];
    };
    issued(ask, |certificate| {
        let names: Vec<_> = certificate.subject().iter_common_name().collect();
        assert_eq!(names.iter().map(|n| n.as_str().unwrap()).collect::<Vec<_>>(), ["door-1"]);
        let also = certificate.subject_alternative_name().unwrap().unwrap().value;
        let also: Vec<_> = also.general_names.iter().map(ToString::to_string).collect();
        assert_eq!(also, ["URI(door-1)"]);
    });
}

#[test]
fn a_doors_certificate_is_for_clients_and_ends() {
    issued(
        |_| {},
        |certificate| {
            let purpose = certificate.extended_key_usage().unwrap().unwrap().value;
            assert!(purpose.client_auth && !purpose.server_auth && !purpose.any);
            let end = certificate.validity().not_after.timestamp();
            assert_eq!(end, NOW.0 / 1000 + 90 * 24 * 3600);
        },
    );
}

#[test]
fn requests_that_are_none_are_refused() {
    let (_dir, _keys, pki) = temp();
    let sign = |csr: &str| pki.sign(&"door-1".parse().unwrap(), csr, NOW);
    assert!(matches!(sign("hello"), Err(Error::Invalid(_))));
    let other = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap();
    let other = CertificateParams::default().serialize_request(&other).unwrap().pem().unwrap();
    assert!(matches!(sign(&other), Err(Error::Invalid(_))));
    let good = request(|_| {});
    let mut der = pem_bytes(&good);
    let at = der.len() - 5; // in the signature
    der[at] ^= 1;
    let damaged = rcgen::CertificateSigningRequestParams::from_der(&der.into());
    assert!(damaged.is_err(), "the request's own signature is checked");
    assert!(sign(&good).is_ok());
}

fn pem_bytes(pem: &str) -> Vec<u8> {
    rustls_pki_types::CertificateSigningRequestDer::from_pem_slice(pem.as_bytes())
        .unwrap()
        .as_ref()
        .to_vec()
}

#[test]
fn the_authority_outlives_a_restart_and_signs_nothing_below_it() {
    let (_dir, keys, pki) = temp();
    let again = Pki::open(&keys).unwrap();
    assert_eq!(pki.pin().unwrap(), again.pin().unwrap());
    assert_eq!(pki.pin().unwrap().len(), 52);
    let authority = pki.ca();
    let (_, ca) = X509Certificate::from_der(&authority).unwrap();
    assert_eq!(ca.basic_constraints().unwrap().unwrap().value.path_len_constraint, Some(0));
    assert!(Pki::create(&keys, &[], NOW).is_err(), "never overwritten");
}

#[test]
fn the_hubs_certificate_is_renewed_in_the_last_third_of_its_life_with_the_same_names() {
    let (_dir, keys, pki) = temp();
    let first = pki.shown().get();
    let day = |n: i64| NOW.plus_ms(n * DAY_MS);
    let life = pki.life().unwrap();
    assert!(!life.is_due(day(264)) && life.is_due(day(266)) && life.is_due(day(400)));
    pki.renew(&keys, &["hub2.school".into()], day(380)).unwrap();
    let next = pki.shown().get();
    assert!(next.cert != first.cert && next.keys_match().is_ok());
    let (_, parsed) = X509Certificate::from_der(&next.cert[0]).unwrap();
    let names = format!("{:?}", parsed.subject_alternative_name().unwrap().unwrap().value);
    assert!(names.contains("localhost") && names.contains("hub2.school"), "{names}");
    assert!(!pki.life().unwrap().is_due(day(400)));
    let again = Pki::open(&keys).unwrap();
    assert_eq!(again.shown().get().cert, next.cert);
    assert_eq!(keys.ids(SERVER_KEY).unwrap(), [2], "the key before it is destroyed");
}

#[test]
fn a_cut_while_the_hubs_certificate_is_renewed_leaves_one_that_serves() {
    let (dir, keys, pki) = temp();
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    keys.put(SERVER_KEY, 2, key.serialized_der(), NOW).unwrap();
    fs::write(dir.path().join("server.new"), "half").unwrap();
    let again = Pki::open(&keys).unwrap();
    assert_eq!(again.shown().get().cert, pki.shown().get().cert);
    again.renew(&keys, &[], NOW).unwrap();
    assert!(pki.reload(&keys).unwrap(), "the other process shows it too");
    assert_eq!(again.shown().get().cert, pki.shown().get().cert);
}

#[test]
fn while_the_authority_is_replaced_both_count_and_afterwards_the_new_one_alone() {
    let (_dir, keys, pki) = temp();
    let (old, shown) = (pki.ca(), pki.shown().get());
    let sign = || {
        let issued = pki.sign(&"door-1".parse().unwrap(), &request(|_| {}), NOW).unwrap();
        CertificateDer::from_pem_slice(issued.pem.as_bytes()).unwrap()
    };
    let counts = |door: &CertificateDer<'_>| {
        let now = Duration::from_millis(u64::try_from(NOW.0).unwrap());
        let now = rustls_pki_types::UnixTime::since_unix_epoch(now);
        pki.doors().verify_client_cert(door, &[], now).is_ok()
    };
    let before = sign();
    pki.rotate_ca(&keys, NOW).unwrap();
    let after = sign();
    assert!(pki.is_rotating() && pki.rotate_ca(&keys, NOW).is_err());
    assert!(counts(&before) && counts(&after) && pki.ca() == old);
    assert_eq!(pki.shown().get().cert, shown.cert, "doors do not know the new one yet");
    pki.renew(&keys, &[], NOW).unwrap();
    let again = Pki::open(&keys).unwrap();
    again.finish_ca(&keys, NOW).unwrap();
    assert!(pki.reload(&keys).unwrap(), "the other process follows");
    assert!(!counts(&before) && counts(&after) && !pki.is_rotating());
    assert!(pki.ca() != old && pki.shown().get().cert[1] == pki.ca());
    assert_eq!(keys.ids(CA_KEY).unwrap(), [2]);
}

/// Every file of a hub's folder, put into another.
fn copy(dir: &Path) -> (tempfile::TempDir, Keys) {
    let to = tempfile::tempdir().unwrap();
    for file in ["kek", "keys.db", "ca.pem", "server.pem"] {
        fs::copy(dir.join(file), to.path().join(file)).unwrap();
    }
    let keys = Keys::open(to.path()).unwrap();
    (to, keys)
}

#[test]
fn a_replacement_of_the_authority_that_was_cut_short_anywhere_goes_on() {
    let (dir, keys, pki) = temp();
    let files = ["ca.pem", "server.pem"];
    let read = || files.map(|file| fs::read(dir.path().join(file)).unwrap());
    let before = read();
    pki.rotate_ca(&keys, NOW).unwrap();
    let both = read();
    // Cut after its key was stored.
    let (cut, own) = copy(dir.path());
    fs::write(cut.path().join("ca.pem"), &before[0]).unwrap();
    let again = Pki::open(&own).unwrap();
    assert!(!again.is_rotating() && again.ca() == pki.ca());
    again.rotate_ca(&own, NOW).unwrap();
    again.finish_ca(&own, NOW).unwrap();
    assert_eq!(own.ids(CA_KEY).unwrap(), [3], "nothing is left over");
    // Cut after the hub's certificate was signed by the new one, and after the old key went.
    let old = keys.get(CA_KEY, 1).unwrap();
    pki.finish_ca(&keys, NOW).unwrap();
    for left in [true, false] {
        let (cut, own) = copy(dir.path());
        fs::write(cut.path().join("ca.pem"), &both[0]).unwrap();
        if left {
            own.put(CA_KEY, 1, &old, NOW).unwrap();
        }
        let again = Pki::open(&own).unwrap();
        assert_eq!(again.is_rotating(), left);
        assert_eq!(again.shown().get().cert[0], pki.shown().get().cert[0]);
        again.finish_ca(&own, NOW).unwrap();
        assert!(!again.is_rotating() && again.ca_pem() == pki.ca_pem());
    }
}
