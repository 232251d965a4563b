//! Reads what the five backends offer out of their own README files.

use std::path::PathBuf;

/// An address that a README names.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Endpoint {
    /// S0 to S4.
    pub seed: String,
    /// `GET` …; empty where the README names only the address.
    pub method: String,
    /// As the README spells it, parameters and all.
    pub path: String,
}

/// A line that a README tells people to run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Curl {
    pub seed: String,
    pub method: String,
    pub path: String,
    /// The body of `-d`.
    pub data: Option<String>,
    /// The fields of `-F`, files with their `@`.
    pub fields: Vec<(String, String)>,
}

const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];
const HOST: &str = "http://localhost:8000";

/// Name and text of each README, where the folder is there.
pub(super) fn seeds() -> Option<Vec<(String, String)>> {
    let here = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/seeds");
    let folder = std::env::var_os("ROLLCALL_SEEDS").map_or_else(here, PathBuf::from);
    let read = |n: u8| {
        let bytes = std::fs::read(folder.join(format!("S{n}.txt"))).ok()?;
        Some((format!("S{n}"), String::from_utf8_lossy(&bytes).into_owned()))
    };
    (0..5).map(read).collect()
}

/// What makes two spellings one: no `/api`, no slash at the end, no query, no parameters’ names.
pub(super) fn key(path: &str) -> String {
    let path = path.split('?').next().unwrap_or_default().trim_end_matches('/');
    let path = path.strip_prefix("/api").unwrap_or(path);
    let part = |part: &str| match part.starts_with([':', '{']) {
        true => "{}".to_owned(),
        false => part.to_owned(),
    };
    let whole = path.split('/').map(part).collect::<Vec<_>>().join("/");
    if whole.is_empty() { "/".to_owned() } else { whole }
}

/// Every address that `text` names.
pub(super) fn endpoints(seed: &str, text: &str) -> Vec<Endpoint> {
    let mut found = Vec::new();
    let (mut prefix, mut collection) = (String::new(), String::new());
    for line in text.lines().filter(|line| !line.trim_start().starts_with("curl")) {
        if line.starts_with('#') {
            prefix = ticked(line).into_iter().find(|t| t.starts_with("/api")).unwrap_or_default();
            collection.clear();
        }
        let add = |method: &str, path: String| Endpoint {
            seed: seed.to_owned(),
            method: method.to_owned(),
            path,
        };
        let links = line.split(HOST).skip(1).map(until_end).filter(|path| path.len() > 1);
        found.extend(links.map(|path| add("GET", path)));
        for said in ticked(line).into_iter().chain([line.trim().to_owned()]) {
            if let Some((method, path)) = asked(&said) {
                found.push(add(&method, joined(&prefix, &path)));
            }
        }
        if seed != "S0" {
            continue;
        }
        // S0 names addresses alone, below the one of their part.
        for path in ticked(line).into_iter().filter(|said| said.starts_with('/')) {
            if path.starts_with("/api") {
                prefix = path.trim_end_matches('/').to_owned();
            } else if path.starts_with("/{id}") {
                found.push(add("", format!("{collection}{path}")));
            } else if line.starts_with("Swagger") {
                found.push(add("GET", path));
            } else {
                collection = joined(&prefix, path.trim_end_matches('/'));
                let one = format!("{collection}/{{id}}/");
                let changes = ["PUT", "PATCH", "DELETE"].map(|method| add(method, one.clone()));
                let all = ["GET", "POST"].map(|method| add(method, format!("{collection}/")));
                let crud = line.contains("CRUD");
                found.extend(all.into_iter().filter(|e| crud || e.method == "GET"));
                found.push(add("GET", one));
                found.extend(changes.into_iter().filter(|_| crud));
            }
        }
    }
    found.sort();
    found.dedup();
    found
}

/// `prefix` before `path`, where it is not there already.
fn joined(prefix: &str, path: &str) -> String {
    let first = path.split('/').nth(1).unwrap_or_default();
    match prefix.strip_suffix(&format!("/{first}")) {
        _ if path.starts_with("/api") => path.to_owned(),
        Some(base) if !first.is_empty() => format!("{base}{path}"),
        _ => format!("{prefix}{path}"),
    }
}

/// What stands between backticks.
fn ticked(line: &str) -> Vec<String> {
    line.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// `GET /path` at the beginning of `said`.
fn asked(said: &str) -> Option<(String, String)> {
    let (method, rest) = said.split_once(char::is_whitespace)?;
    let path = rest.trim_start();
    (METHODS.contains(&method) && path.starts_with('/'))
        .then(|| (method.to_owned(), until_end(path)))
}

fn until_end(text: &str) -> String {
    text.split([' ', '`', '*', '"', ')']).next().unwrap_or_default().to_owned()
}

/// Every curl line of `text` that asks the backend itself.
pub(super) fn curls(seed: &str, text: &str) -> Vec<Curl> {
    let mut found = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if !line.trim_start().starts_with("curl ") || !text.contains(HOST) {
            continue;
        }
        let mut whole = line.to_owned();
        while whole.ends_with('\\') || whole.matches('\'').count() % 2 == 1 {
            let Some(more) = lines.next() else { break };
            whole = format!("{}\n{more}", whole.trim_end_matches('\\'));
        }
        found.extend(curl(seed, &words(&whole)));
    }
    found
}

fn curl(seed: &str, words: &[String]) -> Option<Curl> {
    let path = words.iter().find_map(|word| word.strip_prefix(HOST))?.to_owned();
    let after = |flag: &str| {
        let places = words.iter().enumerate().filter(|(_, word)| *word == flag);
        places.filter_map(|(n, _)| words.get(n + 1).cloned()).collect::<Vec<_>>()
    };
    let split = |field: String| {
        let (key, value) = field.split_once('=')?;
        Some((key.to_owned(), value.to_owned()))
    };
    Some(Curl {
        seed: seed.to_owned(),
        method: after("-X").into_iter().next().unwrap_or_else(|| "GET".to_owned()),
        path,
        data: after("-d").into_iter().next(),
        fields: after("-F").into_iter().filter_map(split).collect(),
    })
}

/// As a shell splits a line.
fn words(line: &str) -> Vec<String> {
    let (mut all, mut word, mut quote) = (Vec::new(), String::new(), None);
    for c in line.chars() {
        match quote {
            Some(open) if c == open => quote = None,
            None if c == '\'' || c == '"' => quote = Some(c),
            None if c.is_whitespace() => all.push(std::mem::take(&mut word)),
            _ => word.push(c),
        }
    }
    all.push(word);
    all.retain(|word| !word.is_empty());
    all
}

#[test]
fn a_readme_is_read_as_people_read_it() {
    let text = "### Students (`/api/students`)\n- `GET /` - List\n- `PUT /{id}` - Update\n\
        # Attendance\n```\nPOST  /api/attendance/:id/review # Approve\n```\n\
        ```bash\ncurl -X POST \"http://localhost:8000/face/verify\" \\\n  -F \"class_id=1\"\n```\n";
    let found = endpoints("S4", text);
    let spelled: Vec<_> = found.iter().map(|e| (e.method.as_str(), key(&e.path))).collect();
    assert_eq!(
        spelled,
        [
            ("GET", "/students".to_owned()),
            ("POST", "/attendance/{}/review".to_owned()),
            ("PUT", "/students/{}".to_owned()),
        ]
    );
    let curl = &curls("S2", text)[0];
    assert_eq!((curl.method.as_str(), curl.path.as_str()), ("POST", "/face/verify"));
    assert_eq!(curl.fields, [("class_id".to_owned(), "1".to_owned())]);
}

#[test]
fn an_address_alone_stands_below_its_part() {
    let text =
        "- Attendance: `/api/attendance/`\n\t- Sessions CRUD: `/sessions/` with `/{id}/x/`\n";
    let found = endpoints("S0", text);
    assert_eq!(found.len(), 7, "{found:?}");
    assert_eq!(found[0].path, "/api/attendance/sessions/{id}/x/");
}
