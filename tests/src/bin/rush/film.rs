//! What the camera of the rush sees: six people who come nearer, one after the other.

use crate::stage::{PACK, Place, head, portrait, put, wall};
use crate::{FPS, PEOPLE, QUIET, ROUND, RUSH, STAY};
use anyhow::Context as _;
use std::fs;
use std::io::{BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};
use vision::{Picture, Template};

/// Photos of six people, each unlike the others.
pub fn people(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder)?.map(|file| Ok(file?.path())).collect::<std::io::Result<_>>()?;
    files.retain(|file| file.extension().is_some_and(|end| end == "jpg"));
    files.sort();
    let mut chosen: Vec<(PathBuf, Template)> = Vec::new();
    for file in files {
        let photo = portrait(file.to_str().context("an odd name")?);
        let faces = PACK.detect(&photo)?;
        let [face] = &faces[..] else { continue };
        let template = PACK.embed(&photo, face)?;
        let is_new = chosen.iter().all(|(_, other)| other.cosine(&template) < 0.88);
        if face.rect.width() >= 110.0 && is_new {
            chosen.push((file, template));
        }
        if chosen.len() == PEOPLE {
            return Ok(chosen.into_iter().map(|(file, _)| file).collect());
        }
    }
    anyhow::bail!("{} unlike people in {}", chosen.len(), folder.display())
}

/// One round, as the camera sees it.
fn frames(people: &[PathBuf]) -> Vec<Vec<u8>> {
    let heads: Vec<Picture> = people.iter().map(|file| head(file.to_str().unwrap())).collect();
    let empty = wall();
    let frame = |n: usize| {
        let mut frame = empty.clone();
        for (person, head) in heads.iter().enumerate() {
            let begins = 15 + person * RUSH / PEOPLE;
            let Some(step) = n.checked_sub(begins).filter(|step| *step < STAY) else { continue };
            let nearer = step as f32 / STAY as f32;
            let x = 115.0 + 205.0 * (person % 3) as f32 + 10.0 * nearer;
            let width = 150.0 + 60.0 * nearer;
            put(
                &mut frame,
                head,
                &Place { x, y: 230.0 + 20.0 * nearer, width, light: 0.85 + 0.1 * nearer },
            );
        }
        frame.to_jpeg(90)
    };
    (0..ROUND).map(frame).collect()
}

/// Settings of a door whose camera plays the film so many times, of 640 × 480 with motion as trigger.
pub fn camera(film: &Path, rounds: usize) -> anyhow::Result<String> {
    let me = std::env::current_exe()?.display().to_string();
    let command = [me, "play".into(), film.display().to_string(), rounds.to_string()];
    Ok(format!(
        "[camera]\nkind = \"command\"\ncommand = {command:?}\n[trigger.motion]\n\
         [recognise]\ncooldown_ms = 3000\n"
    ))
}

/// Writes one round to a file: each frame after its length.
pub fn shoot(people: &[PathBuf], file: &Path) -> anyhow::Result<()> {
    let bytes = |frame: Vec<u8>| [&(frame.len() as u32).to_be_bytes()[..], &frame].concat();
    Ok(fs::write(file, frames(people).into_iter().flat_map(bytes).collect::<Vec<u8>>())?)
}

/// Plays a film to standard output, as a camera program does; then the door is empty.
pub fn play(film: &Path, rounds: usize) -> anyhow::Result<()> {
    let mut file = BufReader::new(fs::File::open(film)?);
    let mut frames = Vec::new();
    let mut length = [0; 4];
    while file.read_exact(&mut length).is_ok() {
        let mut frame = vec![0; u32::from_be_bytes(length) as usize];
        file.read_exact(&mut frame)?;
        frames.push(frame);
    }
    let mut out = std::io::stdout().lock();
    let began = Instant::now();
    for n in 0u64.. {
        let round = n as usize / frames.len();
        let is_rush = (QUIET..QUIET + rounds).contains(&round);
        let frame = if is_rush { &frames[n as usize % frames.len()] } else { &frames[0] };
        out.write_all(frame)?;
        out.flush()?;
        let next = Duration::from_millis((n + 1) * 1_000 / FPS);
        thread::sleep(next.saturating_sub(began.elapsed()));
    }
    Ok(())
}
