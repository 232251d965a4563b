//! The camera: there, alive, and seeing something.

use crate::unit::{Unit, said};
use rollcall_edge::doctor::Ailment as A;
use std::fs;
use wire::record::{Blind, CameraState};

#[test]
fn a_usb_camera_that_is_not_there_says_how_to_find_what_is() {
    let said = said(A::CameraMissing, "/dev/video97", "ls /dev/video*");
    let usb = |unit: &mut Unit| unit.camera("kind = \"v4l2\"\ndevice = \"/dev/video97\"");
    Unit::new().planted(usb, &said);
}

#[test]
fn a_device_that_is_no_camera_is_said() {
    let said = said(A::CameraStrange, "no video device", "dmesg");
    let usb = |unit: &mut Unit| unit.camera("kind = \"v4l2\"\ndevice = \"/dev/null\"");
    Unit::new().planted(usb, &said);
}

#[test]
fn a_program_that_is_not_there_is_to_be_installed() {
    let said = said(A::ProgramMissing, "“rpicam-vid-of-nobody” is not there", "rpicam-apps");
    let none = "kind = \"command\"\ncommand = [\"rpicam-vid-of-nobody\"]";
    Unit::new().planted(|unit| unit.camera(none), &said);
}

#[test]
fn a_program_that_ends_at_once_is_quoted() {
    let said = said(A::ProgramEnds, "it said: no camera is available", "by hand");
    Unit::new()
        .planted(|unit| unit.program_in_sh("echo no camera is available >&2; exit 1"), &said);
}

#[test]
fn a_program_that_ends_after_some_pictures_is_no_camera_either() {
    let said = said(A::ProgramEnds, "the program ended", "until it is stopped");
    Unit::new().planted(|unit| unit.program_in_sh("cat \"$1\"/*"), &said);
}

#[test]
fn a_program_that_writes_no_mjpeg_is_told_which_it_must_write() {
    let said = said(A::ProgramNoPicture, "writes no JPEG", "--codec mjpeg");
    Unit::new().planted(|unit| unit.program_in_sh("yes | head -c 99999; sleep 5"), &said);
}

#[test]
fn a_program_that_is_silent_is_not_waited_for_for_ever() {
    let said = said(A::ProgramNoPicture, "runs and writes no JPEG", "cable");
    Unit::new().planted(|unit| unit.program_in_sh("exec sleep 60"), &said);
}

#[test]
fn a_camera_that_is_silent_at_the_daemon_is_to_be_plugged_out_and_in() {
    let said = said(A::CameraSilent, "gets no frames", "plug it out and in");
    let blind = |unit: &mut Unit| unit.status.lock().unwrap().camera = CameraState::Blind;
    Unit::running().planted(blind, &said);
}

#[test]
fn a_folder_without_pictures_is_no_camera() {
    let said = said(A::PicturesMissing, "nowhere", "[camera] paths");
    Unit::new().planted(|unit| unit.camera("kind = \"pictures\"\npaths = [\"nowhere\"]"), &said);
}

#[test]
fn a_lens_under_a_hand_shows_nothing() {
    let said = said(A::LensCovered, "covered", "wipe it");
    Unit::new().planted(|unit| unit.films(|_, _| 3), &said);
}

#[test]
fn a_lens_that_the_daemon_finds_covered_is_said() {
    let said = said(A::LensCovered, "covered", "snap --out");
    let dark = |unit: &mut Unit| unit.status.lock().unwrap().blind = Some(Blind::Covered);
    Unit::running().planted(dark, &said);
}

#[test]
fn a_picture_that_stands_still_is_found_in_a_moment() {
    let said = said(A::PictureFrozen, "stands still, to the last bit", "start it anew");
    let show = "while :; do cat \"$1\"/0.jpg; sleep 0.03; done";
    Unit::new().planted(|unit| unit.program_in_sh(show), &said);
}

#[test]
fn a_picture_that_the_daemon_finds_frozen_is_said() {
    let said = said(A::PictureFrozen, "stands still", "plug the camera out");
    let frozen = |unit: &mut Unit| unit.status.lock().unwrap().blind = Some(Blind::Frozen);
    Unit::running().planted(frozen, &said);
}

#[test]
fn a_corridor_at_dusk_is_too_dark_to_know_a_face() {
    let said = said(A::PictureDark, "too dark to know a face", "more light");
    let dusk = |x: u32, _| if x % 160 < 80 { 34 } else { 12 };
    Unit::new().planted(|unit| unit.films(dusk), &said);
}

#[test]
fn a_lens_that_the_daemon_finds_out_of_focus_or_in_the_dark_is_said() {
    let blind = |cause| move |unit: &mut Unit| unit.status.lock().unwrap().blind = Some(cause);
    let soft = said(A::PictureSoft, "was sharp", "turn the lens");
    Unit::running().planted(blind(Blind::Unfocused), &soft);
    let dark = said(A::PictureDark, "too dark to know a face", "more light");
    Unit::running().planted(blind(Blind::Dark), &dark);
}

#[test]
fn a_picture_too_small_for_faces_is_said_with_its_size() {
    let said = said(A::PictureSmall, "160 × 120", "640 × 480");
    let door = |x: u32, y: u32| if x > 60 { 180 } else { 60 + y / 8 };
    Unit::new().planted(|unit| unit.films_at([160, 120], door), &said);
}

#[test]
fn frames_that_come_damaged_say_what_a_cable_does() {
    let said = said(A::FramesDamaged, "200 frames were damaged, 2000 were not", "shorter cable");
    Unit::running().planted(|unit| unit.status.lock().unwrap().counts.bad_frames = 200, &said);
}

#[test]
fn a_frame_that_is_no_picture_is_said_without_a_daemon_too() {
    let said = said(A::FramesDamaged, "no picture", "another port");
    let spoil = |unit: &mut Unit| {
        for n in 0..5 {
            let path = unit.path(&format!("frames/{n}.jpg"));
            // Its frame says that it is as wide as nothing.
            let mut jpeg = fs::read(&path).unwrap();
            let at = jpeg.windows(2).position(|two| two == [0xff, 0xc0]).unwrap();
            jpeg[at + 5..at + 9].fill(0);
            jpeg.truncate(jpeg.len() - 2);
            jpeg.extend([n as u8 + 1, 0xff, 0xd9]);
            fs::write(path, jpeg).unwrap();
        }
    };
    Unit::new().planted(spoil, &said);
}
