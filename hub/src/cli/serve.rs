//! `serve`: run the hub until it is told to stop.

use crate::app;
use crate::traces::Traces;
use config::{Config, Log, LogFormat};
use rules::spans;
use rustix::process::{Resource, getrlimit, setrlimit};
use std::io::IsTerminal as _;
use std::path::Path;
use std::sync::Arc;
use tokio::signal::unix::{SignalKind, signal};
use tracing::{Metadata, Subscriber};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt::{self, MakeWriter};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer};
use wire::time::SystemClock;

pub(super) async fn run(data: &Path) -> anyhow::Result<()> {
    let config = Config::load(data)?;
    let traces = config.traces.as_ref().map(Traces::begin).transpose()?;
    log(&config.log, traces.as_ref())?;
    open_files();
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    let mut term = signal(SignalKind::terminate())?;
    let mut int = signal(SignalKind::interrupt())?;
    let mut hub = app::serve(config, Arc::new(SystemClock)).await?;
    tracing::info!(web = %hub.web, mqtt = %hub.mqtt, device = %hub.device, "the hub is open");
    let _no_supervisor = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
    let ended = tokio::select! {
        _ = term.recv() => Ok(()),
        _ = int.recv() => Ok(()),
        ended = hub.ended() => ended,
    };
    tracing::info!("the hub is closing");
    let ended = ended.and(hub.stop().await);
    if let Some(traces) = traces {
        traces.end();
    }
    Ok(ended?)
}

/// Takes as many open files as the system allows: each connection is one.
fn open_files() {
    let mut files = getrlimit(Resource::Nofile);
    files.current = files.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, files) {
        tracing::warn!(%error, "the limit of open files stays low: few can connect at once");
    }
}

/// The log on standard error, and what takes spans for traces.
fn log(log: &Log, traces: Option<&Traces>) -> anyhow::Result<()> {
    let filter =
        EnvFilter::try_from_env("ROLLCALL_LOG").or_else(|_| EnvFilter::try_new(&log.level))?;
    let traces = traces.map(Traces::layer);
    let lines = match log.format(std::io::stderr().is_terminal()) {
        LogFormat::Json => as_json(std::io::stderr).boxed(),
        LogFormat::Text => as_text(std::io::stderr).boxed(),
    };
    tracing_subscriber::registry().with(traces).with(lines.with_filter(filter)).init();
    Ok(())
}

/// One JSON object a line, with the request's id.
pub(crate) fn as_json<S: Subscriber + for<'a> LookupSpan<'a>>(
    writer: impl for<'w> MakeWriter<'w> + Send + Sync + 'static,
) -> impl Layer<S> {
    let lines = fmt::layer().json().flatten_event(true).with_span_list(false);
    lines.with_writer(writer).with_filter(filter_fn(is_for_the_log))
}

/// Words for a terminal.
fn as_text<S: Subscriber + for<'a> LookupSpan<'a>>(
    writer: impl for<'w> MakeWriter<'w> + Send + Sync + 'static,
) -> impl Layer<S> {
    let lines = fmt::layer().with_ansi(false).with_writer(writer);
    lines.with_filter(filter_fn(is_for_the_log))
}

/// Spans for traces are nothing for the log, which says of each request what it says anyway.
fn is_for_the_log(of: &Metadata<'_>) -> bool {
    of.target() != spans::TARGET
}
