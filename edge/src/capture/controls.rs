//! A camera's own settings, by the names that `v4l2-ctl --list-ctrls` shows them by.

use super::config::V4l2;
use crate::care::conflict;
use crate::table::ConfigError;
use v4l::control::{Control, Value};
use v4l::v4l_sys as cid;
use wire::care::Conflict;
use wire::care::ConflictKind::CameraControl;

/// What a door may have to set: exposure, mains light, backlight, focus and colour.
const KNOWN: [(&str, u32); 15] = [
    ("auto_exposure", cid::V4L2_CID_EXPOSURE_AUTO),
    ("exposure_time_absolute", cid::V4L2_CID_EXPOSURE_ABSOLUTE),
    ("exposure_dynamic_framerate", cid::V4L2_CID_EXPOSURE_AUTO_PRIORITY),
    ("backlight_compensation", cid::V4L2_CID_BACKLIGHT_COMPENSATION),
    ("power_line_frequency", cid::V4L2_CID_POWER_LINE_FREQUENCY),
    ("focus_automatic_continuous", cid::V4L2_CID_FOCUS_AUTO),
    ("focus_absolute", cid::V4L2_CID_FOCUS_ABSOLUTE),
    ("white_balance_automatic", cid::V4L2_CID_AUTO_WHITE_BALANCE),
    ("white_balance_temperature", cid::V4L2_CID_WHITE_BALANCE_TEMPERATURE),
    ("zoom_absolute", cid::V4L2_CID_ZOOM_ABSOLUTE),
    ("brightness", cid::V4L2_CID_BRIGHTNESS),
    ("contrast", cid::V4L2_CID_CONTRAST),
    ("saturation", cid::V4L2_CID_SATURATION),
    ("sharpness", cid::V4L2_CID_SHARPNESS),
    ("gain", cid::V4L2_CID_GAIN),
];

/// Checks that every name is one we know.
///
/// # Errors
/// Names the one that is not.
pub fn check<'a>(mut names: impl Iterator<Item = &'a String>) -> Result<(), ConfigError> {
    match names.find(|name| id(name).is_none()) {
        None => Ok(()),
        Some(odd) => {
            let known: Vec<_> = KNOWN.iter().map(|(name, _)| *name).collect();
            let say = format!("has no “{odd}”; it may have {}", known.join(", "));
            Err(ConfigError::key("camera.controls", say))
        }
    }
}

fn id(name: &str) -> Option<u32> {
    KNOWN.iter().find(|(known, _)| *known == name).map(|(_, id)| *id)
}

/// Sets what is wanted, in the order of [`KNOWN`]: a value by hand is taken only after its
/// automatism was switched off. Returns what the camera refused.
pub fn set(device: &v4l::Device, wanted: &V4l2) -> Vec<Conflict> {
    let typed = |(name, id): &(&'static str, u32)| Some((*name, *id, *wanted.controls.get(*name)?));
    let tried = KNOWN.iter().filter_map(typed).map(|(name, id, value)| {
        let set = device.set_control(Control { id, value: Value::Integer(value) });
        let key = format!("camera.controls.{name}");
        let refused = |why: &str| conflict(CameraControl, &key, &value.to_string(), why);
        set.map_err(|error| refused(&error.to_string()))
    });
    tried.filter_map(Result::err).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_no_camera_has_is_refused_and_told_which_there_are() {
        let good = ["power_line_frequency".to_owned(), "gain".to_owned()];
        assert!(check(good.iter()).is_ok());
        let error = check([String::from("50hz")].iter()).unwrap_err().to_string();
        assert!(error.contains("“50hz”") && error.contains("power_line_frequency"), "{error}");
    }
}
