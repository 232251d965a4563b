//! What systemd says of the daemon: whether it starts it again and again.

use super::{Ailment, Finding};
use std::process::Command;

const UNIT: &str = "rollcall-edge.service";
/// Started anew so often since the boot, something is wrong: settings of the hub and updates do it
/// now and then.
const OFTEN: u32 = 5;

/// How often it was started anew.
pub fn finding() -> Finding {
    let asked = Command::new("systemctl").args(["show", UNIT, "-p", "NRestarts,Result"]).output();
    let said = asked.map(|said| String::from_utf8_lossy(&said.stdout).into_owned());
    judge(&said.unwrap_or_default())
}

fn judge(said: &str) -> Finding {
    let value = |key: &str| said.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
    let Some(count) = value("NRestarts").and_then(|count| count.parse::<u32>().ok()) else {
        return Finding::unused("restarts", "systemd does not say how often it started the daemon");
    };
    if count < OFTEN {
        return Finding::well("restarts", format!("systemd started the daemon anew {count} times"));
    }
    let last = match value("Result") {
        Some("watchdog") => ", the last time because it stood still",
        Some("oom-kill") => ", the last time because memory ran out",
        Some("signal" | "core-dump") => ", the last time because it fell over",
        _ => "",
    };
    let wrong = format!("systemd started the daemon anew {count} times since the boot{last}");
    let mend = "journalctl -u rollcall-edge -p warning says why (“these loops stand still” names \
                what hung); see “camera”, “memory” and “power” first";
    Finding::fault(Ailment::Restarts, wrong, mend)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_daemon_that_hangs_again_and_again_is_told_from_one_that_was_started_twice() {
        assert!(!judge("Result=success\nNRestarts=2\n").is_fault());
        assert!(!judge("").is_fault(), "no systemd here");
        let hung = judge("Result=watchdog\nNRestarts=9\n");
        assert_eq!(hung.ailment(), Some(Ailment::Restarts));
        assert!(
            format!("{hung:?}").contains("9 times since the boot, the last time because it stood")
        );
    }
}
