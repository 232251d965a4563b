//! `/health`, `/ready`, `/metrics`, and `/`.

use acts::care::facts;
use acts::readiness::DatabaseState;
use http::call::Call;
use http::endpoint::Endpoint;
use http::guard::reads_metrics;
use http::nav;
use http::problem::Outcome;
use http::problem::Problem;
use http::reply::{bytes, json, json_with, see};
use http::route::Route;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use rules::auth::Role;
use serde::Serialize;
use std::sync::OnceLock;
use utoipa::ToSchema;
use warp::http::StatusCode;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    vec![
        Route::get("/").anyone().part().by(home),
        Route::get("/health").anyone().gives::<SystemHealth>().at_once().by(alive),
        Route::get("/ready").anyone().gives::<Ready>().at_once().by(ready),
        Route::get("/metrics").anyone().file("text/plain").by(numbers),
    ]
}

/// The process's metrics, installed at the first call.
#[must_use]
pub fn recorder() -> Option<PrometheusHandle> {
    static HANDLE: OnceLock<Option<PrometheusHandle>> = OnceLock::new();
    let install = || {
        let bounds = [0.001, 0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0];
        let recorder = PrometheusBuilder::new().set_buckets(&bounds).ok()?.build_recorder();
        let handle = recorder.handle();
        metrics::set_global_recorder(recorder).is_ok().then_some(handle)
    };
    HANDLE.get_or_init(install).clone()
}

/// How the hub is.
#[derive(Serialize, ToSchema)]
#[schema(as = Health)]
pub struct SystemHealth {
    status: &'static str,
    service: &'static str,
    version: &'static str,
}

/// What of the hub works.
#[derive(Serialize, ToSchema)]
pub struct Ready {
    #[serde(flatten)]
    health: SystemHealth,
    /// `ok`; `away` where it takes or answers nothing within 2 s, `moved` where its school is
    /// elsewhere now: such a hub is not ready.
    database: &'static str,
    /// `ok`, or `missing` without a whole model pack: pictures wait, all else goes on.
    recognition: &'static str,
    /// `ok` or `full`: nothing new is stored, and pages open.
    disk: &'static str,
    /// `ok` or `leapt`: nothing goes because its time is over.
    clock: &'static str,
}

const FINE: SystemHealth =
    SystemHealth { status: "ok", service: "rollcall-hub", version: env!("CARGO_PKG_VERSION") };

async fn home(call: Call) -> Outcome {
    let home =
        call.by.as_ref().map_or("/review", |by| nav::home(&call.front.site.table, by.actor.role));
    if call.wants_page() { see(home) } else { json(&FINE) }
}

async fn alive(_: Call) -> Outcome {
    json(&FINE)
}

/// Ready, for a balancer: the database takes and answers, who may be recognised is known, and the
/// hub is not stopping. What does not work besides is said, and all else goes on.
async fn ready(call: Call) -> Outcome {
    let app = call.app();
    let closing = app.readiness.is_closing();
    let found = app.readiness.look(&app.upkeep()).await;
    let database = match found.database {
        DatabaseState::Ok => "ok",
        DatabaseState::Away => "away",
        DatabaseState::Moved => "moved",
    };
    let recognition = if app.recogniser.trouble().is_some() { "missing" } else { "ok" };
    let space = facts::disk(&app.config.data).is_none_or(|(free, _)| free > 0);
    let disk = if space { "ok" } else { "full" };
    let clock = if found.leapt { "leapt" } else { "ok" };
    let all = [recognition, disk, clock].iter().all(|part| *part == "ok");
    let serves = database == "ok" && app.gallery.is_loaded();
    let (code, status) = match (closing, serves, all) {
        (true, ..) => (StatusCode::SERVICE_UNAVAILABLE, "closing"),
        (_, false, _) => (StatusCode::SERVICE_UNAVAILABLE, "unready"),
        (.., false) => (StatusCode::OK, "degraded"),
        _ => (StatusCode::OK, "ok"),
    };
    let health = SystemHealth { status, ..FINE };
    json_with(code, &Ready { health, database, recognition, disk, clock })
}

/// For programs on this machine, for admins, and for whoever has the token.
async fn numbers(call: Call) -> Outcome {
    let admin = call.by.as_ref().is_some_and(|by| by.actor.role == Role::Admin);
    let token = call.header("authorization").and_then(|given| given.split_once(' '));
    let token = token.is_some_and(|(_, token)| reads_metrics(&call.front, token));
    if !(admin || token || call.peer.is_loopback()) {
        let say = "The metrics are for programs on the hub's own machine: others send the token \
                   of the setting “metrics.token”.";
        return Err(Problem::unauthorised(say));
    }
    let none = || Problem::unavailable("This hub keeps no metrics.");
    let handle = call.front.metrics.as_ref().ok_or_else(none)?;
    handle.run_upkeep();
    #[expect(clippy::cast_precision_loss, reason = "doors are counted in thousands")]
    metrics::gauge!("doors_online").set(call.app().online.count() as f64);
    call.app().boards.sweep(call.app().clock.mono());
    let text = handle.render();
    bytes("text/plain; version=0.0.4; charset=utf-8", text)
}
