//! `doctor`: what waits for whoever runs the system, as the page `/care` says it.

use super::hub::{Hub, now};
use acts::broker;
use acts::care::facts;
use acts::recogniser::Recogniser;
use anyhow::bail;
use config::Broker;
use rules::care::{AsideKind, CareFacts, Failed, Worry, worries};
use std::io::Write;
use std::path::Path;
use wire::{Mono, Wall};
use words::language::Language;

/// What the running hub alone knows, such as lessons that are set aside, its page says.
pub(super) async fn run(data: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
    let hub = Hub::open(data)?;
    let now = now();
    let recogniser = match Recogniser::start(&hub.config.models) {
        Err(error) => Recogniser::without(&hub.config.models, None, &error)?,
        Ok(recogniser) => recogniser,
    };
    let model = recogniser.model().clone();
    let stored = hub.db.read(move |tx| facts::stored(tx, &model, |_| None, now)).await?;
    let disk = facts::disk(data);
    let recognition = recogniser.trouble().map(str::to_owned);
    let replaced = hub.keys()?.replaced()?;
    let aside = match &hub.config.broker {
        Some(broker) => call(broker, now).await.into_iter().collect(),
        None => Vec::new(),
    };
    let found = worries(&CareFacts { disk, recognition, replaced, aside, ..stored }, now);
    let plain = |text: String| text.replace(['\u{2068}', '\u{2069}'], "");
    for worry in &found {
        let (what, next) = words::care::said(Language::English, worry, &hub.config.zone);
        let about = [worry.name.as_str(), ": "].concat();
        let about = if worry.name.is_empty() { "" } else { about.as_str() };
        writeln!(out, "{about}{}\n  {}", plain(what), plain(next))?;
        // What a program said is in the hub's log; of the broker only this one knows it.
        if worry.kind() == "broker" {
            writeln!(out, "  {}", worry.why)?;
        }
    }
    match found.iter().filter(|worry: &&Worry| worry.is_grave).count() {
        0 => Ok(writeln!(out, "Nothing else waits for you.")?),
        grave => bail!("{grave} of these cannot wait"),
    }
}

/// Calls the site's broker as the hub does: why it hears nothing, if so.
async fn call(broker: &Broker, now: Wall) -> Option<Failed> {
    let error = broker::line::try_out(broker).await.err()?;
    let (what, id, why) = (AsideKind::Broker, broker.address.clone(), error.to_string());
    Some(Failed { what, id, tries: 1, since: now, last: now, next: Mono(0), why })
}
