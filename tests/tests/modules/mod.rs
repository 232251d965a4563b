//! The modules of a crate, and which names which, read from its text.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Who names whom: modules by their first name below the crate, so that a folder is one.
pub type Uses = BTreeSet<(String, String)>;

/// Every crate of the workspace with a library: its folder's name, and its sources.
pub fn crates(top: &Path) -> Vec<(String, PathBuf)> {
    let found = ["", "hub", "shared"].iter().flat_map(|room| fs::read_dir(top.join(room)).unwrap());
    let found = found.map(|entry| entry.unwrap().path());
    let found = found.filter(|path| path.join("src/lib.rs").exists());
    found
        .map(|path| (path.file_name().unwrap().to_string_lossy().into(), path.join("src")))
        .collect()
}

/// Every file of sources below `folder` that is no test.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let (folders, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    let skipped = ["tests", "examples", "benches", "target"];
    let inner = folders.iter().filter(|path| !skipped.iter().any(|name| path.ends_with(name)));
    let code = files.into_iter().filter(|path| {
        let name = path.file_name().unwrap().to_string_lossy();
        name.ends_with(".rs") && !name.ends_with("tests.rs")
    });
    code.chain(inner.flat_map(|folder| self::files(folder))).collect()
}

/// What a file says outside its tests, without comments; a chain of calls is one line.
fn code(path: &Path) -> String {
    outside_tests(&fs::read_to_string(path).unwrap())
}

/// `text` without modules of tests and comments, wherever they stand in it.
pub fn outside_tests(text: &str) -> String {
    let (mut code, mut hidden, mut marked) = (String::new(), false, false);
    for line in text.lines() {
        match line {
            "}" if hidden => hidden = false,
            _ if hidden => {}
            "#[cfg(test)]" => marked = true,
            _ if marked && line.starts_with("#[") => {}
            _ if std::mem::take(&mut marked) && line.contains("mod ") && line.ends_with('{') => {
                hidden = true;
            }
            _ => {
                let said = line.split("//").next().unwrap_or_default();
                match said.trim_start() {
                    call if call.starts_with('.') => code.push_str(call),
                    _ => code.extend(["\n", said]),
                }
            }
        }
    }
    code
}

/// Every line of code below `folder`, with its file as it is named from the top.
pub fn lines(top: &Path, folder: &str) -> Vec<(String, String)> {
    let one = |path: PathBuf| {
        let name = path.strip_prefix(top).unwrap().to_string_lossy().into_owned();
        code(&path).lines().map(|line| (name.clone(), line.to_owned())).collect::<Vec<_>>()
    };
    files(&top.join(folder)).into_iter().flat_map(one).collect()
}

/// Who names whom in the crate whose sources are in `folder`, and how many names were read.
pub fn uses(folder: &Path) -> (Uses, usize) {
    let (mut uses, mut read) = (Uses::new(), 0);
    let files: Vec<_> =
        files(folder).into_iter().map(|path| (module(folder, &path), path)).collect();
    let modules: BTreeSet<_> = files.iter().filter_map(|(of, _)| of.first().cloned()).collect();
    for (module, path) in &files {
        let Some(own) = module.first() else { continue }; // the root may name all
        let here: Vec<_> = module.iter().map(String::as_str).collect();
        let named = named(&code(path), &here);
        read += named.len();
        let others = named.into_iter().filter(|name| name != own && modules.contains(name));
        uses.extend(others.map(|other| (own.clone(), other)));
    }
    (uses, read)
}

/// The path of a file's module; empty for the root.
fn module(folder: &Path, path: &Path) -> Vec<String> {
    let path = path.strip_prefix(folder).unwrap().with_extension("");
    let names = path.iter().map(|name| name.to_string_lossy().into_owned());
    names.filter(|name| !["mod", "lib", "main"].contains(&name.as_str())).collect()
}

/// The first module of each path that `code` names, read in the module `here`.
pub fn named(code: &str, here: &[&str]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (start, word) in ["crate::", "super::"].iter().flat_map(|word| code.match_indices(word)) {
        if code[..start].ends_with(|c: char| c.is_alphanumeric() || "_:$".contains(c)) {
            continue;
        }
        let mut rest = &code[start + word.len()..];
        let mut up = usize::from(word == "super::");
        while let Some(after) = rest.strip_prefix("super::") {
            (rest, up) = (after, up + 1);
        }
        match here.len().saturating_sub(up) {
            0 => found.extend(heads(rest)),
            _ if up == 0 => found.extend(heads(rest)),
            _ => drop(found.insert(here[0].to_owned())),
        }
    }
    found
}

/// The names that a path or a tree of paths begins with.
fn heads(rest: &str) -> Vec<String> {
    let name = |text: &str| {
        text.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>()
    };
    let Some(tree) = rest.strip_prefix('{') else { return vec![name(rest)] };
    let (mut depth, mut part, mut heads) = (0_usize, String::new(), Vec::new());
    for letter in tree.chars() {
        match letter {
            '}' if depth == 0 => break,
            ',' if depth == 0 => heads.push(name(&std::mem::take(&mut part))),
            '{' => depth += 1,
            '}' => depth -= 1,
            other if depth == 0 => part.push(other),
            _ => {}
        }
    }
    heads.push(name(&part));
    heads
}

/// Modules that reach themselves again, grouped and in order.
pub fn rings(uses: &Uses) -> Vec<Vec<String>> {
    let mut next = BTreeMap::<&str, Vec<&str>>::new();
    uses.iter().for_each(|(one, other)| next.entry(one).or_default().push(other));
    let reach = |from: &str| {
        let (mut seen, mut open) = (BTreeSet::new(), vec![from.to_owned()]);
        while let Some(one) = open.pop() {
            let on = next.get(one.as_str()).into_iter().flatten().map(|other| (*other).to_owned());
            open.extend(on.filter(|other| seen.insert(other.clone())));
        }
        seen
    };
    let reached: BTreeMap<_, _> = next.keys().map(|one| ((*one).to_owned(), reach(one))).collect();
    let mut rings = BTreeSet::new();
    for (one, there) in reached.iter().filter(|(one, there)| there.contains(*one)) {
        let back = |other: &&String| reached.get(*other).is_some_and(|of| of.contains(one));
        rings.insert(there.iter().filter(back).cloned().collect::<Vec<_>>());
    }
    rings.into_iter().collect()
}
