//! What a package brings beside its program: man pages and completions, which say what `--help`
//! says, and its libraries with the notices that their licences want repeated.
//!
//! `papers FOLDER DATE` writes them; `./dev deb` calls it.

use anyhow::{Context as _, bail, ensure};
use clap::{Command, CommandFactory as _};
use clap_complete::{Shell, generate_to};
use clap_mangen::Man;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

const SETTINGS: &str = include_str!("../../../edge/edge.example.toml");
const SOURCE: &str = concat!("Rollcall ", env!("CARGO_PKG_VERSION"));
/// How files begin that hold a licence or a notice.
const NOTICES: [&str; 6] = ["LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE", "UNLICENSE"];

/// What clap does not know of the two programs.
const EDGE: &str = r".SH FILES
.TP
.I /etc/rollcall/edge.toml
The settings.
.TP
.I /var/lib/rollcall\-edge
Outbox, identity and gallery.
.TP
.I /usr/share/rollcall/models
The networks, as
.B rollcall\-hub models fetch
writes them.
.SH SEE ALSO
.BR rollcall\-edge.toml (5),
.BR rollcall\-hub (1)
";
const HUB: &str = r".SH FILES
.TP
.I /var/lib/rollcall\-hub
Databases, keys, certificates and the settings,
.IR hub.toml .
.TP
.I /usr/share/doc/rollcall\-hub/OPERATIONS.md
Everything that whoever runs the hub may want to know.
.SH SEE ALSO
.BR rollcall\-edge (1)
";

fn main() -> anyhow::Result<()> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [folder, date] = arguments.as_slice() else { bail!("usage: papers FOLDER DATE") };
    let folder = Path::new(folder);
    let programs =
        [(rollcall_edge::cli::Args::command(), EDGE), (rollcall_hub::cli::Cli::command(), HUB)];
    for (command, more) in programs {
        let name = command.get_name().to_owned();
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            generate_to(shell, &mut command.clone(), &name, folder)?;
        }
        let mut command = command.disable_help_subcommand(true);
        command.build();
        page(&command, more, folder, date)?;
        fs::write(folder.join(format!("{name}.libraries")), libraries(&name)?)?;
    }
    Ok(fs::write(folder.join("rollcall-edge.toml.5"), settings(date))?)
}

/// A page for the command, and one for each below it.
fn page(command: &Command, more: &str, folder: &Path, date: &str) -> anyhow::Result<()> {
    let man = Man::new(command.clone()).date(date).source(SOURCE).manual("Rollcall");
    let mut text = Vec::new();
    man.render(&mut text)?;
    // An empty line between two breaks is one break too many for `mandoc`.
    let text = String::from_utf8(text)?.replace(".br\n\n.br\n", ".sp\n");
    fs::write(folder.join(man.get_filename()), text + more)?;
    let mut below = command.get_subcommands().filter(|below| !below.is_hide_set());
    below.try_for_each(|below| page(below, "", folder, date))
}

/// The page of `edge.toml`: the example, which says of every key what it is for.
fn settings(date: &str) -> String {
    let example: String = SETTINGS.lines().map(as_it_is).collect();
    format!(
        r#".TH ROLLCALL\-EDGE.TOML 5 {date} "{SOURCE}" Rollcall
.SH NAME
rollcall\-edge.toml \- settings of a Rollcall door
.SH SYNOPSIS
.I /etc/rollcall/edge.toml
.SH DESCRIPTION
What
.BR rollcall\-edge (1)
reads when it starts.
It is TOML; what follows is the file as it is installed.
.SH SETTINGS
.nf
{example}.fi
.SH SEE ALSO
.BR rollcall\-edge (1)
"#
    )
}

/// A line that no macro and no hyphenation changes.
fn as_it_is(line: &str) -> String {
    format!("\\&{}\n", line.replace('\\', "\\e").replace('-', "\\-"))
}

/// Every library in `program` with its licence; then each notice once, under those it is of.
fn libraries(program: &str) -> anyhow::Result<String> {
    let what = ["tree", "--edges", "normal,no-proc-macro", "--prefix", "none"];
    let tree = cargo(&[&what[..], &["--format", "{p}\t{l}\t", "--package", program]].concat())?;
    let homes = homes()?;
    let mut text = format!("The libraries of other makers in {program}, and their licences.\n\n");
    let mut notices = BTreeMap::<String, Vec<&str>>::new();
    let lines: BTreeSet<_> = tree.lines().filter(|line| !line.contains('(')).collect();
    for line in lines {
        let (name, licence) = line.split_once('\t').context("cargo tree says something else")?;
        writeln!(text, "{name}: {}", licence.trim_end())?;
        let home = homes.get(name).with_context(|| format!("{name} is nowhere"))?;
        for notice in notices_in(home)? {
            notices.entry(notice).or_default().push(name);
        }
    }
    for (notice, names) in notices {
        write!(text, "\n---- {}\n\n{}\n", names.join(", "), notice.trim_end())?;
    }
    Ok(text)
}

/// Where the sources of each library lie, by its name as `cargo tree` prints it.
fn homes() -> anyhow::Result<BTreeMap<String, PathBuf>> {
    let platform = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let said = cargo(&["metadata", "--format-version", "1", "--filter-platform", &platform])?;
    let said: Value = serde_json::from_str(&said)?;
    let packages = said["packages"].as_array().context("cargo metadata names no packages")?;
    let one = |package: &Value| {
        let name = format!("{} v{}", package["name"].as_str()?, package["version"].as_str()?);
        Some((name, Path::new(package["manifest_path"].as_str()?).parent()?.to_owned()))
    };
    Ok(packages.iter().filter_map(one).collect())
}

/// The licences and notices that lie in `home`.
fn notices_in(home: &Path) -> anyhow::Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(home)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_uppercase();
        if path.is_file() && NOTICES.iter().any(|begin| name.starts_with(begin)) {
            found.insert(String::from_utf8_lossy(&fs::read(&path)?).into_owned());
        }
    }
    Ok(found)
}

fn cargo(arguments: &[&str]) -> anyhow::Result<String> {
    let mut cargo = std::process::Command::new("cargo");
    let said = cargo.args(arguments).args(["--locked", "--offline"]).output()?;
    ensure!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    Ok(String::from_utf8(said.stdout)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_settings_stands_in_the_page_as_it_is() {
        assert_eq!(as_it_is("a = \"-t\\n\""), "\\&a = \"\\-t\\en\"\n");
        assert!(settings("2026-01-01").contains("\\&[camera]\n"));
        assert_eq!(as_it_is(".TH"), "\\&.TH\n", "no macro");
    }
}
