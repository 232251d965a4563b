//! Serves connections of the web listener: HTTP/1.1 with time limits everywhere.

use super::front::{Front, Peer};
use crate::accept::{self, Guest, Limits};
use crate::app::App;
use crate::error::Error;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use rustls::ServerConfig;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::either::Either;
use tokio_util::sync::CancellationToken;

/// For a request's headers, and for the next request of a kept connection.
const HEADER_TIME: Duration = Duration::from_secs(10);
/// Bytes of a request's head at most.
const HEAD: usize = 16 * 1024;

/// The hub's certificate for browsers and programs, HTTP/1.1 only; nobody is asked for theirs.
/// None where the configuration says plain.
///
/// # Errors
/// When the certificate and its key do not belong together.
pub fn tls(app: &App) -> Result<Option<Arc<ServerConfig>>, Error> {
    if app.config.plain {
        return Ok(None);
    }
    let mut config = ServerConfig::builder()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(app.certificates.clone()));
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Some(Arc::new(config)))
}

/// Answers requests until `stop`, then finishes those in flight.
pub async fn run(
    listener: TcpListener,
    tls: Option<Arc<ServerConfig>>,
    front: Front,
    stop: CancellationToken,
) {
    let filter = super::filter(front);
    let serve = move |guest: Guest| one(guest, filter.clone());
    accept::run(listener, tls, Limits::default(), stop, serve).await;
}

async fn one(guest: Guest, filter: warp::filters::BoxedFilter<(warp::reply::Response,)>) {
    let Guest { address, stream, half_open, slot: _slot, stop } = guest;
    let peer = Peer { address: address.ip(), tls: matches!(stream, Either::Left(_)) };
    let service = TowerToHyperService::new(warp::service(filter));
    let service =
        hyper::service::service_fn(move |mut request: hyper::Request<hyper::body::Incoming>| {
            request.extensions_mut().insert(peer);
            hyper::service::Service::call(&service, request)
        });
    drop(half_open); // the handshake is over; what follows has limits of its own
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEADER_TIME).max_buf_size(HEAD);
    let mut connection = std::pin::pin!(http.serve_connection(TokioIo::new(stream), service));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}
