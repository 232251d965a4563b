//! `vision pairs`: are these two the same person? The protocol of LFW, or any list of pairs.

use super::{
    cosine,
    list::{self, Listed},
    percent,
};
use crate::cli::vision::faces::{self, MeasuredLooked, MeasuredPick};
use anyhow::Context as _;
use clap::Args;
use serde_json::json;
use std::{
    collections::BTreeSet,
    io::Write,
    path::{Path, PathBuf},
};
use vision::{
    Pack,
    measure::{self, Pair, PairFigures},
};

#[derive(Debug, Args)]
pub(super) struct Pairs {
    /// LFW's pairs.txt, or lines of two pictures and Yes or No, by commas.
    pairs_file: PathBuf,
    /// Folder of the pictures.
    #[arg(long, value_name = "DIR")]
    images: PathBuf,
    /// Which face counts where a picture shows several: central for pairs.txt and largest for other
    /// lists, unless this says otherwise.
    #[arg(long, value_name = "WHICH")]
    face: Option<MeasuredPick>,
    /// Write each pair with its cosine here.
    #[arg(long, value_name = "OUT")]
    csv: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Pairs {
    pub(super) fn run(&self, pack: &Pack, out: &mut dyn Write) -> anyhow::Result<()> {
        let name = self.pairs_file.display();
        let text = std::fs::read_to_string(&self.pairs_file)
            .with_context(|| format!("{name} cannot be read"))?;
        let (list, usual) =
            list::parse(&text).with_context(|| format!("{name} is no list of pairs"))?;
        let paths: BTreeSet<_> = list.iter().flat_map(|pair| [&pair.a, &pair.b]).collect();
        let pictures = paths.iter().map(|path| self.images.join(path)).collect();
        let looked = faces::all(pack, pictures, self.face.unwrap_or(usual))?;
        let scores: Vec<_> = list.iter().map(|pair| self.score(pair, &looked)).collect();
        let known: Vec<Pair> = list
            .iter()
            .zip(&scores)
            .filter_map(|(pair, &score)| {
                Some(Pair { score: score?, same: pair.same, fold: pair.fold })
            })
            .collect();
        let figures = measure::pairs(&known);
        if let Some(path) = &self.csv {
            write_csv(path, &list, &scores)
                .with_context(|| format!("{} cannot be written", path.display()))?;
        }
        if self.json {
            return print_json(&figures, &known, &list, &looked, out);
        }
        looked.report(out)?;
        report(&figures, &known, &list, out)
    }

    fn score(&self, pair: &Listed, looked: &MeasuredLooked) -> Option<f32> {
        let template = |path: &Path| looked.seen.get(&self.images.join(path))?.template();
        Some(template(&pair.a)?.cosine(template(&pair.b)?))
    }
}

fn write_csv(path: &Path, list: &[Listed], scores: &[Option<f32>]) -> anyhow::Result<()> {
    let mut writer = csv::Writer::from_path(path)?;
    writer.write_record(["file_x", "file_y", "same", "cosine"])?;
    for (pair, score) in list.iter().zip(scores) {
        let same = if pair.same { "Yes" } else { "No" };
        let score = score.map_or_else(String::new, |score| format!("{score:.6}"));
        writer.write_record([
            &*pair.a.to_string_lossy(),
            &*pair.b.to_string_lossy(),
            same,
            &score,
        ])?;
    }
    Ok(writer.flush()?)
}

fn report(
    figures: &PairFigures,
    known: &[Pair],
    list: &[Listed],
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let same = known.iter().filter(|pair| pair.same).count();
    let missing = list.len() - known.len();
    writeln!(out, "pairs          {} ({same} of one person), {missing} not measured", known.len())?;
    let least = cosine(figures.genuine_min);
    let middle = cosine(figures.genuine_median);
    writeln!(out, "one person     least {least}  median {middle}")?;
    writeln!(out, "two people     highest {}", cosine(figures.impostor_max))?;
    let spread = figures.accuracy_spread.map_or(0.0, |spread| spread * 100.0);
    writeln!(out, "10-fold        {} ± {spread:.2}", percent(figures.accuracy))?;
    writeln!(out, "EER            {}", percent(figures.eer))?;
    writeln!(out, "TAR at 1e-2    {}", percent(figures.tar_at_1e2))?;
    Ok(writeln!(out, "TAR at 1e-3    {}", percent(figures.tar_at_1e3))?)
}

fn print_json(
    figures: &PairFigures,
    known: &[Pair],
    list: &[Listed],
    looked: &MeasuredLooked,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let line = json!({
        "pictures": looked.seen.len(),
        "pictures_per_second": looked.speed(),
        "without_face": looked.without_face(),
        "unreadable": looked.unreadable(),
        "pairs": known.len(),
        "pairs_not_measured": list.len() - known.len(),
        "accuracy": figures.accuracy,
        "accuracy_spread": figures.accuracy_spread,
        "eer": figures.eer,
        "tar_at_far_1e-2": figures.tar_at_1e2,
        "tar_at_far_1e-3": figures.tar_at_1e3,
        "genuine_min": figures.genuine_min,
        "genuine_median": figures.genuine_median,
        "impostor_max": figures.impostor_max,
    });
    Ok(writeln!(out, "{line}")?)
}
