use super::*;
use ed25519_dalek::SigningKey;
use proptest::prelude::*;
use wire::Wall;

const SEEING: Able = Able { sees: true, knows: false };

fn key(n: u8) -> SigningKey {
    SigningKey::from_bytes(&[n; 32])
}

fn here() -> Here {
    let own = Version::new(0, 1, 0);
    Here { own, machine: Some(Machine::Arm64), signer: Some(key(1).verifying_key()) }
}

/// Version 0.`n`.0, released at the moment `n`.
fn program(n: u8) -> Program {
    let (length, blake3) = (1, [n; 32]);
    let version = format!("0.{n}.0");
    Program { version, machine: Machine::Arm64, released: Wall(n.into()), length, blake3 }
}

fn offer(n: u8) -> Offer {
    Offer { rollout: n.into(), signed: Some(program(n).sign(&key(1))) }
}

fn fetch(n: u8) -> Answer {
    Answer::Fetch(Box::new(program(n)))
}

/// A door on which version 0.2.0 proved itself.
fn settled() -> Book {
    let mut book = Book::default();
    book.stage(&offer(2), SEEING);
    book.settle();
    book
}

fn refused(answer: Answer) -> String {
    match answer {
        Answer::Rest(Step::Refused, why) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_program_that_proves_itself_is_what_starts_from_then_on() {
    let mut book = Book::default();
    assert_eq!(book.begin(&here()), Start::Own);
    assert_eq!(book.answer(&offer(2), &here()), fetch(2));
    book.stage(&offer(2), SEEING);
    assert_eq!(book.begin(&here()), Start::Trial(program(2)));
    book.settle();
    assert_eq!(book.begin(&here()), Start::Settled(program(2)));
    assert_eq!(book.answer(&offer(2), &here()), Answer::Rest(Step::Settled, String::new()));
}

#[test]
fn a_program_that_never_comes_up_is_started_three_times_and_the_one_before_again() {
    let mut book = settled();
    book.stage(&offer(3), SEEING);
    for _ in 0..STARTS {
        assert_eq!(book.begin(&here()), Start::Trial(program(3)));
    }
    assert_eq!(book.begin(&here()), Start::Settled(program(2)));
    assert!(refused(book.answer(&offer(3), &here())).contains("three times"));
    let again = Offer { rollout: 9, ..offer(3) };
    assert_eq!(book.answer(&again, &here()), fetch(3), "an admin may have it tried again");
}

#[test]
fn nobody_elses_program_and_none_for_another_machine_is_taken() {
    let forged = Offer { signed: Some(program(2).sign(&key(2))), ..offer(2) };
    let book = Book::default();
    assert!(refused(book.answer(&forged, &here())).contains("not signed"));
    let small = Here { machine: Some(Machine::Armhf), ..here() };
    assert!(refused(book.answer(&offer(2), &small)).contains("is for arm64, this door is armhf"));
    let nobody = Here { signer: None, ..here() };
    assert!(refused(book.answer(&offer(2), &nobody)).contains("update.signer"));
}

#[test]
fn a_program_released_before_the_one_that_runs_is_not_taken_until_it_is_signed_anew() {
    let book = {
        let mut book = settled();
        book.stage(&offer(3), SEEING);
        book.settle();
        book
    };
    assert!(refused(book.answer(&offer(2), &here())).contains("sign it anew"));
    let anew = Program { released: Wall(4), ..program(2) };
    let anew = Offer { rollout: 4, signed: Some(anew.sign(&key(1))) };
    assert!(matches!(book.answer(&anew, &here()), Answer::Fetch(_)));
}

#[test]
fn a_package_that_is_newer_than_what_was_handed_on_wins() {
    let mut book = settled();
    let newer = Here { own: Version::new(0, 2, 0), ..here() };
    assert_eq!(book.begin(&newer), Start::Own);
    assert_eq!(book.answer(&offer(2), &newer), Answer::Rest(Step::Settled, String::new()));
    let newest = Here { own: Version::new(0, 3, 0), ..here() };
    let past = "version 0.3.0 is installed on this door already".to_owned();
    assert_eq!(book.answer(&offer(2), &newest), Answer::Rest(Step::Settled, past));
    book.stage(&offer(2), SEEING);
    assert_eq!(book.begin(&newest), Start::Own, "what was staged before the package came");
}

#[test]
fn a_key_that_is_trusted_no_more_starts_nothing() {
    let mut book = settled();
    book.stage(&offer(3), SEEING);
    let other = Here { signer: Some(key(5).verifying_key()), ..here() };
    assert_eq!(book.begin(&other), Start::Own);
    assert_eq!(book.begin(&here()), Start::Settled(program(2)), "it is trusted again");
}

#[test]
fn a_program_that_falls_over_after_its_trial_gives_way_to_what_is_installed() {
    let mut book = settled();
    for _ in 0..FALLS {
        assert_eq!(book.begin(&here()), Start::Settled(program(2)));
    }
    assert_eq!(book.begin(&here()), Start::Own);
    assert!(refused(book.answer(&offer(2), &here())).contains("again and again"));
    let mut steady = settled();
    for _ in 0..3 * FALLS {
        assert_eq!(steady.begin(&here()), Start::Settled(program(2)));
        assert!(steady.lived());
    }
}

#[test]
fn starts_for_which_nobody_reads_the_settings_count_not_against_what_proved_itself() {
    let mut book = settled();
    for _ in 0..3 * FALLS {
        assert_eq!(book.begin(&here()), Start::Settled(program(2)));
        book.uncount();
    }
    assert_eq!(book.begin(&here()), Start::Settled(program(2)));
}

#[test]
fn nothing_older_than_what_ever_proved_itself_is_taken_by_a_door_that_lost_it() {
    let mut book = settled();
    book.stage(&offer(3), SEEING);
    book.settle();
    book.fell();
    assert!(refused(book.answer(&offer(2), &here())).contains("sign it anew"));
}

#[test]
fn without_an_offer_a_door_rests() {
    let rest = Answer::Rest(Step::Idle, String::new());
    assert_eq!(settled().answer(&Offer::default(), &here()), rest);
}

/// What may happen to a door, in any order.
#[derive(Clone, Copy, Debug)]
enum Happens {
    Offer(u8),
    Start,
    Proven,
    Failed,
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        (2u8..6).prop_map(Happens::Offer),
        Just(Happens::Start),
        Just(Happens::Start),
        Just(Happens::Proven),
        Just(Happens::Failed),
    ]
}

proptest! {
    /// Starts without end lead to something that has proven itself or was installed, and what
    /// ran before is what runs after a program that failed.
    #[test]
    fn whatever_happens_a_door_comes_up(history in prop::collection::vec(happens(), 0..60)) {
        let mut book = Book::default();
        let mut proven = Start::Own;
        let mut running = Start::Own;
        for step in history {
            match (step, &running) {
                (Happens::Offer(n), Start::Own | Start::Settled(_)) => {
                    if let Answer::Fetch(_) = book.answer(&offer(n), &here()) {
                        book.stage(&offer(n), SEEING);
                    }
                }
                (Happens::Proven, Start::Trial(program)) => {
                    book.settle();
                    proven = Start::Settled(program.clone());
                    running = proven.clone();
                }
                (Happens::Failed, Start::Trial(_)) => {
                    book.refuse("it failed");
                    running = book.begin(&here());
                    book.lived();
                }
                (Happens::Start, _) => {
                    let text = serde_json::to_vec(&book).unwrap();
                    book = serde_json::from_slice(&text).unwrap();
                    running = book.begin(&here());
                    book.lived();
                }
                _ => {}
            }
            prop_assert!(matches!(running, Start::Trial(_)) || running == proven);
        }
        let end = (0..=STARTS).map(|_| book.begin(&here())).last();
        prop_assert_eq!(end, Some(proven));
    }
}
