use super::*;

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse(Path::new("/data"), text, None)
}

#[test]
fn what_init_writes_is_all_defaults() {
    let config = parse(&template("hub.example", "UTC")).unwrap();
    assert_eq!(config.host, "hub.example");
    assert_eq!(config.listen, parse("").unwrap().listen);
    assert_eq!(config.listen.web.port(), 8443);
    let usual: Database = Path::new("/data/hub.db").into();
    assert_eq!(config.database().to_string(), usual.to_string());
}

#[test]
fn a_wrong_key_or_value_is_named() {
    for (text, named) in [
        ("hots = \"x\"", "hots"),
        ("[listen]\nwebb = \"x\"", "webb"),
        ("[listen]\nweb = \"8443\"", "listen.web"),
        ("[listen]\nplain = true", "listen.plain"),
        ("[listen]\ndrain_seconds = 61", "listen.drain_seconds"),
        ("zone = \"Mars/Base\"", "zone"),
        ("host = \"https://x\"", "host"),
        ("host = 7", "host"),
    ] {
        let error = parse(text).unwrap_err().to_string();
        assert!(error.contains(named) && error.contains("hub.toml"), "{error}");
    }
}

#[test]
fn the_environment_wins_over_the_file() {
    let config = |env: Option<&str>| {
        Config::parse(Path::new("/d"), "models = \"/a\"", env.map(PathBuf::from)).unwrap()
    };
    assert_eq!(config(None).models, Path::new("/a"));
    assert_eq!(config(Some("/b")).models, Path::new("/b"));
}

fn with(text: &str, vars: &Vars) -> Result<Config, ConfigError> {
    Config::read(Path::new("/data"), text, vars)
}

#[test]
fn a_mail_server_needs_a_sender_and_tls() {
    let full = "[smtp]\nhost = \"mail.school.test\"\nuser = \"rollcall\"\npassword = \"x\"\n\
                from = \"Rollcall <rollcall@school.test>\"";
    let smtp = parse(full).unwrap().smtp.unwrap();
    assert_eq!((smtp.port, smtp.tls), (587, SmtpTls::Start));
    assert_eq!(smtp.password.unwrap().expose(), "x");
    assert_eq!(parse("").unwrap().smtp, None);
    for (text, named) in [
        ("[smtp]\nport = 25", "smtp.host"),
        ("[smtp]\nhost = \"m\"", "smtp.from"),
        ("[smtp]\nhost = \"m\"\nfrom = \"nobody\"", "smtp.from"),
        ("[smtp]\nhost = \"m\"\nfrom = \"a@b.c\"\ntls = \"none\"", "smtp.tls"),
        ("[smtp]\nhost = \"m\"\nfrom = \"a@b.c\"\nuser = \"u\"", "smtp.user"),
        ("[smtp]\nhost = \"m\"\nfrom = \"a@b.c\"\npassword = \"p\"", "smtp.password"),
    ] {
        let error = parse(text).unwrap_err().to_string();
        assert!(error.contains(named), "{error}");
    }
}

#[test]
fn a_broker_is_reached_by_tls_and_by_name() {
    let broker = |text: &str| parse(&format!("[broker]\n{text}")).unwrap().broker.unwrap();
    let usual = broker("address = \"mqtts://broker.school.test\"");
    assert_eq!((usual.host.as_str(), usual.port, usual.tls), ("broker.school.test", 8883, true));
    assert_eq!((&*usual.discovery, &*usual.topic), ("homeassistant", "rollcall"));
    assert_eq!((usual.login, usual.ca), (None, None));
    let full = broker(
        "address = \"mqtts://10.0.0.7:9\"\nuser = \"u\"\npassword = \"p\"\nca = \"b.pem\"\n\
         topic = \"school/doors\"",
    );
    assert_eq!((full.host.as_str(), full.port), ("10.0.0.7", 9));
    assert_eq!(
        full.login.map(|(user, p)| (user, p.expose().to_owned())),
        Some(("u".into(), "p".into()))
    );
    assert_eq!(full.ca.as_deref(), Some(Path::new("/data/b.pem")), "relative to the data");
    assert_eq!(broker("address = \"mqtt://localhost/\"").port, 1883);
    assert_eq!(broker("address = \"mqtt://[::1]\"").host, "[::1]");
    assert_eq!(parse("").unwrap().broker, None);
}

#[test]
fn what_is_wrong_about_a_broker_is_said_by_its_key() {
    let here = "address = \"mqtts://b\"\n";
    let wrong = [
        ("broker.address", "topic = \"t\"".to_owned()),
        ("broker.user", format!("{here}user = \"u\"")),
        ("broker.password", format!("{here}password = \"p\"")),
        ("broker.topic", format!("{here}topic = \"a/+\"")),
        ("broker.topic", format!("{here}topic = \"homeassistant\"")),
        ("broker.discovery", format!("{here}discovery = \"/x\"")),
        ("broker.ca", "address = \"mqtt://127.0.0.1\"\nca = \"b.pem\"".into()),
    ];
    for (key, text) in wrong {
        let error = parse(&format!("[broker]\n{text}")).unwrap_err().to_string();
        assert!(error.contains(key) && !error.contains("\"p\""), "{error}");
    }
    for address in [
        "b",
        "https://b",
        "mqtts://",
        "mqtts://b:0",
        "mqtts://b/x",
        "mqtts://[::1]",
        "mqtts://u:pw@b",
    ] {
        let error = parse(&format!("[broker]\naddress = {address:?}")).unwrap_err().to_string();
        assert!(error.contains("broker.address") && !error.contains("pw"), "{error}");
    }
    let plain = parse("[broker]\naddress = \"mqtt://broker.school.test\"").unwrap_err();
    assert!(plain.to_string().contains("only to a broker on this machine"), "{plain}");
}

#[test]
fn the_variables_of_the_old_system_set_up_mail() {
    let vars = Vars::from([
        ("SMTP_HOST", "mail.school.test"),
        ("SMTP_PORT", "465"),
        ("SMTP_USER", "rollcall@school.test"),
        ("SMTP_PASSWORD", "12345678"),
        ("SMTP_USE_TLS", "True"),
    ]);
    let smtp = with("", &vars).unwrap().smtp.unwrap();
    assert_eq!((smtp.port, smtp.tls), (465, SmtpTls::Implicit));
    assert_eq!(smtp.password.as_ref().unwrap().expose(), "12345678");
    assert_eq!(smtp.from, "rollcall@school.test");
    let own = vars.with("ROLLCALL_SMTP__PORT", "2525");
    assert_eq!(with("", &own).unwrap().smtp.unwrap().port, 2525, "our own names win");
}

#[test]
fn what_means_nothing_here_is_named_with_what_to_use_instead() {
    for name in [
        "CELERY_BROKER_URL",
        "MONGO_URI",
        "CLOUDINARY_API_KEY",
        "FACE_DETECTION_MODEL",
        "DB_ENGINE",
        "UPLOAD_DIR",
        "SMTP_FLAVOUR",
    ] {
        let warnings = with("", &Vars::default().with(name, "x")).unwrap().warnings;
        assert_eq!(warnings.len(), 1, "{name}");
        assert!(warnings[0].starts_with(&format!("{name} means nothing here: ")), "{warnings:?}");
    }
    let none = with("", &Vars::from([("PATH", "/bin"), ("ROLLCALL_LOG", "debug")])).unwrap();
    assert_eq!(none.warnings, Vec::<String>::new());
}

#[test]
fn lists_flags_and_lifetimes_come_from_variables() {
    let vars = Vars::from([
        ("CORS_ALLOWED_ORIGINS", "http://localhost:3000,http://127.0.0.1:3000/"),
        ("ALLOWED_HOSTS", "localhost,127.0.0.1"),
        ("JWT_ACCESS_TOKEN_LIFETIME", "60"),
        ("JWT_REFRESH_TOKEN_LIFETIME", "1440"),
        ("MAX_UPLOAD_SIZE", "10485760"),
        ("DATABASE_URL", "sqlite:///./attendance.db"),
        ("ROLLCALL_LISTEN__WEB", "127.0.0.1:1"),
        ("ROLLCALL_LOG__FORMAT", "text"),
    ]);
    let config = with("[listen]\nweb = \"0.0.0.0:2\"", &vars).unwrap();
    assert_eq!(config.cors.origins, ["http://localhost:3000", "http://127.0.0.1:3000"]);
    assert!(config.hosts.allow("127.0.0.1:8443") && !config.hosts.allow("evil.test"));
    assert_eq!(config.accounts.tokens.access_ms, 3_600_000);
    assert_eq!(config.accounts.tokens.refresh_ms, 86_400_000);
    assert_eq!(config.database().to_string(), "/data/./attendance.db");
    assert_eq!(config.listen.web.port(), 1);
    assert_eq!([true, false].map(|terminal| config.log.format(terminal)), [LogFormat::Text; 2]);
    let usual = with("", &Vars::from([])).unwrap().log;
    assert_eq!((usual.format(true), usual.format(false)), (LogFormat::Text, LogFormat::Json));
    let any = with("", &Vars::from([("CORS_ALLOW_ALL_ORIGINS", "True")])).unwrap();
    assert!(any.cors.any);
}

#[test]
fn thresholds_move_the_lines_of_the_pack() {
    let lines = |pairs: &[(&str, &str)]| {
        let vars = pairs.iter().fold(Vars::default(), |vars, (k, v)| vars.with(k, v));
        let lines = with("", &vars)?.lines.of("dlib-1.mtcnn-mirror");
        lines.map(|(lines, unwise)| (lines, unwise.len()))
    };
    let pack = vision::decide::LINES;
    assert_eq!(lines(&[]).unwrap(), (None, 0));
    let lines = |pairs: &[(&str, &str)]| lines(pairs).map(|(lines, n)| (lines.unwrap(), n));
    let own = [("CONFIDENCE_THRESHOLD_HIGH", "0.9"), ("CONFIDENCE_THRESHOLD_MEDIUM", "0.7")];
    let (same, warnings) = lines(&own).unwrap();
    assert!((same.single_high - pack.single_high).abs() < 1e-5 && warnings == 0);
    assert!((same.fused_review - pack.fused_review).abs() < 1e-5);
    let old = [("ML_CONFIDENT_THRESHOLD", "0.50"), ("ML_UNCERTAIN_THRESHOLD", "0.60")];
    let (lax, warnings) = lines(&old).unwrap();
    assert!((lax.single_high - 0.9444).abs() < 1e-4 && (lax.single_review - 0.92).abs() < 1e-4);
    assert_eq!(warnings, 2, "both are laxer than what was measured");
    let crossed = [("ML_CONFIDENT_THRESHOLD", "0.6"), ("ML_UNCERTAIN_THRESHOLD", "0.5")];
    let (high, warnings) = lines(&crossed).unwrap();
    assert_eq!(
        (high.single_review, warnings),
        (high.single_high, 3),
        "review above high: left out"
    );
    let twice = [("FACE_TOLERANCE", "0.6"), ("ML_UNCERTAIN_THRESHOLD", "0.5")];
    assert!(lines(&twice).unwrap_err().to_string().contains("FACE_TOLERANCE"));
}

#[test]
fn a_line_of_another_system_that_means_nothing_here_is_said_and_the_packs_own_counts() {
    let of = |vars: Vars, text: &str| with(text, &vars)?.lines.of("dlib-1.mtcnn-mirror");
    let vars = Vars::from([("FACE_SIMILARITY_THRESHOLD", "0.6")]);
    let (lines, said) = of(vars, "").unwrap();
    assert_eq!((lines, said.len()), (None, 1));
    assert!(said[0].contains("FACE_SIMILARITY_THRESHOLD") && said[0].contains("ArcFace"));
    let typed = "[lines]\nhigh = \"0.6 similarity\"";
    assert!(of(Vars::default(), typed).is_err(), "who types it here is told at once");
}

#[test]
fn a_wrong_variable_is_named_and_a_secret_never_shown() {
    for (name, value) in [
        ("DATABASE_URL", "postgresql://user:hunter2hunter2@db/name?sslmode=disable"),
        ("SECRET_KEY", "hunter2"),
        ("SECRET_KEY", "your-very-secret-key-here-change-in-production"),
        ("ACCESS_TOKEN_EXPIRE_MINUTES", "soon"),
        ("ACCESS_TOKEN_EXPIRE_MINUTES", "0"),
        ("MAX_UPLOAD_SIZE", "99999999"),
        ("CORS_ALLOWED_ORIGINS", "example.org"),
        ("ROLLCALL_SMTP__HOTS", "x"),
        ("ROLLCALL_LISTEN__WEB", "8443"),
        ("ROLLCALL_TRUSTED_PROXIES", "10.0.0.0/8,proxy.local"),
        ("ROLLCALL_PROXY_HEADER", "x-real-ip"),
    ] {
        let error = with("", &Vars::default().with(name, value)).unwrap_err().to_string();
        assert!(error.contains(name) && !error.contains("hunter2"), "{error}");
    }
}

#[test]
fn the_first_admin_is_checked_before_anything_starts() {
    let admin = |password: &str| {
        let vars = Vars::from([("DJANGO_SUPERUSER_EMAIL", "ada@school.test")]);
        with("", &vars.with("DJANGO_SUPERUSER_PASSWORD", password))
    };
    let found = admin("nine horses graze").unwrap().accounts.first_admin.unwrap();
    assert_eq!((found.email.as_str(), found.name.as_str()), ("ada@school.test", "ada"));
    assert!(!format!("{found:?}").contains("horses"));
    let refused = admin("admin123").unwrap_err().to_string();
    assert!(refused.contains("DJANGO_SUPERUSER_PASSWORD") && !refused.contains("admin123"));
}

#[test]
fn a_file_with_secrets_that_others_may_read_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(FILE);
    let load = |text: &str, mode| {
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        Config::read(dir.path(), text, &Vars::default())
    };
    let key = "[accounts]\ntoken_key = \"0123456789abcdef0123456789abcdef\"";
    assert!(load(key, 0o600).is_ok());
    let refused = load(key, 0o644).unwrap_err().to_string();
    assert!(refused.contains("hub.toml") && refused.contains("chmod 600"), "{refused}");
    assert!(load("host = \"x\"", 0o644).is_ok(), "no secret in it");
}

#[test]
fn a_server_is_named_by_a_url_or_by_its_parts() {
    let url = parse("database = \"postgres://u:p@db.school.test/r?schema=north\"").unwrap();
    assert_eq!(url.database().to_string(), "postgres://u@db.school.test/r (schema north)");
    let parts = parse("[postgres]\nhost = \"db\"\nname = \"r\"\nuser = \"u\"").unwrap();
    assert_eq!(parts.database().to_string(), "postgres://u@db/r (schema rollcall)");
    let vars = Vars::from([("DB_HOST", "db"), ("DB_NAME", "r"), ("DB_PASSWORD", "p")]);
    assert_eq!(with("", &vars).unwrap().database().to_string(), parts_of("db"));
    let vars = Vars::from([("DATABASE_URL", "postgresql+asyncpg://u:p@db/r")]);
    assert_eq!(with("", &vars).unwrap().database().to_string(), parts.database().to_string());
}

fn parts_of(host: &str) -> String {
    format!("postgres://{host}/r (schema rollcall)")
}

#[test]
fn what_is_wrong_about_a_server_is_said_by_its_key_and_without_its_password() {
    for (key, text) in [
        ("database", "database = \"postgres://u:swordfish@h/r?schema=A\""),
        ("database", "database = \"mysql://u:swordfish@h/r\""),
        ("database", "database = \"hub.db\"\n[postgres]\nhost = \"db\""),
        ("postgres.name", "[postgres]\nhost = \"db\"\npassword = \"swordfish\""),
        ("database", "database = \"postgres://h/r\"\n[postgres]\nhost = \"db\""),
        ("postgres.password", "[postgres]\npassword = \"swordfish\"\npassword_file = \"p\""),
    ] {
        let error = parse(text).unwrap_err().to_string();
        assert!(error.contains(key) && !error.contains("swordfish"), "{error}");
    }
}

#[test]
fn traces_go_where_the_settings_or_the_usual_variable_say_and_else_nowhere() {
    assert_eq!(parse("").unwrap().traces, None);
    let said = "[traces]\nendpoint = \"http://collector:4318/\"\nratio = 0.25";
    let traces = parse(said).unwrap().traces.unwrap();
    assert_eq!((&*traces.endpoint, traces.ratio), ("http://collector:4318", 0.25));
    let usual = Vars::from([("OTEL_EXPORTER_OTLP_ENDPOINT", "https://other.test/otlp")]);
    let traces = with(said, &usual).unwrap().traces.unwrap();
    assert_eq!(traces.endpoint, "https://other.test/otlp", "a variable wins over the file");
    let own = usual.clone().with("ROLLCALL_TRACES__ENDPOINT", "http://own:4318");
    assert_eq!(with("", &own).unwrap().traces.unwrap().endpoint, "http://own:4318");
    for (text, named) in [
        ("[traces]\nratio = 0.5", "traces.endpoint"),
        ("[traces]\nendpoint = \"collector:4318\"", "traces.endpoint"),
        ("[traces]\nendpoint = \"http://user:hush@collector\"", "OTEL_EXPORTER_OTLP_HEADERS"),
        ("[traces]\nendpoint = \"http://c\"\nratio = 2.0", "traces.ratio"),
    ] {
        let error = parse(text).unwrap_err().to_string();
        assert!(error.contains(named) && !error.contains("hush"), "{error}");
    }
}
