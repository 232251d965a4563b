//! A button, a light barrier or a passive infrared sensor on a GPIO line.

use super::{Ask, Cause};
use crate::table::ConfigError;
use rppal::gpio::{Gpio, InputPin, Trigger};
use serde::Deserialize;
use std::{
    sync::{Arc, mpsc::SyncSender},
    time::Duration,
};
use wire::Clock;

/// `[trigger.gpio]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// BCM number. Default 25.
    pub line: u8,
    /// Which change of the line asks. Default falling.
    pub edge: Edge,
    /// Built-in resistor. Default up: a button to ground needs nothing else.
    pub pull: Pull,
    /// Changes nearer to each other than this are one, milliseconds. Default 30.
    pub debounce_ms: u64,
}

/// A change of the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Edge {
    /// From low to high.
    Rising,
    /// From high to low.
    Falling,
    /// Both.
    Both,
}

/// A resistor in the chip.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pull {
    /// To 3.3 V.
    Up,
    /// To ground.
    Down,
    /// None: the circuit has its own.
    Off,
}

impl Default for Config {
    fn default() -> Self {
        Self { line: 25, edge: Edge::Falling, pull: Pull::Up, debounce_ms: 30 }
    }
}

impl Config {
    /// Checks what was typed.
    ///
    /// # Errors
    /// Names the key that is wrong, and what to write.
    pub fn check(&self) -> Result<(), ConfigError> {
        ConfigError::within("trigger.gpio.line", self.line.into(), 0..=27)?;
        ConfigError::within("trigger.gpio.debounce_ms", self.debounce_ms, 0..=5_000)
    }
}

/// The GPIO cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum GpioError {
    /// Everything else works.
    #[error("this machine is no Raspberry Pi, so GPIO {what} is off; everything else works")]
    NoPi {
        /// The line's use.
        what: String,
    },
    /// Something about the line itself.
    #[error("GPIO {what} cannot be used: {why}")]
    Line {
        /// The line's use.
        what: String,
        /// What the system says, and how to mend it.
        why: String,
    },
}

impl GpioError {
    /// Says what rppal found, in words a technician can use.
    pub fn new(what: &str, error: &rppal::gpio::Error) -> Self {
        use rppal::gpio::Error;
        let why = match error {
            Error::UnknownModel => return Self::NoPi { what: what.to_owned() },
            Error::PinUsed(pin) => format!("line {pin} is named twice in the configuration"),
            Error::PinNotAvailable(pin) => format!("this board has no line {pin}"),
            Error::PermissionDenied(path) => {
                format!("{path} is not permitted: add the daemon's user to the group “gpio”")
            }
            other => other.to_string(),
        };
        Self::Line { what: what.to_owned(), why }
    }
}

/// A line being watched, until dropped.
#[derive(Debug)]
pub struct Watch(#[expect(dead_code, reason = "dropping the pin ends its interrupts")] InputPin);

/// Asks at each change of the line. The kernel debounces; rppal waits on a thread of its own.
///
/// # Errors
/// Off a Pi, without permission, or when the line is taken.
pub fn watch(
    config: &Config,
    asks: SyncSender<Ask>,
    clock: Arc<dyn Clock>,
) -> Result<Watch, GpioError> {
    let what = format!("line {} (trigger)", config.line);
    let pin = Gpio::new().and_then(|gpio| gpio.get(config.line));
    let pin = pin.map_err(|error| GpioError::new(&what, &error))?;
    let mut pin = match config.pull {
        Pull::Up => pin.into_input_pullup(),
        Pull::Down => pin.into_input_pulldown(),
        Pull::Off => pin.into_input(),
    };
    let edge = match config.edge {
        Edge::Rising => Trigger::RisingEdge,
        Edge::Falling => Trigger::FallingEdge,
        Edge::Both => Trigger::Both,
    };
    let debounce = Some(Duration::from_millis(config.debounce_ms)).filter(|d| !d.is_zero());
    let ask = move |_| {
        // Full: a burst is under way.
        let _ = asks.try_send(Ask { cause: Cause::Button, at: clock.mono(), reply: None });
    };
    pin.set_async_interrupt(edge, debounce, ask).map_err(|error| GpioError::new(&what, &error))?;
    Ok(Watch(pin))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn off_a_pi_it_says_so_in_a_sentence() {
        let error = GpioError::new("line 25 (trigger)", &rppal::gpio::Error::UnknownModel);
        assert_eq!(
            error.to_string(),
            "this machine is no Raspberry Pi, so GPIO line 25 (trigger) is off; everything else works"
        );
    }

    #[test]
    fn a_missing_permission_names_the_group() {
        let error = rppal::gpio::Error::PermissionDenied("/dev/gpiomem".into());
        let said = GpioError::new("line 18 (green)", &error).to_string();
        assert!(said.contains("/dev/gpiomem") && said.contains("group “gpio”"), "{said}");
    }
}
