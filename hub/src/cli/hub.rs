//! What every command needs: the data directory opened, and a name for the audit chain.

use acts::pairing;
use config::Config;
use std::path::Path;
use store::Db;
use store::keys::Keys;
use wire::Wall;
use wire::time::{Clock as _, SystemClock};

/// A hub that `init` made, opened as it is beside whatever serves it.
pub(super) struct Hub {
    pub(super) config: Config,
    pub(super) db: Db,
}

impl Hub {
    pub(super) fn open(data: &Path) -> anyhow::Result<Self> {
        let config = Config::load(data)?;
        config.database().there()?;
        let db = Db::join(config.database())?;
        Ok(Self { config, db })
    }

    pub(super) fn keys(&self) -> anyhow::Result<Keys> {
        let keys = Keys::open(self.config.keys())?;
        pairing::check(&self.db, &keys)?;
        Ok(keys)
    }
}

/// Who types, as the audit chain says it.
pub(super) fn actor() -> String {
    format!("cli:{}", rustix::process::getuid().as_raw())
}

pub(super) fn now() -> Wall {
    SystemClock.wall()
}

/// A moment for people and scripts alike: RFC 3339.
pub(super) fn moment(at: Wall) -> String {
    jiff::Timestamp::from_millisecond(at.0).map_or_else(|_| "?".into(), |at| at.to_string())
}
