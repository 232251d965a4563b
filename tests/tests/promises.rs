//! docs/PROMISES.md names, for each promise, the test that holds it: each of them is there.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::fs;
use std::path::{Path, PathBuf};

const CODE: [&str; 4] = ["edge", "hub", "shared", "tests"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Everything below `place` that is ours and may hold a test.
fn read(place: &Path, text: &mut String) {
    if !place.is_dir() {
        *text += &fs::read_to_string(place).unwrap_or_default();
        return;
    }
    for entry in fs::read_dir(place).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let ours = path.is_dir() && !["node_modules", "target"].contains(&name.as_str());
        if ours || ["rs", "mjs"].iter().any(|end| name.ends_with(&format!(".{end}"))) {
            read(&path, text);
        }
    }
}

/// The names in the middle column of the page's tables: promise, test, figure.
fn named(page: &str) -> Vec<(String, Vec<String>)> {
    let rows = page.lines().filter(|line| line.starts_with("| ") && !line.contains("| held by |"));
    rows.map(|row| {
        let cells: Vec<_> = row.trim_matches('|').split(" | ").collect();
        let names = cells.get(1).unwrap_or(&"").split('`').skip(1).step_by(2);
        (cells[0].trim().to_owned(), names.map(str::to_owned).collect())
    })
    .collect()
}

/// Whether `code` has a test of that name: a function, or an area of the browser's.
fn has(code: &str, name: &str) -> bool {
    [format!("fn {name}("), format!("async function {name}(kit)")]
        .iter()
        .any(|form| code.contains(form))
}

#[test]
fn every_promise_names_tests_that_are_there() {
    let page = fs::read_to_string(root().join("docs/PROMISES.md")).unwrap();
    let mut code = String::new();
    CODE.iter().for_each(|place| read(&root().join(place), &mut code));
    let promises = named(&page);
    assert!(promises.len() > 20, "the page holds {} promises", promises.len());
    for (promise, tests) in promises {
        assert!(!tests.is_empty(), "nothing holds “{promise}”");
        for test in tests {
            assert!(has(&code, &test), "“{promise}” names {test}, which is nowhere");
        }
    }
}

#[test]
fn a_promise_whose_test_is_missing_is_noticed() {
    let page = "| promise | held by | figure |\n|---|---|---|\n| no loss | `gone_test` | 0 |\n";
    let promises = named(page);
    assert_eq!(promises, [("no loss".to_owned(), vec!["gone_test".to_owned()])]);
    assert!(!has("fn other_test() {}", "gone_test") && has("fn gone_test() {}", "gone_test"));
}

/// Every page of ours: README and CONTRIBUTING, and what lies in `docs` and `models`.
fn pages() -> Vec<PathBuf> {
    let mut pages = vec![root().join("README.md"), root().join("CONTRIBUTING.md")];
    for folder in ["docs", "docs/decisions", "models"] {
        let files = fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().path());
        pages.extend(files.filter(|path| path.extension().is_some_and(|end| end == "md")));
    }
    pages
}

/// What `page` leads to and names: where its links go, and files by their whole path.
fn leads(page: &str) -> (Vec<&str>, Vec<&str>) {
    let goals = page.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next());
    let links = goals.filter(|goal| !goal.is_empty() && !goal.contains("://")).collect();
    let names = page.split('`').skip(1).step_by(2).filter(|name| {
        let ours = CODE.iter().any(|folder| name.starts_with(&format!("{folder}/")));
        ours && name.rsplit('/').next().is_some_and(|file| file.contains('.'))
    });
    (links, names.filter(|name| !name.contains(['*', '{', '…', ' ', 'N'])).collect())
}

#[test]
fn every_page_leads_to_and_names_what_is_there() {
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        let (links, names) = leads(&text);
        for goal in links {
            let there = page.parent().unwrap().join(goal).exists();
            assert!(there, "{} leads to {goal}, which is nowhere", page.display());
        }
        for name in names {
            assert!(root().join(name).exists(), "{} names {name}", page.display());
        }
    }
    let page = "[a](docs/gone.png#x), `hub/gone.rs`, [b](https://b.example/), `hub/{a,b}.rs`";
    assert_eq!(leads(page), (vec!["docs/gone.png"], vec!["hub/gone.rs"]));
}

/// The names of pages in `text`.
fn named_pages(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || ['.', '-', '_'].contains(&c)));
    words.map(|word| word.trim_matches('.')).filter(|word| word.ends_with(concat!(".", "md")))
}

#[test]
fn code_and_pages_name_no_page_that_is_kept_elsewhere() {
    let ours: Vec<_> =
        pages().iter().filter_map(|page| page.file_name()?.to_str().map(str::to_owned)).collect();
    let mut text = String::new();
    CODE.iter().for_each(|place| read(&root().join(place), &mut text));
    pages().iter().for_each(|page| text += &fs::read_to_string(page).unwrap());
    for name in named_pages(&text) {
        assert!(ours.iter().any(|page| page == name), "{name} is named, and is no page of ours");
    }
    let elsewhere = format!("see ELSEWHERE{}.", concat!(".", "md"));
    assert_eq!(named_pages(&elsewhere).count(), 1);
}
