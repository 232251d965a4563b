//! `audit …`: the chain of who did what.

use super::hub::Hub;
use crate::privacy::witness::Witness;
use anyhow::ensure;
use clap::{Args, Subcommand};
use data_encoding::HEXLOWER;
use rules::error::Error;
use std::collections::HashMap;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use store::{audit, file};

/// The chain of who did what: verify.
#[derive(Debug, Args)]
pub struct Audit {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
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
        let Verb::Verify { heads } = self.verb;
        let hub = Hub::open(data)?;
        let keys = hub.keys()?.verifying()?;
        let read = |path: &PathBuf| {
            let witness = Witness::read(path)?;
            let signed = keys.iter().find_map(|key| witness.head(key).ok());
            signed.map_or_else(|| witness.head(&keys[0]), Ok)
        };
        let known = heads.iter().map(read).collect::<Result<Vec<_>, Error>>()?;
        let path = hub.config.database();
        let walk = tokio::task::spawn_blocking(move || walk(&path, &known));
        let head = walk.await??;
        writeln!(out, "{} rows, unbroken; the head is {}", head.rows, head.hash)?;
        if !heads.is_empty() {
            writeln!(out, "{} signed heads are part of it", heads.len())?;
        }
        Ok(())
    }
}

/// Walks the chain beside the running hub, and looks for the heads on the way.
fn walk(path: &Path, known: &[audit::Head]) -> anyhow::Result<audit::Head> {
    let mut missing: HashMap<_, _> = known.iter().map(|head| (head.rows, &head.hash)).collect();
    missing.remove(&0);
    let head = file::look(path, |tx| {
        audit::walk(tx, |n, hash| {
            if missing.get(&n).is_some_and(|known| **known == HEXLOWER.encode(hash)) {
                missing.remove(&n);
            }
            ControlFlow::Continue(())
        })
    })?;
    let lost = missing.keys().min();
    ensure!(
        lost.is_none(),
        "the chain is whole, but it is not the one whose head was signed at row {}",
        lost.copied().unwrap_or_default()
    );
    Ok(head)
}
