//! What makes the door look: a button or sensor, a clock, motion, a person at the socket.
//!
//! Every trigger only asks; the [`Shutter`] takes the frames after the question, and the
//! [`Shots`] hand them on, one by one.

pub mod gpio;
pub mod motion;
mod shots;
mod shutter;
mod timer;

pub use shots::{Burst, Nothing, Shot, Shots, Source};
pub use shutter::{Ask, Cause, Pace, Shutter, asking};
pub use timer::every;

use crate::table::ConfigError;
use serde::Deserialize;
use std::time::Duration;

/// `[trigger]`, checked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    /// A button or a light barrier. Default none.
    pub gpio: Option<gpio::Config>,
    /// Look at this interval. Default never.
    pub every: Option<Duration>,
    /// Look when something moves. Default off.
    pub motion: Option<motion::Config>,
}

/// `[trigger]` as typed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Raw {
    gpio: Option<gpio::Config>,
    every: Option<String>,
    motion: Option<motion::Config>,
}

impl Raw {
    /// Checks what was typed.
    ///
    /// # Errors
    /// Names the key that is wrong, and what to write.
    pub fn resolve(self) -> Result<Config, ConfigError> {
        self.gpio.as_ref().map_or(Ok(()), gpio::Config::check)?;
        self.motion.as_ref().map_or(Ok(()), motion::Config::check)?;
        let every = self.every.as_deref().map(duration).transpose()?;
        Ok(Config { gpio: self.gpio, every, motion: self.motion })
    }
}

/// `5s`, `500ms` or `2m`.
fn duration(text: &str) -> Result<Duration, ConfigError> {
    let units = [("ms", 1), ("s", 1_000), ("m", 60_000)];
    let ms = units.iter().find_map(|(unit, ms)| {
        let number: u64 = text.strip_suffix(unit)?.trim().parse().ok()?;
        number.checked_mul(*ms).filter(|ms| (200..=3_600_000).contains(ms))
    });
    ms.map(Duration::from_millis).ok_or_else(|| {
        let say = format!("is “{text}”: write \"500ms\", \"5s\" or \"2m\", from 200 ms to an hour");
        ConfigError::key("trigger.every", say)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_has_a_unit_and_a_sane_length() {
        assert_eq!(duration("5s").unwrap(), Duration::from_secs(5));
        assert_eq!(duration("500ms").unwrap(), Duration::from_millis(500));
        assert_eq!(duration("2 m").unwrap(), Duration::from_mins(2));
        for bad in ["5", "s", "1ms", "-3s", "99999999999999999999m", "2h"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }
}
