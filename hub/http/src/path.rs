//! Addresses in one place: `/api/students`, `/api/students/` and `/students` are one route.

use percent_encoding::percent_decode_str;

/// First words that also work without `/api` in front, as the backends it replaces had
/// them. Pages never use these.
const BARE: [&str; 6] = ["auth", "teachers", "classes", "students", "face", "attendance"];
/// Resources that also work under `/api/attendance`, where S0 has them.
const BENEATH: [&str; 4] = ["classes", "sessions", "images", "face-crops"];
/// Longest path that is looked at, bytes.
const LONGEST: usize = 1024;

/// The decoded segments of `path`, in native form: with `api` in front, no trailing slash.
/// Nothing for a path that no route can have: empty or dotted segments, bytes that are no text.
#[must_use]
pub fn segments(path: &str) -> Option<Vec<String>> {
    let path = path.strip_prefix('/').filter(|path| path.len() <= LONGEST)?;
    if path.is_empty() {
        return Some(Vec::new());
    }
    let path = path.strip_suffix('/').unwrap_or(path);
    let mut parts = path.split('/').map(segment).collect::<Option<Vec<_>>>()?;
    if BARE.contains(&parts[0].as_str()) {
        parts.insert(0, "api".to_owned());
    }
    let beneath = parts.get(2).is_some_and(|part| BENEATH.contains(&part.as_str()));
    if beneath && parts[..2] == ["api", "attendance"] {
        parts.remove(1);
    }
    Some(parts)
}

fn segment(raw: &str) -> Option<String> {
    let text = percent_decode_str(raw).decode_utf8().ok()?;
    let odd = text.is_empty() || text == "." || text == ".." || text.contains(['/', '\\']);
    (!odd && !text.chars().any(char::is_control)).then(|| text.into_owned())
}

/// The values of `pattern`'s `{parameters}` if `segments` fit it.
#[must_use]
pub fn matched(pattern: &str, segments: &[String]) -> Option<Vec<(String, String)>> {
    let mut wanted = pattern.split('/').filter(|part| !part.is_empty());
    let mut found = Vec::new();
    for given in segments {
        let part = wanted.next()?;
        match part.strip_prefix('{').and_then(|p| p.strip_suffix('}')) {
            Some(name) => found.push((name.to_owned(), given.clone())),
            None if part == given => {}
            None => return None,
        }
    }
    wanted.next().is_none().then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_spellings_are_one_route() {
        let native = segments("/api/students");
        assert_eq!(native.as_ref().map(Vec::len), Some(2));
        for same in ["/api/students/", "/students", "/students/", "/api/stud%65nts"] {
            assert_eq!(segments(same), native, "{same}");
        }
        assert_eq!(segments("/"), Some(Vec::new()));
        assert_eq!(segments("/devices").unwrap(), ["devices"]);
        assert_eq!(segments("/api/attendance/classes/7B/").unwrap(), ["api", "classes", "7B"]);
        assert_eq!(segments("/api/attendance/pending").unwrap().len(), 3);
    }

    #[test]
    fn paths_that_try_to_climb_lead_nowhere() {
        let long = format!("/{}", "x".repeat(2000));
        for bad in
            ["", "x", "//", "/a//b", "/a/../b", "/a/%2e%2e/b", "/a%2fb", "/%00", "/%ff", &long]
        {
            assert_eq!(segments(bad), None, "{bad}");
        }
    }

    #[test]
    fn parameters_are_taken_from_their_places() {
        let path = segments("/api/attendance/42/review").unwrap();
        let found = matched("/api/attendance/{id}/review", &path).unwrap();
        assert_eq!(found, [("id".to_owned(), "42".to_owned())]);
        assert_eq!(matched("/api/attendance/{id}", &path), None);
        assert_eq!(matched("/api/attendance/{id}/review/x", &path), None);
    }
}
