//! `serve`: run the hub until it is told to stop.

use crate::app;
use crate::config::Config;
use std::path::Path;
use std::sync::Arc;
use tokio::signal::unix::{SignalKind, signal};
use wire::time::SystemClock;

pub(super) async fn run(data: &Path) -> anyhow::Result<()> {
    log();
    let config = Config::load(data)?;
    let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
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

fn log() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("ROLLCALL_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info,refinery_core=warn"));
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
}
