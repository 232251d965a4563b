//! Where what is said lies at the broker.

use config::Broker;
use wire::DeviceId;

/// Characters of the hub's id in names: enough that two hubs of a site differ.
const ID: usize = 12;

/// Bytes of a door's state, many times what one has: larger ones are somebody else's.
const LARGEST: usize = 4 * 1024;

/// The topics of one hub.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BrokerTopics {
    /// The hub, as it is called at the broker.
    pub hub: String,
    discovery: String,
    topic: String,
}

impl BrokerTopics {
    /// Those that `broker` says, of the hub with this id.
    #[must_use]
    pub fn new(broker: &Broker, id: &str) -> Self {
        let id: String = id.chars().filter(char::is_ascii_alphanumeric).take(ID).collect();
        let hub = format!("rollcall_{id}");
        Self { hub, discovery: broker.discovery.clone(), topic: broker.topic.clone() }
    }

    /// What a door is called in Home Assistant, which knows no dots; doors know no `_`.
    #[must_use]
    pub fn object(door: &DeviceId) -> String {
        door.as_str().replace('.', "_")
    }

    /// Where a door is announced.
    #[must_use]
    pub fn config(&self, door: &DeviceId) -> String {
        format!("{}/device/{}/{}/config", self.discovery, self.hub, Self::object(door))
    }

    /// Where it is said how a door is.
    #[must_use]
    pub fn state(&self, door: &DeviceId) -> String {
        format!("{}/{door}/state", self.topic)
    }

    /// Where it is said whether the hub is there.
    #[must_use]
    pub fn status(&self) -> String {
        format!("{}/status", self.topic)
    }

    /// Where Home Assistant says that it began.
    #[must_use]
    pub fn birth(&self) -> String {
        format!("{}/status", self.discovery)
    }

    /// What the hub hears: Home Assistant, and what it says itself, now and in earlier lives.
    #[must_use]
    pub fn heard(&self) -> [String; 4] {
        let configs = format!("{}/device/{}/+/config", self.discovery, self.hub);
        [self.birth(), self.status(), configs, format!("{}/+/state", self.topic)]
    }

    /// The door that a message of this hub is about, by its topic and what it says. What another
    /// hub says of its doors under the same topic is not ours to clear.
    #[must_use]
    pub fn door(&self, topic: &str, payload: &[u8]) -> Option<DeviceId> {
        let announced = format!("{}/device/{}/", self.discovery, self.hub);
        if let Some(rest) = topic.strip_prefix(&announced) {
            return rest.strip_suffix("/config")?.replace('_', ".").parse().ok();
        }
        let rest = topic.strip_prefix(&self.topic)?.strip_prefix('/')?;
        if payload.len() > LARGEST {
            return None;
        }
        let said: serde_json::Value = serde_json::from_slice(payload).ok()?;
        let ours = said["hub"] == self.hub.as_str();
        rest.strip_suffix("/state").filter(|_| ours)?.parse().ok()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in super::super) fn topics() -> BrokerTopics {
        let login = None;
        let (address, host) = ("mqtts://b".to_owned(), "b".to_owned());
        let (discovery, topic) = ("homeassistant".to_owned(), "school/doors".to_owned());
        let (port, tls, ca) = (8883, true, None);
        let broker = Broker { address, host, port, tls, login, ca, discovery, topic };
        BrokerTopics::new(&broker, "0190f4c2-7c1e-7d3a-9b5e-2f1f6f0a4c11")
    }

    #[test]
    fn a_door_is_found_again_by_what_was_said_of_it() {
        let topics = topics();
        let door: DeviceId = "door-b2.04".parse().unwrap();
        let config = "homeassistant/device/rollcall_0190f4c27c1e/door-b2_04/config";
        assert_eq!(topics.config(&door), config);
        assert_eq!(topics.door(config, b"{}"), Some(door.clone()));
        let state = topics.state(&door);
        assert_eq!(state, "school/doors/door-b2.04/state");
        assert_eq!(topics.door(&state, b"{\"hub\":\"rollcall_0190f4c27c1e\"}"), Some(door));
    }

    #[test]
    fn what_others_say_is_not_ours() {
        let topics = topics();
        for (topic, payload) in [
            ("homeassistant/device/rollcall_other/door-1/config", "{}"),
            ("homeassistant/device/rollcall_0190f4c27c1e/DOOR 1/config", "{}"),
            ("school/doors/door-1/state", "{\"hub\":\"rollcall_other\"}"),
            ("school/doors/door-1/state", "on"),
            ("school/doors/a/b/state", "{\"hub\":\"rollcall_0190f4c27c1e\"}"),
            ("homeassistant/status", "online"),
        ] {
            assert_eq!(topics.door(topic, payload.as_bytes()), None, "{topic}");
        }
    }
}
