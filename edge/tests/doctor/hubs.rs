//! A hub that doctor can meet: two TLS listeners that show a certificate, and want one.

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use wire::{Clock as _, Wall, time::SystemClock};

const DAY_MS: i64 = 86_400_000;

/// Whoever signs hub and doors.
pub struct Authority {
    pub pem: String,
    der: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate and its key, in PEM.
pub struct Badge {
    pub certificate: String,
    pub key: String,
}

/// From which day on a certificate is good, and until which, counted from today.
#[derive(Clone, Copy)]
pub struct Days {
    pub from: i64,
    pub to: i64,
}

impl Authority {
    pub fn new() -> Self {
        let mut params = CertificateParams::new(vec![]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let own = params.self_signed(&key).unwrap();
        Self { pem: own.pem(), der: own.der().clone(), issuer: Issuer::new(params, key) }
    }

    pub fn sign(&self, name: &str, days: Days) -> Badge {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let date = |days: i64| {
            let (year, month, day) = civil(SystemClock.wall().0 / DAY_MS + days);
            date_time_ymd(year, month, day)
        };
        (params.not_before, params.not_after) = (date(days.from), date(days.to));
        let key = KeyPair::generate().unwrap();
        let own = params.signed_by(&key, &self.issuer).unwrap();
        Badge { certificate: own.pem(), key: key.serialize_pem() }
    }
}

/// Year, month and day of a day counted from 1970.
fn civil(days: i64) -> (i32, u8, u8) {
    let days = days + 719_468;
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year + days.div_euclid(146_097) * 400 + i64::from(month <= 2);
    (year as i32, month as u8, (of_year - (153 * shifted + 2) / 5 + 1) as u8)
}

/// How a hub is to be met.
pub struct Manner {
    /// Its certificate.
    pub shows: Badge,
    /// Whose doors it takes.
    pub takes: CertificateDer<'static>,
    /// By how much its clock is ahead, milliseconds.
    pub ahead_ms: i64,
}

impl Manner {
    pub fn of(authority: &Authority) -> Self {
        let shows = authority.sign("localhost", Days { from: -10, to: 300 });
        Self { shows, takes: authority.der.clone(), ahead_ms: 0 }
    }

    /// Takes the doors of another authority only.
    pub fn taking(self, authority: &Authority) -> Self {
        Self { takes: authority.der.clone(), ..self }
    }
}

/// A hub that listens until the tests end: its port. Over MQTT it waits, over HTTPS it answers.
pub fn hub(manner: Manner, mqtt: bool) -> u16 {
    let mut roots = RootCertStore::empty();
    roots.add(manner.takes).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let doors = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone());
    let chain = CertificateDer::from_pem_slice(manner.shows.certificate.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(manner.shows.key.as_bytes()).unwrap();
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(doors.build().unwrap())
        .with_single_cert(vec![chain], key)
        .unwrap();
    let config = Arc::new(config);
    let ahead_ms = manner.ahead_ms;
    listen(move |stream| {
        let talk = ServerConnection::new(config.clone()).unwrap();
        let mut stream = StreamOwned::new(talk, stream);
        let mut asked = [0; 4096];
        // Over MQTT nothing comes until the door goes away.
        if stream.read(&mut asked).is_ok_and(|read| read > 0) && !mqtt {
            let date = http_date(SystemClock.wall().plus_ms(ahead_ms));
            let head = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 1";
            let _ = stream.write_all(format!("{head}\r\ndate: {date}\r\n\r\n\0").as_bytes());
            stream.conn.send_close_notify();
            let _ = stream.flush();
        }
    })
}

/// Something that is no hub: whoever connects gets these words.
pub fn talker(words: &'static str) -> u16 {
    listen(move |mut stream| drop(stream.write_all(words.as_bytes())))
}

/// A port at which nobody listens.
pub fn nobody() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn listen(mut serve: impl FnMut(TcpStream) + Send + Clone + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            serve(stream);
        }
    });
    port
}

fn http_date(at: Wall) -> String {
    let (year, month, day) = civil(at.0.div_euclid(DAY_MS));
    let month = &"JanFebMarAprMayJunJulAugSepOctNovDec"[usize::from(month) * 3 - 3..][..3];
    let s = at.0.rem_euclid(DAY_MS) / 1_000;
    format!("Day, {day:02} {month} {year} {:02}:{:02}:{:02} GMT", s / 3_600, s / 60 % 60, s % 60)
}
