//! `doctor`: what waits for whoever runs the system, as the page `/care` says it.

use super::hub::{Hub, now};
use acts::care::facts;
use acts::recogniser::Recogniser;
use anyhow::bail;
use rules::care::{CareFacts, Worry, worries};
use std::io::Write;
use std::path::Path;
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
    let found = worries(&CareFacts { disk, recognition, replaced, ..stored }, now);
    let plain = |text: String| text.replace(['\u{2068}', '\u{2069}'], "");
    for worry in &found {
        let (what, next) = words::care::said(Language::English, worry, &hub.config.zone);
        let about = [worry.name.as_str(), ": "].concat();
        let about = if worry.name.is_empty() { "" } else { about.as_str() };
        writeln!(out, "{about}{}\n  {}", plain(what), plain(next))?;
    }
    match found.iter().filter(|worry: &&Worry| worry.is_grave).count() {
        0 => Ok(writeln!(out, "Nothing else waits for you.")?),
        grave => bail!("{grave} of these cannot wait"),
    }
}
