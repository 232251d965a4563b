//! Lights and buzzer on GPIO lines.

use super::{Config, Panel};
use crate::trigger::gpio::GpioError;
use rppal::gpio::{Gpio, Level, OutputPin};

/// Green, red, buzzer; dark when dropped.
#[derive(Debug)]
pub struct Lamps([Option<OutputPin>; 3]);

impl Lamps {
    /// Takes the lines.
    ///
    /// # Errors
    /// Off a Pi, without permission, or when a line is taken.
    pub fn new(config: &Config) -> Result<Self, GpioError> {
        let gpio = Gpio::new().map_err(|error| GpioError::new("output (lights)", &error))?;
        let take = |line: Option<u8>, name: &str| {
            let Some(line) = line else { return Ok(None) };
            let what = format!("line {line} ({name})");
            let pin = gpio.get(line).map_err(|error| GpioError::new(&what, &error))?;
            Ok(Some(pin.into_output_low()))
        };
        Ok(Self([
            take(config.green, "green")?,
            take(config.red, "red")?,
            take(config.buzzer, "buzzer")?,
        ]))
    }
}

impl Panel for Lamps {
    fn set(&mut self, green: bool, red: bool, buzzer: bool) {
        for (pin, on) in self.0.iter_mut().zip([green, red, buzzer]) {
            if let Some(pin) = pin {
                pin.write(if on { Level::High } else { Level::Low });
            }
        }
    }
}

impl Drop for Lamps {
    fn drop(&mut self) {
        self.set(false, false, false);
    }
}
