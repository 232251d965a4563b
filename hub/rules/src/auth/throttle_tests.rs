//! The throttle: guessers are slow, and owners get in.

use super::*;

fn at(n: u64) -> IpAddr {
    IpAddr::from([10, 0, u8::try_from(n / 250).unwrap(), u8::try_from(n % 250).unwrap()])
}

fn try_of(name: &str, from: IpAddr) -> Try<'_> {
    Try { what: ThrottleKind::Secret(name), from, browser: None }
}

#[test]
fn ten_thousand_wrong_sign_ins_from_a_hundred_addresses_keep_no_owner_out() {
    let mut throttle = Throttle::default();
    let (mut made, mut now) = (0, Mono(0));
    for n in 0..10_000 {
        now = Mono(n * 100); // ten a second
        made += u32::from(throttle.reserve(&try_of("ada", at(n % 100)), now).is_ok());
        let known = Try { browser: Some(7), ..try_of("ada", at(n % 100)) };
        if n % 1_000 == 0 {
            assert_eq!(throttle.reserve(&known, now), Ok(()), "a browser she signed in with");
            throttle.right(&known, now);
            let new = try_of("ada", at(200 + n / 1_000));
            assert_eq!(throttle.reserve(&new, now), Ok(()), "a new one in another place");
        }
    }
    let beside = try_of("ada", at(0));
    let Err(ThrottleWait { ms }) = throttle.reserve(&beside, now) else {
        panic!("a place that guesses waits, or this test could not fail")
    };
    assert!(ms <= 60_000, "a minute at most, even from where the guesses came: {ms}");
    assert_eq!(throttle.reserve(&beside, Mono(now.0 + ms)), Ok(()));
    // 3 free in each place, 100 for all of them together, and one more in six seconds.
    assert!((500..=800).contains(&made), "{made} of 10,000 guesses were looked at");
}

#[test]
fn passkeys_of_strangers_in_a_network_keep_no_known_browser_there_out() {
    let mut throttle = Throttle::default();
    let stranger = Try { what: ThrottleKind::Passkey, from: at(0), browser: None };
    let shown = (0..10_000).filter(|_| throttle.reserve(&stranger, Mono(0)).is_ok()).count();
    assert_eq!(shown, 600);
    assert_eq!(throttle.reserve(&Try { browser: Some(7), ..stranger }, Mono(0)), Ok(()));
    assert_eq!(throttle.reserve(&try_of("ada", at(0)), Mono(0)), Ok(()), "passwords count apart");
}

#[test]
fn no_wait_is_longer_than_a_minute() {
    let mut throttle = Throttle::default();
    for n in 0..10_000_u64 {
        let name = format!("pupil{}", n % 7);
        let browser = (n % 3 == 0).then_some(u128::from(n % 2));
        let what = if n % 5 == 0 { ThrottleKind::Code(&name) } else { ThrottleKind::Secret(&name) };
        let one = Try { what, from: at(n % 4), browser };
        if let Err(ThrottleWait { ms }) = throttle.reserve(&one, Mono(n)) {
            assert!((1..=60_000).contains(&ms), "{one:?}: {ms}");
        }
    }
}

#[test]
fn a_network_that_guesses_many_accounts_waits_too() {
    let mut throttle = Throttle::default();
    for n in 0..NETWORK.burst {
        assert_eq!(throttle.reserve(&try_of(&format!("pupil{n}"), at(1)), Mono(0)), Ok(()));
    }
    assert_eq!(throttle.reserve(&try_of("new", at(1)), Mono(0)), Err(ThrottleWait { ms: 3_000 }));
    assert_eq!(throttle.reserve(&try_of("new", at(2)), Mono(0)), Ok(()));
}

#[test]
fn one_ipv6_connection_is_one_place_however_many_addresses_it_has() {
    let six = |text: &str| network(text.parse().unwrap());
    assert_eq!(six("2001:db8:1:2::1"), six("2001:db8:1:2:ffff::9"));
    assert_ne!(six("2001:db8:1:2::1"), six("2001:db8:1:3::1"));
    assert_eq!(six("::ffff:10.0.0.1"), at(1));
}

#[test]
fn a_whole_school_signs_in_from_one_address() {
    let mut throttle = Throttle::default();
    for n in 0..1_000 {
        let name = format!("teacher{n}");
        let one = try_of(&name, at(1));
        assert_eq!(throttle.reserve(&one, Mono(0)), Ok(()));
        throttle.right(&one, Mono(0));
    }
}

#[test]
fn many_codes_at_once_get_no_further_than_one_after_the_other() {
    let mut throttle = Throttle::default();
    let code = |n| Try { what: ThrottleKind::Code("ada"), from: at(n), browser: None };
    let passed = (0..100).filter(|n| throttle.reserve(&code(*n), Mono(0)).is_ok()).count();
    assert_eq!(passed, 5, "before any of them was looked at, from wherever");
    throttle.right(&code(1), Mono(0));
    assert_eq!(throttle.reserve(&code(2), Mono(0)), Ok(()), "the right one forgives");
}

#[test]
fn what_is_written_of_wrong_tries_has_a_bound_and_says_how_many_were_not() {
    let mut throttle = Throttle::default();
    let written = (0..1_000).filter(|_| throttle.note(Mono(0)).is_some()).count();
    assert_eq!(written, 100);
    assert_eq!(throttle.note(Mono(10_000)), Some(900));
    assert_eq!(throttle.note(Mono(20_000)), Some(0));
}
