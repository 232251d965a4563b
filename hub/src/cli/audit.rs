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
        let head = audit::verify(hub.config.database(), known).await?;
        writeln!(out, "{} rows, unbroken; the head is {}", head.rows, head.hash)?;
        if !heads.is_empty() {
            writeln!(out, "{} signed heads are part of it", heads.len())?;
        }
        Ok(())
    }
}
