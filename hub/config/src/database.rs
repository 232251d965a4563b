//! Where the data lies: in a file, or on a PostgreSQL server.

use super::ConfigError;
use super::raw::RawPostgres;
use super::source::Source;
use std::path::Path;
use store::keys::KeysPlace;
use store::{Database, Server, ServerParts};

/// Where the keys lie: beside the settings, or beside the data where hubs share them.
pub(super) fn keys(
    data: &Path,
    database: &Database,
    shared: bool,
    source: &Source,
) -> Result<KeysPlace, ConfigError> {
    let bad = |why: String| source.bad("postgres.shared_keys", "true", why);
    let server = match (shared, database) {
        (false, _) => None,
        (true, Database::Server(server)) => {
            Some(server.keys().map_err(|why| bad(why.to_string()))?)
        }
        (true, Database::File(_)) => {
            return Err(bad("hubs share keys on a PostgreSQL server: name one".into()));
        }
    };
    Ok(KeysPlace { dir: data.to_owned(), server })
}

pub(super) fn read(
    data: &Path,
    place: Option<String>,
    raw: RawPostgres,
    source: &Source,
) -> Result<Database, ConfigError> {
    let any = raw != RawPostgres { shared_keys: raw.shared_keys, ..RawPostgres::default() };
    let keys = ("postgres.password", "postgres.password_file");
    let password = source.secret(keys, raw.password, raw.password_file)?;
    let url = place.as_deref().filter(|place| place.contains("://"));
    if !any && url.is_none() {
        return Ok(match place {
            Some(path) => Database::File(data.join(path)),
            None => data.join("hub.db").into(),
        });
    }
    let (key, shown) = if place.is_some() { ("database", "***") } else { ("postgres", "") };
    if place.is_some() && url.is_none() {
        return Err(source.bad(key, shown, "[postgres] names a server too: keep one of the two"));
    }
    if url.is_none() && raw.name.is_none() {
        return Err(source.bad("postgres.name", "", "the name of the database is missing"));
    }
    let parts = ServerParts {
        host: raw.host,
        port: raw.port,
        name: raw.name,
        user: raw.user,
        password: password.map(|password| password.expose().to_owned()),
        schema: raw.schema,
        ca: raw.ca.map(|ca| data.join(ca)),
    };
    Ok(Database::Server(Server::new(url, parts).map_err(|why| source.bad(key, shown, why))?))
}
