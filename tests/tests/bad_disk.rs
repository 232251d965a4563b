//! The disk fails at each of its calls in turn: nothing that was promised is lost, nothing panics,
//! and what was not promised waits.
#![expect(clippy::print_stdout, reason = "figures belong beside the result")]

use house::shadow::door::{passage, setup, waiting};
use house::shadow::{Disk, Files, Trouble};
use rand::{SeedableRng, rngs::StdRng};
use rollcall_edge::outbox::{Book, Durability, OutboxError};
use std::collections::BTreeSet;

fn open(disk: &Disk<()>) -> Result<Book, OutboxError> {
    Book::open(setup(disk.vfs(), Durability::Full, 1), StdRng::seed_from_u64(7))
}

/// Appends until the disk fails: what was promised, and why it ended.
fn fill(book: &mut Book) -> (BTreeSet<u64>, Option<OutboxError>) {
    let mut promised = BTreeSet::new();
    for ms in 0..40 {
        match book.append(&[passage(ms, 3000), passage(ms + 1, 300)]) {
            Ok(numbers) => promised.extend(numbers),
            Err(error) => return (promised, Some(error)),
        }
    }
    (promised, None)
}

#[test]
fn an_error_at_any_call_loses_nothing_promised_and_is_not_the_end() {
    let (mut failed, mut calls) = (0, 0);
    loop {
        let disk = Disk::new(Files::new());
        let mut book = open(&disk).unwrap();
        disk.fail_after(calls, Trouble::Broken);
        let (promised, error) = fill(&mut book);
        let Some(error) = error else { break };
        assert!(error.is_passing(), "call {calls}: {error} ends the process");
        drop(book);
        // The process starts again over whatever reached the disk.
        let log = disk.log();
        let left = Disk::<()>::new(log.cut(log.0.len(), &mut StdRng::seed_from_u64(calls as u64)));
        let found = waiting(&mut open(&left).unwrap());
        let lost: Vec<_> = promised.iter().filter(|seq| found.get(seq) != Some(&true)).collect();
        assert!(lost.is_empty(), "call {calls}: {lost:?}");
        (failed, calls) = (failed + 1, calls + 1);
    }
    println!("{failed} calls failed in turn, nothing promised was lost");
    assert!(failed > 200, "only {failed} calls: the disk was hardly used");
}

#[test]
fn a_full_disk_at_any_call_is_told_and_works_again_with_space() {
    let mut full = 0;
    for calls in (0..300).step_by(7) {
        let disk = Disk::new(Files::new());
        let mut book = open(&disk).unwrap();
        disk.fail_after(calls, Trouble::Full);
        let (mut promised, error) = fill(&mut book);
        let Some(error) = error else { break };
        assert!(
            matches!(error, OutboxError::Held { held: 2, lost: 0, .. }),
            "call {calls}: {error}"
        );
        disk.mend();
        promised.extend(book.append(&[passage(99, 100)]).unwrap());
        let found = waiting(&mut book);
        assert!(promised.iter().all(|seq| found.contains_key(seq)), "call {calls}");
        assert_eq!(found.len(), promised.len() + 2, "the two passages that waited are stored");
        full += 1;
    }
    assert!(full > 20, "only {full} calls found the disk full: nothing was tried");
}
