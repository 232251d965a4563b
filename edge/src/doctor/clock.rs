//! Whether the unit knows what time it is.

use super::{Ailment, Finding};
use std::process::Command;
use wire::Wall;

/// 1 January 2026: no machine that knows the time thinks it is earlier.
const BUILT: Wall = Wall(1_767_225_600_000);
/// A clock further from the hub's than this makes records of the wrong lesson.
const FAR_MS: u64 = 60_000;

/// How the clock is, `ahead_ms` of the hub's where that is known.
pub fn finding(now: Wall, ahead_ms: Option<i64>) -> Finding {
    if now < BUILT {
        let mend = "let it reach a time server (`timedatectl set-ntp true`), or the hub; records \
                    until then say “clock not set”";
        return Finding::fault(Ailment::ClockUnset, "it is not set", mend);
    }
    if let Some(ahead) = ahead_ms.filter(|ahead| ahead.unsigned_abs() > FAR_MS) {
        let by = span(ahead.unsigned_abs() / 1_000);
        let way = if ahead > 0 { "ahead of" } else { "behind" };
        let mend = "let one time server keep both (`timedatectl timesync-status` here and on the \
                    hub); the right one is yours to say";
        let wrong = format!("it is {by} {way} the hub's");
        return Finding::fault(Ailment::ClockFar, wrong, mend);
    }
    let say = match (is_synchronised(), ahead_ms) {
        (true, _) => "set and synchronised",
        (false, Some(_)) => "set, and near the hub's; no time server keeps it",
        (false, None) => "set; nothing says that it is synchronised, the hub's time will be used",
    };
    Finding::well("clock", say)
}

fn span(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} seconds"),
        120..7_200 => format!("{} minutes", seconds / 60),
        7_200..172_800 => format!("{} hours", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

fn is_synchronised() -> bool {
    let asked =
        Command::new("timedatectl").args(["show", "-p", "NTPSynchronized", "--value"]).output();
    asked.is_ok_and(|said| String::from_utf8_lossy(&said.stdout).trim() == "yes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_told_in_the_unit_that_people_would_use() {
        let told = [90, 600, 10_800, 864_000].map(span);
        assert_eq!(told, ["90 seconds", "10 minutes", "3 hours", "10 days"]);
    }
}
