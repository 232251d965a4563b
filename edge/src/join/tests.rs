//! A join against a small hub on loopback: the right one, a wrong one, and none.

use super::*;
use data_encoding::BASE32_NOPAD;
use rcgen::{BasicConstraints, CertifiedIssuer, IsCa};
use rustls::ServerConfig;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::io::{Read, Write};
use std::net::TcpListener;
use wire::{Direction, HubKey};

struct Hub {
    ca: CertifiedIssuer<'static, KeyPair>,
    tls: Arc<ServerConfig>,
}

fn hub(names: &[&str]) -> Hub {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    let ca = CertifiedIssuer::self_signed(params, key).unwrap();
    let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    let cert = CertificateParams::new(names).unwrap().signed_by(&key, &ca).unwrap();
    let chain = vec![cert.der().clone(), ca.der().clone()];
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let tls = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    Hub { ca, tls: Arc::new(tls) }
}

impl Hub {
    fn token(&self) -> String {
        let der: &CertificateDer<'_> = self.ca.der();
        let Pin(pin) = Pin::of(der).unwrap();
        format!("SECRET-{}", BASE32_NOPAD.encode(&pin))
    }

    fn joined(&self) -> Joined {
        Joined {
            device: "door-1".parse().unwrap(),
            certificate_pem: "C".into(),
            ca_pem: self.ca.pem(),
            mqtt: "localhost:8883".into(),
            https: "localhost:8444".into(),
            hub_key: HubKey { id: 1, public: [1; 32] },
            gallery_key: [2; 32],
            room: "204".into(),
            direction: Direction::Entry,
            program_key: None,
        }
    }

    /// Answers one request with `status` and `body`; what was asked comes back.
    fn answer(&self, status: u16, body: String) -> (u16, std::thread::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let tls = Arc::clone(&self.tls);
        let thread = std::thread::spawn(move || {
            let (socket, _) = listener.accept().unwrap();
            let session = rustls::ServerConnection::new(tls).unwrap();
            let mut stream = rustls::StreamOwned::new(session, socket);
            let mut asked = Vec::new();
            let mut buffer = [0; 4096];
            while !asked.ends_with(b"}") {
                match stream.read(&mut buffer) {
                    Ok(n) if n > 0 => asked.extend_from_slice(&buffer[..n]),
                    _ => return String::new(),
                }
            }
            let length = body.len();
            let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\n\r\n{body}");
            stream.write_all(head.as_bytes()).unwrap();
            stream.conn.send_close_notify();
            let _ = stream.flush();
            String::from_utf8(asked).unwrap()
        });
        (port, thread)
    }
}

fn try_join(port: u16, token: &str) -> Result<Identity, JoinError> {
    let folder = tempfile::tempdir().unwrap();
    join(&format!("https://localhost:{port}"), token, folder.path())
}

#[test]
fn the_right_hub_gets_a_request_and_the_door_its_identity() {
    let hub = hub(&["localhost"]);
    let (port, asked) = hub.answer(200, serde_json::to_string(&hub.joined()).unwrap());
    let folder = tempfile::tempdir().unwrap();
    let url = format!("localhost:{port}");
    let identity = join(&url, &hub.token(), folder.path()).unwrap();
    assert_eq!(Identity::load(folder.path()).unwrap(), identity);
    let asked = asked.join().unwrap();
    let body = asked.split("\r\n\r\n").nth(1).unwrap();
    let request: JoinRequest = serde_json::from_str(body).unwrap();
    assert_eq!(request.token, hub.token());
    let csr = rcgen::CertificateSigningRequestParams::from_pem(&request.csr_pem).unwrap();
    assert_eq!(*csr.public_key.algorithm(), PKCS_ECDSA_P256_SHA256);
    assert!(!asked.contains("PRIVATE"), "the key stays here");
}

#[test]
fn a_hub_with_another_authority_never_hears_the_token() {
    let (theirs, ours) = (hub(&["localhost"]), hub(&["localhost"]));
    let (port, asked) = theirs.answer(200, String::new());
    let error = try_join(port, &ours.token()).unwrap_err();
    assert!(matches!(error, JoinError::WrongHub(_)), "{error}");
    assert_eq!(asked.join().unwrap(), "");
}

#[test]
fn a_certificate_for_another_name_is_refused() {
    let hub = hub(&["elsewhere.example"]);
    let (port, _asked) = hub.answer(200, String::new());
    let error = try_join(port, &hub.token()).unwrap_err();
    assert!(matches!(error, JoinError::WrongName(_)), "{error}");
}

#[test]
fn what_the_hub_refuses_becomes_a_sentence() {
    let hub = hub(&["localhost"]);
    let said = |status, body: &str| {
        let (port, _asked) = hub.answer(status, body.to_owned());
        try_join(port, &hub.token()).unwrap_err()
    };
    assert!(matches!(said(401, "{}"), JoinError::Expired));
    assert!(matches!(said(429, "{}"), JoinError::Patience));
    let other = said(422, r#"{"detail":"the key must be P-256"}"#).to_string();
    assert_eq!(other, "the hub refused (422): the key must be P-256");
    assert!(matches!(said(200, "hello"), JoinError::Answer));
}

#[test]
fn nothing_there_and_no_such_name_are_told_apart() {
    let token = hub(&["localhost"]).token();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let error = try_join(closed, &token).unwrap_err();
    assert!(matches!(error, JoinError::Unreachable(_)), "{error}");
    let folder = tempfile::tempdir().unwrap();
    let error = join("https://no-such-hub.invalid", &token, folder.path()).unwrap_err();
    assert!(matches!(error, JoinError::Name(_)), "{error}");
}

#[test]
fn mistyped_tokens_and_addresses_are_refused_before_anything_is_sent() {
    let token = hub(&["localhost"]).token();
    let folder = tempfile::tempdir().unwrap();
    for bad in ["", "SECRET", "SECRET-ABC", &token[..token.len() - 2], &format!("{token}A")] {
        let error = join("https://localhost:1", bad, folder.path()).unwrap_err();
        assert!(matches!(error, JoinError::Token), "{bad}: {error}");
    }
    for bad in ["http://hub", "ftp://hub", "https://", "::"] {
        let error = join(bad, &token, folder.path()).unwrap_err();
        assert!(matches!(error, JoinError::Address(_)), "{bad}: {error}");
    }
}
