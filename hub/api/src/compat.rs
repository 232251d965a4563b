//! Addresses under which clients of other attendance backends look for the same.

use http::endpoint::Endpoint;
use warp::http::Method;

/// Method, our path, and what others call it.
const NAMES: [(Method, &str, &str); 8] = [
    (Method::POST, "/api/auth/login", "/api/auth/jwt/create"),
    (Method::POST, "/api/auth/refresh", "/api/auth/jwt/refresh"),
    (Method::GET, "/api/auth/me", "/api/auth/users/me"),
    (Method::POST, "/api/auth/password", "/api/auth/users/set_password"),
    (Method::POST, "/api/auth/register", "/api/auth/users"),
    (Method::POST, "/api/enrollment", "/api/students/upload-face"),
    (Method::POST, "/api/enrollment", "/api/face/register"),
    (Method::GET, "/api/events", "/events"),
];

/// Those of `own` that others call differently, under that name.
#[must_use]
pub fn routes(own: &[Endpoint]) -> Vec<Endpoint> {
    let renamed = |(method, path, other): &(Method, &str, &'static str)| {
        let ours = own.iter().find(|one| one.route.method == *method && one.route.path == *path);
        ours.map(|ours| ours.alias(other))
    };
    NAMES.iter().filter_map(renamed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_other_name_is_one_of_a_route_of_ours() {
        let page: crate::reports::RegisterPage = |_, _| unreachable!("no route is asked");
        let all = crate::routes(page);
        for (method, path, other) in NAMES {
            let at = |wanted| {
                let route =
                    |one: &&Endpoint| one.route.method == method && one.route.path == wanted;
                all.iter().find(route).map(|one| (one.route.who, one.route.takes))
            };
            assert!(at(path).is_some(), "{path} is gone");
            assert_eq!(at(path), at(other), "{other}");
        }
    }
}
