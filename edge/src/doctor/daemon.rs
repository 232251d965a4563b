//! What only the running daemon knows: outbox, link and pace, seen from inside its sandbox.

use super::{Ailment, Finding};
use crate::config::Config;
use crate::control::{self, Answer, Question};
use crate::status::{Counts, Road, Status, Stock};
use std::io;
use wire::Wall;

/// From so many on a share says something.
const ENOUGH: u64 = 20;
/// Of an outbox's space, in hundredths.
const NEARLY: u8 = 80;
/// A hub that is there takes what waits within minutes.
const LONG_MS: i64 = 24 * 3_600 * 1_000;

/// Asks the daemon, if it runs.
pub fn ask(config: &Config) -> io::Result<Box<Status>> {
    match control::ask(&config.socket, Question::Status)?.0 {
        Answer::Status(status) => Ok(status),
        _ => Err(io::Error::other("it answers something else")),
    }
}

/// Whether it runs, and how it is.
pub fn findings(asked: &io::Result<Box<Status>>, now: Wall) -> Vec<Finding> {
    let status = match asked {
        Ok(status) => status,
        Err(error) => return vec![unasked(error)],
    };
    let Status { software, way, counts, .. } = &**status;
    let runs = Finding::well("daemon", format!("version {software} runs"));
    vec![runs, link(way), outbox(status, now), pace(counts)]
}

fn unasked(error: &io::Error) -> Finding {
    if error.kind() == io::ErrorKind::PermissionDenied {
        let mend = "run doctor as root (sudo), or as the daemon's user";
        let wrong = "it runs, and you may not ask it: its control socket is not permitted";
        return Finding::fault(Ailment::DaemonRefuses, wrong, mend);
    }
    if control::is_nobody(error) {
        let how = "does not run, or waits to join; start it with systemctl start rollcall-edge";
        return Finding::unused("daemon", how);
    }
    let mend = "restart it: systemctl restart rollcall-edge";
    Finding::fault(Ailment::DaemonStuck, format!("it cannot be asked ({error})"), mend)
}

fn link(Road { online, trouble, strange, .. }: &Road) -> Finding {
    if *strange > 0 {
        let wrong =
            format!("the hub said {strange} things that this program does not know: it is newer");
        let mend = "update this door: the hub's page Updates, or the package rollcall-edge";
        return Finding::fault(Ailment::HubNewer, wrong, mend);
    }
    if !online && !trouble.is_empty() {
        let wrong = format!("the daemon does not reach the hub: {trouble}");
        let mend =
            "see “dns” and “hub”; if those are well, the hub's page of this door and its log";
        return Finding::fault(Ailment::LinkDown, wrong, mend);
    }
    let say = if *online { "the hub hears this door" } else { "is being made" };
    Finding::well("link", say)
}

fn outbox(status: &Status, now: Wall) -> Finding {
    let Status { outbox_trouble, stock: Stock { waiting, since, full }, way, .. } = status;
    if !outbox_trouble.is_empty() {
        let mend = "free some space, or replace the card; what waits is stored by itself then, \
                    and lost with the power";
        let wrong = format!("it takes no records: {outbox_trouble}");
        return Finding::fault(Ailment::OutboxStuck, wrong, mend);
    }
    if *full >= NEARLY {
        let wrong = format!("{full} % full: {waiting} records wait for the hub");
        let mend =
            "let the door reach its hub: when it is full, crops and new records are given up";
        return Finding::fault(Ailment::OutboxFull, wrong, mend);
    }
    let age_ms = since.map_or(0, |since| now.0.saturating_sub(since.0));
    if way.online && age_ms > LONG_MS {
        let days = age_ms / LONG_MS;
        let wrong = format!(
            "{waiting} records wait, the oldest for {days} days, although the hub is reached"
        );
        let mend =
            "look at the hub: its disk, its page Care, and whether it says “hold” in its log";
        return Finding::fault(Ailment::OutboxWaits, wrong, mend);
    }
    Finding::well("outbox", format!("takes records; {waiting} wait for the hub"))
}

fn pace(Counts { bursts, dropped_bursts, .. }: &Counts) -> Finding {
    if *bursts >= ENOUGH && dropped_bursts * 10 >= *bursts {
        let wrong = format!("too slow: {dropped_bursts} of {bursts} bursts were dropped");
        let mend = "a larger [recognise] min_face, fewer frames, or a [view] region: doctor --bench \
                    says which; see “heat”";
        return Finding::fault(Ailment::TooSlow, wrong, mend);
    }
    Finding::well("pace", format!("{dropped_bursts} of {bursts} bursts were dropped"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_daemon_that_cannot_be_asked_is_a_fault_and_one_that_does_not_run_is_none() {
        let of = |kind: io::ErrorKind| unasked(&kind.into()).ailment();
        assert_eq!(of(io::ErrorKind::PermissionDenied), Some(Ailment::DaemonRefuses));
        assert_eq!(of(io::ErrorKind::TimedOut), Some(Ailment::DaemonStuck));
        assert_eq!(of(io::ErrorKind::NotFound), None);
    }
}
