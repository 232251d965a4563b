//! A hub with its own authority on free ports, and doors with certificates.

use acts::pki::{Issued, Pki};
use config::{Config, template};
use rcgen::{CertificateParams, KeyPair};
use rollcall_hub::app::{self, Running};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, pem::PemObject};
use rustls::{ClientConfig, RootCertStore};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use store::keys::Keys;
use store::{self, Db, device::DevicePlace};
use wire::time::{Clock, SystemClock};
use wire::{DeviceId, Direction, Epoch, Wall};

/// How long anything may take before a test fails.
pub const SOON: Duration = Duration::from_secs(10);

pub struct Hub {
    pub running: Running,
    _dir: tempfile::TempDir,
}

/// What a door holds.
#[derive(Clone)]
pub struct Door {
    pub id: DeviceId,
    pub tls: Arc<ClientConfig>,
}

impl Hub {
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let _installed_before = rustls::crypto::ring::default_provider().install_default();
        let dir = tempfile::tempdir().unwrap();
        keys(dir.path());
        let mut config = settings(dir.path(), "");
        change(&mut config);
        let db = Db::open(config.database()).unwrap();
        let epoch = Epoch([9; 16]).to_string();
        db.write(move |tx| store::setting::set(tx, "hub_epoch", &epoch)).await.unwrap();
        drop(db);
        Self::start(config, dir).await
    }

    /// The hub of these settings, whose folder is there.
    pub async fn start(config: Config, dir: tempfile::TempDir) -> Self {
        let running = app::serve(config, Arc::new(SystemClock)).await;
        Self { running: running.expect("the hub starts (weights: run models/fetch)"), _dir: dir }
    }

    pub async fn add(&self, name: &str) -> DeviceId {
        let id: DeviceId = name.parse().unwrap();
        let place = DevicePlace {
            room: "204".into(),
            location: String::new(),
            direction: Direction::Entry,
        };
        let (added, now) = (id.clone(), SystemClock.wall());
        let db = &self.running.app.db;
        db.write(move |tx| store::device::add(tx, &added, &place, "test", now)).await.unwrap();
        id
    }

    pub async fn door(&self, name: &str) -> Door {
        let (id, now) = (self.add(name).await, SystemClock.wall());
        let (door, issued) = self.signed(&id, now);
        let cert = move |tx: &store::Tx<'_>| {
            store::device::add_cert(tx, &id, &issued.serial, issued.expires, now)?;
            store::certificate::identify(tx, &issued.serial, &issued.digest)
        };
        self.running.app.db.write(cert).await.unwrap();
        self.running.app.follower().refresh().await.unwrap();
        door
    }

    /// What the hub's authority signs at `now`, without the hub remembering it: by another that was
    /// lost since, or by whoever has its key.
    pub fn signed(&self, id: &DeviceId, now: Wall) -> (Door, Issued) {
        let key = KeyPair::generate().unwrap();
        let request = CertificateParams::default().serialize_request(&key).unwrap();
        let pki = &self.running.app.pki;
        let issued = pki.sign(id, &request.pem().unwrap(), now).unwrap();
        (Door { id: id.clone(), tls: trust(&pki.ca_pem(), &issued.pem, &key) }, issued)
    }

    /// The next authority signs doors.
    pub async fn rotate_ca(&self) {
        let app = &self.running.app;
        app.pki.rotate_ca(&app.keys, SystemClock.wall()).unwrap();
        app.follower().refresh().await.unwrap();
    }

    pub async fn count(&self, what: &'static str) -> i64 {
        let sql = format!("select count(*) from {what}");
        let read = move |tx: &store::Tx<'_>| tx.row(&sql, [], |row| row.get(0));
        self.running.app.db.read(read).await.unwrap().unwrap()
    }

    pub async fn revoke(&self, door: &Door) {
        let (id, now) = (door.id.clone(), SystemClock.wall());
        let write = move |tx: &store::Tx<'_>| store::device::revoke(tx, &id, "test", now);
        self.running.app.db.write(write).await.unwrap();
    }
}

/// Keys and certificates of a new hub.
pub fn keys(dir: &Path) -> Keys {
    let now = SystemClock.wall();
    let keys = Keys::create(dir, now).unwrap();
    Pki::create(&keys, &["localhost".to_owned()], now).unwrap();
    keys
}

/// Settings of a hub in `dir` on free ports, with `more` of `hub.toml`.
pub fn settings(dir: &Path, more: &str) -> Config {
    let models = std::env::var_os("ROLLCALL_MODELS").map_or_else(weights, PathBuf::from);
    let text = format!("{more}\n{}", template("localhost", "UTC"));
    let mut config = Config::parse(dir, &text, Some(models)).unwrap();
    let free = "127.0.0.1:0".parse().unwrap();
    (config.listen.web, config.listen.mqtt, config.listen.device) = (free, free, free);
    config
}

/// Where `./dev setup` puts the model pack.
fn weights() -> PathBuf {
    concat!(env!("CARGO_MANIFEST_DIR"), "/../models/weights").into()
}

/// TLS of a client that trusts `ca` and shows `certificate`.
pub fn trust(ca: &str, certificate: &str, key: &KeyPair) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(ca.as_bytes()).unwrap()).unwrap();
    let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ClientConfig::builder().with_root_certificates(roots);
    Arc::new(config.with_client_auth_cert(chain, key).unwrap())
}
