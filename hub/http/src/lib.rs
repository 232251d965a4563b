//! The HTTP skin: one table of routes, one way in, one way out.
//!
//! A request is found in the table, admitted (who, from where, what body), answered by its
//! handler, hardened, counted and logged; there is no other way to a handler. See [`route`].

pub mod body;
pub mod call;
pub mod compress;
pub mod cors;
pub mod cost;
pub mod draft;
pub mod endpoint;
pub mod front;
pub mod guard;
pub mod headers;
pub mod idempotency;
pub mod key;
pub mod language;
pub mod nav;
pub mod openapi;
pub mod page;
pub mod path;
pub mod problem;
pub mod proof;
pub mod reply;
pub mod route;
pub mod serve;
pub mod signed_in;
pub mod site;
pub mod spend;
pub mod takes;
pub mod visitor;
pub mod whence;

use crate::endpoint::Handlers;
use bytes::Buf;
use call::Call;
use front::{Front, Peer};
use problem::Outcome;
use problem::Problem;
use route::{Route, RouteFound, Table};
use site::ProblemReader;
use spend::spend;
use std::net::{IpAddr, Ipv4Addr};
use tokio_stream::Stream;
use tracing::Instrument as _;
use warp::filters::BoxedFilter;
use warp::http::{HeaderMap, HeaderName, HeaderValue, Method};
use warp::reply::{Reply, Response};
use warp::{Filter, path::FullPath};

/// One request before anything is known about it.
struct RawRequest {
    method: Method,
    path: String,
    query: String,
    headers: HeaderMap,
    peer: Peer,
}

/// The filter that answers everything.
#[must_use]
pub fn filter(front: Front, handlers: Handlers) -> BoxedFilter<(Response,)> {
    let query = warp::query::raw().or(warp::any().map(String::new)).unify();
    warp::any()
        .and(warp::method())
        .and(warp::path::full())
        .and(query)
        .and(warp::header::headers_cloned())
        .and(warp::ext::optional::<Peer>())
        .and(warp::body::stream())
        .then(move |method, path: FullPath, query, headers, peer: Option<Peer>, body| {
            let path = path.as_str().to_owned();
            let peer = peer.unwrap_or_else(|| Peer::new(IpAddr::V4(Ipv4Addr::LOCALHOST), false));
            let peer = whence::whence(&peer, &headers, &front.app.config.proxies);
            let raw = RawRequest { method, path, query, headers, peer };
            answer(front.clone(), handlers.clone(), raw, body)
        })
        .boxed()
}

/// Answers one request; whatever happens becomes an answer with the request's id.
async fn answer<S, B, E>(front: Front, handlers: Handlers, raw: RawRequest, body: S) -> Response
where
    S: Stream<Item = Result<B, E>> + Send,
    B: Buf,
{
    let began = front::mono(&front.app);
    let method = raw.method.clone();
    let head = raw.method == Method::HEAD;
    let tls = raw.peer.tls;
    let request_id = request_id(&raw.headers);
    let page = guard::is_page(&raw.path, &raw.headers);
    let back = guard::back(&raw);
    let arrived = guard::from_elsewhere(&raw.method, &raw.headers);
    let language = language::of(&raw.headers);
    let press = compress::allowed(&raw.headers);
    let mut note = RequestNote { endpoint: "none", user: None };
    let (crossing, preflight) =
        cors::crossing(&front.app.config.cors, &raw.method, &raw.path, &raw.headers);
    let span = tracing::info_span!("request", request_id);
    let traced = rules::spans::request(method.as_str());
    let (mut body, announced) = (std::pin::pin!(body), body::is_announced(&raw.headers));
    let outcome = if preflight {
        cors::preflight(&front.site.table, &raw.path)
    } else {
        let asked = outcome(&front, &handlers, raw, body.as_mut(), &request_id, &mut note);
        asked.instrument(span).instrument(traced.clone()).await
    };
    if outcome.is_err() && !announced {
        body::discard(body, note.user.is_some()).await;
    }
    let mut answer = outcome.unwrap_or_else(|problem| {
        let reader = ProblemReader { language, arrived, back: &back, request_id: &request_id };
        let shown = page.then(|| (front.site.pages.problem)(&problem, reader)).flatten();
        shown.unwrap_or_else(|| problem.reply(&request_id))
    });
    if press {
        answer = compress::page(answer).await;
    }
    headers::harden(answer.headers_mut(), tls);
    crossing.mark(answer.headers_mut());
    if let Ok(id) = HeaderValue::from_str(&request_id) {
        answer.headers_mut().insert(HeaderName::from_static("x-request-id"), id);
    }
    let took = front::mono(&front.app).since(began);
    note.log(&method, &answer, took, &request_id);
    rules::spans::answered(&traced, note.endpoint, answer.status().as_u16());
    if head { bodiless(answer) } else { answer }
}

async fn outcome<S, B, E>(
    front: &Front,
    handlers: &Handlers,
    raw: RawRequest,
    body: S,
    request_id: &str,
    note: &mut RequestNote,
) -> Outcome
where
    S: Stream<Item = Result<B, E>> + Send,
    B: Buf,
{
    guard::asked_for(&front.app.config.hosts, &raw.headers)?;
    let (route, params) = find(&front.site.table, &raw)?;
    note.endpoint = route.path;
    let now = front.app.clock.wall();
    let by = guard::identify(front, &raw.headers, now).await?;
    note.user = by.as_ref().map(|by| by.actor.user);
    let by = guard::admit(&route, by, &raw, now)?;
    if by.is_some() {
        raw.peer.stranger.known();
    }
    spend(front, &route, by.as_ref(), raw.peer.address)?;
    let takes = route.takes.photos_within(front.app.config.max_upload);
    let takes = if by.is_none() { takes.from_a_stranger() } else { takes };
    let _room = body::room(&front.bodies, takes, &raw.headers).await?;
    let content = body::read(takes, &raw.headers, body, &front.app.config.data).await?;
    guard::unforged(&route, by.as_ref(), &raw.headers, &content)?;
    let queues = by.is_none() && !route.at_once;
    let strange = queues.then(|| front.strangers.clone().acquire_owned());
    let _place = match strange {
        Some(turn) => Some(turn.await.map_err(|_| Problem::internal())?),
        None => None,
    };
    let request_id = request_id.to_owned();
    let query = raw.query;
    let headers = raw.headers;
    let peer = raw.peer.address;
    let front = front.clone();
    let call = Call { front, by, params, query, headers, content, peer, request_id, now };
    idempotency::answer(&route, handlers.of(&route), call).await
}

fn find(table: &Table, raw: &RawRequest) -> Result<(Route, Vec<(String, String)>), Problem> {
    match table.find(&raw.method, &raw.path) {
        RouteFound::Route(route, params) => Ok((route, params)),
        RouteFound::Nothing => Err(Problem::not_found("There is nothing at this address.")),
        RouteFound::OtherMethod(methods) => {
            let allow = methods.iter().map(Method::as_str).collect::<Vec<_>>().join(", ");
            let status = warp::http::StatusCode::METHOD_NOT_ALLOWED;
            let say = format!("This address knows {allow}, not {}.", raw.method);
            Err(Problem { allow: Some(allow), ..Problem::new(status, "method-not-allowed", say) })
        }
    }
}

/// The caller's own id if it is plain, else a new one.
fn request_id(headers: &HeaderMap) -> String {
    let given = headers.get("x-request-id").and_then(|id| id.to_str().ok());
    let plain = |id: &&str| {
        (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    given.filter(plain).map_or_else(|| acts::auth::nonce().to_string(), str::to_owned)
}

/// What the log says of one request.
struct RequestNote {
    /// The route's pattern: never the address itself, which may hold numbers of people.
    endpoint: &'static str,
    user: Option<uuid::Uuid>,
}

impl RequestNote {
    /// One line, and the counters.
    fn log(&self, method: &Method, answer: &Response, duration_ms: u64, request_id: &str) {
        let endpoint = self.endpoint;
        let status = answer.status().as_u16();
        let user_id = self.user.map(|user| user.to_string()).unwrap_or_default();
        tracing::info!(target: "http", %method, endpoint, user_id, duration_ms, status, request_id, "request");
        let labels = [("endpoint", endpoint.to_owned()), ("status", status.to_string())];
        metrics::counter!("http_requests_total", &labels).increment(1);
        #[expect(clippy::cast_precision_loss, reason = "a duration in seconds needs few digits")]
        let seconds = duration_ms as f64 / 1000.0;
        metrics::histogram!("http_request_seconds", "endpoint" => endpoint).record(seconds);
    }
}

fn bodiless(answer: Response) -> Response {
    let (parts, _) = answer.into_parts();
    let mut empty = warp::reply().into_response();
    *empty.status_mut() = parts.status;
    *empty.headers_mut() = parts.headers;
    empty
}
