//! `vision identify`: who of the gallery is it, if anybody?

use super::percent;
use crate::cli::vision::faces::{self, MeasuredLooked, MeasuredPick};
use anyhow::Context as _;
use clap::Args;
use serde_json::json;
use std::{
    collections::BTreeMap,
    io::Write,
    path::{Path, PathBuf},
};
use vision::{
    Pack, Template,
    measure::{self, Probe},
};

#[derive(Debug, Args)]
pub(super) struct Identify {
    /// Folders of enrolment pictures, one folder a person.
    #[arg(long, value_name = "DIR")]
    gallery: PathBuf,
    /// Folders of probe pictures, named alike; people without a gallery folder are strangers.
    #[arg(long, value_name = "DIR")]
    probes: PathBuf,
    /// Probes are the mean of so many pictures of a person, as of frames at a door; pictures left
    /// over make no probe.
    #[arg(long, value_name = "N", default_value_t = 1,
        value_parser = clap::value_parser!(u16).range(1..=100))]
    fuse: u16,
    /// Which face counts where a picture shows several.
    #[arg(long, value_name = "WHICH", default_value = "largest")]
    face: MeasuredPick,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Pictures of each person, by the name of their folder.
type IdentifiedPeople = BTreeMap<String, Vec<PathBuf>>;

impl Identify {
    pub(super) fn run(&self, pack: &Pack, out: &mut dyn Write) -> anyhow::Result<()> {
        let gallery = people(&self.gallery)?;
        let probes = people(&self.probes)?;
        let pictures = gallery.values().chain(probes.values()).flatten().cloned().collect();
        let looked = faces::all(pack, pictures, self.face)?;
        let enrolled = enrol(&gallery, &looked)?;
        let (known, strangers) = compare(&probes, &enrolled, &looked, self.fuse.into())?;
        let figures = measure::identify(&known, &strangers);
        if self.json {
            let [at_5, at_1, at_01] = figures.fnir_at.map(|(_, fnir)| fnir);
            let line = json!({ "enrolled": enrolled.len(), "probes": known.len(),
                "strangers": strangers.len(), "fused": self.fuse, "pictures_per_second": looked.speed(),
                "without_face": looked.without_face(), "unreadable": looked.unreadable(),
                "rank1": figures.rank1,
                "fnir_at_fpir_5": at_5, "fnir_at_fpir_1": at_1, "fnir_at_fpir_0.1": at_01 });
            return Ok(writeln!(out, "{line}")?);
        }
        looked.report(out)?;
        let people = enrolled.len();
        let strange = strangers.len();
        writeln!(out, "gallery        {people} people, the mean of each one's pictures")?;
        writeln!(out, "probes         {} of enrolled people, {strange} of strangers", known.len())?;
        if self.fuse > 1 {
            writeln!(out, "               each the mean of {} pictures of a person", self.fuse)?;
        }
        writeln!(out, "rank-1         {}", percent(figures.rank1))?;
        for (fpir, fnir) in figures.fnir_at {
            writeln!(
                out,
                "missed         {} when {} % of strangers are taken for somebody",
                percent(fnir),
                fpir * 100.0
            )?;
        }
        let all = known.len() + strange;
        Ok(writeln!(
            out,
            "over {all} strangers: each probe also serves as one, its person taken out"
        )?)
    }
}

fn people(folder: &Path) -> anyhow::Result<IdentifiedPeople> {
    let unreadable = || format!("{} cannot be read", folder.display());
    let mut people = IdentifiedPeople::new();
    for entry in std::fs::read_dir(folder).with_context(unreadable)? {
        let entry = entry.with_context(unreadable)?;
        if !entry.path().is_dir() {
            continue;
        }
        let pictures = std::fs::read_dir(entry.path()).with_context(unreadable)?;
        let mut pictures: Vec<_> = pictures.flatten().map(|picture| picture.path()).collect();
        pictures.sort();
        people.insert(entry.file_name().to_string_lossy().into_owned(), pictures);
    }
    anyhow::ensure!(!people.is_empty(), "{} has no folder of a person", folder.display());
    Ok(people)
}

/// The mean template of everybody with at least one face.
fn enrol(
    gallery: &IdentifiedPeople,
    looked: &MeasuredLooked,
) -> anyhow::Result<BTreeMap<String, Template>> {
    let mut enrolled = BTreeMap::new();
    for (name, pictures) in gallery {
        let templates: Vec<_> = templates(pictures, looked).collect();
        if !templates.is_empty() {
            enrolled.insert(name.clone(), Template::mean(templates)?);
        }
    }
    anyhow::ensure!(!enrolled.is_empty(), "no picture of the gallery shows a face");
    Ok(enrolled)
}

fn templates<'a>(
    pictures: &'a [PathBuf],
    looked: &'a MeasuredLooked,
) -> impl Iterator<Item = &'a Template> {
    pictures.iter().filter_map(|picture| looked.seen.get(picture)?.template())
}

/// Probes of the enrolled, and the best scores of strangers; each probe is the mean of `fuse`
/// pictures.
fn compare(
    probes: &IdentifiedPeople,
    enrolled: &BTreeMap<String, Template>,
    looked: &MeasuredLooked,
    fuse: usize,
) -> anyhow::Result<(Vec<Probe>, Vec<f32>)> {
    let mut known = Vec::new();
    let mut strangers = Vec::new();
    for (name, pictures) in probes {
        let templates: Vec<_> = templates(pictures, looked).collect();
        for fused in templates.chunks_exact(fuse) {
            let template = &Template::mean(fused.iter().copied())?;
            let others = enrolled.iter().filter(|(other, _)| *other != name);
            let wrong = others.map(|(_, other)| other.cosine(template));
            let wrong = wrong.fold(f32::NEG_INFINITY, f32::max);
            match enrolled.get(name) {
                Some(own) => known.push(Probe { right: own.cosine(template), wrong }),
                None => strangers.push(wrong),
            }
        }
    }
    Ok((known, strangers))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::vision::faces::MeasuredSeen;
    use std::time::Duration;

    fn looked(pictures: &[(&str, [f32; 2])]) -> MeasuredLooked {
        let seen = |&(path, raw): &(&str, [f32; 2])| {
            (PathBuf::from(path), MeasuredSeen::Face(Template::from_raw(raw.to_vec()).unwrap()))
        };
        MeasuredLooked { seen: pictures.iter().map(seen).collect(), took: Duration::from_secs(1) }
    }

    fn folder(people: &[(&str, &[&str])]) -> IdentifiedPeople {
        let person = |(name, pictures): &(&str, &[&str])| {
            (String::from(*name), pictures.iter().map(PathBuf::from).collect())
        };
        people.iter().map(person).collect()
    }

    #[test]
    fn the_mean_is_enrolled_and_strangers_are_kept_apart() {
        let looked =
            looked(&[("a1", [1., 0.]), ("a2", [0., 1.]), ("p", [1., 1.]), ("s", [1., 0.])]);
        let enrolled = enrol(&folder(&[("ann", &["a1", "a2", "lost"])]), &looked).unwrap();
        let probes = folder(&[("ann", &["p"]), ("zoe", &["s"])]);
        let (known, strangers) = compare(&probes, &enrolled, &looked, 1).unwrap();
        assert!((known[0].right - 1.0).abs() < 1e-6 && known[0].wrong == f32::NEG_INFINITY);
        assert!((strangers[0] - 0.5f32.sqrt()).abs() < 1e-6);
    }

    #[test]
    fn fused_probes_are_the_mean_of_so_many_pictures_and_no_fewer() {
        let looked =
            looked(&[("a1", [1., 0.]), ("p1", [1., 0.]), ("p2", [0., 1.]), ("p3", [0., 1.])]);
        let enrolled = enrol(&folder(&[("ann", &["a1"])]), &looked).unwrap();
        let probes = folder(&[("ann", &["p1", "p2", "p3"])]);
        let rights = |fuse| {
            let (known, _) = compare(&probes, &enrolled, &looked, fuse).unwrap();
            known.iter().map(|probe| (probe.right * 1000.0).round()).collect::<Vec<_>>()
        };
        assert_eq!(rights(1), [1000.0, 0.0, 0.0]);
        assert_eq!(rights(2), [707.0], "the third stays over");
        assert_eq!(rights(4), [0.0; 0]);
    }

    #[test]
    fn a_folder_without_people_is_said() {
        let empty = tempfile::tempdir().unwrap();
        let error = people(empty.path()).unwrap_err().to_string();
        assert!(error.ends_with("has no folder of a person"), "{error}");
        assert!(people(Path::new("/nowhere")).is_err());
    }
}
