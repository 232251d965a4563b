//! `serve`: run the hub until it is told to stop.

use crate::app;
use config::{Config, Log, LogFormat};
use rustix::process::{Resource, getrlimit, setrlimit};
use std::io::IsTerminal as _;
use std::path::Path;
use std::sync::Arc;
use tokio::signal::unix::{SignalKind, signal};
use tracing::Subscriber;
use tracing_subscriber::fmt::{self, MakeWriter};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;
use wire::time::SystemClock;

pub(super) async fn run(data: &Path) -> anyhow::Result<()> {
    let config = Config::load(data)?;
    log(&config.log)?;
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
    ended.and(hub.stop().await)?;
    Ok(())
}

/// Takes as many open files as the system allows: each connection is one.
fn open_files() {
    let mut files = getrlimit(Resource::Nofile);
    files.current = files.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, files) {
        tracing::warn!(%error, "the limit of open files stays low: few can connect at once");
    }
}

fn log(log: &Log) -> anyhow::Result<()> {
    let filter = tracing_subscriber::EnvFilter::try_from_env("ROLLCALL_LOG")
        .or_else(|_| tracing_subscriber::EnvFilter::try_new(&log.level))?;
    match log.format(std::io::stderr().is_terminal()) {
        LogFormat::Json => as_json(std::io::stderr).with(filter).init(),
        LogFormat::Text => {
            let lines = fmt::layer().with_ansi(false).with_writer(std::io::stderr);
            tracing_subscriber::registry().with(lines).with(filter).init();
        }
    }
    Ok(())
}

/// One JSON object a line, with the request's id.
pub(crate) fn as_json(
    writer: impl for<'w> MakeWriter<'w> + Send + Sync + 'static,
) -> impl Subscriber + for<'a> LookupSpan<'a> + Send + Sync {
    let lines = fmt::layer().json().flatten_event(true).with_span_list(false);
    tracing_subscriber::registry().with(lines.with_writer(writer))
}
