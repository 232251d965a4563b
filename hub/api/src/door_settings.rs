//! Settings of a door, as the API shows and takes them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use wire::link;

/// What the hub says of a door's settings; what is null is as the door's own file says. Together
/// they replace what was said before; the door starts again with them.
#[derive(Clone, Copy, Default, Serialize, Deserialize, ToSchema)]
#[schema(as = DoorSettings)]
#[serde(default, deny_unknown_fields)]
pub struct DeviceSettings {
    /// Smallest face looked for, pixels across.
    #[schema(minimum = 20, maximum = 150)]
    pub min_face: Option<u32>,
    /// Frames in a burst.
    #[schema(minimum = 1, maximum = 30)]
    pub frames: Option<u32>,
    /// How long an unsure look waits for a better one, milliseconds.
    #[schema(minimum = 0, maximum = 10000)]
    pub hold_ms: Option<u32>,
    /// How long somebody must be unseen before the next passage counts, milliseconds.
    #[schema(minimum = 0, maximum = 600000)]
    pub cooldown_ms: Option<u32>,
    /// Whether face crops are sent, so that a teacher can decide.
    pub crops: Option<bool>,
}

impl From<DeviceSettings> for link::Settings {
    fn from(said: DeviceSettings) -> Self {
        let DeviceSettings { min_face, frames, hold_ms, cooldown_ms, crops } = said;
        Self { min_face, frames, hold_ms, cooldown_ms, crops }
    }
}

impl From<link::Settings> for DeviceSettings {
    fn from(told: link::Settings) -> Self {
        let link::Settings { min_face, frames, hold_ms, cooldown_ms, crops } = told;
        Self { min_face, frames, hold_ms, cooldown_ms, crops }
    }
}
