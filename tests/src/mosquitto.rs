//! A site's broker, the real Mosquitto of Debian, and whoever listens there.

use crate::process::Process;
use anyhow::Context as _;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rumqttc::{Client, Connection, Event, MqttOptions, Packet, QoS};
use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Where Debian puts it, also where that is in nobody's path.
const PROGRAM: &str = "/usr/sbin/mosquitto";
/// Who may sign in there.
pub const USER: &str = "rollcall";
/// With which password.
pub const PASSWORD: &str = "a broker for tests, on loopback";

/// A broker in a folder: for programs with TLS and a password, for the test without.
pub struct Mosquitto {
    dir: PathBuf,
    /// Where the hub reaches it.
    pub tls: u16,
    plain: u16,
}

impl Mosquitto {
    /// Sets one up in `dir`; nothing where it is not installed.
    ///
    /// # Errors
    /// When its files cannot be made.
    pub fn new(dir: &Path) -> anyhow::Result<Option<Self>> {
        if !Path::new(PROGRAM).exists() {
            return Ok(None);
        }
        fs::create_dir_all(dir)?;
        let (one, two) = (TcpListener::bind("127.0.0.1:0")?, TcpListener::bind("127.0.0.1:0")?);
        let (tls, plain) = (one.local_addr()?.port(), two.local_addr()?.port());
        certify(dir)?;
        let passwords = dir.join("passwords");
        fs::write(&passwords, format!("{USER}:{PASSWORD}\n"))?;
        crate::process::run(Command::new("mosquitto_passwd").arg("-U").arg(&passwords))?;
        let broker = Self { dir: dir.to_owned(), tls, plain };
        broker.lets("readwrite")?;
        fs::write(broker.dir.join("mosquitto.conf"), broker.settings())?;
        Ok(Some(broker))
    }

    /// What the hub may do there from the next start on: `readwrite`, or to `read` alone.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn lets(&self, what: &str) -> anyhow::Result<()> {
        Ok(fs::write(self.dir.join("acl"), format!("user {USER}\ntopic {what} #\n"))?)
    }

    /// As root it would go on as a user who cannot read this folder.
    fn settings(&self) -> String {
        let Self { dir, tls, plain } = self;
        let dir = dir.display();
        format!(
            "user root\npersistence false\nper_listener_settings true\n\
             listener {tls} 127.0.0.1\nallow_anonymous false\npassword_file {dir}/passwords\n\
             acl_file {dir}/acl\n\
             certfile {dir}/broker.pem\nkeyfile {dir}/broker.key\n\
             listener {plain} 127.0.0.1\nallow_anonymous true\n"
        )
    }

    /// Starts it, and waits until it listens.
    ///
    /// # Errors
    /// When it does not within 10 seconds.
    pub fn start(&self) -> anyhow::Result<Process> {
        let mut command = Command::new(PROGRAM);
        command.arg("-c").arg(self.dir.join("mosquitto.conf"));
        let mut broker = Process::start(&mut command, &self.dir.join("mosquitto.log"))?;
        let connects = || std::net::TcpStream::connect(("127.0.0.1", self.plain)).ok();
        broker.until("it listens", Duration::from_secs(10), connects)?;
        Ok(broker)
    }

    /// What stands about it in `hub.toml`, with this password.
    #[must_use]
    pub fn section(&self, password: &str) -> String {
        format!(
            "[broker]\naddress = \"mqtts://localhost:{}\"\nuser = {USER:?}\npassword = {password:?}\n\
             ca = {:?}\n",
            self.tls,
            self.dir.join("ca.pem")
        )
    }

    /// Somebody who hears everything there.
    ///
    /// # Errors
    /// When no ear can be opened.
    pub fn listen(&self) -> anyhow::Result<Ear> {
        let name = format!("ear-{:08x}", rand::random::<u32>());
        let mut options = MqttOptions::new(name, "127.0.0.1", self.plain);
        options.set_max_packet_size(256 * 1024, 256 * 1024);
        let (client, connection) = Client::new(options, 16);
        client.subscribe("#", QoS::AtLeastOnce)?;
        let heard = Arc::<Mutex<Heard>>::default();
        let to = Arc::clone(&heard);
        std::thread::spawn(move || listen(connection, &to));
        Ok(Ear { client, heard })
    }
}

/// Somebody who hears everything at a broker.
pub struct Ear {
    client: Client,
    heard: Arc<Mutex<Heard>>,
}

#[derive(Default)]
struct Heard {
    /// The newest of each topic, and how many there were; what is cleared is gone.
    newest: BTreeMap<String, (String, usize)>,
    /// Every byte of it, with topics.
    all: String,
}

impl Ear {
    /// What was said last about `topic`; nothing once it was cleared.
    #[must_use]
    pub fn of(&self, topic: &str) -> Option<String> {
        self.heard().newest.get(topic).map(|(said, _)| said.clone())
    }

    /// How often something was said about `topic` since it was cleared.
    #[must_use]
    pub fn count(&self, topic: &str) -> usize {
        self.heard().newest.get(topic).map_or(0, |(_, count)| *count)
    }

    /// Topics of which something is known.
    #[must_use]
    pub fn topics(&self) -> Vec<String> {
        self.heard().newest.keys().cloned().collect()
    }

    /// Everything that was ever said.
    #[must_use]
    pub fn all(&self) -> String {
        self.heard().all.clone()
    }

    /// Says something, which the broker does not keep.
    ///
    /// # Errors
    /// When the ear is gone.
    pub fn say(&self, topic: &str, what: &str) -> anyhow::Result<()> {
        self.client.publish(topic, QoS::AtLeastOnce, false, what).context("saying it")
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        let _it_may_be_gone = self.client.try_disconnect();
    }
}

fn listen(mut connection: Connection, to: &Mutex<Heard>) {
    for event in connection.iter().map_while(Result::ok) {
        let Event::Incoming(Packet::Publish(said)) = event else { continue };
        let text = String::from_utf8_lossy(&said.payload).into_owned();
        let mut heard = to.lock().unwrap_or_else(PoisonError::into_inner);
        heard.all.push_str(&format!("{} {text}\n", said.topic));
        if text.is_empty() {
            heard.newest.remove(&said.topic);
        } else {
            let (newest, count) = heard.newest.entry(said.topic).or_default();
            (*newest, *count) = (text, *count + 1);
        }
    }
}

/// An authority of the site's own, and what it signed for the broker.
fn certify(dir: &Path) -> anyhow::Result<()> {
    let key = KeyPair::generate()?;
    let mut authority = CertificateParams::new(Vec::new())?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.distinguished_name.push(DnType::CommonName, "a site");
    fs::write(dir.join("ca.pem"), authority.self_signed(&key)?.pem())?;
    let (broker, own) = (CertificateParams::new(vec!["localhost".into()])?, KeyPair::generate()?);
    let signed = broker.signed_by(&own, &Issuer::new(authority, key))?;
    fs::write(dir.join("broker.pem"), signed.pem())?;
    Ok(fs::write(dir.join("broker.key"), own.serialize_pem())?)
}
