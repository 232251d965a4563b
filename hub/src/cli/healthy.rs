//! `healthy`: whether the hub on this machine is ready, for whoever watches over its container.

use anyhow::{Context as _, bail};
use config::Config;
use reqwest::Url;
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

/// For the whole answer: `/ready` itself takes two seconds at most to find out.
const TIME: Duration = Duration::from_secs(4);

pub(super) async fn run(data: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
    let config = Config::load(data)?;
    let (ready, place) = (url(&config)?, here(config.listen.web));
    // To this very machine, with nothing to hide: whoever issued the hub's certificate, it is up.
    let client = reqwest::Client::builder().tls_danger_accept_invalid_certs(true);
    let client = client.no_proxy().timeout(TIME).resolve(name(&config), place).build()?;
    let answer = client.get(ready).send().await;
    let answer = answer.with_context(|| format!("nobody answers at {place}: does the hub run?"))?;
    let status = answer.status();
    let said = answer.text().await.unwrap_or_default();
    if !status.is_success() {
        bail!("the hub is not ready ({status}): {said}");
    }
    writeln!(out, "{said}")?;
    Ok(())
}

/// A name to which the hub answers, whichever it is asked for by others.
fn name(config: &Config) -> &str {
    let named = config.hosts.0.iter().find(|name| *name != "*" && !name.starts_with('.'));
    named.map_or(&config.host, String::as_str)
}

fn url(config: &Config) -> anyhow::Result<Url> {
    let scheme = if config.plain { "http" } else { "https" };
    let address = format!("{scheme}://{}:{}/ready", name(config), config.listen.web.port());
    address.parse().with_context(|| format!("{address} is no address: see “host” in hub.toml"))
}

/// Where it listens, from this machine.
fn here(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
        other => other,
    };
    SocketAddr::new(ip, listen.port())
}
