//! The topics, and who may do what on them: the whole access list, as data.
//!
//! `rollcall/1/{site}/{device}/{leaf}`. Site and device come from the certificate, never from
//! the packet; everything not in the table is refused.

use crate::id::DeviceId;

/// The site every topic names until one hub serves several.
pub const SITE: &str = "main";

/// Last level of a topic. The one table from which every access rule is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Leaf {
    /// Batches and hellos.
    Up,
    /// Online or not.
    Status,
    /// What the door runs.
    Reported,
    /// What is stored.
    Ack,
    /// What the door should run.
    Desired,
    /// Commands.
    Cmd,
    /// The hub's time.
    Time,
    /// What the camera sees, on request.
    Snap,
    /// How the board is.
    Vitals,
    /// Which program runs.
    Program,
    /// The newest lines of the log, on request.
    Log,
    /// The settings it runs with.
    Config,
}

/// What a door may do on a topic.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rule {
    /// The topic's last level.
    pub leaf: Leaf,
    /// As it stands in the topic.
    pub name: &'static str,
    /// The door may publish (otherwise it may subscribe).
    pub from_door: bool,
    /// The message is kept for whoever comes later.
    pub retained: bool,
    /// Bytes of payload at most.
    pub max_bytes: usize,
    /// Messages a minute a door may publish.
    pub per_minute: u32,
}

/// Every rule there is.
pub const RULES: [Rule; 12] = [
    rule(Leaf::Up, "up", true, false, crate::link::BATCH_BYTES, 600),
    rule(Leaf::Status, "status", true, true, 256, 60),
    rule(Leaf::Reported, "reported", true, true, 4096, 60),
    rule(Leaf::Ack, "ack", false, false, 2048, 0),
    rule(Leaf::Desired, "desired", false, true, 4096, 0),
    rule(Leaf::Cmd, "cmd", false, false, 4096, 0),
    rule(Leaf::Time, "time", false, false, 256, 0),
    rule(Leaf::Snap, "snap", true, false, crate::link::BATCH_BYTES, 60),
    rule(Leaf::Vitals, "vitals", true, false, 64, 600),
    rule(Leaf::Program, "program", true, false, 640, 60),
    rule(Leaf::Log, "log", true, false, crate::link::BATCH_BYTES, 60),
    rule(Leaf::Config, "config", true, false, crate::care::Running::BYTES, 60),
];

const fn rule(
    leaf: Leaf,
    name: &'static str,
    from_door: bool,
    retained: bool,
    max_bytes: usize,
    per_minute: u32,
) -> Rule {
    Rule { leaf, name, from_door, retained, max_bytes, per_minute }
}

impl Leaf {
    /// The rule of this topic.
    #[must_use]
    pub fn rule(self) -> &'static Rule {
        &RULES[self as usize]
    }

    /// The whole topic for one door.
    #[must_use]
    pub fn topic(self, device: &DeviceId) -> String {
        format!("rollcall/1/{SITE}/{device}/{}", self.rule().name)
    }
}

/// The rule for exactly this topic of exactly this door; wildcards match nothing.
#[must_use]
pub fn find(topic: &str, device: &DeviceId) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.leaf.topic(device) == topic)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn door(name: &str) -> DeviceId {
        name.parse().unwrap()
    }

    #[test]
    fn the_table_is_in_the_order_of_the_leaves() {
        for (n, rule) in RULES.iter().enumerate() {
            assert_eq!(rule.leaf as usize, n);
            assert_eq!(find(&rule.leaf.topic(&door("d1")), &door("d1")), Some(rule));
            // Whoever counts counts whole messages a second.
            assert!(rule.per_minute.is_multiple_of(60) && rule.from_door == (rule.per_minute > 0));
        }
    }

    #[test]
    fn another_doors_topics_and_tricks_are_refused() {
        for topic in [
            "rollcall/1/main/d2/up",
            "rollcall/1/main/+/up",
            "rollcall/1/main/d1/#",
            "rollcall/1/main/d1/up/",
            "/rollcall/1/main/d1/up",
            "$share/x/rollcall/1/main/d1/ack",
            "$SYS/broker",
            "",
        ] {
            assert_eq!(find(topic, &door("d1")), None, "{topic}");
        }
    }

    proptest! {
        #[test]
        fn only_the_exact_strings_match(topic in "(rollcall|\\$SYS)?/?[1+]/(main|\\+|#)/(d1|d2)/[a-z+#]{0,8}") {
            let mine = RULES.iter().any(|r| topic == format!("rollcall/1/main/d1/{}", r.name));
            prop_assert_eq!(find(&topic, &door("d1")).is_some(), mine);
        }
    }
}
