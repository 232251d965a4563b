//! Variables of the environment, as a map: tests need no process of their own.
//!
//! Every key of `hub.toml` may also be set by `ROLLCALL_` and its path in capitals, `__` for each
//! dot: `ROLLCALL_SMTP__HOST` is `smtp.host`. Those win over the variables of other systems
//! ([`super::seeds`]), and these over the file.

use super::raw::RawConfig;
use super::{ConfigError, seeds};
use std::collections::BTreeMap;
use toml::{Table, Value};

/// Names and values.
#[derive(Clone, Default)]
pub struct Vars(BTreeMap<String, String>);

impl<const N: usize> From<[(&str, &str); N]> for Vars {
    fn from(pairs: [(&str, &str); N]) -> Self {
        Self(pairs.into_iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect())
    }
}

/// Keys of the file that variables set, and by which.
pub(super) type Origins = BTreeMap<String, String>;

/// Own variables that are no keys of the file.
const NO_KEYS: [&str; 2] = ["ROLLCALL_DATA", "ROLLCALL_LOG"];

/// What everybody else calls a key of ours; our own variable wins over it.
const USUAL: [(&str, &str); 1] = [("OTEL_EXPORTER_OTLP_ENDPOINT", "traces.endpoint")];

impl Vars {
    /// Those of this process that are text.
    #[must_use]
    pub fn of_process() -> Self {
        let text = |(key, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((key.into_string().ok()?, value.into_string().ok()?))
        };
        Self(std::env::vars_os().filter_map(text).collect())
    }

    /// The same with one more.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.0.insert(name.to_owned(), value.to_owned());
        self
    }

    /// The value of `name`, if it is set to something.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Every name and value that is set to something.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(k, v)| (k.as_str(), v.as_str())).filter(|(_, v)| !v.is_empty())
    }

    /// Puts what the variables say over `file`.
    pub(super) fn over(
        &self,
        file: &mut Table,
        warnings: &mut Vec<String>,
    ) -> Result<Origins, ConfigError> {
        let mut origins = Origins::new();
        for (name, key, text) in seeds::settings(self, warnings)? {
            put(file, &key, value(&name, &key, &text)?);
            origins.insert(key, name);
        }
        for (name, key) in USUAL {
            if let Some(text) = self.get(name) {
                put(file, key, value(name, key, text)?);
                origins.insert(key.to_owned(), name.to_owned());
            }
        }
        for (name, key, text) in self.own() {
            put(file, &key, value(&name, &key, &text)?);
            origins.insert(key, name);
        }
        Ok(origins)
    }

    /// Our own variables: name, key, text.
    fn own(&self) -> impl Iterator<Item = (String, String, String)> {
        let top = [
            "HOST",
            "ZONE",
            "MODELS",
            "DATABASE",
            "PUBLIC_URL",
            "HOSTS",
            "TRUSTED_PROXIES",
            "PROXY_HEADER",
        ];
        self.iter().filter_map(move |(name, text)| {
            let path = name.strip_prefix("ROLLCALL_").filter(|_| !NO_KEYS.contains(&name))?;
            let ours = path.contains("__") || top.contains(&path);
            let key = path.to_lowercase().replace("__", ".");
            ours.then(|| (name.to_owned(), key, text.to_owned()))
        })
    }
}

/// `text` as whatever `key` wants: text, a number, a flag, or a list parted by commas.
fn value(name: &str, key: &str, text: &str) -> Result<Value, ConfigError> {
    let typed = |text: &str| toml::from_str::<Table>(&format!("v = {text}")).ok()?.remove("v");
    let flag = match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Some(Value::Boolean(true)),
        "false" | "0" | "no" | "off" => Some(Value::Boolean(false)),
        _ => None,
    };
    let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
    let list = Value::Array(items.map(|item| Value::String(item.to_owned())).collect());
    let ways = [Some(Value::String(text.to_owned())), typed(text), flag, Some(list)];
    let fits = |value: &Value| {
        let mut table = Table::new();
        put(&mut table, key, value.clone());
        Value::Table(table).try_into::<RawConfig>()
    };
    let mut first = None;
    for way in ways.into_iter().flatten() {
        match fits(&way) {
            Ok(_) => return Ok(way),
            Err(why) => first = first.or(Some(why)),
        }
    }
    let why = first.map_or_else(String::new, |why| why.message().to_owned());
    let secret = ["password", "secret", "key"].iter().any(|word| key.contains(word));
    let why = if secret { "this cannot be its value".into() } else { why };
    Err(ConfigError::Variable { name: name.to_owned(), why })
}

fn put(table: &mut Table, key: &str, value: Value) {
    match key.split_once('.') {
        None => {
            table.insert(key.to_owned(), value);
        }
        Some((first, rest)) => {
            let inner = table.entry(first).or_insert_with(|| Value::Table(Table::new()));
            if let Value::Table(inner) = inner {
                put(inner, rest, value);
            }
        }
    }
}
