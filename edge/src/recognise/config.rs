//! `[recognise]`

use crate::table::ConfigError;
use crate::trigger::Pace;
use serde::Deserialize;
use std::ops::RangeInclusive;
use wire::link::Settings;

/// How to recognise. Every key has a default that suits a doorway.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Smallest face looked for, pixels across. Smaller is slower and finds people far away.
    /// Default 40: some 20 from eye to eye, what a sure match needs.
    pub min_face: u32,
    /// Frames in a burst. Three make a fused look, which is far surer than one. Default 5.
    pub frames: usize,
    /// From one frame of a burst to the next, milliseconds at least. Default 120.
    pub spacing_ms: u64,
    /// How long an unsure look waits for a better one, milliseconds. Default 1500.
    pub hold_ms: u64,
    /// How long somebody must be unseen before the next passage counts, milliseconds.
    /// Default 60000.
    pub cooldown_ms: u64,
    /// Face crops are sent to the hub, so that a teacher can decide. Default yes.
    pub crops: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            min_face: 40,
            frames: 5,
            spacing_ms: 120,
            hold_ms: 1_500,
            cooldown_ms: 60_000,
            crops: true,
        }
    }
}

impl Config {
    /// Which frames make a burst.
    #[must_use]
    pub fn pace(&self) -> Pace {
        Pace { frames: self.frames, spacing_ms: self.spacing_ms }
    }

    /// Checks what was typed.
    ///
    /// # Errors
    /// Names the key that is wrong, and what to write.
    pub fn check(&self) -> Result<(), ConfigError> {
        let of_hub = |name, value, may: RangeInclusive<u32>| {
            ConfigError::within(name, value, (*may.start()).into()..=(*may.end()).into())
        };
        ConfigError::within("recognise.min_face", self.min_face.into(), 20..=600)?;
        of_hub("recognise.frames", self.frames as u64, Settings::FRAMES)?;
        ConfigError::within("recognise.spacing_ms", self.spacing_ms, 0..=2_000)?;
        of_hub("recognise.hold_ms", self.hold_ms, Settings::HOLD_MS)?;
        ConfigError::within("recognise.cooldown_ms", self.cooldown_ms, 0..=86_400_000)
    }
}
