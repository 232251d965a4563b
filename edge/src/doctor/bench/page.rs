//! What was measured, as a person reads it, and as a program does.

use super::{Advice, Measures};
use crate::doctor::sheet::paragraph;
use serde::Serialize;
use std::fmt::Write as _;

/// What was measured, and what follows from it; `columns` as for a table of findings.
#[must_use]
pub fn page(measures: &Measures, advice: &[Advice], columns: Option<usize>) -> String {
    let Measures { machine, cores, beside, .. } = measures;
    let mut text = format!("{machine}, {cores} cores\n");
    let mut line = |what: &str, say: String| {
        paragraph(&mut text, &format!("  {what:<19} "), &say, columns);
    };
    line("camera", camera(measures));
    line("decode", format!("{:.1} ms a frame", measures.speed.decode_ms));
    line("detect", detect(measures));
    line("embed", format!("{:.1} ms a face, its mirror image too", measures.speed.embed_ms));
    line(
        "burst",
        format!("{:.2} s of work for one person, as it is set", measures.speed.burst_ms / 1e3),
    );
    line("cores", pace(measures));
    line("card", card(measures));
    line("heat", heat(measures));
    if *beside {
        let say = "The daemon ran beside this and took its share; alone (systemctl stop \
                   rollcall-edge) the unit is faster.";
        line("", say.to_owned());
    }
    text.push_str(if advice.is_empty() {
        "\nThe settings fit this unit.\n"
    } else {
        "\nRecommended\n"
    });
    for Advice { what, to, why } in advice {
        let key = what.strip_prefix('[').and_then(|key| key.split_once("] "));
        let _infallible = match key {
            Some((table, key)) => writeln!(text, "  {key} = {to}  in [{table}]"),
            None => writeln!(text, "  {what}: {to}"),
        };
        paragraph(&mut text, &" ".repeat(22), why, columns);
    }
    text
}

fn camera(Measures { camera, .. }: &Measures) -> String {
    if !camera.why.is_empty() {
        return format!("not measured: {}", camera.why);
    }
    let [width, height] = camera.size;
    let mut say = format!(
        "{:.1} frames a second of {width} × {height}, the longest pause {} ms",
        camera.rate, camera.pause_ms
    );
    if let Some(first) = camera.first_ms {
        say += &format!("; the first {first} ms after it was opened");
    }
    say + &match camera.age_ms {
        Some(age) => format!("; a frame is {age} ms old when it is here"),
        None => "; how old they are cannot be measured of a program ([camera] latency_ms says it)"
            .into(),
    }
}

fn detect(Measures { speed, .. }: &Measures) -> String {
    let each = speed.detect.iter().map(|of| format!("{:.0} ms with faces from {}", of.ms, of.from));
    let each: Vec<_> = each.collect();
    format!("{} pixels", each.join(", "))
}

fn pace(Measures { heat, cores, .. }: &Measures) -> String {
    let times = if heat.alone > 0.0 { heat.together / heat.alone } else { 0.0 };
    format!("{:.1} bursts a second by one, {times:.1} times that by {cores} at once", heat.alone)
}

fn card(Measures { card, .. }: &Measures) -> String {
    if !card.why.is_empty() {
        return format!("not measured: {}", card.why);
    }
    format!(
        "{:.1} ms until a record would survive a power cut, at worst {:.0}",
        card.middle_ms, card.worst_ms
    )
}

fn heat(Measures { heat, .. }: &Measures) -> String {
    let short = if heat.seconds < 300 { " (five minutes tell more)" } else { "" };
    let work = format!("{} s of work{short}", heat.seconds);
    let held = format!("at the end {:.0} % as fast as at the beginning", 100.0 * heat.held);
    match (heat.before, heat.peak) {
        (Some(before), Some(peak)) => {
            format!("{before} °C before, at most {peak} °C in {work}, {held}")
        }
        _ => format!("not measured: this machine does not say how warm it is; after {work} {held}"),
    }
}

/// For programs.
#[must_use]
pub fn json(measures: &Measures, advice: &[Advice]) -> String {
    #[derive(Serialize)]
    struct Both<'a> {
        #[serde(flatten)]
        measures: &'a Measures,
        advice: &'a [Advice],
    }
    serde_json::to_string_pretty(&Both { measures, advice }).expect("measures are plain numbers")
}

#[cfg(test)]
mod tests {
    use super::super::speed::Detection;
    use super::super::{Film, Heat, Speed, Writing};
    use super::*;

    fn measures() -> Measures {
        let of = |(from, ms): (u32, f32)| Detection { from, ms };
        Measures {
            machine: "Raspberry Pi 4 Model B Rev 1.4".into(),
            cores: 4,
            beside: true,
            camera: Film {
                rate: 14.9,
                pause_ms: 95,
                age_ms: Some(41),
                size: [640, 480],
                ..Film::default()
            },
            speed: Speed {
                decode_ms: 6.1,
                detect: [(40, 288.0), (60, 141.0), (80, 85.0)].map(of).to_vec(),
                embed_ms: 91.0,
                burst_ms: 1_925.5,
            },
            card: Writing { middle_ms: 4.2, worst_ms: 61.0, ..Writing::default() },
            heat: Heat {
                seconds: 300,
                before: Some(48),
                peak: Some(83),
                slowed: Some(true),
                alone: 0.5,
                together: 1.8,
                held: 0.81,
            },
        }
    }

    #[test]
    fn a_page_of_figures_ends_with_what_to_change_and_why() {
        let to = "60".to_owned();
        let why = "5 frames of one person take 1.9 s of work here".to_owned();
        let advice = [Advice { what: "[recognise] min_face", to, why }];
        insta::assert_snapshot!(page(&measures(), &advice, Some(72)));
    }

    #[test]
    fn what_was_not_measured_is_said_in_its_place() {
        let camera = Film { why: "the camera is away".into(), ..Film::default() };
        let card = Writing { why: "the disk is full".into(), ..Writing::default() };
        let heat = Heat { seconds: 5, held: 1.0, ..Heat::default() };
        let text = page(&Measures { camera, card, heat, ..measures() }, &[], None);
        for said in ["the camera is away", "the disk is full", "how warm it is", "tell more"] {
            assert!(text.contains(said), "{said}: {text}");
        }
        assert!(text.ends_with("The settings fit this unit.\n"), "{text}");
    }
}
