//! How a door is announced to Home Assistant: one device, and what can be read of it.

use super::door_state;
use super::topics::BrokerTopics;
use crate::doors::list::DoorListed;
use serde_json::{Map, Value, json};
use wire::care::within;

/// The hub's own program.
const PROGRAM: &str = env!("CARGO_PKG_VERSION");

/// Something that Home Assistant shows of a door.
struct Reading {
    /// Its field in the message about the door.
    field: &'static str,
    /// What it is called.
    name: &'static str,
    /// `sensor` for a number or a word, `binary_sensor` for yes or no.
    platform: &'static str,
    /// What else Home Assistant should know of it, in its own words.
    about: &'static [(&'static str, &'static str)],
}

const FLAG: &str = "binary_sensor";
const VALUE: &str = "sensor";
const ASIDE: (&str, &str) = ("entity_category", "diagnostic");
const PROBLEM: (&str, &str) = ("device_class", "problem");
const SIZE: (&str, &str) = ("device_class", "data_size");
const MIB: (&str, &str) = ("unit_of_measurement", "MiB");
const MEASURED: (&str, &str) = ("state_class", "measurement");

const fn reading(
    platform: &'static str,
    field: &'static str,
    name: &'static str,
    about: &'static [(&'static str, &'static str)],
) -> Reading {
    Reading { field, name, platform, about }
}

const READINGS: [Reading; 15] = [
    reading(FLAG, "online", "Connected", &[("device_class", "connectivity")]),
    reading(FLAG, "problem", "Problem", &[PROBLEM]),
    reading(VALUE, "state", "State", &[]),
    reading(VALUE, "camera", "Camera", &[ASIDE]),
    reading(VALUE, "why", "Recognises nobody because", &[ASIDE]),
    reading(
        VALUE,
        "celsius",
        "Temperature",
        &[("device_class", "temperature"), ("unit_of_measurement", "°C"), MEASURED, ASIDE],
    ),
    reading(FLAG, "slowed", "Slowed down", &[PROBLEM, ASIDE]),
    reading(FLAG, "sagged", "Supply sagged", &[PROBLEM, ASIDE]),
    reading(VALUE, "disk_free_mib", "Disk free", &[SIZE, MIB, MEASURED, ASIDE]),
    reading(VALUE, "memory_free_mib", "Memory free", &[SIZE, MIB, MEASURED, ASIDE]),
    reading(VALUE, "waiting", "Records waiting", &[MEASURED, ASIDE]),
    reading(
        VALUE,
        "dropped_frames",
        "Frames dropped",
        &[("state_class", "total_increasing"), ASIDE],
    ),
    // True is well here: what is shown is the fault.
    reading(
        FLAG,
        "clock_set",
        "Clock not set",
        &[PROBLEM, ASIDE, ("payload_on", "False"), ("payload_off", "True")],
    ),
    reading(VALUE, "gallery", "Gallery", &[ASIDE]),
    reading(VALUE, "program", "Program", &[ASIDE]),
];

/// The announcement of `door`; `pages` is where the hub's pages are.
#[must_use]
pub fn announcement(topics: &BrokerTopics, door: &DoorListed, pages: &str) -> Value {
    let device = &door.known.device;
    let unit = format!("{}_{}", topics.hub, BrokerTopics::object(&device.id));
    let mut about = json!({
        "identifiers": [unit],
        "name": device.id,
        "manufacturer": "Rollcall",
        "model": "door",
        "configuration_url": format!("{pages}/devices/{}", device.id),
    });
    // Home Assistant takes no empty words.
    let software = within(&device.software, door_state::PROGRAM);
    for (name, value) in [("suggested_area", &device.room), ("sw_version", &software)] {
        if !value.is_empty() {
            about[name] = json!(value);
        }
    }
    let components = READINGS.iter().map(|one| (one.field.to_owned(), one.component(&unit)));
    json!({
        "device": about,
        "origin": { "name": "Rollcall", "sw_version": PROGRAM },
        "availability_topic": topics.status(),
        "state_topic": topics.state(&device.id),
        "components": components.collect::<Map<_, _>>(),
    })
}

impl Reading {
    fn component(&self, unit: &str) -> Value {
        let field = self.field;
        let mut component = json!({
            "platform": self.platform,
            "name": self.name,
            "unique_id": format!("{unit}_{field}"),
            // Null becomes “None”, which Home Assistant shows as unknown.
            "value_template": format!("{{{{ value_json.{field} }}}}"),
        });
        if self.platform == FLAG {
            component["payload_on"] = json!("True");
            component["payload_off"] = json!("False");
        }
        for (name, value) in self.about {
            component[*name] = json!(value);
        }
        component
    }
}
