//! What the unit says to whoever stands before it: green, red, a beep.
//!
//! Green comes only after COMMIT: whoever saw it is recorded, whatever happens next.

mod lamps;

pub use lamps::Lamps;

use crate::care::{Care, conflict};
use crate::table::ConfigError;
use crate::trigger::gpio::GpioError;
use serde::Deserialize;
use std::{
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    time::Duration,
};
use wire::care::ConflictKind;

/// `[signal]`: BCM numbers of the lines; a line left out is not used.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Green light, 18 on the reference unit. Default none.
    pub green: Option<u8>,
    /// Red light, 23 on the reference unit. Default none.
    pub red: Option<u8>,
    /// Buzzer, 24 on the reference unit. Default none.
    pub buzzer: Option<u8>,
}

impl Config {
    /// The same, if its lines can be.
    ///
    /// # Errors
    /// Names the key that is wrong, and what to write.
    pub fn checked(self) -> Result<Self, ConfigError> {
        let lines = [
            ("signal.green", self.green),
            ("signal.red", self.red),
            ("signal.buzzer", self.buzzer),
        ];
        for (n, (key, line)) in lines.iter().enumerate() {
            let Some(line) = line else { continue };
            ConfigError::within(key, (*line).into(), 0..=27)?;
            if let Some((other, _)) = lines[..n].iter().find(|(_, taken)| *taken == Some(*line)) {
                return Err(ConfigError::key(key, format!("is line {line}, as is {other}")));
            }
        }
        Ok(self)
    }

    /// Whether any line is used.
    #[must_use]
    pub fn is_used(&self) -> bool {
        [self.green, self.red, self.buzzer].iter().any(Option::is_some)
    }
}

/// What there is to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// A record is stored.
    Kept,
    /// A face that nobody here knows.
    Unknown,
    /// A record could not be stored.
    Refused,
}

/// Something that shows and sounds.
pub trait Panel: Send {
    /// Switches everything at once: green, red, buzzer.
    fn set(&mut self, green: bool, red: bool, buzzer: bool);
}

/// One step of a sign: the lines, and for how long.
type Step = ((bool, bool, bool), Duration);

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// The steps of each sign; after the last everything is dark.
fn steps(sign: Sign) -> &'static [Step] {
    const KEPT: [Step; 2] = [((true, false, true), ms(80)), ((true, false, false), ms(920))];
    const UNKNOWN: [Step; 1] = [((false, true, false), ms(600))];
    const BEEP: Step = ((false, true, true), ms(120));
    const GAP: Step = ((false, true, false), ms(120));
    const REFUSED: [Step; 6] = [BEEP, GAP, BEEP, GAP, BEEP, ((false, true, false), ms(1_400))];
    match sign {
        Sign::Kept => &KEPT,
        Sign::Unknown => &UNKNOWN,
        Sign::Refused => &REFUSED,
    }
}

/// Signs that may wait; more are dropped, because an old sign is a lie.
#[must_use]
pub fn signs() -> (SyncSender<Sign>, Receiver<Sign>) {
    sync_channel(2)
}

/// Shows signs until nobody sends any. A new one cuts the old one short. Blocking.
pub fn run(mut panel: Option<Box<dyn Panel>>, signs: &Receiver<Sign>) {
    let mut next = signs.recv().ok();
    while let Some(sign) = next.take() {
        if let Some(panel) = &mut panel {
            next = show(panel.as_mut(), sign, signs);
        }
        next = next.or_else(|| signs.recv().ok());
    }
}

fn show(panel: &mut dyn Panel, sign: Sign, signs: &Receiver<Sign>) -> Option<Sign> {
    for ((green, red, buzzer), length) in steps(sign) {
        panel.set(*green, *red, *buzzer);
        if let Ok(sign) = signs.recv_timeout(*length) {
            return Some(sign);
        }
    }
    panel.set(false, false, false);
    None
}

/// The unit's lights and buzzer, or none, with a sentence that says why.
#[must_use]
pub fn panel(config: &Config, care: &Care) -> Option<Box<dyn Panel>> {
    if !config.is_used() {
        return None;
    }
    let error = match Lamps::new(config) {
        Ok(lamps) => return Some(Box::new(lamps)),
        Err(error) => error,
    };
    let off = conflict(ConflictKind::Line, "signal", "", &error.to_string());
    care.differ(&[ConflictKind::Line], "signal", vec![off]);
    match error {
        GpioError::NoPi { .. } => tracing::info!("{error}"),
        GpioError::Line { .. } => tracing::warn!(%error, "lights and buzzer are off: {error}"),
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Notes(Arc<Mutex<Vec<(bool, bool, bool)>>>);

    impl Panel for Notes {
        fn set(&mut self, green: bool, red: bool, buzzer: bool) {
            self.0.lock().unwrap().push((green, red, buzzer));
        }
    }

    fn shown(said: &[Sign]) -> Vec<(bool, bool, bool)> {
        let (notes, (send, signs)) = (Notes::default(), signs());
        said.iter().for_each(|sign| send.send(*sign).unwrap());
        drop(send);
        run(Some(Box::new(notes.clone())), &signs);
        let shown = notes.0.lock().unwrap();
        shown.clone()
    }

    #[test]
    fn a_stored_record_is_green_with_a_short_beep_and_ends_dark() {
        let dark = (false, false, false);
        assert_eq!(shown(&[Sign::Kept]), [(true, false, true), (true, false, false), dark]);
    }

    #[test]
    fn nothing_but_a_stored_record_is_green() {
        for sign in [Sign::Unknown, Sign::Refused] {
            assert!(steps(sign).iter().all(|((green, red, _), _)| !green && *red), "{sign:?}");
        }
    }

    #[test]
    fn a_new_sign_cuts_the_old_one_short() {
        let shown = shown(&[Sign::Refused, Sign::Kept]);
        assert_eq!(shown[1], (true, false, true), "{shown:?}");
    }

    #[test]
    fn two_lights_on_one_line_are_refused() {
        let config = Config { green: Some(18), red: Some(18), buzzer: None };
        let error = config.checked().unwrap_err().to_string();
        assert!(error.contains("`signal.red` is line 18, as is signal.green"), "{error}");
    }
}
