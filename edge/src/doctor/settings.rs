//! Whether `edge.toml` says what it should.

use super::{Ailment, Finding};
use crate::capture;
use crate::config::Config;
use crate::table::ConfigError;

/// Of a file that cannot be used at all: nothing else can be looked at.
#[must_use]
pub fn unread(error: &ConfigError) -> Finding {
    let mend = "correct it as it says; `man rollcall-edge.toml` lists every key. The daemon does \
                not start before that";
    Finding::fault(Ailment::SettingsWrong, error.to_string(), mend)
}

/// Of a file that was read.
pub fn findings(config: &Config) -> Vec<Finding> {
    let faults: Vec<_> =
        [line_twice(config), nothing_looks(config)].into_iter().flatten().collect();
    if faults.is_empty() { vec![Finding::well("settings", "can be used")] } else { faults }
}

/// A line that is read and written at once tells nothing and shows nothing.
fn line_twice(config: &Config) -> Option<Finding> {
    let (gpio, signal) = (config.trigger.gpio.as_ref()?, &config.signal);
    let read = [("line", Some(gpio.line)), ("inner", gpio.inner)];
    let uses = [("green", signal.green), ("red", signal.red), ("buzzer", signal.buzzer)];
    let mut named = read.into_iter().filter_map(|(key, line)| Some((key, line?)));
    let (key, line, twice) = named.find_map(|(key, line)| {
        let (twice, _) = uses.into_iter().find(|(_, used)| *used == Some(line))?;
        Some((key, line, twice))
    })?;
    let wrong = format!("line {line} is both [trigger.gpio] {key} and [signal] {twice}");
    let mend = "give each a line of its own, as they are wired; then restart the daemon";
    Some(Finding::fault(Ailment::LineTwice, wrong, mend))
}

fn nothing_looks(config: &Config) -> Option<Finding> {
    let trigger = &config.trigger;
    let is_list = matches!(config.camera, capture::Config::Pictures(_));
    let looks = trigger.gpio.is_some() || trigger.every.is_some() || trigger.motion.is_some();
    (!looks && !is_list).then(|| {
        let wrong = "nothing makes the door look: there is no trigger";
        let mend = "write [trigger.motion] on a line of its own, or [trigger.gpio] with its line";
        Finding::fault(Ailment::NothingLooks, wrong, mend)
    })
}
