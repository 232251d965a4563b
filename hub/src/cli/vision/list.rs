//! Lists of pairs: LFW's `pairs.txt`, or two pictures and Yes or No by commas.

use crate::cli::vision::faces::MeasuredPick;
use anyhow::Context as _;
use std::path::PathBuf;

/// One line of the list.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Listed {
    pub a: PathBuf,
    pub b: PathBuf,
    pub same: bool,
    pub fold: usize,
}

/// Folds of a list that has none of its own.
const FOLDS: usize = 10;

/// The pairs of a list in either format, and the face that counts in pictures of several: LFW's
/// protocol asks for the central one, other lists for nothing.
///
/// # Errors
/// A sentence with the line.
pub(super) fn parse(text: &str) -> anyhow::Result<(Vec<Listed>, MeasuredPick)> {
    let lines = || text.lines().map(str::trim).enumerate().filter(|(_, line)| !line.is_empty());
    let commas = lines().next().context("it is empty")?.1.contains(',');
    let (list, pick) = match commas {
        true => (parse_csv(text)?, MeasuredPick::Largest),
        false => (parse_lfw(lines())?, MeasuredPick::Central),
    };
    anyhow::ensure!(!list.is_empty(), "it has no pair");
    Ok((list, pick))
}

/// `file_x,file_y,Yes|No`; more columns and a header are no trouble. Pairs of each kind are dealt to
/// the folds in turn, so that every fold has some.
fn parse_csv(text: &str) -> anyhow::Result<Vec<Listed>> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let mut list = Vec::new();
    let mut dealt = [0; 2];
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn a_csv_with_header_and_more_columns_is_read() {
        let text = "file_x,file_y,Decision\na.jpg, b.jpg,Yes,0.2\nc.jpg,d.jpg,no\n";
        let (list, pick) = parse(text).unwrap();
        let pair = |a: &str, b: &str, same| Listed { a: a.into(), b: b.into(), same, fold: 0 };
        assert_eq!(list, [pair("a.jpg", "b.jpg", true), pair("c.jpg", "d.jpg", false)]);
        assert_eq!(pick, MeasuredPick::Largest);
    }

    #[test]
    fn each_kind_is_dealt_to_the_folds_in_turn() {
        let text = "a,b,Yes\n".repeat(12) + &"a,b,No\n".repeat(11);
        let folds = |same| -> Vec<usize> {
            parse(&text).unwrap().0.iter().filter(|p| p.same == same).map(|p| p.fold).collect()
        };
        assert_eq!(folds(true), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]);
        assert_eq!(folds(false).len(), 11);
    }

    #[test]
    fn lfw_pairs_have_their_own_folds_and_file_names() {
        let (list, pick) =
            parse("2\t1\nAnn_B\t1\t12\nAnn_B\t3\tCy\t4\nCy\t1\t2\nCy\t1\tAnn_B\t2\n").unwrap();
        assert_eq!(list[0].b, Path::new("Ann_B/Ann_B_0012.jpg"));
        assert_eq!(list[1].b, Path::new("Cy/Cy_0004.jpg"));
        let kinds: Vec<_> = list.iter().map(|pair| (pair.same, pair.fold)).collect();
        assert_eq!(kinds, [(true, 0), (false, 0), (true, 1), (false, 1)]);
        assert_eq!(pick, MeasuredPick::Central, "its protocol is about the face in the middle");
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
