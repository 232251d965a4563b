//! How long it takes to walk the audit chain: `cargo run --example audit_rate -- 1000000`.
//!
//! Makes the rows through the function that makes them in the hub, then walks them as
//! `audit verify` does, and prints seconds and peak memory.

use std::time::Instant;
use store::{Db, Tx, audit, file};
use wire::Wall;

/// Rows in one transaction.
const STEP: i64 = 10_000;

#[expect(clippy::print_stdout, reason = "it is run to be read")]
#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let rows: i64 = std::env::args().nth(1).map_or(Ok(1_000_000), |rows| rows.parse())?;
    let dir = tempfile::tempdir()?;
    let path = dir.path().join("hub.db");
    let db = Db::open(&path)?;
    let began = Instant::now();
    for from in (1..=rows).step_by(usize::try_from(STEP)?) {
        db.write(move |tx| (from..(from + STEP).min(rows + 1)).try_for_each(|n| add(tx, n)))
            .await?;
    }
    println!("made {rows} rows in {:.1} s", began.elapsed().as_secs_f64());
    let (before, began) = (peak()?, Instant::now());
    let head = file::read(&path, audit::verify)?;
    let seconds = began.elapsed().as_secs_f64();
    println!("walked {} rows in {seconds:.2} s; the head is {}", head.rows, head.hash);
    println!("peak memory {before} kB before, {} kB after", peak()?);
    Ok(())
}

fn add(tx: &Tx<'_>, n: i64) -> Result<(), rules::Error> {
    let (actor, id) = ("0190f4c2-7c1e-7d3a-9b5e-2f1f6f0a4c11", format!("{n:036}"));
    let meta = serde_json::json!({ "version": 2, "student": id });
    let (action, table) = ("approve", "sighting");
    audit::add(
        tx,
        Wall(1_790_000_000_000 + n),
        &audit::AuditEntry { actor, action, table, id: &id, meta },
    )
}

/// `VmHWM`, in kB.
fn peak() -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    Ok(line.unwrap_or("0").trim().trim_end_matches(" kB").parse()?)
}
