//! A button, a light barrier or a passive infrared sensor on a GPIO line.

use super::{Ask, Cause};
use crate::capture::Lifeline;
use crate::passing::{Barrier, Passing, Way};
use crate::status::Counters;
use crate::table::ConfigError;
use rppal::gpio::{Gpio, InputPin, Trigger};
use serde::Deserialize;
use std::{
    sync::{Arc, atomic::Ordering::Relaxed, mpsc::SyncSender},
    time::Duration,
};
use wire::{Clock, Mono};

/// How often the watch looks whether it should end.
const TURN: Duration = Duration::from_millis(500);

/// Changes that are taken at once.
const CHANGES: usize = 32;

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
    /// While the line stays as the change left it, look again this often, milliseconds: for a
    /// sensor that is held as long as somebody is there. Default never.
    pub again_ms: Option<u64>,
    /// Of two light barriers in a row the inner one, where `line` is the outer: which is broken first
    /// says which way somebody goes. Wired like `line`. Default none.
    pub inner: Option<u8>,
    /// Whoever goes through breaks both within this time, milliseconds. Default 1500.
    pub within_ms: u64,
    /// Frames from so long before the change count too, milliseconds: whoever breaks a light
    /// barrier shows it the back of the head a moment later. Default 0.
    pub before_ms: u64,
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
        Self {
            line: 25,
            edge: Edge::Falling,
            pull: Pull::Up,
            debounce_ms: 30,
            again_ms: None,
            inner: None,
            within_ms: 1_500,
            before_ms: 0,
        }
    }
}

impl Config {
    /// Checks what was typed.
    ///
    /// # Errors
    /// Names the key that is wrong, and what to write.
    pub fn check(&self) -> Result<(), ConfigError> {
        ConfigError::within("trigger.gpio.line", self.line.into(), 0..=27)?;
        ConfigError::within("trigger.gpio.debounce_ms", self.debounce_ms, 0..=5_000)?;
        ConfigError::within("trigger.gpio.before_ms", self.before_ms, 0..=600)?;
        ConfigError::within("trigger.gpio.within_ms", self.within_ms, 100..=5_000)?;
        ConfigError::within("trigger.gpio.inner", self.inner.unwrap_or(0).into(), 0..=27)?;
        if self.inner == Some(self.line) {
            let say = "must be another line than trigger.gpio.line: the one behind it";
            return Err(ConfigError::key("trigger.gpio.inner", say));
        }
        if self.inner.is_some() && self.edge == Edge::Both {
            let say = "needs edge = \"rising\" or \"falling\": the one that is a barrier breaking";
            return Err(ConfigError::key("trigger.gpio.inner", say));
        }
        let Some(again_ms) = self.again_ms else { return Ok(()) };
        ConfigError::within("trigger.gpio.again_ms", again_ms, 200..=60_000)?;
        if self.edge == Edge::Both {
            let say = "needs edge = \"rising\" or \"falling\": with both nothing is held";
            return Err(ConfigError::key("trigger.gpio.again_ms", say));
        }
        Ok(())
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

/// When a line asks. Pure.
#[derive(Debug)]
struct Held {
    again_ms: Option<u64>,
    /// When it asks again, if it is still held then.
    due: Option<Mono>,
}

impl Held {
    /// What the line did until `now`: whether it changed, and whether it is held. True to ask.
    fn turn(&mut self, now: Mono, changed: bool, held: bool) -> bool {
        let is_due = held && self.due.is_some_and(|due| now >= due);
        let asks = changed || is_due;
        if asks {
            self.due = self.again_ms.map(|again_ms| Mono(now.0 + again_ms));
        } else if !held {
            self.due = None;
        }
        asks
    }

    /// How long to wait for a change.
    fn patience(&self, now: Mono) -> Duration {
        self.due.map_or(TURN, |due| Duration::from_millis(due.since(now).max(1)).min(TURN))
    }
}

/// A line ready to be watched, or two.
#[derive(Debug)]
pub struct Line {
    config: Config,
    gpio: Gpio,
    outer: InputPin,
    inner: Option<InputPin>,
    lacks: Option<GpioError>,
}

impl Line {
    /// Takes the line, and the one behind it: without that nobody's direction is known, and everybody
    /// is seen all the same.
    ///
    /// # Errors
    /// Off a Pi, without permission, or when the line is taken.
    pub fn open(config: &Config) -> Result<Self, GpioError> {
        let (gpio, outer) = take(config, config.line)?;
        let inner = config.inner.map(|line| take(config, line)).transpose();
        let (inner, lacks) = match inner {
            Ok(inner) => (inner.map(|(_, pin)| pin), None),
            Err(error) => (None, Some(error)),
        };
        Ok(Self { config: config.clone(), gpio, outer, inner, lacks })
    }

    /// Why the line behind the first is not watched, where one was asked for.
    #[must_use]
    pub fn lacks(&self) -> Option<&GpioError> {
        self.lacks.as_ref()
    }

    /// Asks at each change of a line, and while one is held, until `stop` is cut; `passing` hears of
    /// two. Blocking.
    ///
    /// # Errors
    /// When the line cannot be watched any more.
    pub fn watch(
        self,
        asks: &SyncSender<Ask>,
        clock: &Arc<dyn Clock>,
        stop: &Lifeline,
        passing: &Passing,
        counters: &Counters,
    ) -> Result<(), GpioError> {
        let mut held = Held { again_ms: self.config.again_ms, due: None };
        let lines: Vec<&InputPin> = std::iter::once(&self.outer).chain(&self.inner).collect();
        while !stop.is_cut() {
            let changed = self.changes(&lines, held.patience(clock.mono()));
            let changed = changed.map_err(|error| GpioError::new("the trigger", &error))?;
            let now = clock.mono();
            if self.inner.is_some() {
                changed.iter().for_each(|barrier| passing.broke(*barrier, now));
                count(&passing.over(now), counters);
            }
            let is_held = lines.iter().any(|line| self.is_held(line));
            if held.turn(now, !changed.is_empty(), is_held) {
                let before_ms = self.config.before_ms;
                // Full: a burst is under way.
                let _ = asks.try_send(Ask { before_ms, ..Ask::new(Cause::Button, now) });
            }
        }
        Ok(())
    }

    /// The lines that changed, in the order in which they did, waited for until `patience` is over.
    fn changes(
        &self,
        lines: &[&InputPin],
        patience: Duration,
    ) -> Result<Vec<Barrier>, rppal::gpio::Error> {
        let mut changes = Vec::new();
        let mut patience = patience;
        while changes.len() < CHANGES
            && let Some((line, event)) = self.gpio.poll_interrupts(lines, false, Some(patience))?
        {
            let is_outer = line.pin() == self.config.line;
            let barrier = if is_outer { Barrier::Outer } else { Barrier::Inner };
            changes.push((event.timestamp, barrier));
            // Whoever is late finds several at once, those of one line first.
            patience = Duration::ZERO;
        }
        changes.sort_by_key(|(at, _)| *at);
        Ok(changes.into_iter().map(|(_, barrier)| barrier).collect())
    }

    /// Whether a line is as its change left it.
    fn is_held(&self, line: &InputPin) -> bool {
        match self.config.edge {
            Edge::Falling => line.is_low(),
            Edge::Rising => line.is_high(),
            Edge::Both => false,
        }
    }
}

fn count(ways: &[Option<Way>], counters: &Counters) {
    for way in ways {
        let counter = match way {
            Some(Way::In) => &counters.went_in,
            Some(Way::Out) => &counters.went_out,
            None => &counters.turned_round,
        };
        counter.fetch_add(1, Relaxed);
    }
}

fn take(config: &Config, line: u8) -> Result<(Gpio, InputPin), GpioError> {
    let what = format!("line {line} (trigger)");
    let taken = Gpio::new().and_then(|gpio| Ok((gpio.clone(), pin(config, &gpio, line)?)));
    taken.map_err(|error| GpioError::new(&what, &error))
}

fn pin(config: &Config, gpio: &Gpio, line: u8) -> Result<InputPin, rppal::gpio::Error> {
    let pin = gpio.get(line)?;
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
    // The kernel debounces.
    let debounce = Some(Duration::from_millis(config.debounce_ms));
    pin.set_interrupt(edge, debounce.filter(|debounce| !debounce.is_zero()))?;
    Ok(pin)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(again_ms: Option<u64>) -> Held {
        Held { again_ms, due: None }
    }

    #[test]
    fn a_button_asks_once_however_long_it_is_pressed() {
        let mut button = held(None);
        assert!(button.turn(Mono(100), true, true));
        assert!((2..100).all(|n| !button.turn(Mono(n * 100), false, true)));
        assert_eq!(button.patience(Mono(100)), TURN);
    }

    #[test]
    fn a_sensor_asks_again_as_long_as_somebody_is_there() {
        let mut sensor = held(Some(1_000));
        assert!(sensor.turn(Mono(100), true, true));
        assert_eq!(sensor.patience(Mono(900)), Duration::from_millis(200));
        assert!(!sensor.turn(Mono(1_099), false, true));
        assert!(sensor.turn(Mono(1_100), false, true));
        assert!(!sensor.turn(Mono(1_500), false, false), "they left");
        assert!(!sensor.turn(Mono(9_000), false, true), "what nobody saw begin is no trigger");
        assert!(sensor.turn(Mono(9_100), true, true));
    }

    #[test]
    fn a_line_that_asks_again_must_be_held_by_something() {
        let config = Config { again_ms: Some(1_000), ..Config::default() };
        assert!(config.check().is_ok());
        let error = Config { edge: Edge::Both, ..config.clone() }.check().unwrap_err().to_string();
        assert!(error.contains("`trigger.gpio.again_ms` needs edge"), "{error}");
        assert!(Config { again_ms: Some(1), ..config }.check().is_err());
    }

    #[test]
    fn of_two_lines_each_is_another_and_breaking_is_one_change() {
        let two = Config { inner: Some(24), ..Config::default() };
        assert!(two.check().is_ok());
        let wrong = |config: Config| config.check().unwrap_err().to_string();
        assert!(wrong(Config { inner: Some(25), ..two.clone() }).contains("another line"));
        assert!(wrong(Config { edge: Edge::Both, ..two.clone() }).contains("needs edge"));
        assert!(wrong(Config { inner: Some(99), ..two }).contains("trigger.gpio.inner"));
    }

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
