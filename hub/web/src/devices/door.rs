//! `/devices/{id}`: one door: how it is and what to do about it, what it sees when somebody asks,
//! what it said last, where it is, its galleries and its past.

use super::log::{self, DoorLogLine};
use super::runs::Runs;
use super::state::{DoorStateSaid, say};
use super::{ROOMS, WAYS, buttons, way};
use crate::alerts::{self, AlertShown};
use crate::note::Note;
use crate::shell::Shell;
use crate::shell::shell;
use acts::doors::boards::Board;
use acts::doors::galleries::{ReleaseStep, step};
use acts::doors::state::{SOON_MS, states};
use acts::snaps::NoPicture;
use askama::Template;
use http::call::Call;
use http::endpoint::Endpoint;
use http::reply::page;
use http::route::Route;
use http::{problem::Outcome, route::Object};
use jiff::tz::TimeZone;
use rules::error::Error;
use std::ops::RangeInclusive;
use store::alert::{self, Alert, AlertFilter};
use store::device::{self, Device, direction_text};
use store::door::{self, DoorKnown, LastHealth};
use store::release::Progress;
use store::room::{self, Room};
use store::{Tx, release};
use warp::http::StatusCode;
use wire::link::Settings;
use wire::{DeviceId, Wall};

/// Releases that are listed.
const RELEASES: u32 = 20;
/// Alerts that are listed.
const ALERTS: u32 = 20;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    vec![Route::get("/devices/{id}").admin().of(Object::Device).page().by(index)]
}

#[derive(Template)]
#[template(path = "door.html")]
struct DoorPage {
    shell: Shell,
    note: Option<Note>,
    device: Device,
    way: &'static str,
    /// The value of its direction in the form.
    direction: &'static str,
    ways: [(&'static str, &'static str); 3],
    states: Vec<DoorStateSaid>,
    heard: Option<String>,
    /// When its certificate was made, 0 if it has none.
    joined: Wall,
    certificate: Option<Paper>,
    report: Option<DoorReportShown>,
    board: Board,
    wanted: Option<u64>,
    /// The hub's network.
    model: String,
    picture: DoorSnap,
    rooms: Vec<Room>,
    settings: Settings,
    numbers: [Number; 4],
    runs: Runs,
    releases: Vec<DoorRelease>,
    held: bool,
    alerts: Vec<AlertShown>,
    log: Vec<DoorLogLine>,
}

/// A setting that is a number.
struct Number {
    name: &'static str,
    /// Key of what it is called.
    words: &'static str,
    least: u32,
    most: u32,
    value: Option<u32>,
}

fn numbers(settings: &Settings) -> [Number; 4] {
    let number = |name, words, may: RangeInclusive<u32>, value| {
        let (least, most) = may.into_inner();
        Number { name, words, least, most, value }
    };
    let Settings { min_face, frames, hold_ms, cooldown_ms, .. } = *settings;
    [
        number("min_face", "doors-settings-face", Settings::MIN_FACE, min_face),
        number("frames", "doors-settings-frames", Settings::FRAMES, frames),
        number("hold_ms", "doors-settings-hold", Settings::HOLD_MS, hold_ms),
        number("cooldown_ms", "doors-settings-cooldown", Settings::COOLDOWN_MS, cooldown_ms),
    ]
}

/// A certificate.
struct Paper {
    ends: String,
    soon: bool,
}

/// What a door last said about itself.
struct DoorReportShown {
    when: Option<String>,
    blind: bool,
    watched: String,
    disk_mb: i64,
}

/// Whether there is a picture to look at.
enum DoorSnap {
    /// Nobody asked.
    None,
    /// It is on its way.
    Waiting,
    /// It is here until somebody looks or time is up.
    Here,
    /// It did not come, and why.
    Failed(String),
}

/// A gallery that was made for the door.
struct DoorRelease {
    version: u64,
    people: i64,
    when: String,
    class: &'static str,
    words: &'static str,
    trouble: String,
    /// Whether the door can be taken back to it.
    older: bool,
}

/// Everything that is read for the page.
struct DoorFacts {
    known: DoorKnown,
    rooms: Vec<Room>,
    releases: Vec<Progress>,
    alerts: Vec<Alert>,
    past: log::DoorLogKnown,
}

fn facts(tx: &Tx<'_>, id: &DeviceId) -> Result<DoorFacts, Error> {
    let device = device::get(tx, id)?.ok_or_else(|| Error::unknown("door", id))?;
    let of_door = AlertFilter { device: Some(id.clone()), open: None };
    Ok(DoorFacts {
        known: door::known(tx, device)?,
        rooms: room::list(tx, "", ROOMS)?,
        releases: release::history(tx, id, u64::MAX, RELEASES)?,
        alerts: alert::list(tx, &of_door, None, ALERTS)?,
        past: log::read(tx, id)?,
    })
}

async fn index(call: Call) -> Outcome {
    show(&call, call.id("id")?, StatusCode::OK, Note::done(&call, &buttons::DONE)).await
}

/// The page of the door `id`.
pub(super) async fn show(
    call: &Call,
    id: DeviceId,
    status: StatusCode,
    note: Option<Note>,
) -> Outcome {
    let name = id.clone();
    let facts = call.app().db.read(move |tx| facts(tx, &name)).await?;
    let app = call.app();
    let shell = shell(call, "devices");
    let picture = picture(&shell, app.snaps.is_here(&id, app.clock.mono()));
    let board = app.boards.of(&id, app.clock.mono());
    let running = app.boards.running(&id);
    let runs = Runs::new(&shell, &facts.known.settings, running.as_deref());
    let view = view(shell, facts, board, app.gallery.model(), &app.config.zone, call.now);
    page(status, &DoorPage { note, picture, runs, ..view })
}

fn view(
    shell: Shell,
    facts: DoorFacts,
    board: Board,
    model: &wire::ModelId,
    zone: &TimeZone,
    now: Wall,
) -> DoorPage {
    let DoorFacts { known, rooms, releases, alerts, past } = facts;
    let all = states(&known, board.vitals, model, now);
    let newest = releases.first().map_or(0, |of| of.version);
    let paper = |of: door::DoorCertificate| Paper {
        ends: words::full_day(shell.language, rules::timetable::day(of.ends, zone)),
        soon: of.ends.0 - now.0 < SOON_MS,
    };
    let device = &known.device;
    DoorPage {
        note: None,
        way: way(device.direction),
        direction: direction_text(device.direction),
        ways: WAYS,
        states: all.into_iter().map(|one| say(&shell, one, &known, zone, now)).collect(),
        heard: device.last_seen.map(|at| words::ago(shell.language, at, now)),
        joined: known.certificate.map_or(Wall(0), |of| of.issued),
        certificate: known.certificate.map(paper),
        board,
        report: known.health.as_ref().map(|said| report(&shell, said, zone, now)),
        wanted: known.wanted,
        model: model.to_string(),
        picture: DoorSnap::None,
        held: releases.first().is_some_and(|of| of.held),
        releases: releases.into_iter().map(|of| released(&shell, of, newest, zone, now)).collect(),
        alerts: alerts.into_iter().map(|of| alerts::shown(&shell, of, zone, now)).collect(),
        log: log::lines(&shell, past, zone, now),
        rooms,
        numbers: numbers(&known.settings),
        runs: Runs::default(),
        settings: known.settings,
        device: known.device,
        shell,
    }
}

fn report(shell: &Shell, said: &LastHealth, zone: &TimeZone, now: Wall) -> DoorReportShown {
    #[expect(clippy::cast_precision_loss, reason = "a share of some minutes")]
    let share = said.watched_ms as f64 / said.span_ms.max(1) as f64;
    DoorReportShown {
        when: said.at.map(|at| words::when(shell.language, at, zone, now)),
        blind: said.camera == "blind",
        watched: shell.number(format!("{:.0}", share * 100.0)),
        disk_mb: said.disk_free_mb,
    }
}

fn released(shell: &Shell, of: Progress, newest: u64, zone: &TimeZone, now: Wall) -> DoorRelease {
    let is_newest = of.version == newest;
    let (class, words) = match step(&of) {
        ReleaseStep::InUse => ("good", "doors-release-used"),
        ReleaseStep::Replaced => ("off", "doors-release-replaced"),
        _ if !is_newest => ("off", "doors-release-skipped"),
        ReleaseStep::Fetched => ("warn", "doors-release-fetched"),
        ReleaseStep::Released => ("warn", "doors-release-made"),
    };
    let trouble = if is_newest { of.trouble } else { String::new() };
    let when = words::when(shell.language, of.created, zone, now);
    let version = of.version;
    let people = of.people;
    let older = !is_newest;
    DoorRelease { version, people, when, class, words, trouble, older }
}

fn picture(shell: &Shell, is_here: Result<(), NoPicture>) -> DoorSnap {
    match is_here {
        Ok(()) => DoorSnap::Here,
        Err(NoPicture::Waiting(_)) => DoorSnap::Waiting,
        Err(NoPicture::Silent(_)) => DoorSnap::Failed(shell.say("doors-picture-silent")),
        Err(NoPicture::Trouble(_, why)) => {
            DoorSnap::Failed(shell.one("doors-picture-trouble", "why", why))
        }
        Err(_) => DoorSnap::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn release(version: u64, in_use: u64) -> Progress {
        Progress {
            device: "door-1".parse().unwrap(),
            version,
            created: Wall(0),
            expires: Wall(0),
            people: 2,
            fetched: None,
            in_use,
            online: true,
            trouble: "no room".into(),
            held: false,
        }
    }

    #[test]
    fn a_release_says_how_far_the_door_is_with_it() {
        let shell = Shell::default();
        let said = |version, in_use| {
            let of = released(&shell, release(version, in_use), 4, &TimeZone::UTC, Wall(0));
            (of.class, of.words, of.older, of.trouble.is_empty())
        };
        assert_eq!(said(4, 3), ("warn", "doors-release-made", false, false));
        assert_eq!(said(4, 4), ("good", "doors-release-used", false, false));
        assert_eq!(said(3, 3), ("good", "doors-release-used", true, true));
        assert_eq!(said(2, 3), ("off", "doors-release-replaced", true, true));
        assert_eq!(said(3, 2), ("off", "doors-release-skipped", true, true));
    }

    #[test]
    fn there_is_a_picture_or_a_reason_and_before_anybody_asked_neither() {
        let (shell, door) = (Shell::default(), || "door-1".parse::<DeviceId>().unwrap());
        let of = |why| picture(&shell, why);
        assert!(matches!(of(Ok(())), DoorSnap::Here));
        assert!(matches!(of(Err(NoPicture::Unasked(door()))), DoorSnap::None));
        assert!(matches!(of(Err(NoPicture::Waiting(door()))), DoorSnap::Waiting));
        assert!(matches!(of(Err(NoPicture::Silent(door()))), DoorSnap::Failed(_)));
        let trouble = of(Err(NoPicture::Trouble(door(), "it is dark".into())));
        assert!(matches!(trouble, DoorSnap::Failed(why) if why.contains("it is dark")));
    }
}
