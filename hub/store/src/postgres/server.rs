//! A PostgreSQL server that others run: where it is, who we are there, and how it is known.

use super::{Live, Postgres, apart, migrate, said};
use crate::Tx;
use ::postgres::config::{Host, SslMode, TargetSessionAttrs};
use ::postgres::{Client, Config, NoTls};
use percent_encoding::percent_decode_str;
use rules::error::{Doing, Error};
use rustls_pki_types::{CertificateDer, pem::PemObject};
use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio_postgres_rustls::MakeRustlsConnect;

/// The database is reached within this, or it is not there.
const CONNECT: Duration = Duration::from_secs(5);
/// What was sent and nobody acknowledged for so long was sent to nobody.
const UNHEARD: Duration = Duration::from_secs(20);
/// A server of which nothing is heard for so long is asked whether it is there.
const QUIET: Duration = Duration::from_secs(10);
/// A transaction in which nothing happens for so long is ended by the database.
const IDLE: Duration = Duration::from_secs(60);
/// The schema of a school of which nothing else is said.
const SCHEMA: &str = "rollcall";
/// Bytes of a name in PostgreSQL at most.
const NAME: usize = 63;
/// PostgreSQL's own port.
const PORT: u16 = 5432;
/// Where Debian's PostgreSQL has its socket.
const SOCKET: &str = "/var/run/postgresql";

/// Where a school's data lies on a server.
#[derive(Clone, Debug)]
pub struct Server {
    config: Box<Config>,
    schema: String,
    ca: Option<PathBuf>,
}

/// What is said about a server beside its URL, or instead of one.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct ServerParts {
    /// Its name or address, or the folder of its socket.
    pub host: Option<String>,
    /// Its port. Default 5432.
    pub port: Option<u16>,
    /// The database there.
    pub name: Option<String>,
    /// Who signs in.
    pub user: Option<String>,
    /// With which password.
    pub password: Option<String>,
    /// The schema that is this school's. Default `rollcall`.
    pub schema: Option<String>,
    /// Who signed the server's certificate. Default whom the system trusts.
    pub ca: Option<PathBuf>,
}

/// What a URL says that the driver does not understand, or understands in another way.
#[derive(Default)]
struct Ours {
    schema: Option<String>,
    ca: Option<PathBuf>,
    mode: Option<String>,
}

impl Server {
    /// What `url` and `parts` say together; the latter win. Drivers that programs in Python name
    /// (`postgresql+psycopg2://`) are passed over.
    ///
    /// # Errors
    /// A sentence, without a password in it.
    pub fn new(url: Option<&str>, parts: ServerParts) -> Result<Self, String> {
        let (plain, ours) = sift(url.unwrap_or("postgres://"))?;
        let mut config: Config =
            plain.parse().map_err(|error: ::postgres::Error| odd(&said(&error)))?;
        if config.get_options().is_some() {
            return Err("leave “options” out of it; a schema is named by schema=…".into());
        }
        if let Some(host) = &parts.host {
            if !config.get_hosts().is_empty() {
                return Err("the URL names a host too: keep one of the two".into());
            }
            config.host(host);
        }
        let is_odd = |host: &Host| matches!(host, Host::Tcp(name) if name.contains('@'));
        if config.get_hosts().iter().any(is_odd) {
            return Err(odd("there is an @ too many"));
        }
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            config.host_path(SOCKET);
        }
        let ServerParts { port, name, user, password, .. } = parts;
        if let Some(port) = port {
            config.port(port);
        }
        if let Some(name) = name {
            config.dbname(&name);
        }
        if let Some(user) = user {
            config.user(&user);
        }
        if let Some(password) = password {
            config.password(password);
        }
        let schema = parts.schema.or(ours.schema).unwrap_or_else(|| SCHEMA.to_owned());
        config.ssl_mode(encrypted(&config, ours.mode.as_deref())?);
        config.connect_timeout(CONNECT).tcp_user_timeout(UNHEARD);
        config.keepalives_idle(QUIET).keepalives_interval(QUIET / 2).keepalives_retries(3);
        // Of several hosts never one that follows behind.
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        let schema = named(schema)?;
        config.application_name(&shown(&schema));
        Ok(Self { config: Box::new(config), schema, ca: parts.ca.or(ours.ca) })
    }

    /// What opens connections of which no statement takes longer than `limit`; for ever without one.
    pub(crate) fn way(&self, limit: Option<Duration>) -> Result<Way, Error> {
        let tls = match self.config.get_ssl_mode() {
            SslMode::Disable => None,
            _ => Some(MakeRustlsConnect::new(known(self.ca.as_deref())?)),
        };
        Ok(Way { server: self.clone(), tls, limit })
    }

    /// The number whose lock whoever writes to this schema holds, whichever hub it is: never another.
    pub(crate) fn turn(&self) -> i64 {
        let hash = blake3::hash(format!("rollcall writes {}", self.schema).as_bytes());
        i64::from_be_bytes(hash.as_bytes()[..8].try_into().expect("a hash has 32 bytes"))
    }

    /// The schema beside this one that keys lie in.
    ///
    /// # Errors
    /// `Invalid` when there is no room for its name.
    pub fn keys(&self) -> Result<Self, Error> {
        let schema = named(format!("{}_keys", self.schema)).map_err(Error::Invalid)?;
        let mut config = self.config.clone();
        config.application_name(&shown(&schema));
        Ok(Self { config, schema, ca: self.ca.clone() })
    }

    /// The schema's name: letters that need no quotes.
    pub(crate) fn schema_name(&self) -> &str {
        &self.schema
    }

    /// # Errors
    /// `NotFound` when no hub was set up there.
    pub fn there(&self) -> Result<(), Error> {
        match self.schema()? {
            (0, _) => Err(Error::NotFound(format!(
                "{self} holds no school: look at the setting “database”, or bring one there \
                 (`rollcall-hub init`, `move` or `restore`)"
            ))),
            _ => Ok(()),
        }
    }

    /// Which version of the schema is there (0 for none), and which this program knows.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub fn schema(&self) -> Result<(i32, i32), Error> {
        let way = self.way(None)?;
        let applied = apart(|| migrate::applied(&mut way.open()?))?;
        Ok((applied.unwrap_or(0), migrate::newest()))
    }

    /// # Errors
    /// `Conflict` when a hub, or a command of one, is connected; when it cannot be reached.
    pub(crate) fn unused(&self) -> Result<(), Error> {
        let way = self.way(None)?;
        let sql = "select count(*) from pg_stat_activity where datname = current_database()
                   and application_name = $1 and pid <> pg_backend_pid()";
        let asked =
            || way.open()?.query_one(sql, &[&shown(&self.schema)]).doing("looking who is there");
        let others: i64 = apart(|| asked().map(|row| row.get(0)))?;
        match others {
            0 => Ok(()),
            n => Err(Error::Conflict(format!(
                "{self} has {n} connections of a hub: stop every hub first (doors keep their records)"
            ))),
        }
    }

    /// Runs `work` on a snapshot, however long it takes. Blocking.
    ///
    /// # Errors
    /// What `work` returns, or that it cannot be reached.
    pub fn read<T: Send>(
        &self,
        work: impl FnOnce(&Tx<'_>) -> Result<T, Error> + Send,
    ) -> Result<T, Error> {
        let way = self.way(None)?;
        apart(|| {
            let mut reader = Postgres { live: Some(Live::new(way.open()?)), way };
            reader.snapshot(|tx| tx.and_then(work))
        })
    }
}

/// For people: where, and as whom; nothing that opens it.
impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let config = &self.config;
        let hosts = config.get_hosts().iter().map(|host| match host {
            Host::Tcp(name) => name.clone(),
            Host::Unix(path) => path.display().to_string(),
        });
        let hosts: Vec<_> = hosts.collect();
        write!(f, "postgres://")?;
        if let Some(user) = config.get_user() {
            write!(f, "{user}@")?;
        }
        write!(f, "{}", hosts.join(","))?;
        if let [port] = config.get_ports()
            && *port != PORT
        {
            write!(f, ":{port}")?;
        }
        write!(f, "/{} (schema {})", config.get_dbname().unwrap_or_default(), self.schema)
    }
}

/// Opens connections.
#[derive(Clone)]
pub(crate) struct Way {
    pub server: Server,
    tls: Option<MakeRustlsConnect>,
    limit: Option<Duration>,
}

impl Way {
    /// A connection, set up as all of them are. Blocking.
    pub(crate) fn connect(&self) -> Result<Client, ::postgres::Error> {
        let config = &self.server.config;
        let mut client = match &self.tls {
            Some(tls) => config.connect(tls.clone()),
            None => config.connect(NoTls),
        }?;
        client.batch_execute(&format!(
            "set statement_timeout = {}; set idle_in_transaction_session_timeout = {};
             set timezone = 'UTC'; set client_encoding = 'UTF8'; set synchronous_commit = on;
             set search_path = {}",
            self.limit.unwrap_or_default().as_millis(),
            self.limit.map_or(0, |_| IDLE.as_millis()),
            self.server.schema,
        ))?;
        Ok(client)
    }

    /// The same, with a sentence for whoever typed where it is.
    pub(crate) fn open(&self) -> Result<Client, Error> {
        self.connect().map_err(|error| {
            let (server, why) = (&self.server, said(&error));
            Error::Unavailable(format!("{server} cannot be reached: {why}"))
        })
    }
}

/// What the server's own views call a hub of this school.
fn shown(schema: &str) -> String {
    format!("rollcall-hub {schema}").chars().take(NAME).collect()
}

/// What the driver is to read, and what is ours.
fn sift(url: &str) -> Result<(String, Ours), String> {
    let (scheme, rest) = url.split_once("://").ok_or_else(|| odd("it begins with no scheme"))?;
    let kind = scheme.split_once('+').map_or(scheme, |(kind, _driver)| kind);
    if !matches!(kind, "postgres" | "postgresql") {
        return Err(odd("it begins with neither postgres:// nor postgresql://"));
    }
    let (place, asked) = rest.split_once('?').unwrap_or((rest, ""));
    let (mut ours, mut theirs) = (Ours::default(), Vec::new());
    for pair in asked.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = percent_decode_str(value).decode_utf8().map_err(|_| odd("it is no UTF-8"))?;
        match key {
            "schema" => ours.schema = Some(value.into_owned()),
            "sslrootcert" => ours.ca = Some(PathBuf::from(value.as_ref())),
            "sslmode" => ours.mode = Some(value.into_owned()),
            "password" => return Err(odd("a password stands before the @, or in a file")),
            _ => theirs.push(pair),
        }
    }
    let mark = if theirs.is_empty() { "" } else { "?" };
    Ok((format!("postgres://{place}{mark}{}", theirs.join("&")), ours))
}

fn odd(why: &str) -> String {
    format!("write postgres://user@host/database, with passwords percent-encoded: {why}")
}

/// Over a network always by TLS, with the server's certificate proved by name; on this machine as
/// it is asked for.
fn encrypted(config: &Config, mode: Option<&str>) -> Result<SslMode, String> {
    let (named, addresses) = (config.get_hosts(), config.get_hostaddrs());
    let sockets = named.iter().all(|host| matches!(host, Host::Unix(_)));
    let here = named.iter().all(|host| match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            name == "localhost" || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
        }
    }) && addresses.iter().all(IpAddr::is_loopback);
    match mode {
        None | Some("disable" | "allow" | "prefer") if here => Ok(SslMode::Disable),
        Some("disable") => Err("without TLS (sslmode=disable) only on this machine: faces and \
                                passwords would cross the network in the clear"
            .into()),
        None | Some("allow" | "prefer") => Ok(SslMode::Require),
        Some("require" | "verify-ca" | "verify-full") if sockets && addresses.is_empty() => {
            Ok(SslMode::Disable)
        }
        Some("require" | "verify-ca" | "verify-full") => Ok(SslMode::Require),
        Some(_) => Err("sslmode is disable, require or verify-full".into()),
    }
}

/// A name that needs no quotes.
fn named(schema: String) -> Result<String, String> {
    let fits =
        |at: usize, c: u8| c.is_ascii_lowercase() || c == b'_' || at > 0 && c.is_ascii_digit();
    let sound = schema.bytes().enumerate().all(|(at, c)| fits(at, c)) && !schema.starts_with("pg_");
    match sound && (1..=NAME).contains(&schema.len()) {
        true => Ok(schema),
        false => Err("a schema is named by small letters, digits and “_”, 63 at most".into()),
    }
}

/// Whose certificates are believed: those of the file, or the system's.
fn known(ca: Option<&Path>) -> Result<rustls::ClientConfig, Error> {
    let mut roots = rustls::RootCertStore::empty();
    match ca {
        Some(path) => {
            let doing = format!("reading the database's CA {}", path.display());
            for one in CertificateDer::pem_file_iter(path).doing(&doing)? {
                roots.add(one.doing(&doing)?).doing(&doing)?;
            }
            if roots.is_empty() {
                let why = format!("{} holds no certificate", path.display());
                return Err(Error::Invalid(why));
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .doing("setting up TLS to the database")?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(url: &str) -> Result<Server, String> {
        Server::new(Some(url), ServerParts::default())
    }

    #[test]
    fn a_url_is_read_as_others_write_it() {
        for (url, shown) in [
            ("postgres://u:p@db.school.test/r", "postgres://u@db.school.test/r (schema rollcall)"),
            (
                "postgresql+asyncpg://u:p%40@db:6432/r?schema=north",
                "postgres://u@db:6432/r (schema north)",
            ),
            ("postgres:///r", "postgres:///var/run/postgresql/r (schema rollcall)"),
        ] {
            let server = of(url).unwrap();
            assert_eq!(server.to_string(), shown);
            assert!(!format!("{server:?}").contains("p@"), "no password is shown");
        }
    }

    #[test]
    fn parts_win_over_the_url() {
        let parts = ServerParts {
            host: Some("db.school.test".into()),
            port: Some(6432),
            name: Some("r".into()),
            user: Some("u".into()),
            password: Some("p".into()),
            schema: Some("south".into()),
            ca: None,
        };
        let server = Server::new(None, parts.clone()).unwrap();
        assert_eq!(server.to_string(), "postgres://u@db.school.test:6432/r (schema south)");
        assert_eq!(server.config.get_password(), Some(&b"p"[..]));
        let both = Server::new(Some("postgres:///x?schema=north"), parts).unwrap();
        assert_eq!((both.config.get_dbname(), &*both.schema), (Some("r"), "south"));
    }

    #[test]
    fn only_on_this_machine_may_it_be_plain() {
        let mode = |url: &str| of(url).map(|server| server.config.get_ssl_mode());
        for here in ["localhost", "127.0.0.1", "[::1]", ""] {
            assert_eq!(mode(&format!("postgres://{here}/r")), Ok(SslMode::Disable), "{here}");
        }
        for asked in ["", "?sslmode=prefer", "?sslmode=require", "?sslmode=verify-full"] {
            assert_eq!(mode(&format!("postgres://db/r{asked}")), Ok(SslMode::Require), "{asked}");
        }
        assert_eq!(mode("postgres://localhost/r?sslmode=require"), Ok(SslMode::Require));
        assert!(mode("postgres://db/r?sslmode=disable").unwrap_err().contains("in the clear"));
        assert!(mode("postgres://localhost,db/r?sslmode=disable").is_err(), "one of them is far");
    }

    #[test]
    fn what_cannot_be_is_said_without_the_password() {
        for url in [
            "mysql://u:swordfish@h/r",
            "swordfish",
            "postgres://u:swordfish@h:port/r",
            "postgres://u:swordfish@h/r?schema=a;b",
            "postgres://u:swordfish@h/r?schema=pg_x",
            "postgres://u:swordfish@h/r?options=-csearch_path%3Dx",
            "postgres://u:swordfish@h/r?sslmode=perhaps",
            "postgres://u:swordfish@h/r?unheard=of",
            "postgres://u:sword@swordfish@h/r",
            "postgres://h/r?user=u&password=swordfish",
        ] {
            let why = of(url).unwrap_err();
            assert!(!why.contains("swordfish"), "{why}");
        }
    }

    #[test]
    fn each_school_has_a_turn_of_its_own_that_never_changes() {
        let turn = |schema| of(&format!("postgres:///r?schema={schema}")).unwrap().turn();
        assert_eq!(turn("north"), turn("north"));
        assert_ne!(turn("north"), turn("south"));
    }
}
