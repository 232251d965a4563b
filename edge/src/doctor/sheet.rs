//! Findings as a person reads them, and as a program does.

use super::{Ailment, Finding, State};
use serde::{Serialize, Serializer};
use std::fmt::Write as _;

/// Which findings stand together, in the order in which one fault is the cause of another.
const THEMES: [(&str, &[&str]); 5] = [
    ("This unit", &["settings", "data", "owner", "disk", "heat", "power", "memory", "clock"]),
    ("What it sees", &["camera", "picture", "gpio"]),
    ("Whom it knows", &["model", "gallery"]),
    ("Its way to the hub", &["invitation", "identity", "certificate", "dns", "hub", "link"]),
    ("The daemon", &["daemon", "restarts", "outbox", "pace", "update"]),
];
/// Everything that is looked at, in a word each.
pub fn whats() -> impl Iterator<Item = &'static str> {
    THEMES.iter().flat_map(|(_, whats)| whats.iter().copied())
}

/// Columns of the word in front and of what was looked at.
const LEFT: usize = 21;

pub(super) fn by_name<S: Serializer>(of: &Ailment, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(of.name())
}

/// For a terminal of `columns`; not broken into lines where nobody says how wide it is, so that
/// `grep` finds whole sentences.
#[must_use]
pub fn table(findings: &[Finding], columns: Option<usize>) -> String {
    let mut text = String::new();
    for (theme, whats) in THEMES {
        let here: Vec<_> = findings.iter().filter(|found| whats.contains(&found.what)).collect();
        if here.is_empty() {
            continue;
        }
        let _infallible = writeln!(text, "{theme}");
        here.iter().for_each(|found| line(&mut text, found, columns));
        text.push('\n');
    }
    text.push_str(&sum(findings));
    text
}

fn line(text: &mut String, Finding { what, state }: &Finding, columns: Option<usize>) {
    let (mark, say, mend) = match state {
        State::Well { say } => ("ok", say, None),
        State::Unused { say } => ("-", say, None),
        State::Fault { wrong, mend, .. } => ("FAULT", wrong, Some(mend)),
    };
    let head = format!("  {mark:<6} {what}:");
    paragraph(text, &format!("{head:<LEFT$} "), say, columns);
    if let Some(mend) = mend {
        paragraph(text, &format!("{:>LEFT$} ", "mend:"), mend, columns);
    }
}

/// `say` after `head`, further lines below its beginning.
pub(super) fn paragraph(text: &mut String, head: &str, say: &str, columns: Option<usize>) {
    let room = columns.map_or(usize::MAX, |columns| columns.saturating_sub(LEFT + 1).max(24));
    text.push_str(head);
    let mut used = 0;
    for word in say.split_whitespace() {
        let length = word.chars().count();
        if used > 0 && used + 1 + length > room {
            let _infallible = write!(text, "\n{:LEFT$} ", "");
            used = 0;
        } else if used > 0 {
            text.push(' ');
            used += 1;
        }
        text.push_str(word);
        used += length;
    }
    text.push('\n');
}

fn sum(findings: &[Finding]) -> String {
    let faults: Vec<_> = findings.iter().filter_map(Finding::ailment).map(Ailment::what).collect();
    match faults.as_slice() {
        [] => "everything is well\n".to_owned(),
        [one] => format!("1 fault: {one}\n"),
        all => {
            let first = "begin with the first, it may be the cause of the others";
            format!("{} faults: {}; {first}\n", all.len(), all.join(", "))
        }
    }
}

/// For programs: a list, one object for each thing looked at.
#[must_use]
pub fn json(findings: &[Finding]) -> String {
    #[derive(Serialize)]
    struct Looked<'a> {
        what: &'a str,
        #[serde(flatten)]
        state: &'a State,
    }
    let rows: Vec<_> =
        findings.iter().map(|Finding { what, state }| Looked { what, state }).collect();
    serde_json::to_string_pretty(&rows).expect("findings are plain text")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings() -> Vec<Finding> {
        let wrong = "12 MiB are free; an outbox offline for long needs 1200";
        vec![
            Finding::well("data", "/data can be written"),
            Finding::fault(Ailment::DiskShort, wrong, "free some space, or use a larger card"),
            Finding::unused("heat", "this machine does not say how warm it is"),
            Finding::fault(Ailment::HubClosed, "hub does not answer", "start the hub"),
        ]
    }

    #[test]
    fn a_page_of_findings_stands_by_theme_and_ends_with_its_sum() {
        insta::assert_snapshot!(table(&findings(), Some(60)));
    }

    #[test]
    fn a_sentence_stays_whole_where_nobody_says_how_wide_the_screen_is() {
        let text = table(&findings(), None);
        assert!(text.contains("FAULT  disk:"), "{text}");
        assert!(
            text.contains("12 MiB are free; an outbox offline for long needs 1200\n"),
            "{text}"
        );
        assert!(table(&findings()[..1], None).ends_with("everything is well\n"));
    }

    #[test]
    fn a_program_reads_the_same() {
        insta::assert_snapshot!(json(&findings()[1..3]));
    }

    #[test]
    fn every_fault_has_its_theme_and_a_name_of_its_own() {
        for (n, one) in Ailment::ALL.iter().enumerate() {
            assert!(whats().any(|what| what == one.what()), "{one:?}");
            assert!(Ailment::ALL[..n].iter().all(|other| other.name() != one.name()), "{one:?}");
        }
    }
}
