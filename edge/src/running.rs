//! The settings as the door runs with them, and who said each: what the hub's admins see beside
//! what they asked for.

use crate::config::Config;
use std::path::Path;
use toml::{Table, Value};
use wire::care::{Origin, Running, RunningValue, within};
use wire::link::Settings;

/// Nothing of these is told: addresses of cameras have passwords in them, and pictures are named
/// after those on them.
const UNTOLD: [&str; 2] = ["camera.command", "camera.paths"];

/// Every setting that somebody said, and those that the hub may say, whoever did.
#[must_use]
pub fn values(config: &Config) -> Vec<RunningValue> {
    let mut values = told(config);
    let mut typed = Vec::new();
    flat("", &config.typed, &mut typed);
    for (key, value) in typed {
        if !values.iter().any(|of| of.key == key) {
            values.push(value_of(&key, &value, Origin::File));
        }
    }
    values.truncate(Running::VALUES);
    values
}

/// What the hub may say.
fn told(config: &Config) -> Vec<RunningValue> {
    let Settings { min_face, frames, hold_ms, cooldown_ms, crops } = config.said;
    let used = &config.recognise;
    let all = [
        ("min_face", used.min_face.to_string(), min_face.is_some()),
        ("frames", used.frames.to_string(), frames.is_some()),
        ("hold_ms", used.hold_ms.to_string(), hold_ms.is_some()),
        ("cooldown_ms", used.cooldown_ms.to_string(), cooldown_ms.is_some()),
        ("crops", used.crops.to_string(), crops.is_some()),
    ];
    let table = config.typed.get("recognise").and_then(Value::as_table);
    let value = |(name, value, of_hub): (&str, String, bool)| {
        let origin = match table.is_some_and(|table| table.contains_key(name)) {
            _ if of_hub => Origin::Hub,
            true => Origin::File,
            false => Origin::Default,
        };
        value_of(&format!("recognise.{name}"), &value, origin)
    };
    all.into_iter().map(value).collect()
}

fn value_of(key: &str, value: &str, origin: Origin) -> RunningValue {
    let cut = |text: &str| within(text, Running::TEXT_BYTES);
    RunningValue { key: cut(key), value: cut(value), origin }
}

/// Every key of `table` by its whole name, in the order of the names.
fn flat(above: &str, table: &Table, out: &mut Vec<(String, String)>) {
    for (name, value) in table {
        let key = if above.is_empty() { name.clone() } else { format!("{above}.{name}") };
        match value {
            Value::Table(below) => flat(&key, below, out),
            _ if UNTOLD.contains(&key.as_str()) => out.extend(program(&key, value)),
            Value::String(text) => out.push((key, text.clone())),
            other => out.push((key, other.to_string())),
        }
    }
}

/// Of a command its program, without what it is given.
fn program(key: &str, value: &Value) -> Option<(String, String)> {
    let first = value.as_array()?.first()?.as_str().filter(|_| key == "camera.command")?;
    let name = Path::new(first).file_name()?.to_string_lossy().into_owned();
    Some((key.to_owned(), format!("{name} …")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::Paths;

    fn of(text: &str, said: Settings) -> Vec<(String, String, Origin)> {
        let config = Config::parse(text, &Paths("/etc".into()), "edge.toml").unwrap();
        let recognise = crate::settings::over(config.recognise.clone(), &said);
        let all = values(&Config { said, recognise, ..config });
        all.into_iter().map(|of| (of.key, of.value, of.origin)).collect()
    }

    #[test]
    fn each_setting_says_who_said_it() {
        let text =
            "[camera]\nkind = \"v4l2\"\nwidth = 1280\n[recognise]\nframes = 4\nmin_face = 50";
        let said = Settings { min_face: Some(60), ..Settings::default() };
        let all = of(text, said);
        let is = |key: &str, value: &str, origin| all.contains(&(key.into(), value.into(), origin));
        assert!(is("recognise.min_face", "60", Origin::Hub), "{all:?}");
        assert!(is("recognise.frames", "4", Origin::File), "{all:?}");
        assert!(is("recognise.crops", "true", Origin::Default), "{all:?}");
        assert!(is("camera.width", "1280", Origin::File), "{all:?}");
        assert_eq!(all.iter().filter(|(key, ..)| key == "recognise.frames").count(), 1);
    }

    #[test]
    fn a_cameras_address_and_the_names_of_pictures_stay_at_the_door() {
        let command = "command = [\"/usr/bin/ffmpeg\", \"-i\", \"rtsp://eva:secret@cam/1\"]";
        let all = of(&format!("[camera]\nkind = \"command\"\n{command}"), Settings::default());
        let told = format!("{all:?}");
        assert!(told.contains("ffmpeg …") && !told.contains("secret"), "{told}");
        let paths = "[camera]\nkind = \"pictures\"\npaths = [\"eva.jpg\"]\npace_ms = 900";
        let told = format!("{:?}", of(paths, Settings::default()));
        assert!(told.contains("900") && !told.contains("eva"), "{told}");
    }
}
