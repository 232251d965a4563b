//! Variables of the five systems Rollcall replaces: what each means here.
//!
//! One table. A variable that makes no sense here is named in a warning with what to use
//! instead; OPERATIONS.md holds the same table, and a test compares the two.

use super::{ConfigError, Vars};

/// What a variable means.
#[derive(Clone, Copy)]
enum Means {
    /// This key of `hub.toml`, its text turned by this.
    Key(&'static str, fn(&str) -> Result<String, String>, &'static str),
    /// Read by the account that `serve` makes at its first start.
    FirstAdmin(&'static str),
    /// Nothing here; what to use instead.
    Instead(&'static str),
}

/// Name (a `*` at its end stands for anything), systems that have it, meaning.
const TABLE: [(&str, &str, Means); 51] = {
    use Means::{FirstAdmin, Instead, Key};
    [
        (
            "DATABASE_URL",
            "S1 S2 S3",
            Key(
                "database",
                database,
                "`postgres://user@host/name`, or `sqlite:///path` (relative to the data directory), `sqlite:////absolute/path`",
            ),
        ),
        ("DB_HOST", "S0", Key("postgres.host", same, "where PostgreSQL is")),
        ("DB_PORT", "S0", Key("postgres.port", same, "its port")),
        (
            "DB_NAME",
            "S0",
            Key(
                "postgres.name",
                same,
                "its database; the hub's tables lie there in the schema `rollcall`, beside others'",
            ),
        ),
        ("DB_USER", "S0", Key("postgres.user", same, "who signs in there")),
        ("DB_PASSWORD", "S0", Key("postgres.password", same, "with which password")),
        (
            "DB_*",
            "S0",
            Instead("of databases the hub knows DB_HOST, _PORT, _NAME, _USER and _PASSWORD"),
        ),
        (
            "MONGO_URI",
            "S4",
            Instead(
                "the hub brings its own database (leave it out), or uses PostgreSQL (DATABASE_URL)",
            ),
        ),
        (
            "SECRET_KEY",
            "S0 S1 S2 S3",
            Key(
                "accounts.token_key",
                same,
                "signs access tokens; at least 32 bytes. Without it the hub keeps a key of its own",
            ),
        ),
        ("JWT_SECRET", "S4", Key("accounts.token_key", same, "the same")),
        ("ACCESS_TOKEN_EXPIRE_MINUTES", "S2 S3", Key("accounts.access_minutes", same, "minutes")),
        ("JWT_ACCESS_TOKEN_LIFETIME", "S1", Key("accounts.access_minutes", same, "minutes")),
        ("JWT_REFRESH_TOKEN_LIFETIME", "S1", Key("accounts.refresh_minutes", same, "minutes")),
        (
            "MAX_UPLOAD_SIZE",
            "S1",
            Key("uploads.max_bytes", same, "bytes of a photo, at most 10485760"),
        ),
        (
            "UPLOAD_DIR",
            "S1 S3",
            Instead(
                "photos are never kept in a folder: what is kept lies sealed in the data directory (--data, ROLLCALL_DATA)",
            ),
        ),
        (
            "MODEL_PATH",
            "S1",
            Key(
                "models",
                same,
                "the folder of a Rollcall model pack (`rollcall-hub models fetch`)",
            ),
        ),
        (
            "FACE_DETECTION_MODEL",
            "S1",
            Instead("the model pack brings its own detector: choose a pack with ROLLCALL_MODELS"),
        ),
        (
            "EMBEDDING_MODEL",
            "S1",
            Instead("the model pack brings its own network: choose a pack with ROLLCALL_MODELS"),
        ),
        (
            "CONFIDENCE_THRESHOLD_HIGH",
            "S1",
            Key(
                "lines.high",
                confidence,
                "confidence 0..1: 0.9 is the pack's high line (.960 with the default pack, whose curve is (.911, .5) (.940, .7) (.960, .9) (1, 1))",
            ),
        ),
        (
            "CONFIDENCE_THRESHOLD_MEDIUM",
            "S1",
            Key(
                "lines.review",
                confidence,
                "confidence, by the same curve: 0.7 is the pack's review line",
            ),
        ),
        (
            "FACE_SIMILARITY_THRESHOLD",
            "S2",
            Key(
                "lines.high",
                similarity,
                "cosine of the pack in use; S2's own 0.6 belongs to ArcFace packs: with the default pack, whose lines lie between 0.90 and 1, a warning says so and the pack's own line counts",
            ),
        ),
        (
            "FACE_TOLERANCE",
            "S3",
            Key(
                "lines.review",
                distance,
                "distance d of the dlib network, cosine 1 − d²/4.5: 0.6 is .920; with other packs a warning, and their own line",
            ),
        ),
        (
            "ML_CONFIDENT_THRESHOLD",
            "S4",
            Key("lines.high", distance, "distance d, the same: 0.50 is .944"),
        ),
        (
            "ML_UNCERTAIN_THRESHOLD",
            "S4",
            Key("lines.review", distance, "distance d, the same: 0.60 is .920"),
        ),
        (
            "ML_SERVICE_*",
            "S4",
            Instead("recognition runs inside the hub: there is no other service to reach"),
        ),
        ("CORS_ALLOWED_ORIGINS", "S0 S1", Key("cors.origins", same, "origins parted by commas")),
        (
            "CORS_ALLOW_ALL_ORIGINS",
            "S0",
            Key(
                "cors.any",
                same,
                "any origin may read the API with a token; never with a browser's session",
            ),
        ),
        (
            "ALLOWED_HOSTS",
            "S0 S1",
            Key(
                "hosts",
                same,
                "host names parted by commas; `.example.org` with all below it, `*` any",
            ),
        ),
        (
            "DEBUG",
            "S0 S1 S2",
            Instead(
                "pages never show more when something fails: for a fuller log set ROLLCALL_LOG=debug",
            ),
        ),
        (
            "DJANGO_SUPERUSER_EMAIL",
            "S0",
            FirstAdmin("address of the first admin, made at the first start only"),
        ),
        ("DJANGO_SUPERUSER_USERNAME", "S0", FirstAdmin("what pages call them")),
        ("DJANGO_SUPERUSER_PASSWORD", "S0", FirstAdmin("their password; unset it afterwards")),
        ("CELERY_*", "S1", Instead("long work runs inside the hub: there is no broker")),
        (
            "REDIS_*",
            "S1 S2",
            Instead("sessions and jobs live in the hub's database: there is no cache to reach"),
        ),
        (
            "CLOUDINARY_*",
            "S4",
            Instead("no picture leaves the hub: what is kept lies sealed in the data directory"),
        ),
        ("SMTP_HOST", "S4", Key("smtp.host", same, "the mail server")),
        ("SMTP_SERVER", "S4", Key("smtp.host", same, "the same")),
        ("SMTP_PORT", "S4", Key("smtp.port", same, "its port")),
        ("SMTP_USER", "S4", Key("smtp.user", same, "who signs in there")),
        ("SMTP_USERNAME", "S4", Key("smtp.user", same, "the same")),
        ("SMTP_PASSWORD", "S4", Key("smtp.password", same, "with which password")),
        ("SMTP_PASS", "S4", Key("smtp.password", same, "the same")),
        (
            "SMTP_PASSWORD_FILE",
            "S4",
            Key("smtp.password_file", same, "a file that holds it and that nobody else may read"),
        ),
        (
            "SMTP_FROM",
            "S4",
            Key("smtp.from", same, "what mail comes from: an address, or `Name <address>`"),
        ),
        ("SMTP_FROM_EMAIL", "S4", Key("smtp.from", same, "the same")),
        (
            "SMTP_TLS",
            "S4",
            Key(
                "smtp.tls",
                same,
                "`starttls`, `tls` or `none`; true means `starttls`, or `tls` on port 465",
            ),
        ),
        ("SMTP_USE_TLS", "S4", Key("smtp.tls", same, "the same")),
        ("SMTP_SECURE", "S4", Key("smtp.tls", same, "the same")),
        (
            "SMTP_*",
            "S4",
            Instead(
                "of mail the hub knows SMTP_HOST, _PORT, _USER, _PASSWORD, _PASSWORD_FILE, _FROM and _TLS",
            ),
        ),
        (
            "GOOGLE_CLIENT_*",
            "S4",
            Instead(
                "sign-in by OpenID Connect is set in hub.toml: [oidc] issuer, client_id, client_secret_file",
            ),
        ),
        (
            "OAUTH_*",
            "S4",
            Instead(
                "sign-in by OpenID Connect is set in hub.toml: [oidc] issuer, client_id, client_secret_file",
            ),
        ),
    ]
};

/// What the variables set: name, key, text. What they cannot set is added to `warnings`.
pub(super) fn settings(
    vars: &Vars,
    warnings: &mut Vec<String>,
) -> Result<Vec<(String, String, String)>, ConfigError> {
    let mut found: Vec<(String, String, String)> = Vec::new();
    for (name, text) in vars.iter() {
        let bad = |why| ConfigError::Variable { name: name.to_owned(), why };
        match meaning(name) {
            Some(Means::Instead(say)) => warnings.push(format!("{name} means nothing here: {say}")),
            Some(Means::Key(key, turn, _)) => {
                let text = turn(text).map_err(bad)?;
                let other = found.iter().find(|(_, k, was)| k == key && *was != text);
                if let Some((other, ..)) = other {
                    return Err(bad(format!("{other} sets {key} too, and to something else")));
                }
                found.push((name.to_owned(), key.to_owned(), text));
            }
            Some(Means::FirstAdmin(_)) | None => {}
        }
    }
    Ok(found)
}

/// Exact names before those with a star.
fn meaning(name: &str) -> Option<Means> {
    let exact = TABLE.iter().find(|row| row.0 == name);
    let star = |row: &&(&str, &str, Means)| {
        row.0
            .strip_suffix('*')
            .is_some_and(|stem| name.starts_with(stem) && name.len() > stem.len())
    };
    exact.or_else(|| TABLE.iter().find(star)).map(|row| row.2)
}

fn same(text: &str) -> Result<String, String> {
    Ok(text.to_owned())
}

/// The path in a database URL, or the URL of a server.
fn database(text: &str) -> Result<String, String> {
    match text.split_once("://") {
        Some(("sqlite", path)) => match path.strip_prefix('/').filter(|path| !path.is_empty()) {
            Some(path) => Ok(path.to_owned()),
            None => Err("write sqlite:///hub.db, or sqlite:////srv/hub.db with a full path".into()),
        },
        Some((kind, _)) if kind.starts_with("postgres") => same(text),
        _ => Err("this is no database the hub knows: write sqlite:///hub.db, or \
                  postgres://user@host/name"
            .into()),
    }
}

fn confidence(text: &str) -> Result<String, String> {
    measured(text, "confidence")
}

fn similarity(text: &str) -> Result<String, String> {
    measured(text, "similarity")
}

fn distance(text: &str) -> Result<String, String> {
    measured(text, "distance")
}

/// A line with its measure: which cosine it is depends on the pack in use ([`super::LinesSetting`]).
fn measured(text: &str, measure: &str) -> Result<String, String> {
    let number: f32 = text.trim().parse().map_err(|_| format!("“{text}” is no number"))?;
    Ok(format!("{number} {measure}"))
}

/// The table, as OPERATIONS.md prints it.
#[must_use]
pub fn markdown() -> String {
    let mut out = String::from("| variable | from | here |\n|---|---|---|\n");
    for (name, from, means) in TABLE {
        let here = match means {
            Means::Key(key, _, say) => format!("`{key}`: {say}"),
            Means::FirstAdmin(say) => say.to_owned(),
            Means::Instead(say) => format!("a warning: {say}"),
        };
        out.push_str(&format!("| `{name}` | {from} | {here} |\n"));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_handbook_has_the_same_table() {
        let book = include_str!("../../../docs/OPERATIONS.md");
        let same = book.contains(&markdown());
        assert!(same, "docs/OPERATIONS.md should hold:\n{}", markdown());
    }

    #[test]
    fn a_database_url_is_of_sqlite_or_postgresql_or_refused_in_a_sentence() {
        assert_eq!(database("sqlite:///./attendance.db"), Ok("./attendance.db".into()));
        assert_eq!(database("sqlite:////srv/hub.db"), Ok("/srv/hub.db".into()));
        for url in ["postgresql://u:p@h/db", "postgres://h/db", "postgresql+asyncpg://h/db"] {
            assert_eq!(database(url), Ok(url.into()));
        }
        for bad in ["sqlite://", "sqlite:///", "mysql://h/db", "hub.db"] {
            assert!(database(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn thresholds_of_others_keep_their_measure() {
        assert_eq!(confidence("0.9"), Ok("0.9 confidence".into()));
        assert_eq!(similarity(" 0.6 "), Ok("0.6 similarity".into()));
        assert_eq!(distance("0.50"), Ok("0.5 distance".into()));
        assert!(distance("much").unwrap_err().contains("much"));
    }

    #[test]
    fn no_name_stands_twice_in_the_table() {
        let names: std::collections::HashSet<_> = TABLE.iter().map(|row| row.0).collect();
        assert_eq!(names.len(), TABLE.len());
    }
}
