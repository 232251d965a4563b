//! The outbox over real files: restart, acknowledgement, caps, damage, rolled-back cards.

mod model;

use super::*;
use crate::draft::Draft;
use crate::status::Stock;
use rand::{SeedableRng, rngs::StdRng};
use tempfile::TempDir;
use wire::link::{Ack, Reject};
use wire::record::{Blind, CameraState, Loss, LossCause, Watch};
use wire::seal::Part;
use wire::{
    Body, Candidate, ClockState, Direction, Epoch, HubSecret, Item, Mono, Quality, Ranges,
    RecordKey, Sealed, Stamp, StudentId, Verdict, Wall,
};

const HUB: Epoch = Epoch([8; 16]);
const DAY: u64 = 24 * 3600 * 1000;

fn secret() -> HubSecret {
    HubSecret::from_bytes(1, [3; 32])
}

fn setup(folder: &TempDir) -> Setup {
    let key = secret().public().unwrap();
    let path = folder.path().join("outbox.db");
    let setup = Setup::new(&path, "door-1".parse().unwrap(), key, "boot-a".into());
    Setup { reserve_bytes: 64 << 10, ..setup }
}

fn open(setup: Setup) -> Book {
    Book::open(setup, StdRng::seed_from_u64(1)).unwrap()
}

fn at(ms: u64) -> Stamp {
    let wall = Some(Wall(1_800_000_000_000).plus_ms(ms.cast_signed()));
    Stamp { boot: 1, mono: Mono(ms), wall, clock: ClockState::Ntp }
}

fn draft(ms: u64) -> Draft {
    let student = StudentId(uuid::Uuid::from_u128(u128::from(ms % 7)));
    Draft {
        way: None,
        at: at(ms),
        candidates: vec![Candidate { student, score: 0.96 }],
        confidence: 0.9,
        verdict: Verdict::High,
        reasons: vec![],
        quality: Quality::default(),
        frames: 3,
        gallery: 1,
        model: "test-1".parse().unwrap(),
        template_f16: vec![7; 256],
        crop_jpeg: Some(vec![9; 4000]),
    }
}

fn passage(ms: u64) -> Entry {
    Entry::Passage(Box::new(draft(ms)))
}

fn health(ms: u64) -> Entry {
    let watch = Watch {
        since: Mono(ms.saturating_sub(1000)),
        usable_ms: 900,
        blind: vec![(Blind::Covered, 100)],
        camera: CameraState::Watching,
        disk_free_mb: 100,
        gallery: 1,
        model: "test-1".parse().unwrap(),
        fired: 1,
        looks: 1,
        dropped: 0,
        refused: 0,
        err_ms: None,
    };
    Entry::Health(at(ms), watch)
}

fn ack(book: &Book, cum: u64, ranges: &[(u64, u64)]) -> Ack {
    Ack {
        hub_epoch: HUB,
        epoch: book.cursor().epoch,
        cum,
        ranges: ranges.to_vec().into(),
        rejects: vec![],
        backed_up: 0,
        max_seq: cum.max(Ranges::from(ranges.to_vec()).max()),
        window: 8,
    }
}

/// Everything that waits, as the link would take it.
fn all(book: &mut Book, now: u64) -> Vec<Item> {
    let (mut items, mut taken) = (Vec::new(), Ranges::default());
    loop {
        let parcel = book.pending(&taken, true, &at(now)).unwrap();
        if parcel.items.is_empty() {
            return items;
        }
        parcel.items.iter().for_each(|item| taken.insert(item.seq, item.seq));
        items.extend(parcel.items);
    }
}

fn numbers(book: &mut Book, now: u64) -> Vec<u64> {
    let mut numbers: Vec<_> = all(book, now).iter().map(|item| item.seq).collect();
    numbers.sort_unstable();
    numbers
}

fn losses(book: &mut Book) -> Vec<Loss> {
    let loss = |item: Item| match item.body() {
        Ok(Body::Loss(loss)) => Some(loss),
        Ok(Body::Moved(moved)) => match Body::decode(&moved.body) {
            Ok(Body::Loss(loss)) => Some(loss),
            _ => None,
        },
        _ => None,
    };
    all(book, 0).into_iter().filter_map(loss).collect()
}

#[test]
fn what_is_stored_survives_a_restart_and_opens_only_for_the_hub() {
    let folder = tempfile::tempdir().unwrap();
    let mut book = open(setup(&folder));
    assert_eq!(book.append(&[passage(5), passage(6)]).unwrap(), [1, 2]);
    let epoch = book.cursor().epoch;
    drop(book);
    let mut book = open(setup(&folder));
    let items = all(&mut book, 10);
    assert!(items.len() == 2 && items.iter().all(Item::is_intact));
    let Ok(Body::Sighting(sighting)) = items[1].body() else { panic!("no sighting") };
    let key = RecordKey { device: "door-1".parse().unwrap(), epoch, seq: 2 };
    let template = secret().open(&key, Part::Template, &sighting.template).unwrap();
    assert_eq!(*template, vec![7; 256]);
    let crop = items[1].crop.clone().unwrap();
    assert_eq!(sighting.crop, Some(wire::record::crop_hash(&crop)));
    let crop = secret().open(&key, Part::Crop, &Sealed::decode(&crop).unwrap()).unwrap();
    assert_eq!(*crop, vec![9; 4000]);
}

#[test]
fn no_face_and_no_template_is_on_the_disk_in_the_clear() {
    let folder = tempfile::tempdir().unwrap();
    let mut book = open(setup(&folder));
    book.append(&[passage(5)]).unwrap();
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(32).any(|w| w == [7; 32] || w == [9; 32]));
    }
}

#[test]
fn a_boot_is_counted_by_the_kernels_id_and_a_restart_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let boot = |id: &str| open(Setup { boot_id: id.into(), ..setup(&folder) }).cursor().boot;
    assert_eq!([boot("a"), boot("a"), boot("b"), boot("b"), boot("c")], [1, 1, 2, 2, 3]);
}

#[test]
fn an_outbox_that_is_gone_counts_boots_from_above_those_it_had() {
    let (folder, day) = (tempfile::tempdir().unwrap(), |n| Wall(n * DAY.cast_signed()));
    let boot = |id: &str, now| {
        let boots = boots(now);
        open(Setup { boot_id: id.into(), boots, ..setup(&folder) }).cursor().boot
    };
    let first = boot("a", day(20_000));
    assert_eq!(boot("b", day(20_001)), first + 1);
    for file in ["outbox.db", "outbox.db-wal"] {
        let _merged = std::fs::remove_file(folder.path().join(file));
    }
    assert!(boot("c", day(20_001)) > first + 1, "a boot a minute would not reach it");
}

#[test]
fn only_the_hubs_acknowledgement_takes_a_row_from_the_queue() {
    let folder = tempfile::tempdir().unwrap();
    let mut book = open(setup(&folder));
    let entries: Vec<_> = (0..6).map(passage).collect();
    book.append(&entries).unwrap();
    assert_eq!(numbers(&mut book, 9), [1, 2, 3, 4, 5, 6]);
    book.acknowledge(&ack(&book, 2, &[(4, 4)]), false, &at(9)).unwrap();
    assert_eq!(numbers(&mut book, 9), [3, 5, 6]);
    book.acknowledge(&ack(&book, 1, &[]), false, &at(9)).unwrap();
    assert_eq!(numbers(&mut book, 9), [3, 5, 6], "an older acknowledgement takes nothing back");
    let foreign = Ack { epoch: Epoch([1; 16]), ..ack(&book, 6, &[]) };
    book.acknowledge(&foreign, false, &at(9)).unwrap();
    assert_eq!(numbers(&mut book, 9), [3, 5, 6], "another life's acknowledgement");
}

#[test]
fn what_waits_is_counted_with_the_time_of_the_oldest_and_the_tail_does_not_wait() {
    let folder = tempfile::tempdir().unwrap();
    let mut book = open(Setup { max_rows: 10, ..setup(&folder) });
    assert_eq!(book.stock().unwrap(), Stock::default());
    book.append(&[health(1_000), health(2_000), health(3_000), health(4_000)]).unwrap();
    let stock = book.stock().unwrap();
    assert_eq!((stock.waiting, stock.since, stock.full), (4, at(1_000).wall, 40));
    assert_eq!(numbers(&mut book, 4_500), [1, 2, 3, 4]);
    let first = ack(&book, 1, &[(3, 4)]);
    book.acknowledge(&first, false, &at(5_000)).unwrap();
    let stock = book.stock().unwrap();
    assert_eq!((stock.waiting, stock.since, stock.full), (1, at(2_000).wall, 10));
}

#[test]
fn the_tail_goes_with_the_backup_and_not_before() {
    let folder = tempfile::tempdir().unwrap();
    let mut book = open(setup(&folder));
    book.append(&(0..6).map(passage).collect::<Vec<_>>()).unwrap();
    all(&mut book, 9);
    book.acknowledge(&ack(&book, 4, &[]), false, &at(9)).unwrap();
    assert_eq!(book.rows, 6, "kept for a hub that loses its disk");
    book.acknowledge(&Ack { backed_up: 2, ..ack(&book, 4, &[]) }, false, &at(10)).unwrap();
    assert_eq!(book.rows, 4);
    book.acknowledge(&Ack { backed_up: 2, ..ack(&book, 4, &[]) }, false, &at(99 * DAY)).unwrap();
    assert_eq!((book.rows, numbers(&mut book, 9)), (4, vec![5, 6]), "no backup has 3 and 4");
}

#[test]
fn what_neither_a_restored_hub_nor_the_door_has_is_told_as_lost_and_nothing_sticks() {
    let folder = tempfile::tempdir().unwrap();
    let mut book = open(setup(&folder));
    book.append(&(0..9).map(passage).collect::<Vec<_>>()).unwrap();
    all(&mut book, 9);
    let newest = Ack { backed_up: 6, ..ack(&book, 8, &[]) };
    book.acknowledge(&newest, false, &at(9)).unwrap();
    assert_eq!(book.rows, 3, "the newest backup has the others");
    let older = Ack { hub_epoch: Epoch([4; 16]), ..ack(&book, 2, &[(4, 4)]) };
    let acked = book.acknowledge(&older, true, &at(10)).unwrap();
    assert!(acked.restored);
    let told = losses(&mut book);
    assert_eq!((told.len(), told[0].cause), (1, LossCause::HubRestored));
    assert_eq!(told[0].gone.as_slice(), [(3, 3), (5, 6)]);
    assert_eq!(numbers(&mut book, 10), [7, 8, 9, 10]);
    let again = Ack { hub_epoch: Epoch([4; 16]), ..ack(&book, 2, &[(4, 4)]) };
    book.acknowledge(&again, false, &at(11)).unwrap();
    assert_eq!(losses(&mut book).len(), 1, "told once");
    let whole = Ack { hub_epoch: Epoch([4; 16]), backed_up: 10, ..ack(&book, 10, &[]) };
    book.acknowledge(&whole, false, &at(12)).unwrap();
    assert_eq!((book.rows, book.cursor().cum), (0, 10));
}

#[test]
fn what_a_restored_hub_could_not_name_at_once_is_told_as_lost_once_it_can() {
    let folder = tempfile::tempdir().unwrap();
    let mut book = open(setup(&folder));
    book.append(&(0..200).map(passage).collect::<Vec<_>>()).unwrap();
    all(&mut book, 9);
    book.acknowledge(&Ack { backed_up: 200, ..ack(&book, 200, &[]) }, false, &at(9)).unwrap();
    assert_eq!(book.rows, 0);
    let has: Vec<_> = (6..60).map(|n| (2 * n, 2 * n)).collect();
    let restored = |book: &Book, cum, ranges: &[(u64, u64)]| Ack {
        hub_epoch: Epoch([4; 16]),
        ..ack(book, cum, ranges)
    };
    let first = Ack { max_seq: 200, ..restored(&book, 10, &has[..32]) };
    assert!(book.acknowledge(&first, true, &at(10)).unwrap().restored);
    let gone = |book: &mut Book| losses(book).into_iter().map(|loss| loss.gone).collect::<Vec<_>>();
    let odd = |from: u64, to: u64| {
        Ranges::from((from..to).step_by(2).map(|n| (n, n)).collect::<Vec<_>>())
    };
    assert_eq!(gone(&mut book), [odd(11, 74)], "of the others the hub may have some");
    drop(book);
    let mut book = open(setup(&folder));
    let later = restored(&book, 74, &has[32..]);
    book.acknowledge(&Ack { max_seq: 200, ..later }, false, &at(11)).unwrap();
    let mut rest = odd(75, 118);
    rest.insert(119, 200);
    assert_eq!(gone(&mut book), [odd(11, 74), rest]);
    let again = Ack { max_seq: 202, ..restored(&book, 200, &[]) };
    book.acknowledge(&again, false, &at(12)).unwrap();
    assert_eq!(losses(&mut book).len(), 2, "told once");
}

#[test]
fn a_hub_that_lost_nothing_is_told_of_no_loss() {
    let folder = tempfile::tempdir().unwrap();
    let mut book = open(setup(&folder));
    book.append(&(0..9).map(passage).collect::<Vec<_>>()).unwrap();
    all(&mut book, 9);
    book.acknowledge(&Ack { backed_up: 6, ..ack(&book, 8, &[]) }, false, &at(9)).unwrap();
    let same = Ack { hub_epoch: Epoch([4; 16]), ..ack(&book, 8, &[]) };
    assert!(book.acknowledge(&same, true, &at(10)).unwrap().restored, "another life");
    assert_eq!((losses(&mut book).len(), numbers(&mut book, 10)), (0, vec![9]));
}

#[test]
fn the_tail_makes_room_before_anything_that_still_waits() {
    let folder = tempfile::tempdir().unwrap();
    let mut book = open(Setup { max_rows: 300, ..setup(&folder) });
    book.append(&(0..290).map(passage).collect::<Vec<_>>()).unwrap();
    book.append(&(0..9).map(health).collect::<Vec<_>>()).unwrap();
    all(&mut book, 9);
    book.acknowledge(&ack(&book, 280, &[]), false, &at(9)).unwrap();
    book.append(&[passage(9), passage(10)]).unwrap();
    assert!(losses(&mut book).is_empty(), "the reports that wait are still there");
    assert!(all(&mut book, 9).iter().filter(|item| item.crop.is_some()).count() >= 12);
}

#[test]
fn a_restored_hub_gets_what_its_backup_missed() {
    let folder = tempfile::tempdir().unwrap();
    let mut book = open(setup(&folder));
    book.append(&(0..6).map(passage).collect::<Vec<_>>()).unwrap();
    all(&mut book, 9);
    book.acknowledge(&ack(&book, 6, &[]), false, &at(9)).unwrap();
    assert!(numbers(&mut book, 9).is_empty());
    let restored = Ack { hub_epoch: Epoch([4; 16]), ..ack(&book, 2, &[(5, 5)]) };
    assert!(book.acknowledge(&restored, false, &at(9)).unwrap().restored);
    assert_eq!(numbers(&mut book, 9), [3, 4, 6]);
    assert_eq!(book.cursor().cum, 2);
}

#[test]
fn a_hub_that_lost_something_without_knowing_is_sent_it_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut book = open(setup(&folder));
    book.append(&(0..6).map(passage).collect::<Vec<_>>()).unwrap();
    all(&mut book, 9);
    book.acknowledge(&ack(&book, 6, &[]), false, &at(9)).unwrap();
    let greeted = book.acknowledge(&ack(&book, 4, &[]), true, &at(10)).unwrap();
    assert!(greeted.restored);
    assert_eq!(numbers(&mut book, 10), [5, 6]);
}

#[test]
fn a_rolled_back_card_begins_a_new_life_and_its_seals_still_open() {
    let folder = tempfile::tempdir().unwrap();
    let mut book = open(setup(&folder));
    let old = book.cursor().epoch;
    book.append(&[passage(0), health(1), passage(2)]).unwrap();
    let knows_more = Ack { max_seq: 40, ..ack(&book, 40, &[]) };
    assert!(book.acknowledge(&knows_more, false, &at(9)).unwrap().renewed);
    assert_ne!(book.cursor().epoch, old);
    assert_eq!(book.append(&[passage(7)]).unwrap(), [4]);
    let items = all(&mut book, 9);
    let moved = items.iter().find(|item| item.seq == 3).unwrap();
    let Ok(Body::Moved(was)) = moved.body() else { panic!("not moved") };
    assert_eq!((was.epoch, was.seq), (old, 3));
    let key = RecordKey { device: "door-1".parse().unwrap(), epoch: old, seq: 3 };
    let crop = Sealed::decode(moved.crop.as_ref().unwrap()).unwrap();
    assert!(secret().open(&key, Part::Crop, &crop).is_ok());
    assert!(items.iter().all(Item::is_intact) && items.len() == 4);
}

#[test]
fn a_rolled_back_card_that_has_overtaken_the_hub_is_noticed_too() {
    let folder = tempfile::tempdir().unwrap();
    let mut book = open(setup(&folder));
    book.append(&(0..9).map(passage).collect::<Vec<_>>()).unwrap();
    assert!(
        book.acknowledge(&ack(&book, 5, &[]), false, &at(9)).unwrap().renewed,
        "it never sent 5"
    );
}

/// Opens it with names of its own: no two runs draw the same.
fn run(folder: &TempDir, seed: u64) -> Book {
    Book::open(setup(folder), StdRng::seed_from_u64(seed)).unwrap()
}

fn firsts(book: &Book) -> Vec<u64> {
    book.runs().iter().map(|run| run.first).collect()
}

#[test]
fn each_start_begins_a_run_and_those_that_the_hub_has_heard_of_go() {
    let folder = tempfile::tempdir().unwrap();
    let mut book = run(&folder, 1);
    book.append(&[passage(0), passage(1)]).unwrap();
    assert_eq!(firsts(&book), [1], "the hub has not answered: its first word is with them");
    book.acknowledge(&ack(&book, 0, &[]), true, &at(1)).unwrap();
    assert_eq!(book.runs(), [], "the hub did not say that it keeps them");
    book.heard(None).unwrap();
    assert_eq!(firsts(&book), [1]);
    drop(book);
    let mut book = run(&folder, 2);
    assert_eq!(firsts(&book), [1, 3]);
    book.append(&[passage(2)]).unwrap();
    drop(book);
    let mut book = run(&folder, 3);
    assert_eq!(firsts(&book), [1, 3, 4]);
    book.heard(Some(book.runs()[1].id)).unwrap();
    assert_eq!(firsts(&book), [3, 4]);
    drop(book);
    assert_eq!(firsts(&run(&folder, 4)), [3, 4, 4]);
}

#[test]
fn a_new_life_begins_with_the_run_that_finds_out() {
    let folder = tempfile::tempdir().unwrap();
    let mut book = run(&folder, 1);
    book.append(&[passage(0)]).unwrap();
    book.heard(None).unwrap();
    drop(book);
    let mut book = run(&folder, 2);
    let now = book.runs()[1].id;
    let copy = Ack { max_seq: 2, ..ack(&book, 0, &[]) };
    assert!(book.acknowledge(&copy, true, &at(9)).unwrap().renewed);
    assert_eq!((book.runs()[0].id, firsts(&book)), (now, vec![1]));
    drop(book);
    assert_eq!(firsts(&run(&folder, 3)), [1, 2]);
}

#[test]
fn of_many_runs_that_the_hub_did_not_hear_of_none_is_left_out() {
    let folder = tempfile::tempdir().unwrap();
    run(&folder, 0).heard(None).unwrap();
    for seed in 1..100 {
        run(&folder, seed).append(&[passage(seed)]).unwrap();
    }
    let runs = firsts(&run(&folder, 100));
    assert_eq!((runs.len(), &runs[..2], runs[63]), (wire::link::RUNS, &[1, 1][..], 100));
}

#[test]
fn older_records_wait_behind_newer_ones() {
    let folder = tempfile::tempdir().unwrap();
    let mut book = open(setup(&folder));
    book.append(&[passage(0), passage(20 * 60_000)]).unwrap();
    let now = at(21 * 60_000);
    let live = book.pending(&Ranges::default(), true, &now).unwrap();
    assert_eq!((live.backlog, live.items[0].seq, live.items.len()), (false, 2, 1));
    let skip = Ranges::from(vec![(2, 2)]);
    let backlog = book.pending(&skip, true, &now).unwrap();
    assert_eq!((backlog.backlog, backlog.items[0].seq), (true, 1));
    assert!(book.pending(&skip, false, &now).unwrap().items.is_empty());
}

#[test]
fn a_full_outbox_gives_up_crops_then_health_and_never_a_passage_that_waits() {
    let folder = tempfile::tempdir().unwrap();
    let mut book = open(Setup { max_bytes: 1 << 20, max_rows: 900, ..setup(&folder) });
    let mut kept = Vec::new();
    book.append(&(0..20).map(health).collect::<Vec<_>>()).unwrap();
    let error = loop {
        match book.append(&[passage(kept.len() as u64)]) {
            Ok(numbers) => kept.extend(numbers),
            Err(error) => break error,
        }
        assert!(kept.len() < 2000, "the cap never came");
    };
    assert!(matches!(error, OutboxError::Held { held: 1, lost: 0, .. }), "{error}");
    assert!(matches!(book.append(&[passage(1)]), Err(OutboxError::Held { held: 2, .. })));
    let waiting = numbers(&mut book, 9);
    assert!(kept.iter().all(|seq| waiting.contains(seq)), "an un-acknowledged record went");
    assert!(all(&mut book, 9).iter().all(|item| item.crop.is_none() || item.seq > 100));
    let trimmed = losses(&mut book);
    assert_eq!(trimmed[0].cause, LossCause::HealthTrimmed);
    assert_eq!(trimmed[0].gone.as_slice(), [(1, 20)]);
    book.acknowledge(&ack(&book, 100, &[]), false, &at(9)).unwrap();
    assert!(book.catch_up().unwrap(), "the acknowledged tail makes room");
    let counted: u64 = losses(&mut book).iter().map(|loss| loss.unnumbered).sum();
    assert_eq!(counted, 0, "the passages that found no room have waited for it");
    let freed = waiting.iter().filter(|seq| **seq <= 100).count();
    assert_eq!(numbers(&mut book, 9).len(), waiting.len() - freed + 2);
    assert!(!book.catch_up().unwrap(), "and are stored once");
}

#[test]
fn what_waits_in_memory_has_an_end_and_the_rest_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let mut book = open(Setup { max_rows: 2, ..setup(&folder) });
    book.append(&[passage(0), passage(1)]).unwrap();
    for ms in 2..102 {
        book.append(&[passage(ms), health(ms)]).unwrap_err();
    }
    let said = book.append(&[]).unwrap_err().to_string();
    assert_eq!(said, "64 passages wait in memory for the outbox, 36 more are only counted");
    book.setup.max_rows = 900;
    book.append(&[passage(200)]).unwrap();
    assert_eq!(losses(&mut book).iter().map(|loss| loss.unnumbered).sum::<u64>(), 36);
    assert_eq!(numbers(&mut book, 300).len(), 2 + 64 + 1 + 1);
}

/// An outbox whose file may not grow any more.
fn crowded(folder: &TempDir, reserve_bytes: u64) -> Book {
    let mut book = open(Setup { reserve_bytes, ..setup(folder) });
    book.append(&[passage(0)]).unwrap();
    let pages: i64 = book.db.query_row("pragma page_count", [], |row| row.get(0)).unwrap();
    book.setup.max_bytes = pages.cast_unsigned() * schema::PAGE;
    schema::limit(&book.db, book.setup.max_bytes).unwrap();
    book
}

#[test]
fn every_writer_takes_from_the_reserve_what_the_disk_does_not_give() {
    let place = || Place { room: "x".repeat(30_000), direction: Direction::Entry };
    let kept = |book: &mut Book| {
        book.set_place(place()).unwrap();
        (meta::place(&book.db).unwrap() == Some(place()), book.place == place())
    };
    let (rich, poor) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    assert_eq!(kept(&mut crowded(&rich, 64 << 10)), (true, true));
    assert!(!rich.path().join("reserve.bin").exists(), "given back to the disk");
    let mut book = crowded(&poor, 0);
    assert_eq!(kept(&mut book), (false, true), "nothing to take from: only in memory");
    book.setup.max_bytes = 1 << 20;
    schema::limit(&book.db, 1 << 20).unwrap();
    book.append(&[passage(1)]).unwrap();
    assert_eq!(meta::place(&book.db).unwrap(), Some(place()), "noted with the next record");
}

#[test]
fn a_reserve_is_set_aside_again_when_there_is_space() {
    let folder = tempfile::tempdir().unwrap();
    let mut book = open(setup(&folder));
    book.append(&[passage(0)]).unwrap();
    book.free_reserve().unwrap();
    all(&mut book, 9);
    book.acknowledge(&ack(&book, 1, &[]), false, &at(9)).unwrap();
    assert!(folder.path().join("reserve.bin").exists() && !book.spent);
}

#[test]
fn once_the_hub_was_heard_what_is_stored_counts_as_sent() {
    let folder = tempfile::tempdir().unwrap();
    let mut book = open(setup(&folder));
    book.append(&[passage(0)]).unwrap();
    assert_eq!(book.sent, 0);
    all(&mut book, 9);
    book.acknowledge(&ack(&book, 1, &[]), true, &at(9)).unwrap();
    book.append(&[passage(10)]).unwrap();
    drop(book);
    let book = open(setup(&folder));
    assert_eq!((book.sent, book.heard), (2, false), "a copy of the card begins anew");
}

#[test]
fn the_count_of_refused_passages_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let small = || Setup { max_rows: 2, ..setup(&folder) };
    let mut book = open(small());
    book.append(&[passage(0), passage(1)]).unwrap();
    assert!(book.append(&[passage(2), passage(3)]).is_err());
    drop(book);
    let mut book = open(Setup { max_rows: 9, ..small() });
    book.append(&[passage(4)]).unwrap();
    assert_eq!(losses(&mut book)[0].unnumbered, 2);
}

#[test]
fn a_damaged_file_is_replaced_and_what_is_readable_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let mut book = open(setup(&folder));
    let old = book.cursor().epoch;
    for ms in 0..200 {
        book.append(&[passage(ms)]).unwrap();
    }
    drop(book);
    let path = folder.path().join("outbox.db");
    let mut bytes = std::fs::read(&path).unwrap();
    let page = bytes.len() / 4096 / 2 * 4096;
    bytes[page..page + 4096].fill(0xAA);
    std::fs::write(&path, bytes).unwrap();
    let mut book = Book::open(setup(&folder), StdRng::seed_from_u64(2)).unwrap();
    assert_ne!(book.cursor().epoch, old);
    let saved = all(&mut book, 0).len() as u64 - 1;
    let gone = losses(&mut book)[0].gone.count();
    assert!(saved >= 190, "{saved} of 200");
    assert_eq!(saved + gone, 200, "every number is saved or named as gone");
    drop(book);
    assert_eq!(all(&mut open(setup(&folder)), 0).len() as u64, saved + 1, "saved once");
}

#[test]
fn a_file_that_is_no_database_at_all_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("outbox.db"), vec![0x5A; 9000]).unwrap();
    let mut book = open(setup(&folder));
    assert_eq!(losses(&mut book)[0].cause, LossCause::Damaged);
    assert!(book.append(&[passage(0)]).is_ok());
}

#[test]
fn another_devices_outbox_and_a_second_process_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let book = open(setup(&folder));
    let second = Book::open(setup(&folder), StdRng::seed_from_u64(1));
    assert!(second.is_err(), "the file is locked");
    drop(book);
    let other = Setup { device: "door-2".parse().unwrap(), ..setup(&folder) };
    let refused = Book::open(other, StdRng::seed_from_u64(1)).unwrap_err();
    assert!(refused.to_string().contains("door-1"), "{refused}");
}

#[test]
fn a_rejected_record_is_consumed_and_its_reason_kept() {
    let folder = tempfile::tempdir().unwrap();
    let mut book = open(setup(&folder));
    book.append(&[passage(0), passage(1)]).unwrap();
    all(&mut book, 0);
    let refused = Ack { rejects: vec![(2, Reject::Conflict)], ..ack(&book, 2, &[]) };
    book.acknowledge(&refused, false, &at(9)).unwrap();
    let sql = "select reject from outbox where seq = 2";
    let reject: i64 = book.db.query_row(sql, [], |row| row.get(0)).unwrap();
    assert_eq!((reject, numbers(&mut book, 9)), (Reject::Conflict as i64, vec![]));
}

#[test]
fn the_same_seed_and_drafts_make_the_same_bytes() {
    let run = || {
        let folder = tempfile::tempdir().unwrap();
        let mut book = open(setup(&folder));
        book.append(&[passage(0), health(1), passage(2)]).unwrap();
        all(&mut book, 9)
    };
    assert_eq!(run(), run());
}

#[test]
fn who_passed_lately_is_known_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let mut book = open(setup(&folder));
    book.append(&[passage(3), passage(10)]).unwrap();
    drop(book);
    let student = StudentId(uuid::Uuid::from_u128(3));
    assert_eq!(open(setup(&folder)).recent().unwrap(), [(student, at(10))]);
}

#[test]
fn drafts_that_queue_up_share_a_commit_and_each_caller_gets_its_numbers() {
    use crate::draft::Keep;
    let folder = tempfile::tempdir().unwrap();
    let (outbox, writer) = super::open(setup(&folder), StdRng::seed_from_u64(1)).unwrap();
    let callers: Vec<_> = (0..40)
        .map(|n| {
            let mut outbox = outbox.clone();
            std::thread::spawn(move || outbox.keep(vec![draft(n), draft(n + 100)]).unwrap())
        })
        .collect();
    drop(outbox);
    let writer = std::thread::spawn(move || writer.run());
    let mut given: Vec<_> = callers.into_iter().flat_map(|caller| caller.join().unwrap()).collect();
    writer.join().unwrap().unwrap();
    given.sort_unstable();
    assert_eq!(given, (1..=80).collect::<Vec<_>>());
}

/// A door that runs, greeted with 10 and stored one more, is told that its card is an old copy by
/// this number: whether it begins a new life, what is on the card, and what is to be sent.
fn parts(max_seq: u64) -> (bool, i64, Vec<u64>) {
    let folder = tempfile::tempdir().unwrap();
    let mut book = run(&folder, 1);
    book.append(&(0..10).map(passage).collect::<Vec<_>>()).unwrap();
    all(&mut book, 9);
    book.acknowledge(&ack(&book, 5, &[]), true, &at(9)).unwrap();
    assert_eq!(book.cursor().max_seq, 10);
    book.append(&[passage(11)]).unwrap();
    let told = Ack { max_seq, backed_up: 8, ..ack(&book, 8, &[]) };
    let acked = book.acknowledge(&told, true, &at(12)).unwrap();
    let rows = book.db.query_row("select count(*) from outbox", [], |row| row.get(0)).unwrap();
    (acked.renewed, rows, numbers(&mut book, 13))
}

#[test]
fn a_door_that_is_told_of_its_old_copy_while_it_records_sends_all_it_has() {
    let all = (1..=11).collect::<Vec<_>>();
    assert_eq!(parts(i64::MAX.cast_unsigned()), (true, 11, all), "more than it can have sent");
    assert_eq!(parts(11), (false, 3, vec![9, 10, 11]), "the control: 6 to 8 were its own");
}
