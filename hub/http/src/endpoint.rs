//! What is served: a route, and what it does.

use super::call::Call;
use super::problem::Outcome;
use super::route::{Route, Table};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

type EndpointWork = Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// A handler of any route.
#[derive(Clone)]
pub struct Run(Arc<dyn Fn(Call) -> EndpointWork + Send + Sync>);

impl Run {
    /// Answers `call`.
    pub async fn answer(&self, call: Call) -> Outcome {
        (self.0)(call).await
    }
}

impl<F, W> From<F> for Run
where
    F: Fn(Call) -> W + Send + Sync + 'static,
    W: Future<Output = Outcome> + Send + 'static,
{
    fn from(handler: F) -> Self {
        Self(Arc::new(move |call| Box::pin(handler(call))))
    }
}

/// A route, and what it does.
#[derive(Clone)]
pub struct Endpoint {
    /// What it is.
    pub route: Route,
    /// What it does.
    pub run: Run,
}

impl Endpoint {
    /// The same under another path, as one of the seeds calls it.
    #[must_use]
    pub fn alias(&self, path: &'static str) -> Self {
        let route = Route { path, ..self.route.clone() };
        Self { route, run: self.run.clone() }
    }
}

/// Who answers, by a route's number.
#[derive(Clone)]
pub struct Handlers(Arc<[Run]>);

impl Handlers {
    /// What `route` does.
    #[must_use]
    pub fn of(&self, route: &Route) -> &Run {
        &self.0[route.number]
    }
}

/// The table of `endpoints`, and who answers. Those with fewer parameters come first, so that
/// `/today` wins over `/{id}`.
#[must_use]
pub fn open(mut endpoints: Vec<Endpoint>) -> (Table, Handlers) {
    endpoints.sort_by_key(|endpoint| endpoint.route.path.matches('{').count());
    let numbered =
        |(number, endpoint): (usize, &Endpoint)| Route { number, ..endpoint.route.clone() };
    let routes = endpoints.iter().enumerate().map(numbered).collect();
    (Table::of(routes), Handlers(endpoints.into_iter().map(|endpoint| endpoint.run).collect()))
}

#[cfg(test)]
mod tests {
    use super::super::route::RouteFound;
    use super::*;
    use warp::http::Method;
    use warp::reply::Response;

    async fn nothing(_: Call) -> Outcome {
        Ok(Response::new(String::new().into()))
    }

    fn table() -> Table {
        let get = |path| Route::get(path).everyone().by(nothing);
        let post = Route::post("/api/x").everyone().by(nothing);
        open(vec![get("/api/x/{id}"), get("/api/x/today"), post]).0
    }

    #[test]
    fn a_plain_word_wins_over_a_parameter() {
        let path = |at: &str| match table().find(&Method::GET, at) {
            RouteFound::Route(route, _) => route.path,
            _ => "none",
        };
        assert_eq!(path("/api/x/today"), "/api/x/today");
        assert_eq!(path("/api/x/tomorrow/"), "/api/x/{id}");
        assert_eq!(path("/api/y"), "none");
    }

    #[test]
    fn a_wrong_method_is_told_the_right_ones() {
        let RouteFound::OtherMethod(allowed) = table().find(&Method::DELETE, "/api/x") else {
            panic!("the path exists")
        };
        assert_eq!(allowed, [Method::POST]);
        assert!(matches!(table().find(&Method::HEAD, "/api/x/1"), RouteFound::Route(..)));
    }
}
