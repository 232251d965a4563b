//! `audit …`: the chain of who did what.

use super::hub::Hub;
use acts::audit;
use acts::privacy::witness::Witness;
use clap::{Args, Subcommand};
use rules::error::Error;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The chain of who did what: verify.
#[derive(Debug, Args)]
pub struct Audit {
    #[command(subcommand)]
    verb: AuditVerb,
}

#[derive(Debug, Subcommand)]
enum AuditVerb {
    /// Walk the whole chain; fails at the first row that was changed.
    Verify {
        /// A signed head that was kept elsewhere: the chain must still go through it. May be
        /// repeated.
        #[arg(long = "head", value_name = "FILE")]
        heads: Vec<PathBuf>,
    },
}

impl Audit {
    /// # Errors
    /// A sentence for the person at the terminal.
    pub async fn run(self, data: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
        let AuditVerb::Verify { heads } = self.verb;
        let hub = Hub::open(data)?;
        let keys = hub.keys()?.verifying()?;
        let read = |path: &PathBuf| {
            let witness = Witness::read(path)?;
            let signed = keys.iter().find_map(|key| witness.head(key).ok());
            signed.map_or_else(|| witness.head(&keys[0]), Ok)
        };
        let known = heads.iter().map(read).collect::<Result<Vec<_>, Error>>()?;
        let head = audit::verify(hub.db, known).await?;
        writeln!(out, "{} rows, unbroken; the head is {}", head.rows, head.hash)?;
        if !heads.is_empty() {
            writeln!(out, "signed heads that are part of it: {}", heads.len())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Cli;
    use clap::Parser as _;
    use wire::Wall;

    fn hub(data: &Path, typed: &[&str]) -> Result<String, String> {
        let args = ["rollcall-hub", "--data", data.to_str().unwrap()];
        let cli = Cli::try_parse_from(args.iter().chain(typed)).map_err(|e| e.to_string())?;
        let mut out = Vec::new();
        cli.run(&mut out).map_err(|error| format!("{error:#}"))?;
        Ok(String::from_utf8(out).unwrap())
    }

    /// A hub with two accounts; the head of its chain after the first, signed by it, in a file.
    fn kept_head(data: &Path) -> PathBuf {
        hub(data, &["init"]).unwrap();
        hub(data, &["user", "add", "ada@school.test", "--role", "admin"]).unwrap();
        let (db, keys) = {
            let hub = Hub::open(data).unwrap();
            let key = hub.keys().unwrap().signing().unwrap();
            (hub.db, key)
        };
        let verify = audit::verify(db, Vec::new());
        let head = tokio::runtime::Runtime::new().unwrap().block_on(verify).unwrap();
        let row = acts::privacy::witness::sign("2026-03-02", head, Wall(0), &keys);
        Witness::from(row).write(data).unwrap();
        hub(data, &["user", "add", "bob@school.test", "--role", "teacher"]).unwrap();
        data.join("audit-heads/2026-03-02.json")
    }

    #[test]
    fn a_chain_still_goes_through_a_head_that_was_kept_elsewhere() {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("hub");
        let head = kept_head(&data);
        let verify =
            |file: &Path| hub(&data, &["audit", "verify", "--head", file.to_str().unwrap()]);
        assert!(verify(&head).unwrap().contains("signed heads that are part of it: 1"));

        let other = dir.path().join("other");
        let theirs = kept_head(&other);
        assert!(verify(&theirs).unwrap_err().contains("not signed by this hub"));

        let place = data.join("hub.db").into();
        store::transfer::past_triggers(&place, "audit", "delete from audit").unwrap();
        assert!(verify(&head).is_err(), "the end of the chain was cut off");
    }
}
