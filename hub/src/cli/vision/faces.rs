//! One face from each of many pictures, on all cores.

use indicatif::{ProgressBar, ProgressStyle};
use rayon::prelude::*;
use std::{
    collections::BTreeMap,
    io::Write,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use vision::{Face, Limits, Pack, Picture, Template};

/// Which face of a picture counts where there are several.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub(super) enum MeasuredPick {
    /// The one in the middle: LFW's rule.
    Central,
    /// The largest.
    Largest,
}

impl MeasuredPick {
    fn of<'a>(self, faces: &'a [Face], picture: &Picture) -> Option<&'a Face> {
        match self {
            Self::Central => vision::central(faces, picture.width, picture.height),
            Self::Largest => vision::principal(faces),
        }
    }
}

/// What a picture showed.
#[derive(Debug)]
pub(super) enum MeasuredSeen {
    /// A face.
    Face(Template),
    /// A picture without one.
    NoFace,
    /// No picture; why, in a sentence.
    Unreadable(String),
}

impl MeasuredSeen {
    pub(super) fn template(&self) -> Option<&Template> {
        match self {
            Self::Face(template) => Some(template),
            _ => None,
        }
    }
}

/// Many pictures seen.
pub(super) struct MeasuredLooked {
    pub seen: BTreeMap<PathBuf, MeasuredSeen>,
    pub took: Duration,
}

/// The pixels of a file.
///
/// # Errors
/// A sentence with the file's name.
pub(super) fn open(path: &Path) -> anyhow::Result<Picture> {
    let bytes = std::fs::read(path)
        .map_err(|error| anyhow::anyhow!("{} cannot be read: {error}", path.display()))?;
    vision::decode(&bytes, &Limits::default())
        .map_err(|error| anyhow::anyhow!("{}: {error}", path.display()))
}

fn see(pack: &Pack, path: &Path, pick: MeasuredPick) -> anyhow::Result<MeasuredSeen> {
    let picture = match open(path) {
        Ok(picture) => picture,
        Err(error) => return Ok(MeasuredSeen::Unreadable(format!("{error:#}"))),
    };
    let faces = pack.detect(&picture)?;
    let Some(face) = pick.of(&faces, &picture) else { return Ok(MeasuredSeen::NoFace) };
    Ok(MeasuredSeen::Face(pack.embed(&picture, face)?))
}

/// Looks at each of `paths` once, with a progress bar where there is a terminal.
pub(super) fn all(
    pack: &Pack,
    paths: Vec<PathBuf>,
    pick: MeasuredPick,
) -> anyhow::Result<MeasuredLooked> {
    let style =
        ProgressStyle::with_template("{bar:40} {pos}/{len} pictures  {per_sec}  {eta} left")?;
    let bar = ProgressBar::new(paths.len() as u64).with_style(style);
    let started = Instant::now();
    let look = |path: PathBuf| {
        let seen = see(pack, &path, pick)?;
        bar.inc(1);
        Ok((path, seen))
    };
    let seen = paths.into_par_iter().map(look).collect::<anyhow::Result<_>>()?;
    bar.finish_and_clear();
    Ok(MeasuredLooked { seen, took: started.elapsed() })
}

impl MeasuredLooked {
    /// Pictures, speed, and every picture that gave no template.
    pub(super) fn report(&self, out: &mut dyn Write) -> std::io::Result<()> {
        let count = self.seen.len();
        let seconds = self.took.as_secs_f64();
        let cores = rayon::current_num_threads();
        let speed = self.speed();
        writeln!(out, "pictures       {count} in {seconds:.1} s: {speed:.2}/s on {cores} cores")?;
        let empty = self.without_face();
        let damaged = self.unreadable();
        writeln!(out, "no face        {empty}, and {damaged} not readable")?;
        for (path, seen) in &self.seen {
            match seen {
                MeasuredSeen::Face(_) => {}
                MeasuredSeen::NoFace => writeln!(out, "  no face      {}", path.display())?,
                MeasuredSeen::Unreadable(why) => writeln!(out, "  unreadable   {why}")?,
            }
        }
        Ok(())
    }

    pub(super) fn speed(&self) -> f64 {
        self.seen.len() as f64 / self.took.as_secs_f64().max(1e-9)
    }

    pub(super) fn without_face(&self) -> usize {
        self.seen.values().filter(|seen| matches!(seen, MeasuredSeen::NoFace)).count()
    }

    pub(super) fn unreadable(&self) -> usize {
        self.seen.values().filter(|seen| matches!(seen, MeasuredSeen::Unreadable(_))).count()
    }
}
