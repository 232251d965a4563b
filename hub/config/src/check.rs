//! From what was typed to what is meant: every value checked, every refusal names its key.

use super::raw::{self, RawConfig};
use super::source::Source;
use super::{
    AccountSettings, Config, ConfigError, Cors, FILE, FirstAdmin, Hosts, LinesSetting, Listen, Log,
    LogFormat, Oidc, Secret, Smtp, SmtpTls, Vars, broker, database, secret, traces,
};
use accept::{Proxies, ProxyHeader};
use jiff::tz::TimeZone;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

/// Bytes of a photo at most, and by default.
const MOST_UPLOAD: u64 = 10 * 1024 * 1024;
/// Seconds of draining at most: whoever stops a hub waits for it.
const MOST_DRAIN: u64 = 60;
/// Bytes of a token key at least: as many as its signature has.
const KEY: usize = 32;

/// Bytes of the metrics' token at least.
const METRICS: usize = 16;

pub(super) fn read(data: &Path, text: &str, vars: &Vars) -> Result<Config, ConfigError> {
    let path = data.join(FILE);
    let wrong = |why| ConfigError::Text { path: path.clone(), why: Box::new(why) };
    let typed: RawConfig = toml::from_str(text).map_err(wrong)?;
    if typed.secret().is_some() && path.exists() {
        let open = |why: String| ConfigError::File { path: path.clone(), why };
        secret::private(&path).map_err(open)?;
    }
    let mut table: toml::Table = toml::from_str(text).map_err(wrong)?;
    let mut warnings = Vec::new();
    let origins = vars.over(&mut table, &mut warnings)?;
    let raw: RawConfig = toml::Value::Table(table).try_into().map_err(wrong)?;
    meant(data, raw, &Source { path, origins }, vars, warnings)
}

fn meant(
    data: &Path,
    raw: RawConfig,
    source: &Source,
    vars: &Vars,
    warnings: Vec<String>,
) -> Result<Config, ConfigError> {
    let zone = raw.zone.unwrap_or_else(|| "UTC".into());
    let zone = TimeZone::get(&zone).map_err(|why| source.bad("zone", &zone, why.to_string()))?;
    let host = raw.host.unwrap_or_else(|| "localhost".into());
    if host.is_empty() || host.contains(['/', ' ', '@']) {
        return Err(source.bad("host", &host, "write a host name alone"));
    }
    let plain = raw.listen.plain;
    let listen = listen(&raw.listen, source)?;
    let scheme = if plain { "http" } else { "https" };
    let usual_url = || format!("{scheme}://{host}:{}", listen.web.port());
    let public_url = match raw.public_url {
        None => usual_url(),
        Some(url) => origin(&url)
            .ok_or_else(|| source.bad("public_url", &url, "write https://hub.school.example"))?,
    };
    let drain = drain(raw.listen.drain_seconds, source)?;
    let usual = crate::doors::DoorLimits::default();
    let doors = crate::doors::DoorLimits {
        records_per_second: raw.doors.records_per_second.unwrap_or(usual.records_per_second),
        burst: raw.doors.burst.unwrap_or(usual.burst),
        ..usual
    };
    let shared_keys = raw.postgres.shared_keys;
    let database = database::read(data, raw.database, raw.postgres, source)?;
    let hosts = raw.hosts.iter().map(|name| name.trim().to_ascii_lowercase()).collect();
    Ok(Config {
        data: data.to_owned(),
        public_url,
        zone,
        models: raw.models.unwrap_or_else(|| "models/weights".into()),
        listen,
        drain,
        hosts: Hosts(hosts),
        proxies: proxies(&raw.trusted_proxies, raw.proxy_header.as_deref(), source)?,
        doors,
        plain,
        accounts: accounts(raw.accounts, raw.oidc, source, vars)?,
        cors: cors(&raw.cors, source)?,
        smtp: smtp(raw.smtp, source)?,
        broker: broker::read(data, raw.broker, source)?,
        lines: LinesSetting {
            high: raw.lines.high,
            review: raw.lines.review,
            margin: raw.lines.margin,
            source: source.clone(),
        },
        max_upload: upload(raw.uploads.max_bytes, source)?,
        private_webhooks: raw.webhooks.private,
        metrics_token: metrics(raw.metrics, source)?,
        tls: tls(data, raw.tls, source)?,
        backup_days: raw.backup.days.unwrap_or(90),
        log: log(raw.log, source)?,
        traces: traces::read(raw.traces, source)?,
        warnings,
        keys: database::keys(data, &database, shared_keys, source)?,
        database,
        host,
    })
}

/// Both files or none, relative to the data directory.
fn tls(data: &Path, raw: raw::Tls, source: &Source) -> Result<Option<crate::Files>, ConfigError> {
    let files = |cert, key| crate::Files { cert: data.join(cert), key: data.join(key) };
    match (raw.cert, raw.key) {
        (Some(cert), Some(key)) => Ok(Some(files(cert, key))),
        (None, None) => Ok(None),
        (Some(_), None) => Err(source.bad("tls.key", "", "name the file of the certificate's key")),
        (None, Some(_)) => Err(source.bad("tls.cert", "", "name the file of the certificate too")),
    }
}

fn listen(raw: &raw::RawListen, source: &Source) -> Result<Listen, ConfigError> {
    let address = |key, typed: Option<&str>, port: u16| match typed {
        None => Ok(SocketAddr::from(([0, 0, 0, 0], port))),
        Some(typed) => typed.parse().map_err(|_| {
            source.bad(key, typed, "write an address and a port, such as 0.0.0.0:8443")
        }),
    };
    let listen = Listen {
        web: address("listen.web", raw.web.as_deref(), 8443)?,
        mqtt: address("listen.mqtt", raw.mqtt.as_deref(), 8883)?,
        device: address("listen.device", raw.device.as_deref(), 8444)?,
    };
    if raw.plain && !listen.web.ip().is_loopback() {
        let why = "plain HTTP is for the loopback only: set listen.web to 127.0.0.1:8443";
        return Err(source.bad("listen.plain", "true", why));
    }
    Ok(listen)
}

fn drain(typed: Option<u64>, source: &Source) -> Result<Duration, ConfigError> {
    match typed.unwrap_or(0) {
        seconds @ 0..=MOST_DRAIN => Ok(Duration::from_secs(seconds)),
        seconds => {
            let why = format!("write 0 to {MOST_DRAIN}");
            Err(source.bad("listen.drain_seconds", &seconds.to_string(), why))
        }
    }
}

fn proxies(
    networks: &[String],
    header: Option<&str>,
    source: &Source,
) -> Result<Proxies, ConfigError> {
    let header = match header {
        None | Some("x-forwarded-for") => ProxyHeader::XForwardedFor,
        Some("forwarded") => ProxyHeader::Forwarded,
        Some(other) => {
            return Err(source.bad("proxy_header", other, "write x-forwarded-for or forwarded"));
        }
    };
    let why = "write addresses such as 127.0.0.1 or networks such as 10.0.0.0/8";
    networks.iter().try_fold(Proxies::by(header), |proxies, network| {
        proxies.with(network).ok_or_else(|| source.bad("trusted_proxies", network, why))
    })
}

/// `https://host[:port]` without a path, in lower case.
fn origin(text: &str) -> Option<String> {
    let text = text.trim().trim_end_matches('/').to_ascii_lowercase();
    let (scheme, authority) = text.split_once("://")?;
    let plain = !authority.is_empty()
        && authority.chars().all(|c| c.is_ascii_alphanumeric() || "-.:[]_".contains(c));
    (matches!(scheme, "http" | "https") && plain).then_some(text)
}

fn cors(raw: &raw::RawCors, source: &Source) -> Result<Cors, ConfigError> {
    let bad = |text: &String| {
        source.bad("cors.origins", text, "write origins such as https://app.school.example")
    };
    let (stars, named): (Vec<_>, Vec<_>) = raw.origins.iter().partition(|text| *text == "*");
    let named = named.into_iter().map(|text| origin(text).ok_or_else(|| bad(text)));
    Ok(Cors { origins: named.collect::<Result<_, _>>()?, any: raw.any || !stars.is_empty() })
}

fn upload(typed: Option<u64>, source: &Source) -> Result<u64, ConfigError> {
    match typed {
        None => Ok(MOST_UPLOAD),
        Some(bytes @ 1024..=MOST_UPLOAD) => Ok(bytes),
        Some(bytes) => {
            let why = "a photo has at least 1024 and at most 10485760 bytes (10 MiB)";
            Err(source.bad("uploads.max_bytes", &bytes.to_string(), why))
        }
    }
}

fn metrics(raw: raw::Metrics, source: &Source) -> Result<Option<Secret>, ConfigError> {
    let token =
        source.secret(("metrics.token", "metrics.token_file"), raw.token, raw.token_file)?;
    if token.as_ref().is_some_and(|token| token.expose().len() < METRICS) {
        let why = format!("give at least {METRICS} bytes that nobody guesses");
        return Err(source.bad("metrics.token", "***", why));
    }
    Ok(token)
}

fn log(raw: raw::RawLog, source: &Source) -> Result<Log, ConfigError> {
    let usual = Log::default();
    let format = match raw.format.as_deref() {
        None => None,
        Some("json") => Some(LogFormat::Json),
        Some("text") => Some(LogFormat::Text),
        Some(other) => return Err(source.bad("log.format", other, "write json or text")),
    };
    let level = raw.level.unwrap_or(usual.level);
    if let Err(why) = tracing_subscriber::EnvFilter::try_new(&level) {
        return Err(source.bad("log.level", &level, why.to_string()));
    }
    Ok(Log { level, format })
}

fn accounts(
    raw: raw::RawAccounts,
    oidc: raw::RawOidc,
    source: &Source,
    vars: &Vars,
) -> Result<AccountSettings, ConfigError> {
    let time = |key, typed: Option<i64>, usual_ms: i64, unit: i64, most: i64| match typed {
        None => Ok(usual_ms),
        Some(n) if (1..=most).contains(&n) => Ok(n * unit),
        Some(n) => Err(source.bad(key, &n.to_string(), format!("write 1 to {most}"))),
    };
    const MINUTE: i64 = 60_000;
    let session = rules::auth::session::SessionLimits::default();
    let tokens = rules::auth::refresh::RefreshLimits::default();
    let idle = time("accounts.idle_hours", raw.idle_hours, session.idle_ms, 60 * MINUTE, 168)?;
    let absolute = raw.absolute_hours;
    let absolute =
        time("accounts.absolute_hours", absolute, session.absolute_ms, 60 * MINUTE, 720)?;
    let access = raw.access_minutes;
    let refresh = raw.refresh_minutes;
    let access = time("accounts.access_minutes", access, tokens.access_ms, MINUTE, 24 * 60)?;
    let refresh =
        time("accounts.refresh_minutes", refresh, tokens.refresh_ms, MINUTE, 90 * 24 * 60)?;
    let keys = ("accounts.token_key", "accounts.token_key_file");
    let token_key = source.secret(keys, raw.token_key, raw.token_key_file)?;
    if let Some(why) = token_key.as_ref().and_then(|key| weak_key(key.expose())) {
        return Err(source.bad("accounts.token_key", "***", why));
    }
    Ok(AccountSettings {
        open_registration: raw.open_registration,
        sessions: rules::auth::session::SessionLimits {
            idle_ms: idle,
            absolute_ms: absolute.max(idle),
        },
        tokens: rules::auth::refresh::RefreshLimits {
            access_ms: access,
            refresh_ms: refresh.max(access),
        },
        token_key,
        oidc: provider(oidc, source)?,
        first_admin: first_admin(vars)?,
    })
}

fn weak_key(key: &str) -> Option<&'static str> {
    let copied = ["change-in-production", "change-me", "changeme", "your-", "-here"];
    match key {
        _ if key.len() < KEY => {
            Some("a key has at least 32 bytes: make one with openssl rand -hex 32")
        }
        _ if copied.iter().any(|words| key.contains(words)) => Some(
            "this is the example from a handbook, which everybody knows: make one with openssl rand -hex 32",
        ),
        _ => None,
    }
}

fn provider(raw: raw::RawOidc, source: &Source) -> Result<Option<Oidc>, ConfigError> {
    let keys = ("oidc.client_secret", "oidc.client_secret_file");
    let client_secret = source.secret(keys, raw.client_secret, raw.client_secret_file)?;
    let (issuer, client_id) = match (raw.issuer, raw.client_id) {
        (Some(issuer), Some(id)) => (issuer.trim().to_owned(), id),
        (None, None) if client_secret.is_none() => return Ok(None),
        (None, _) => {
            return Err(source.bad("oidc.issuer", "", "the provider's address is missing"));
        }
        (_, None) => {
            return Err(source.bad("oidc.client_id", "", "what the provider calls us is missing"));
        }
    };
    let host = issuer.split_once("://").filter(|(scheme, _)| matches!(*scheme, "https" | "http"));
    let Some((scheme, rest)) = host else {
        return Err(source.bad("oidc.issuer", &issuer, "write https://accounts.example.org"));
    };
    let host = rest.split('/').next().unwrap_or(rest).to_owned();
    let loopback = ["localhost", "127.0.0.1", "[::1]"];
    if scheme == "http" && !loopback.contains(&host.rsplit_once(':').map_or(&*host, |h| h.0)) {
        return Err(source.bad("oidc.issuer", &issuer, "a provider is reached by https only"));
    }
    Ok(Some(Oidc { issuer, client_id, client_secret, name: raw.name.unwrap_or(host) }))
}

fn first_admin(vars: &Vars) -> Result<Option<FirstAdmin>, ConfigError> {
    let var = |name| vars.get(name).map(str::to_owned);
    let email = var("DJANGO_SUPERUSER_EMAIL");
    let password = var("DJANGO_SUPERUSER_PASSWORD");
    let (Some(email), Some(password)) = (email, password) else { return Ok(None) };
    let bad = |name: &str, why: String| ConfigError::Variable { name: name.into(), why };
    if !email.contains('@') || email.len() > 254 {
        return Err(bad("DJANGO_SUPERUSER_EMAIL", "this is no e-mail address".into()));
    }
    let weak = |why: rules::auth::password::Weak| bad("DJANGO_SUPERUSER_PASSWORD", why.to_string());
    rules::auth::password::check(&password, &email).map_err(weak)?;
    let name = var("DJANGO_SUPERUSER_USERNAME")
        .unwrap_or_else(|| email.split('@').next().unwrap_or("").to_owned());
    Ok(Some(FirstAdmin { email, name, password: Secret::new(password) }))
}

fn smtp(raw: raw::RawSmtp, source: &Source) -> Result<Option<Smtp>, ConfigError> {
    let keys = ("smtp.password", "smtp.password_file");
    let password = source.secret(keys, raw.password, raw.password_file)?;
    let Some(host) = raw.host else {
        let any = raw.port.is_some() || raw.user.is_some() || raw.from.is_some();
        return match any || password.is_some() || raw.tls.is_some() {
            true => Err(source.bad("smtp.host", "", "the mail server's name is missing")),
            false => Ok(None),
        };
    };
    let typed =
        raw.tls.as_deref().unwrap_or(if raw.port == Some(465) { "tls" } else { "starttls" });
    let tls = SmtpTls::parse(typed, raw.port)
        .ok_or_else(|| source.bad("smtp.tls", typed, "write starttls, tls or none"))?;
    let here = matches!(host.as_str(), "localhost" | "127.0.0.1" | "::1");
    if tls == SmtpTls::None && !here {
        let why = "without TLS only to a mail server on this machine: write starttls or tls";
        return Err(source.bad("smtp.tls", typed, why));
    }
    let from = raw.from.or_else(|| raw.user.clone().filter(|user| user.contains('@')));
    let from =
        from.ok_or_else(|| source.bad("smtp.from", "", "what mail comes from is missing"))?;
    if from.parse::<lettre::message::Mailbox>().is_err() {
        let why = "write an address, or Name <address>";
        return Err(source.bad("smtp.from", &from, why));
    }
    match (&raw.user, &password) {
        (Some(user), None) => Err(source.bad("smtp.user", user, "its password is missing")),
        (None, Some(_)) => Err(source.bad("smtp.password", "***", "whose? set smtp.user too")),
        _ => {
            let port = raw.port.unwrap_or(tls.port());
            Ok(Some(Smtp { host, port, user: raw.user, password, from, tls }))
        }
    }
}
