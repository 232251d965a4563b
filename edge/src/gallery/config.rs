//! Table `[gallery]`: where its key is kept.

use serde::Deserialize;

/// How the gallery on this disk is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where its key is between two starts.
    pub key: KeyPlace,
}

/// Where the key of the gallery is between two starts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyPlace {
    /// At the hub, which gives it at each start: a unit that was carried away opens nothing.
    #[default]
    Hub,
    /// On this disk too: the door recognises people although it starts while its hub is away.
    Disk,
}
