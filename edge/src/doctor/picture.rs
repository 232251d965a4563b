//! What the camera's picture shows: something, alive, light and large enough.

use super::{Ailment, Finding};
use crate::capture::Frame;
use crate::config::Config;
use crate::health::Eye;
use crate::status::{Counts, Status};
use crate::trigger::motion::grid;
use vision::Picture;
use wire::record::Blind;

/// From so many frames on a share of them says something.
const ENOUGH: u64 = 20;
/// Mean brightness, of 255, below which faces have too little light.
const DIM: f32 = 40.0;
/// Faces that fit side by side into a picture that is of use.
const FACES: u32 = 4;

/// Of the daemon's newest frame, if it gave one, and of what it counted.
pub fn of_daemon(config: &Config, status: &Status, frame: Option<&Frame>) -> Finding {
    let Counts { frames, bad_frames, .. } = status.counts;
    if frames + bad_frames >= ENOUGH && bad_frames * 10 >= frames {
        return damaged(&format!("{bad_frames} frames were damaged, {frames} were not"));
    }
    match (status.blind, frame) {
        (Some(Blind::Frozen), _) => frozen(),
        (Some(Blind::Covered), _) => covered(),
        (Some(Blind::Dark), _) => dark("it is too dark to know a face"),
        (Some(Blind::Unfocused), _) => soft(),
        (Some(Blind::Undecodable), _) => damaged("the newest frame is no picture"),
        (_, Some(frame)) => finding(config, frame, false),
        (_, None) => Finding::well("picture", "the daemon finds nothing wrong with it"),
    }
}

/// Of one frame; `still` if all before it were the same.
pub fn finding(config: &Config, frame: &Frame, still: bool) -> Finding {
    let picture = match frame.picture() {
        Ok(picture) => picture,
        Err(error) => return damaged(&format!("the newest frame is no picture ({error})")),
    };
    match Eye::default().blindness(frame) {
        None => {}
        Some(Blind::Dark) => return dark("it is too dark to know a face"),
        Some(_) => return covered(),
    }
    if still { frozen() } else { light(config, &picture) }
}

fn light(config: &Config, picture: &Picture) -> Finding {
    let Picture { width, height, .. } = *picture;
    let least = config.recognise.min_face * FACES;
    if width.min(height) < least {
        let wrong = format!(
            "what counts of it is {width} × {height}: where faces have {} pixels or more, that \
             shows a small part of a door",
            config.recognise.min_face
        );
        let mend = "ask the camera for 640 × 480 or more ([camera] width, height), or make [view] \
                    region larger";
        return Finding::fault(Ailment::PictureSmall, wrong, mend);
    }
    let cells = grid(picture);
    let mean = cells.iter().sum::<f32>() / cells.len().max(1) as f32;
    if mean < DIM {
        return dark(&format!("it is too dark to know a face (brightness {mean:.0} of 255)"));
    }
    Finding::well("picture", format!("{width} × {height}, brightness {mean:.0} of 255"))
}

fn dark(wrong: &str) -> Finding {
    let mend = "more light at the door; of a USB camera, `v4l2-ctl --list-ctrls` names what \
                [camera] controls can set (exposure, gain, backlight_compensation)";
    Finding::fault(Ailment::PictureDark, wrong, mend)
}

fn soft() -> Finding {
    let mend = "turn the lens until edges are sharp, or wipe it; a lens that hunts is held by \
                [camera] controls (focus_automatic_continuous = 0, focus_absolute)";
    let wrong = "no picture of the last minutes was sharp: the lens is out of focus, or dirty";
    Finding::fault(Ailment::PictureSoft, wrong, mend)
}

fn covered() -> Finding {
    let mend = "take off what covers the lens, wipe it, and see to light: rollcall-edge snap --out \
                look.jpg shows what it sees";
    Finding::fault(
        Ailment::LensCovered,
        "it shows nothing: the lens is covered, or it is dark",
        mend,
    )
}

fn frozen() -> Finding {
    let mend = "plug the camera out and in; of a network camera, start it anew: it sends an old \
                picture again and again";
    Finding::fault(Ailment::PictureFrozen, "it stands still, to the last bit", mend)
}

fn damaged(wrong: &str) -> Finding {
    let mend = "use a shorter cable, another port, or a smaller picture";
    Finding::fault(Ailment::FramesDamaged, wrong, mend)
}
