//! Which settings suit a unit, from what was measured. Pure.

use super::speed::Detection;
use super::{Film, Measures};
use crate::capture;
use crate::config::Config;
use serde::Serialize;
use wire::link::Vitals;

/// Whoever passes is told within this after the trigger: a burst may take no more work.
const GREEN_MS: f32 = 1_000.0;
/// A burst of so little work leaves time for more.
const EASY_MS: f32 = 400.0;
/// Frames that make a fused look, at least, and those of a thorough one.
const FRAMES: [usize; 2] = [3, 8];
/// A card that takes longer for a record, milliseconds, is a slow one; and much longer at times.
const CARD_MS: f32 = 100.0;
const STALL_MS: f32 = 1_000.0;
/// Frames a second below which people walk by between two.
const FPS: f32 = 8.0;
/// Of the pace at the beginning, what is left when heat slows a unit down.
const HELD: f32 = 0.85;

/// Something to change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Advice {
    /// What: a key of `edge.toml`, or a thing.
    pub what: &'static str,
    /// To what.
    pub to: String,
    /// Why.
    pub why: String,
}

fn advice(what: &'static str, to: impl Into<String>, why: impl Into<String>) -> Advice {
    Advice { what, to: to.into(), why: why.into() }
}

/// What to change; nothing where the settings fit.
#[must_use]
pub fn advise(config: &Config, measures: &Measures) -> Vec<Advice> {
    let mut all = work(config, measures);
    all.extend(camera(config, &measures.camera));
    all.extend(around(measures));
    all
}

/// What a frame with one person costs, milliseconds, by the smallest face looked for.
fn costs(measures: &Measures) -> Vec<Detection> {
    let speed = &measures.speed;
    let besides = speed.decode_ms + speed.embed_ms;
    speed.detect.iter().map(|of| Detection { from: of.from, ms: of.ms + besides }).collect()
}

/// The cost of a frame that is aimed at, and what to change for it.
struct Aim {
    cost: Detection,
    changes: Vec<Advice>,
}

/// Smallest face, frames, spacing, region.
fn work(config: &Config, measures: &Measures) -> Vec<Advice> {
    let costs = costs(measures);
    let own = config.recognise.min_face;
    let Some(now) = costs.iter().find(|cost| cost.from == own) else { return Vec::new() };
    let frames = config.recognise.frames;
    let Aim { cost, mut changes } = aim(&costs, now, frames);
    if frames < FRAMES[1] && cost.ms * FRAMES[1] as f32 <= EASY_MS {
        let s = cost.ms * FRAMES[1] as f32 / 1e3;
        let why = format!("{} frames take {s:.2} s here, and of more a look is surer", FRAMES[1]);
        changes.push(advice("[recognise] frames", FRAMES[1].to_string(), why));
    }
    changes.extend(spacing(config, measures, cost.ms));
    changes
}

/// Of all that was tried, what fits a burst of `frames` best; `now` is how it is set.
fn aim(costs: &[Detection], now: &Detection, frames: usize) -> Aim {
    let burst = |cost: &Detection| cost.ms * frames as f32;
    let s = |cost: &Detection| burst(cost) / 1e3;
    let slow = format!("{frames} frames of one person take {:.1} s of work here", s(now));
    let change = |cost: &Detection, why: String| Aim {
        cost: *cost,
        changes: vec![advice("[recognise] min_face", cost.from.to_string(), why)],
    };
    let fits = costs.iter().find(|cost| cost.from > now.from && burst(cost) <= GREEN_MS);
    let furthest = costs.iter().find(|cost| cost.from < now.from && burst(cost) <= EASY_MS);
    match (fits, furthest) {
        (Some(less), _) if burst(now) > GREEN_MS => change(
            less,
            format!(
                "{slow}; with faces from {} pixels {:.1} s, and green comes within a second. \
                 People are seen from nearer by",
                less.from,
                s(less)
            ),
        ),
        (None, _) if burst(now) > GREEN_MS => too_slow(costs, now, frames, &slow),
        (_, Some(far)) => change(
            far,
            format!(
                "there is time for it ({:.2} s a burst): people are seen from further away",
                s(far)
            ),
        ),
        _ => Aim { cost: *now, changes: Vec::new() },
    }
}

/// Where not even large faces alone are enough.
fn too_slow(costs: &[Detection], now: &Detection, frames: usize, slow: &str) -> Aim {
    let least = *costs.last().unwrap_or(now);
    let mut changes = Vec::new();
    if least.from > now.from {
        let why = format!("{slow}, and with faces from {} pixels it is still too much", least.from);
        changes.push(advice("[recognise] min_face", least.from.to_string(), why));
    }
    let why =
        format!("{slow}: what does not count is not looked at, half the picture is half of it");
    changes.push(advice("[view] region", "[0.25, 0.0, 0.75, 1.0]", why));
    if frames > FRAMES[0] && least.ms * FRAMES[0] as f32 > GREEN_MS / 2.0 {
        let why = format!("a frame takes {:.2} s here; three make a fused look", least.ms / 1e3);
        changes.push(advice("[recognise] frames", FRAMES[0].to_string(), why));
    }
    Aim { cost: least, changes }
}

/// Frames of a burst come no faster than they can be looked at, nor than the camera gives them.
fn spacing(config: &Config, measures: &Measures, ms: f32) -> Option<Advice> {
    let now = config.recognise.spacing_ms;
    let camera = if measures.camera.rate > 0.0 { 1_000.0 / measures.camera.rate } else { 0.0 };
    let need = ((ms.max(camera) / 10.0).ceil() * 10.0) as u64;
    if need <= now || need > 2_000 {
        return None;
    }
    let why = format!(
        "a frame takes {ms:.0} ms to look at and {camera:.0} ms to come: at {now} ms they would \
         only wait"
    );
    Some(advice("[recognise] spacing_ms", need.to_string(), why))
}

fn camera(config: &Config, seen: &Film) -> Vec<Advice> {
    let mut all = Vec::new();
    if !seen.why.is_empty() {
        return all;
    }
    let [width, height] = seen.size;
    if width.max(height) > 1_280 {
        let why = format!(
            "{width} × {height} are decoded for each frame; faces need no more than 640 × 480 at a \
             door, 1280 × 720 in a corridor"
        );
        all.push(advice("the camera's size", "640 × 480", why));
    }
    if seen.rate < FPS {
        let what = match config.camera {
            capture::Config::V4l2(_) => "[camera] fps, controls",
            _ => "the program's rate",
        };
        let why = format!(
            "{:.1} frames a second: people walk by between two. In little light a camera exposes \
             longer (exposure_dynamic_framerate = 0 of a USB camera forbids that); see to light",
            seen.rate
        );
        all.push(advice(what, "15 a second", why));
    }
    all
}

/// Writing, heat, cores.
fn around(measures: &Measures) -> Vec<Advice> {
    let mut all = Vec::new();
    let card = &measures.card;
    if card.middle_ms > CARD_MS || card.worst_ms > STALL_MS {
        let why = format!(
            "a record takes {:.0} ms to be safe, at worst {:.0}: green waits for it",
            card.middle_ms, card.worst_ms
        );
        all.push(advice("the card", "one of class A1 or A2, or an SSD", why));
    }
    let heat = &measures.heat;
    let hot = heat.peak.is_some_and(|peak| peak >= Vitals::HOT);
    if hot || heat.slowed == Some(true) || heat.held < HELD {
        let warm = heat.peak.map_or(String::new(), |peak| format!(" at {peak} °C"));
        let why = format!(
            "after {} s of work{warm} it does {:.0} % of what it did at the beginning",
            heat.seconds,
            100.0 * heat.held
        );
        all.push(advice("cooling", "a heat sink and air, out of the sun", why));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::super::{Heat, Speed, Writing};
    use super::*;
    use crate::table::Paths;

    fn config(recognise: &str) -> Config {
        let text = format!("[camera]\nkind = \"v4l2\"\n[recognise]\n{recognise}");
        Config::parse(&text, &Paths("/".into()), "edge.toml").unwrap()
    }

    /// A unit on which a frame with one person takes so long with faces from 40, 60, 80 pixels.
    fn unit(frame_ms: [f32; 3]) -> Measures {
        let of = |(from, ms): (u32, f32)| Detection { from, ms: ms - 20.0 };
        let detect = [40, 60, 80].into_iter().zip(frame_ms).map(of).collect();
        let speed = Speed { decode_ms: 5.0, detect, embed_ms: 15.0, burst_ms: 0.0 };
        let camera = Film { rate: 15.0, size: [640, 480], ..Film::default() };
        let heat = Heat { held: 1.0, peak: Some(60), ..Heat::default() };
        let card = Writing { middle_ms: 5.0, worst_ms: 30.0, ..Writing::default() };
        Measures { speed, camera, heat, card, ..Measures::default() }
    }

    fn said(config: &Config, measures: &Measures) -> Vec<(&'static str, String)> {
        advise(config, measures).into_iter().map(|one| (one.what, one.to)).collect()
    }

    #[test]
    fn a_unit_whose_settings_fit_is_told_to_change_nothing() {
        assert_eq!(said(&config(""), &unit([110.0, 80.0, 60.0])), []);
    }

    #[test]
    fn a_slow_unit_looks_for_larger_faces_and_no_faster_than_it_can() {
        let told = said(&config(""), &unit([400.0, 180.0, 120.0]));
        let want =
            [("[recognise] min_face", "60".into()), ("[recognise] spacing_ms", "180".into())];
        assert_eq!(told, want);
    }

    #[test]
    fn a_unit_that_is_too_slow_for_all_of_it_gets_a_region_and_fewer_frames() {
        let told = said(&config(""), &unit([900.0, 600.0, 400.0]));
        let whats: Vec<_> = told.iter().map(|(what, _)| *what).collect();
        let min_face = "[recognise] min_face";
        let spacing = "[recognise] spacing_ms";
        assert_eq!(whats, [min_face, "[view] region", "[recognise] frames", spacing]);
        assert_eq!((told[0].1.as_str(), told[2].1.as_str()), ("80", "3"));
    }

    #[test]
    fn nobody_is_told_to_set_what_is_set_already() {
        let told = said(&config("min_face = 80\nframes = 3"), &unit([900.0, 800.0, 700.0]));
        let whats: Vec<_> = told.iter().map(|(what, _)| *what).collect();
        assert_eq!(whats, ["[view] region", "[recognise] spacing_ms"]);
    }

    #[test]
    fn a_fast_unit_sees_further_and_surer() {
        let told = said(&config("min_face = 80"), &unit([25.0, 22.0, 21.0]));
        let want = [("[recognise] min_face", "40".into()), ("[recognise] frames", "8".into())];
        assert_eq!(told, want);
    }

    #[test]
    fn a_slow_camera_a_large_picture_a_slow_card_and_heat_each_have_their_word() {
        let well = unit([110.0, 80.0, 60.0]);
        let of = |measures: Measures| said(&config(""), &measures)[0].0;
        let camera = Film { rate: 5.0, size: [1920, 1080], ..Film::default() };
        assert_eq!(of(Measures { camera, ..well.clone() }), "[recognise] spacing_ms");
        let camera = Film { size: [1920, 1080], ..well.camera.clone() };
        assert_eq!(of(Measures { camera, ..well.clone() }), "the camera's size");
        let card = Writing { middle_ms: 150.0, worst_ms: 160.0, ..Writing::default() };
        assert_eq!(of(Measures { card, ..well.clone() }), "the card");
        let heat = Heat { held: 0.6, peak: Some(82), ..Heat::default() };
        assert_eq!(of(Measures { heat, ..well }), "cooling");
    }
}
