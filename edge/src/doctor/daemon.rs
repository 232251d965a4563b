//! What only the running daemon knows: it has camera, lines and outbox, and sees them from inside
//! its sandbox.

use super::Finding;
use crate::config::Config;
use crate::control::{self, Answer, Question};
use crate::status::{Counts, Status};
use std::io;
use wire::record::CameraState;

/// From so many on a share says something.
const ENOUGH: u64 = 20;

/// Asks the daemon, if it runs.
pub fn findings(config: &Config) -> Vec<Finding> {
    match control::ask(&config.socket, Question::Status) {
        Ok((Answer::Status(status), _)) => about(&status),
        Ok(_) => vec![Finding::fault("daemon", "it answers strangely", "restart it")],
        Err(error) => vec![unasked(&error)],
    }
}

/// Whether it runs.
pub fn is_running(config: &Config) -> bool {
    control::ask(&config.socket, Question::Status).is_ok()
}

fn unasked(error: &io::Error) -> Finding {
    if error.kind() == io::ErrorKind::PermissionDenied {
        let mend = "run doctor as root or as the daemon's user";
        return Finding::fault("daemon", "its control socket is not permitted", mend);
    }
    if control::is_nobody(error) {
        let how = "does not run, or waits to join; start it with systemctl start rollcall-edge";
        return Finding::unused("daemon", how);
    }
    let mend = "restart it: systemctl restart rollcall-edge";
    Finding::fault("daemon", format!("it cannot be asked ({error})"), mend)
}

fn about(status: &Status) -> Vec<Finding> {
    vec![outbox(status), gallery(status), eye(status), line(status), pace(&status.counts)]
}

fn outbox(Status { outbox_trouble, .. }: &Status) -> Finding {
    if outbox_trouble.is_empty() {
        return Finding::well("outbox", "takes records");
    }
    let mend = "free some space, or replace the card; what waits is stored by itself then, \
                and lost with the power";
    Finding::fault("outbox", format!("it takes no records: {outbox_trouble}"), mend)
}

fn gallery(Status { gallery, people, gallery_trouble, .. }: &Status) -> Finding {
    if *gallery == 0 {
        let wrong = "the daemon runs and has no gallery, so it knows nobody";
        let mend = "check the hub's page “devices”: the door must be online and students enrolled";
        return Finding::fault("gallery", wrong, mend);
    }
    if gallery_trouble.is_empty() {
        return Finding::well("gallery", format!("release {gallery} with {people} people"));
    }
    let wrong = format!("release {gallery} is kept in use: {gallery_trouble}");
    Finding::fault("gallery", wrong, "mend what it says; the door tries again by itself")
}

fn eye(Status { camera, camera_frames, counts, .. }: &Status) -> Finding {
    let Counts { frames, bad_frames, .. } = *counts;
    if *camera == CameraState::Blind {
        let mend = "plug it out and in; journalctl -u rollcall-edge says what the camera said";
        return Finding::fault("frames", "the daemon gets none from the camera", mend);
    }
    if frames + bad_frames >= ENOUGH && bad_frames * 10 >= frames {
        let wrong = format!("{bad_frames} were damaged, {frames} were not");
        let mend = "use a shorter cable, another port, or a smaller picture";
        return Finding::fault("frames", wrong, mend);
    }
    Finding::well("frames", format!("{camera_frames} came since the start"))
}

fn line(Status { line_trouble, .. }: &Status) -> Finding {
    if line_trouble.is_empty() {
        return Finding::well("trigger", "what is configured is watched");
    }
    let mend = "mend what it says, or take [trigger.gpio] out; then restart the daemon";
    Finding::fault("trigger", line_trouble.clone(), mend)
}

fn pace(Counts { bursts, dropped_bursts, .. }: &Counts) -> Finding {
    if *bursts >= ENOUGH && dropped_bursts * 10 >= *bursts {
        let wrong = format!("too slow: {dropped_bursts} of {bursts} bursts were dropped");
        let mend = "a larger [recognise] min_face, fewer frames, or a [view] region; see “heat”";
        return Finding::fault("pace", wrong, mend);
    }
    Finding::well("pace", format!("{dropped_bursts} of {bursts} bursts were dropped"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::tests::status;

    /// The one fault of a daemon that is well but for this.
    fn fault(of: &Status) -> String {
        let faults: Vec<_> = about(of).into_iter().filter(Finding::is_fault).collect();
        let [one] = &faults[..] else { panic!("{faults:?}") };
        one.to_string()
    }

    #[test]
    fn a_daemon_that_is_well_has_no_fault() {
        assert!(about(&status()).iter().all(|finding| !finding.is_fault()));
    }

    #[test]
    fn an_outbox_that_takes_nothing_says_what_is_lost_with_the_power() {
        let said = fault(&Status { outbox_trouble: "2 passages wait".into(), ..status() });
        assert!(said.contains("2 passages wait") && said.contains("free some space"), "{said}");
    }

    #[test]
    fn a_door_that_knows_nobody_or_keeps_an_older_gallery_says_why() {
        assert!(fault(&Status { gallery: 0, ..status() }).contains("knows nobody"));
        let said = fault(&Status { gallery_trouble: "it did not come".into(), ..status() });
        assert!(said.contains("release 3 is kept in use: it did not come"), "{said}");
    }

    #[test]
    fn a_camera_that_gives_nothing_and_one_that_gives_damaged_frames_are_two_faults() {
        assert!(fault(&Status { camera: CameraState::Blind, ..status() }).contains("gets none"));
        let counts = Counts { frames: 100, bad_frames: 10, ..Counts::default() };
        assert!(fault(&Status { counts, ..status() }).contains("shorter cable"));
        let few = Counts { frames: 5, bad_frames: 5, ..Counts::default() };
        assert!(about(&Status { counts: few, ..status() }).iter().all(|one| !one.is_fault()));
    }

    #[test]
    fn a_line_that_the_daemon_may_not_watch_is_said_by_the_daemon() {
        let said =
            fault(&Status { line_trouble: "GPIO line 25 cannot be used".into(), ..status() });
        assert!(said.contains("line 25") && said.contains("restart the daemon"), "{said}");
    }

    #[test]
    fn a_unit_that_is_too_slow_says_what_makes_it_faster() {
        let counts = Counts { bursts: 200, dropped_bursts: 20, ..Counts::default() };
        assert!(fault(&Status { counts, ..status() }).contains("min_face"));
    }

    #[test]
    fn a_daemon_that_cannot_be_asked_is_a_fault_and_one_that_does_not_run_is_none() {
        let of = |kind: io::ErrorKind| unasked(&kind.into());
        assert!(of(io::ErrorKind::PermissionDenied).to_string().contains("as root"));
        assert!(of(io::ErrorKind::TimedOut).to_string().contains("systemctl restart"));
        assert!(!of(io::ErrorKind::NotFound).is_fault());
    }
}
