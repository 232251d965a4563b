//! Serves connections of the web listener: HTTP/2 and HTTP/1.1, with limits everywhere.

use super::endpoint::Handlers;
use super::front::{Front, Peer, Stranger};
use accept::patience::Patient;
use accept::{self, Guest, House, Stream};
use acts::parts::Parts;
use hyper::Request;
use hyper::body::Incoming;
use hyper::header::{COOKIE, HOST, HeaderMap, HeaderValue};
use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use rules::error::Error;
use rustls::ServerConfig;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::time::{sleep, timeout};
use tokio_util::either::Either;
use tokio_util::sync::CancellationToken;

/// For a request's headers, and for the next request of a kept connection.
const HEADER_TIME: Duration = Duration::from_secs(10);
/// Bytes of a request's head at most.
const HEAD: usize = 16 * 1024;
/// Requests that one HTTP/2 connection has at work.
const AT_WORK: u32 = 32;
/// Bytes of answers that one HTTP/2 connection keeps until they are taken.
const KEPT: usize = 256 * 1024;
/// Between two looks whether the other end of an HTTP/2 connection is there, and for its answer.
const ALIVE: Duration = Duration::from_secs(20);
/// How long somebody may stay who has not signed in; a browser comes back by itself.
const STRANGER: Duration = Duration::from_secs(60);
/// How long anybody may stay.
const AGE: Duration = Duration::from_secs(12 * 3600);
/// For what is at work when a connection has had its time.
const GOODBYE: Duration = Duration::from_secs(30);
/// What HTTP/2 is called in a TLS handshake.
const H2: &[u8] = b"h2";

/// The hub's certificate for browsers and programs; nobody is asked for theirs.
/// None where the configuration says plain.
///
/// # Errors
/// When the certificate and its key do not belong together.
pub fn tls(app: &Parts) -> Result<Option<Arc<ServerConfig>>, Error> {
    if app.config.plain {
        return Ok(None);
    }
    let mut config = ServerConfig::builder()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(app.certificates.clone()));
    config.alpn_protocols = vec![H2.to_vec(), b"http/1.1".to_vec()];
    Ok(Some(Arc::new(config)))
}

/// Answers requests until `stop`, then finishes those in flight.
pub async fn run(
    listener: TcpListener,
    house: House,
    front: Front,
    handlers: Handlers,
    stop: CancellationToken,
) {
    let filter = super::filter(front, handlers);
    let serve = move |guest: Guest| one(guest, filter.clone());
    accept::run(listener, house, stop, serve).await;
}

async fn one(guest: Guest, filter: warp::filters::BoxedFilter<(warp::reply::Response,)>) {
    let Guest { address, stream, half_open, slot: _slot, stop } = guest;
    let stranger = Stranger::new(half_open);
    let tls = matches!(stream, Either::Left(_));
    let peer = Peer { stranger: stranger.clone(), ..Peer::new(address.ip(), tls) };
    let service = TowerToHyperService::new(warp::service(filter));
    let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer.clone());
        name_host(&mut request);
        join_cookies(request.headers_mut());
        hyper::service::Service::call(&service, request)
    });
    let ends = async {
        tokio::select! { () = stop.cancelled() => {}, () = aged(&stranger) => {} }
    };
    let h2 = speaks_h2(&stream);
    let io = TokioIo::new(Patient::new(stream));
    let ended = if h2 {
        let serving = second().serve_connection(io, service);
        until(serving, http2::Connection::graceful_shutdown, ends).await
    } else {
        let serving = first().serve_connection(io, service);
        until(serving, http1::Connection::graceful_shutdown, ends).await
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

fn speaks_h2(stream: &Stream) -> bool {
    matches!(stream, Either::Left(tls) if tls.get_ref().1.alpn_protocol() == Some(H2))
}

fn first() -> http1::Builder {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEADER_TIME).max_buf_size(HEAD);
    http
}

fn second() -> http2::Builder<TokioExecutor> {
    let mut http = http2::Builder::new(TokioExecutor::new());
    http.timer(TokioTimer::new())
        .max_concurrent_streams(AT_WORK)
        .max_header_list_size(HEAD as u32)
        .max_send_buf_size(KEPT)
        .keep_alive_interval(ALIVE)
        .keep_alive_timeout(ALIVE);
    http
}

/// HTTP/2 says the host in the address; everything behind reads the header of HTTP/1.1.
fn name_host(request: &mut Request<Incoming>) {
    let name = request.uri().authority().and_then(|name| name.as_str().parse().ok());
    if let (Some(name), false) = (name, request.headers().contains_key(HOST)) {
        request.headers_mut().insert(HOST, name);
    }
}

/// HTTP/2 may part cookies over several headers; everything behind reads one of HTTP/1.1.
fn join_cookies(headers: &mut HeaderMap) {
    let all: Vec<_> = headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes).collect();
    if all.len() > 1
        && let Ok(one) = HeaderValue::from_bytes(&all.join(&b"; "[..]))
    {
        headers.insert(COOKIE, one);
    }
}

/// Until a guest has been there long enough.
async fn aged(stranger: &Stranger) {
    sleep(STRANGER).await;
    if stranger.is_known() {
        sleep(AGE).await;
    }
}

/// Serves until the other end goes, or `ends` does: then what is at work is finished.
async fn until<C: Future<Output = hyper::Result<()>>>(
    serving: C,
    bow: impl FnOnce(Pin<&mut C>),
    ends: impl Future<Output = ()>,
) -> hyper::Result<()> {
    let mut serving = pin!(serving);
    tokio::select! {
        ended = serving.as_mut() => return ended,
        () = ends => {}
    }
    bow(serving.as_mut());
    timeout(GOODBYE, serving).await.unwrap_or(Ok(()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_that_come_apart_are_read_as_one() {
        let mut headers = HeaderMap::new();
        join_cookies(&mut headers);
        assert!(headers.is_empty());
        for pair in ["a=1", "lang=fa", "b=2; c=3"] {
            headers.append(COOKIE, HeaderValue::from_static(pair));
        }
        join_cookies(&mut headers);
        let all: Vec<_> = headers.get_all(COOKIE).iter().collect();
        assert_eq!(all, ["a=1; lang=fa; b=2; c=3"]);
    }
}
