//! What the hub says of this door's settings. It lies on this disk and counts, from the next start
//! on, instead of what `edge.toml` says.

use crate::care::{Care, conflict};
use crate::identity::replace;
use crate::recognise;
use anyhow::bail;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use wire::care::{Conflict, ConflictKind};
use wire::{Message, link::Settings};

const FILE: &str = "settings";
/// How what the hub says may not be so.
const DIFFERS: [ConflictKind; 2] = [ConflictKind::Refused, ConflictKind::NotKept];

/// What the hub said last; nothing of what cannot be read.
#[must_use]
pub fn load(data: &Path) -> Settings {
    let path = data.join(FILE);
    let why = match std::fs::read(&path) {
        Ok(bytes) => match Message::decode(&bytes) {
            Ok(Message::Settings(settings)) => return settings,
            Ok(_) => "it holds something else".to_owned(),
            Err(error) => error.to_string(),
        },
        Err(error) if error.kind() == ErrorKind::NotFound => return Settings::default(),
        Err(error) => error.to_string(),
    };
    let path = path.display();
    tracing::warn!("{path} is not used, edge.toml counts until the hub says it again: {why}");
    Settings::default()
}

/// `config` where the hub says nothing, and what it says elsewhere.
#[must_use]
pub fn over(mut config: recognise::Config, settings: &Settings) -> recognise::Config {
    config.min_face = settings.min_face.unwrap_or(config.min_face);
    config.frames = settings.frames.map_or(config.frames, |frames| frames as usize);
    config.hold_ms = settings.hold_ms.map_or(config.hold_ms, u64::from);
    config.cooldown_ms = settings.cooldown_ms.map_or(config.cooldown_ms, u64::from);
    config.crops = settings.crops.unwrap_or(config.crops);
    config
}

/// Keeps what the hub says; ends when that is news, so that the daemon is started again with it.
///
/// # Errors
/// When there are new settings.
pub async fn follow(
    mut told: watch::Receiver<Option<Settings>>,
    data: PathBuf,
    care: Care,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    while let Some(Ok(())) = stop.run_until_cancelled(told.changed()).await {
        let settings = *told.borrow_and_update();
        let Some(settings) = settings else { continue };
        let kept = keep(&data, settings);
        care.differ(&DIFFERS, "recognise", kept.as_ref().err().into_iter().cloned().collect());
        if kept == Ok(true) {
            bail!("the hub changed the settings of this door: it is started again with them");
        }
    }
    stop.cancelled().await;
    Ok(())
}

/// Writes `settings` if they are news. Whether they are there now and were not before, or what
/// stands against it.
fn keep(data: &Path, settings: Settings) -> Result<bool, Conflict> {
    if let Some((name, may)) = settings.odd() {
        tracing::warn!("the hub's settings are not used: {name} is not within {may:?}");
        let key = format!("recognise.{name}");
        let (least, most) = may.into_inner();
        return Err(conflict(ConflictKind::Refused, &key, "", &format!("{least} to {most}")));
    }
    if load(data) == settings {
        return Ok(false);
    }
    let unkept = |why: &str| Err(conflict(ConflictKind::NotKept, "recognise", "", why));
    if let Err(error) = replace(&data.join(FILE), &Message::from(settings).encode()) {
        tracing::warn!(%error, "the hub's settings cannot be kept; they are when it says them again");
        return unkept(&error.to_string());
    }
    // Only what is read back: else each start would end with the same news.
    if load(data) == settings { Ok(true) } else { unkept("it gives back something else") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some() -> Settings {
        Settings { min_face: Some(60), crops: Some(false), ..Settings::default() }
    }

    #[test]
    fn what_the_hub_says_counts_and_the_rest_is_as_the_file_says() {
        let file = recognise::Config { frames: 3, ..recognise::Config::default() };
        let both = over(file.clone(), &some());
        assert_eq!((both.min_face, both.crops, both.frames), (60, false, 3));
        assert_eq!(over(file.clone(), &Settings::default()), file);
    }

    #[test]
    fn the_same_settings_are_no_news_and_nothing_that_no_door_takes_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(load(dir.path()), Settings::default());
        assert_eq!(keep(dir.path(), Settings::default()), Ok(false));
        assert_eq!(keep(dir.path(), some()), Ok(true));
        assert_eq!(keep(dir.path(), some()), Ok(false));
        let odd = keep(dir.path(), Settings { frames: Some(0), ..some() }).unwrap_err();
        assert_eq!((odd.kind, odd.key.as_str()), (ConflictKind::Refused, "recognise.frames"));
        assert_eq!((load(dir.path()), odd.got.as_str()), (some(), "1 to 30"));
        let back = keep(dir.path(), Settings::default());
        assert_eq!(back, Ok(true), "back to what the file says");
    }

    #[test]
    fn a_damaged_file_counts_nothing_and_a_disk_that_keeps_nothing_starts_nothing_again() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(FILE), b"RC\x0a").unwrap();
        assert_eq!(load(dir.path()), Settings::default());
        assert_eq!(keep(dir.path(), some()), Ok(true));
        let unkept = keep(&dir.path().join("gone"), some()).unwrap_err();
        assert_eq!(unkept.kind, ConflictKind::NotKept);
    }

    #[tokio::test]
    async fn news_of_the_hub_end_the_daemon_and_the_same_again_do_not() {
        let dir = tempfile::tempdir().unwrap();
        let (say, told) = watch::channel(None);
        let stop = CancellationToken::new();
        let care = Care::default();
        let follow = || follow(told.clone(), dir.path().to_owned(), care.clone(), stop.clone());
        let first = follow();
        say.send_replace(Some(some()));
        assert!(first.await.is_err());
        let second = follow();
        say.send_replace(Some(some()));
        let later = async {
            tokio::task::yield_now().await;
            stop.cancel();
        };
        assert!(tokio::join!(second, later).0.is_ok(), "the same is no news");
    }
}
