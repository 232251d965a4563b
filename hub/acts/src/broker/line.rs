//! The way to the broker: how it is called, and what went wrong in a sentence.
//!
//! MQTT 3.1.1, which every broker speaks.

use super::topics::BrokerTopics;
use config::Broker;
use rules::error::{Doing, Error};
use rumqttc::mqttbytes::v4::{ConnectReturnCode, Packet};
use rumqttc::{
    AsyncClient, ConnectionError, Event, EventLoop, LastWill, MqttOptions, NetworkOptions, QoS,
    StateError, TlsConfiguration, TlsError, Transport,
};
use rustls::{CertificateError, ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Seconds that the broker may take to answer a call.
const PATIENCE_S: u64 = 10;
/// How often either side says that it is still there.
const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// Bytes of a message at most, either way: an announcement has about five thousand.
const PACKET: usize = 64 * 1024;
/// Messages that wait in the client.
const WAITING: usize = 16;

/// As whom the broker is called.
#[derive(Clone, Copy, Debug)]
pub enum BrokerId<'a> {
    /// The hub at work: when it is gone, the broker says so.
    Hub(&'a BrokerTopics),
    /// Whoever looks whether it could be called.
    Doctor,
}

/// Gets ready to call the broker; nothing is sent before the line is polled.
///
/// # Errors
/// `Unavailable` when it is not known whom to trust.
pub async fn open(broker: &Broker, id: BrokerId<'_>) -> Result<(AsyncClient, EventLoop), Error> {
    let name = match id {
        BrokerId::Hub(topics) => topics.hub.clone(),
        BrokerId::Doctor => format!("rollcall_{:08x}", rand::random::<u32>()),
    };
    let mut options = MqttOptions::new(name, &broker.host, broker.port);
    options.set_keep_alive(KEEP_ALIVE).set_max_packet_size(PACKET, PACKET);
    if let Some((user, password)) = &broker.login {
        options.set_credentials(user, password.expose());
    }
    if let BrokerId::Hub(topics) = id {
        let will = LastWill::new(topics.status(), "offline", QoS::AtLeastOnce, true);
        options.set_last_will(will);
    }
    if broker.tls {
        let tls = TlsConfiguration::Rustls(trust(broker.ca.clone()).await?);
        options.set_transport(Transport::Tls(tls));
    }
    let (client, mut line) = AsyncClient::new(options, WAITING);
    let mut network = NetworkOptions::new();
    network.set_connection_timeout(PATIENCE_S);
    line.set_network_options(network);
    Ok((client, line))
}

/// Whom to trust: who signed the certificates in `ca`, or whom the system trusts.
async fn trust(ca: Option<std::path::PathBuf>) -> Result<Arc<ClientConfig>, Error> {
    let doing = "reading whom to trust at the broker";
    let read = move || ca.map_or_else(systems, |ca| named(&ca));
    let roots = tokio::task::spawn_blocking(read).await.doing(doing)??;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let tls = tls.doing(doing)?.with_root_certificates(roots).with_no_client_auth();
    Ok(Arc::new(tls))
}

fn systems() -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    match roots.is_empty() {
        false => Ok(roots),
        true => Err(Error::Unavailable(
            "this machine trusts nobody: install ca-certificates, or set broker.ca".into(),
        )),
    }
}

fn named(ca: &Path) -> Result<RootCertStore, Error> {
    let bad = |why: String| Error::Unavailable(format!("broker.ca, {}: {why}", ca.display()));
    let found = CertificateDer::pem_file_iter(ca).map_err(|why| bad(why.to_string()))?;
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.filter_map(Result::ok));
    match roots.is_empty() {
        false => Ok(roots),
        true => Err(bad("there is no certificate in it".into())),
    }
}

/// Looks whether the broker can be called.
///
/// # Errors
/// `Unavailable` with what stands in the way.
pub async fn try_out(broker: &Broker) -> Result<(), Error> {
    let (client, mut line) = open(broker, BrokerId::Doctor).await?;
    let answer = line.poll().await.map_err(|error| trouble(&error))?;
    if !matches!(answer, Event::Incoming(Packet::ConnAck(_))) {
        return Err(Error::Unavailable("what answers there is no broker".into()));
    }
    let _it_may_find_out_itself = client.try_disconnect();
    let _bye = line.poll().await;
    Ok(())
}

/// What went wrong, for people.
#[must_use]
pub fn trouble(error: &ConnectionError) -> Error {
    use ConnectReturnCode::{BadUserNamePassword, NotAuthorized};
    let say = match error {
        ConnectionError::ConnectionRefused(BadUserNamePassword | NotAuthorized) => {
            "the broker refuses the hub: it does not know broker.user with this broker.password, or \
             lets them do nothing"
                .into()
        }
        ConnectionError::ConnectionRefused(code) => {
            format!("the broker refuses the hub ({code:?})")
        }
        ConnectionError::NetworkTimeout | ConnectionError::FlushTimeout => {
            "the broker took too long to answer".into()
        }
        ConnectionError::Tls(TlsError::Io(why)) => untrusted(why),
        ConnectionError::Tls(why) => format!("no TLS with the broker: {why}"),
        ConnectionError::Io(why) => format!("the broker cannot be reached: {why}"),
        ConnectionError::MqttState(StateError::Io(_) | StateError::ConnectionAborted) => {
            "the broker ended the connection".into()
        }
        ConnectionError::MqttState(StateError::AwaitPingResp) => "the broker says nothing".into(),
        other => format!("what the broker says cannot be understood: {other}"),
    };
    Error::Unavailable(say)
}

fn untrusted(why: &std::io::Error) -> String {
    use CertificateError::{Expired, ExpiredContext, NotValidForName, NotValidForNameContext};
    let inner = why.get_ref().and_then(|inner| inner.downcast_ref());
    let Some(rustls::Error::InvalidCertificate(bad)) = inner else {
        return format!("no TLS with the broker: {why}");
    };
    let say = match bad {
        CertificateError::UnknownIssuer => "who signed it is not trusted: name them in broker.ca",
        NotValidForName | NotValidForNameContext { .. } => {
            "it is for another name than broker.address says"
        }
        Expired | ExpiredContext { .. } => "it ran out",
        _ => return format!("the broker's certificate does not count: {bad}"),
    };
    format!("the broker's certificate does not count: {say}")
}
