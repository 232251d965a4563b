//! `vision pairs`: are these two the same person? The protocol of LFW, or any list of pairs.

use super::{
    cosine,
    look::{self, Looked},
    percent,
};
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
    /// Write each pair with its cosine here.
    #[arg(long, value_name = "OUT")]
    csv: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// One line of the list.
#[derive(Debug, Clone, PartialEq)]
struct Listed {
    a: PathBuf,
    b: PathBuf,
    same: bool,
    fold: usize,
}

/// Folds of a list that has none of its own.
const FOLDS: usize = 10;

impl Pairs {
    pub(super) fn run(&self, pack: &Pack, out: &mut dyn Write) -> anyhow::Result<()> {
        let name = self.pairs_file.display();
        let text = std::fs::read_to_string(&self.pairs_file)
            .with_context(|| format!("{name} cannot be read"))?;
        let list = parse(&text).with_context(|| format!("{name} is no list of pairs"))?;
        let paths: BTreeSet<_> = list.iter().flat_map(|pair| [&pair.a, &pair.b]).collect();
        let looked = look::all(pack, paths.iter().map(|path| self.images.join(path)).collect())?;
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

    fn score(&self, pair: &Listed, looked: &Looked) -> Option<f32> {
        let template = |path: &Path| looked.seen.get(&self.images.join(path))?.template();
        Some(template(&pair.a)?.cosine(template(&pair.b)?))
    }
}

fn parse(text: &str) -> anyhow::Result<Vec<Listed>> {
    let lines = || text.lines().map(str::trim).enumerate().filter(|(_, line)| !line.is_empty());
    let commas = lines().next().context("it is empty")?.1.contains(',');
    let list = if commas { parse_csv(text)? } else { parse_lfw(lines())? };
    anyhow::ensure!(!list.is_empty(), "it has no pair");
    Ok(list)
}

/// `file_x,file_y,Yes|No`; more columns and a header are no trouble. Pairs of each kind are dealt to
/// the folds in turn, so that every fold has some.
fn parse_csv(text: &str) -> anyhow::Result<Vec<Listed>> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let (mut list, mut dealt) = (Vec::new(), [0; 2]);
    for (index, row) in reader.records().enumerate() {
        let row = row?;
        let (a, b, says) = match (row.get(0), row.get(1), row.get(2)) {
            (Some(a), Some(b), Some(says)) => (a, b, says.to_lowercase()),
            _ => anyhow::bail!("line {} has fewer than three columns", index + 1),
        };
        let same = match says.as_str() {
            "yes" | "1" | "true" => true,
            "no" | "0" | "false" => false,
            _ if index == 0 => continue,
            _ => anyhow::bail!("line {}: “{says}” is neither Yes nor No", index + 1),
        };
        let fold = dealt[usize::from(same)] % FOLDS;
        dealt[usize::from(same)] += 1;
        list.push(Listed { a: a.into(), b: b.into(), same, fold });
    }
    Ok(list)
}

/// `folds count`, then for each fold `count` lines `name n m` and `count` lines `name n other m`.
fn parse_lfw<'a>(mut lines: impl Iterator<Item = (usize, &'a str)>) -> anyhow::Result<Vec<Listed>> {
    let head = lines.next().context("it is empty")?.1;
    let head: Vec<usize> =
        head.split_whitespace().map(str::parse).collect::<Result<_, _>>().context("line 1")?;
    let count = *head.last().context("line 1 has no number")?;
    let pair = |(at, (line, text)): (usize, (usize, &str))| {
        let words: Vec<_> = text.split_whitespace().collect();
        let (a, b, same) = match words[..] {
            [name, n, m] => (portrait(name, n), portrait(name, m), true),
            [name, n, other, m] => (portrait(name, n), portrait(other, m), false),
            _ => anyhow::bail!("line {} is no pair of LFW", line + 1),
        };
        let (Some(a), Some(b)) = (a, b) else {
            anyhow::bail!("line {}: a picture has no number", line + 1)
        };
        Ok(Listed { a, b, same, fold: at / (2 * count.max(1)) })
    };
    lines.enumerate().map(pair).collect()
}

/// `Name/Name_0001.jpg`.
fn portrait(name: &str, number: &str) -> Option<PathBuf> {
    let number: u32 = number.parse().ok()?;
    Some([name, &format!("{name}_{number:04}.jpg")].iter().collect())
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
    let (least, middle) = (cosine(figures.genuine_min), cosine(figures.genuine_median));
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
    looked: &Looked,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_csv_with_header_and_more_columns_is_read() {
        let list = parse("file_x,file_y,Decision\na.jpg, b.jpg,Yes,0.2\nc.jpg,d.jpg,no\n").unwrap();
        let pair = |a: &str, b: &str, same| Listed { a: a.into(), b: b.into(), same, fold: 0 };
        assert_eq!(list, [pair("a.jpg", "b.jpg", true), pair("c.jpg", "d.jpg", false)]);
    }

    #[test]
    fn each_kind_is_dealt_to_the_folds_in_turn() {
        let text = "a,b,Yes\n".repeat(12) + &"a,b,No\n".repeat(11);
        let folds = |same| -> Vec<usize> {
            parse(&text).unwrap().iter().filter(|p| p.same == same).map(|p| p.fold).collect()
        };
        assert_eq!(folds(true), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]);
        assert_eq!(folds(false).len(), 11);
    }

    #[test]
    fn lfw_pairs_have_their_own_folds_and_file_names() {
        let list =
            parse("2\t1\nAnn_B\t1\t12\nAnn_B\t3\tCy\t4\nCy\t1\t2\nCy\t1\tAnn_B\t2\n").unwrap();
        assert_eq!(list[0].b, Path::new("Ann_B/Ann_B_0012.jpg"));
        assert_eq!(list[1].b, Path::new("Cy/Cy_0004.jpg"));
        let kinds: Vec<_> = list.iter().map(|pair| (pair.same, pair.fold)).collect();
        assert_eq!(kinds, [(true, 0), (false, 0), (true, 1), (false, 1)]);
    }

    #[test]
    fn what_is_no_list_is_said_with_its_line() {
        for (text, says) in [
            ("", "empty"),
            ("file_x,file_y,Decision\n", "no pair"),
            ("a,b,Yes\na,b,maybe\n", "line 2"),
            ("a,b,Yes\na,b\n", "line 2"),
            ("10 300\nAnn x y\n", "line 2"),
            ("10 300\nAnn 1\n", "line 2"),
            ("hello\n", "line 1"),
        ] {
            let error = format!("{:#}", parse(text).unwrap_err());
            assert!(error.contains(says), "{text:?}: {error}");
        }
    }
}
