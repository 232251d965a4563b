//! The outbox against a model that fits on a page: a map of numbers to what became of them.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

#[derive(Clone, Debug)]
enum Step {
    Append(u8),
    /// The hub stores this share of what waits, as ranges from a random cut.
    Ack(u8, u8),
    Restart,
    /// The hub's backup now holds everything up to its cursor.
    Backup,
    /// The hub came back from that backup, and says so, or does not know it.
    Restore(bool),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1u8..5).prop_map(Step::Append),
        4 => (any::<u8>(), any::<u8>()).prop_map(|(a, b)| Step::Ack(a, b)),
        1 => Just(Step::Restart),
        1 => Just(Step::Backup),
        1 => any::<bool>().prop_map(Step::Restore),
    ]
}

/// What the hub holds, and what its backup holds.
#[derive(Default)]
struct Hub {
    stored: BTreeMap<u64, [u8; 16]>,
    backup: BTreeMap<u64, [u8; 16]>,
    backed_up: u64,
    life: u8,
}

impl Hub {
    fn ack(&self, epoch: Epoch) -> Ack {
        let numbers = self.stored.keys().map(|n| (*n, *n)).collect::<Vec<_>>();
        let ranges = Ranges::from(numbers);
        Ack {
            hub_epoch: Epoch([self.life; 16]),
            epoch,
            cum: ranges.cumulative(),
            max_seq: ranges.max(),
            ranges,
            rejects: vec![],
            backed_up: self.backed_up,
            window: 8,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn nothing_is_lost_doubled_or_renumbered(steps in prop::collection::vec(step(), 1..40)) {
        let folder = tempfile::tempdir()?;
        let mut book = open(setup(&folder));
        let (mut hub, mut given) = (Hub::default(), 0u64);
        for (n, step) in steps.into_iter().enumerate() {
            let now = n as u64;
            match step {
                Step::Append(count) => {
                    let entries: Vec<_> = (0..count).map(|_| passage(now)).collect();
                    let numbers = book.append(&entries)?;
                    prop_assert_eq!(&numbers, &(given + 1..=given + u64::from(count)).collect::<Vec<_>>());
                    given += u64::from(count);
                }
                Step::Ack(from, share) => {
                    let waiting = all(&mut book, now);
                    let from = usize::from(from) * waiting.len() / 256;
                    let count = usize::from(share) * (waiting.len() - from) / 255;
                    for item in &waiting[from..from + count] {
                        let before = hub.stored.insert(item.seq, item.hash);
                        prop_assert!(before.is_none_or(|hash| hash == item.hash));
                    }
                    book.acknowledge(&hub.ack(book.cursor().epoch), false, &at(now))?;
                }
                Step::Restart => {
                    drop(book);
                    book = open(setup(&folder));
                }
                Step::Backup => {
                    hub.backup = hub.stored.clone();
                    hub.backed_up = hub.ack(HUB).cum;
                }
                Step::Restore(knows) => {
                    hub.stored = hub.backup.clone();
                    hub.life += u8::from(knows);
                    let greeted = hub.ack(book.cursor().epoch);
                    let acked = book.acknowledge(&greeted, true, &at(now))?;
                    prop_assert!(!acked.renewed);
                }
            }
            let waiting = numbers(&mut book, now);
            prop_assert!(waiting.is_sorted_by(|a, b| a < b), "a number twice");
            for n in 1..=given {
                prop_assert!(hub.stored.contains_key(&n) || waiting.contains(&n), "{} is lost", n);
            }
        }
    }

    #[test]
    fn a_batch_never_exceeds_its_bytes(sizes in prop::collection::vec(0usize..13_000, 1..80)) {
        let folder = tempfile::tempdir()?;
        let mut book = open(setup(&folder));
        let entry = |size: &usize| {
            Entry::Passage(Box::new(Draft { crop_jpeg: Some(vec![1; *size]), ..draft(1) }))
        };
        book.append(&sizes.iter().map(entry).collect::<Vec<_>>())?;
        let (mut taken, mut seen) = (Ranges::default(), 0);
        while seen < sizes.len() {
            let items = book.pending(&taken, true, &at(1))?.items;
            prop_assert!(!items.is_empty() && items.len() <= wire::link::BATCH_ITEMS);
            items.iter().for_each(|item| taken.insert(item.seq, item.seq));
            seen += items.len();
            let batch = wire::link::Batch { epoch: book.cursor().epoch, items };
            prop_assert!(wire::Message::from(batch).encode().len() <= wire::link::BATCH_BYTES);
        }
    }
}
