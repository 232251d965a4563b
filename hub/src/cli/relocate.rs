//! `move`: the school into another database, with every hub stopped.

use acts::serving;
use clap::Args;
use config::{Config, Vars};
use std::io::Write;
use std::path::Path;
use std::sync::mpsc;
use std::time::{Duration, Instant};
use store::Database;
use store::transfer::{self, Arrived, Doing, Step};

/// How often a long table says how far it is.
const SAY: Duration = Duration::from_secs(2);

/// Copy the school into another database, compare both, and leave the old one.
#[derive(Debug, Args)]
pub struct Move {
    /// Where it is: sqlite, `sqlite:///PATH` or `postgres://…`. Default: what hub.toml says.
    #[arg(long, value_name = "PLACE", required_unless_present = "to")]
    from: Option<String>,
    /// Where it goes, named the same way. Default: what hub.toml says.
    #[arg(long, value_name = "PLACE")]
    to: Option<String>,
    /// Only say what would be copied.
    #[arg(long)]
    dry_run: bool,
}

impl Move {
    /// # Errors
    /// A sentence for the person at the terminal.
    pub fn run(self, data: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
        let usual = Config::load(data)?.database();
        let (from, to) = (place(data, self.from.as_deref())?, place(data, self.to.as_deref())?);
        anyhow::ensure!(from.to_string() != to.to_string(), "{from} is where it is already");
        from.there()?;
        if self.dry_run {
            return would(&from, &to, out);
        }
        let _no_hub_begins_meanwhile = serving::alone(data)?;
        from.unused()?;
        to.unused()?;
        let began = Instant::now();
        let arrived = copied(&from, &to, out)?;
        let rows: u64 = arrived.tables.iter().map(|(_, rows)| rows).sum();
        let (tables, took) = (arrived.tables.len(), began.elapsed().as_secs());
        writeln!(
            out,
            "{tables} tables with {rows} rows are in {to}, the same as in {from}: {took} s."
        )?;
        writeln!(
            out,
            "The audit chain there is whole: {} rows to {}",
            arrived.audit.rows, arrived.audit.hash
        )?;
        writeln!(
            out,
            "No hub starts in {from} any more. Keep it until the next backup, then delete it."
        )?;
        match usual.to_string() == to.to_string() {
            true => writeln!(out, "Start the hub.")?,
            false => writeln!(out, "Set “database” in hub.toml to {to}, and start the hub.")?,
        }
        Ok(())
    }
}

/// The place that was typed, or that the settings name. What they say of a server beside its URL
/// (its password file) holds for a typed one too.
fn place(data: &Path, typed: Option<&str>) -> anyhow::Result<Database> {
    let Some(typed) = typed else { return Ok(Config::load(data)?.database()) };
    if let Some(path) = typed.strip_prefix("sqlite:///") {
        return Ok(Database::File(data.join(path)));
    }
    if typed == "sqlite" {
        return Ok(Database::File(data.join("hub.db")));
    }
    let mut settings: toml::Table = std::fs::read_to_string(data.join(config::FILE))?.parse()?;
    settings.remove("database");
    // Of what stands beside the URL there, only who we are and whom we trust.
    if let Some(toml::Value::Table(server)) = settings.get_mut("postgres") {
        server.retain(|key, _| matches!(key, "user" | "password" | "password_file" | "ca"));
    }
    let vars = Vars::of_process().with("DATABASE_URL", typed);
    Ok(Config::read(data, &settings.to_string(), &vars)?.database())
}

fn would(from: &Database, to: &Database, out: &mut dyn Write) -> anyhow::Result<()> {
    let (tables, (version, _)) = (transfer::survey(from)?, to.schema()?);
    for (table, rows) in tables.iter().filter(|(_, rows)| *rows > 0) {
        writeln!(out, "{rows:>12}  {table}")?;
    }
    let rows: u64 = tables.iter().map(|(_, rows)| rows).sum();
    writeln!(out, "{rows:>12}  rows in {} tables would go", tables.len())?;
    writeln!(out, "from {from}\n  to {to}")?;
    match version {
        0 => writeln!(out, "which is empty. Nothing was touched.")?,
        _ => writeln!(out, "which holds something: only a move that was begun goes on there.")?,
    }
    Ok(())
}

/// Copies on a thread of its own, and says here how far it is.
fn copied(from: &Database, to: &Database, out: &mut dyn Write) -> anyhow::Result<Arrived> {
    let (tell, told) = mpsc::channel();
    let mut said = Instant::now();
    let step = move |step: Step<'_>| {
        if step.of > 0 && (step.rows == step.of || said.elapsed() >= SAY) {
            said = Instant::now();
            // Whoever closed the terminal half-way still wants it to arrive.
            let _nobody_reads = tell.send(sentence(step));
        }
    };
    std::thread::scope(|scope| {
        let copy = scope.spawn(move || transfer::relocate(from, to, step));
        let _closed = told.iter().try_for_each(|line| writeln!(out, "{line}"));
        Ok(copy.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?)
    })
}

fn sentence(step: Step<'_>) -> String {
    let Step { doing, table, rows, of } = step;
    match doing {
        Doing::Copy => format!("{table}: {rows} of {of} copied"),
        Doing::Compare => format!("{table}: {rows} are the same"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Cli;
    use clap::Parser as _;

    fn hub(data: &Path, typed: &[&str]) -> Result<String, String> {
        let args = ["rollcall-hub", "--data", data.to_str().unwrap()];
        let cli = Cli::try_parse_from(args.iter().chain(typed)).map_err(|e| e.to_string())?;
        let mut out = Vec::new();
        cli.run(&mut out).map_err(|error| format!("{error:#}"))?;
        Ok(String::from_utf8(out).unwrap())
    }

    /// Another place than the one that `init` takes, on the same kind of database.
    fn other(data: &Path) -> String {
        let name: String = data.display().to_string().to_lowercase();
        let name: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
        std::env::var("ROLLCALL_TEST_POSTGRES")
            .map_or("sqlite:///there.db".into(), |url| format!("{url}?schema=to_{name}"))
    }

    #[test]
    fn a_school_moves_and_goes_on_there_only() {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("hub");
        hub(&data, &["init"]).unwrap();
        hub(&data, &["student", "add", "S-1", "Ada Lovelace"]).unwrap();
        let to = other(&data);
        let would = hub(&data, &["move", "--to", &to, "--dry-run"]).unwrap();
        assert!(would.contains("1  student\n") && would.contains("Nothing was touched"), "{would}");
        let said = hub(&data, &["move", "--to", &to]).unwrap();
        assert!(said.contains("student: 1 of 1 copied") && said.contains("is whole"), "{said}");
        let refused = hub(&data, &["student", "list"]).unwrap_err();
        assert!(refused.contains("moved to"), "{refused}");
        let again = hub(&data, &["move", "--to", &to]).unwrap_err();
        assert!(again.contains("moved to"), "{again}");
        let (file, line) = (data.join(config::FILE), to.replace("sqlite:///", ""));
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, format!("database = {line:?}\n{text}")).unwrap();
        assert!(hub(&data, &["student", "list"]).unwrap().contains("Ada Lovelace"));
        assert!(hub(&data, &["audit", "verify"]).unwrap().contains("unbroken"));
    }

    #[test]
    fn while_a_hub_serves_nothing_moves() {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("hub");
        hub(&data, &["init"]).unwrap();
        let serving = serving::begin(&data).unwrap();
        let refused = hub(&data, &["move", "--to", &other(&data)]).unwrap_err();
        assert!(refused.contains("stop the hub"), "{refused}");
        drop(serving);
        hub(&data, &["move", "--to", &other(&data)]).unwrap();
    }
}
