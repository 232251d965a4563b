//! The GPIO lines, where they are used.

use super::{Ailment, Finding};
use crate::config::Config;
use crate::status::Status;
use crate::trigger::gpio::GpioError;
use rppal::gpio::{Error, Gpio};

/// Whether the lines that are configured can be used.
pub fn finding(config: &Config, status: Option<&Status>) -> Finding {
    let signal = &config.signal;
    let trigger = config.trigger.gpio.as_ref();
    let (line, inner) = (trigger.map(|gpio| gpio.line), trigger.and_then(|gpio| gpio.inner));
    let lines = [line, inner, signal.green, signal.red, signal.buzzer];
    let lines: Vec<_> = lines.into_iter().flatten().collect();
    if lines.is_empty() {
        return Finding::unused("gpio", "neither [trigger.gpio] nor [signal] names a line");
    }
    if let Some(status) = status.filter(|status| !status.line_trouble.is_empty()) {
        let mend = "mend what it says, or take [trigger.gpio] out; then restart the daemon";
        return Finding::fault(Ailment::LineUnwatched, status.line_trouble.clone(), mend);
    }
    let tried = Gpio::new().and_then(|gpio| lines.iter().try_for_each(|n| gpio.get(*n).map(drop)));
    match tried {
        Ok(()) => Finding::well("gpio", "every line that is named is there"),
        Err(error) => refused(&error),
    }
}

fn refused(error: &Error) -> Finding {
    let said = GpioError::new("lines", error).to_string();
    match error {
        Error::UnknownModel => {
            let mend = "take [trigger.gpio] and [signal] out of edge.toml on this machine";
            Finding::fault(Ailment::NoPi, said, mend)
        }
        Error::PinNotAvailable(_) => {
            let mend = "name a line of the header: BCM numbers, 2 to 27";
            Finding::fault(Ailment::LineMissing, said, mend)
        }
        _ => {
            let mend = "install the package rollcall-edge, which brings udev rules and the group, \
                        and restart the unit";
            Finding::fault(Ailment::GpioRefused, said, mend)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_a_board_says_of_its_lines_is_told_apart() {
        let of = |error| refused(&error).ailment().unwrap();
        assert_eq!(of(Error::UnknownModel), Ailment::NoPi);
        assert_eq!(of(Error::PinNotAvailable(33)), Ailment::LineMissing);
        assert_eq!(of(Error::PermissionDenied("/dev/gpiomem".into())), Ailment::GpioRefused);
    }
}
