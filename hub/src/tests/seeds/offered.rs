//! What the five backends offer: `offered.txt`, a table of facts from their READMEs.

/// An address that a backend offers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Endpoint {
    /// S0 to S4.
    pub seed: &'static str,
    /// `GET` …
    pub method: &'static str,
    /// As the README spells it, parameters and all.
    pub path: &'static str,
}

/// A line that a README tells people to run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Curl {
    pub asks: Endpoint,
    /// The body of `-d`.
    pub data: Option<&'static str>,
    /// The fields of `-F`.
    pub fields: Vec<&'static str>,
}

const TABLE: &str = include_str!("offered.txt");

fn lines() -> impl Iterator<Item = &'static str> {
    TABLE.lines().filter(|line| !line.starts_with('#'))
}

/// The backend, and the rest of its line; the table holds nothing else.
fn seed(line: &'static str) -> (&'static str, &'static str) {
    line.split_once(' ').unwrap_or_else(|| panic!("offered.txt: {line}"))
}

fn endpoint(seed: &'static str, asks: &'static str) -> Endpoint {
    let (method, path) = asks.split_once(' ').unwrap_or_else(|| panic!("offered.txt: {asks}"));
    Endpoint { seed, method, path }
}

/// Every address.
pub(super) fn endpoints() -> Vec<Endpoint> {
    let plain = lines().map(seed).filter(|(_, rest)| !rest.starts_with("curl "));
    plain.map(|(seed, rest)| endpoint(seed, rest)).collect()
}

/// Every curl line.
pub(super) fn curls() -> Vec<Curl> {
    let curl = |(seed, rest): (&'static str, &'static str)| {
        let rest = rest.strip_prefix("curl ")?;
        let end = rest.find(" {").or_else(|| rest.find(" -F "));
        let (asks, sent) = rest.split_at(end.unwrap_or(rest.len()));
        let data = sent.trim().starts_with('{').then(|| sent.trim());
        let fields = sent.split(" -F ").skip(1).map(str::trim).collect();
        Some(Curl { asks: endpoint(seed, asks), data, fields })
    };
    lines().map(seed).filter_map(curl).collect()
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

#[test]
fn the_table_is_whole() {
    let (all, curls) = (endpoints(), curls());
    let of = |seed: &str| all.iter().filter(|one| one.seed == seed).count();
    assert_eq!(["S0", "S1", "S2", "S3", "S4"].map(of), [46, 20, 16, 21, 23]);
    assert_eq!((all.len() + curls.len(), curls.len()), (lines().count(), 9));
    let known = ["GET", "POST", "PUT", "PATCH", "DELETE"];
    assert!(all.iter().all(|one| known.contains(&one.method) && one.path.starts_with('/')));
    assert_eq!(curls[1].fields, ["student_id", "file"]);
    assert!(
        curls[3].data.is_some_and(|data| serde_json::from_str::<serde_json::Value>(data).is_ok())
    );
    assert_eq!(key("/api/attendance/:id/review"), key("/attendance/{id}/review/?x=1"));
}
