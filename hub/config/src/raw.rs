//! `hub.toml` as typed: every key optional, unknown ones refused.

use super::LineSetting;
use serde::Deserialize;
use std::path::PathBuf;

#[derive(Deserialize, Default, Debug)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawConfig {
    pub host: Option<String>,
    pub zone: Option<String>,
    pub models: Option<PathBuf>,
    pub database: Option<String>,
    pub postgres: RawPostgres,
    pub public_url: Option<String>,
    pub hosts: Vec<String>,
    pub trusted_proxies: Vec<String>,
    pub proxy_header: Option<String>,
    pub listen: RawListen,
    pub doors: RawDoors,
    pub accounts: RawAccounts,
    pub oidc: RawOidc,
    pub cors: RawCors,
    pub smtp: RawSmtp,
    pub broker: RawBroker,
    pub lines: RawLines,
    pub uploads: Uploads,
    pub webhooks: RawWebhooks,
    pub metrics: Metrics,
    pub log: RawLog,
    pub traces: RawTraces,
    pub tls: Tls,
    pub backup: RawBackup,
}

#[derive(Deserialize, Default, PartialEq, Debug)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawPostgres {
    pub host: Option<String>,
    pub port: Option<u16>,
    pub name: Option<String>,
    pub user: Option<String>,
    pub password: Option<String>,
    pub password_file: Option<PathBuf>,
    pub schema: Option<String>,
    pub ca: Option<PathBuf>,
    pub shared_keys: bool,
}

#[derive(Deserialize, Default, Debug)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawBackup {
    pub days: Option<u32>,
}

#[derive(Deserialize, Default, Debug)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Tls {
    pub cert: Option<PathBuf>,
    pub key: Option<PathBuf>,
}

#[derive(Deserialize, Default, Debug)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawListen {
    pub web: Option<String>,
    pub plain: bool,
    pub mqtt: Option<String>,
    pub device: Option<String>,
    pub drain_seconds: Option<u64>,
}

#[derive(Deserialize, Default, Debug)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawDoors {
    pub records_per_second: Option<u32>,
    pub burst: Option<u32>,
}

#[derive(Deserialize, Default, Debug)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawAccounts {
    pub open_registration: bool,
    pub idle_hours: Option<i64>,
    pub absolute_hours: Option<i64>,
    pub access_minutes: Option<i64>,
    pub refresh_minutes: Option<i64>,
    pub token_key: Option<String>,
    pub token_key_file: Option<PathBuf>,
}

#[derive(Deserialize, Default, Debug)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawOidc {
    pub issuer: Option<String>,
    pub client_id: Option<String>,
    pub client_secret: Option<String>,
    pub client_secret_file: Option<PathBuf>,
    pub name: Option<String>,
}

#[derive(Deserialize, Default, Debug)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawCors {
    pub origins: Vec<String>,
    pub any: bool,
}

#[derive(Deserialize, Default, Debug)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawSmtp {
    pub host: Option<String>,
    pub port: Option<u16>,
    pub user: Option<String>,
    pub password: Option<String>,
    pub password_file: Option<PathBuf>,
    pub from: Option<String>,
    pub tls: Option<String>,
}

#[derive(Deserialize, Default, PartialEq, Debug)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawBroker {
    pub address: Option<String>,
    pub user: Option<String>,
    pub password: Option<String>,
    pub password_file: Option<PathBuf>,
    pub ca: Option<PathBuf>,
    pub discovery: Option<String>,
    pub topic: Option<String>,
}

#[derive(Deserialize, Default, Debug)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawLines {
    pub high: Option<LineSetting>,
    pub review: Option<LineSetting>,
    pub margin: Option<f32>,
}

#[derive(Deserialize, Default, Debug)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Uploads {
    pub max_bytes: Option<u64>,
}

#[derive(Deserialize, Default, Debug)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawWebhooks {
    pub private: bool,
}

#[derive(Deserialize, Default, Debug)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Metrics {
    pub token: Option<String>,
    pub token_file: Option<PathBuf>,
}

#[derive(Deserialize, Default, Debug)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawLog {
    pub level: Option<String>,
    pub format: Option<String>,
}

#[derive(Deserialize, Default, Debug)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawTraces {
    pub endpoint: Option<String>,
    pub ratio: Option<f64>,
}

impl RawConfig {
    /// The key of a secret written into the file itself, if there is one.
    pub(super) fn secret(&self) -> Option<&'static str> {
        let secrets = [
            ("accounts.token_key", &self.accounts.token_key),
            ("oidc.client_secret", &self.oidc.client_secret),
            ("smtp.password", &self.smtp.password),
            ("broker.password", &self.broker.password),
            ("metrics.token", &self.metrics.token),
            ("postgres.password", &self.postgres.password),
        ];
        let in_url = self.database.as_ref().filter(|place| place.contains('@'));
        let secret = secrets.into_iter().find(|(_, value)| value.is_some()).map(|(key, _)| key);
        secret.or(in_url.map(|_| "database"))
    }
}
