//! The hub's certificates, its clock, and doors that are away.

use super::{House, NOW};
use acts::certificates::May;
use acts::pki::ServerCertificateLife;
use acts::timekeeper;
use store::{Tx, device};
use wire::{Direction, Wall};

const DAY: i64 = 24 * 3_600_000;

/// A house whose clock is believed, and a door that is away with a certificate.
async fn with_door() -> House {
    let house = House::new().await;
    let write = |tx: &Tx<'_>| {
        let (room, location) = ("204".to_owned(), String::new());
        let place = device::DevicePlace { room, location, direction: Direction::Both };
        let door = "door-1".parse().unwrap();
        device::add(tx, &door, &place, "t", NOW)?;
        device::add_cert(tx, &door, "aa", NOW.plus_ms(90 * DAY), NOW)
    };
    house.app.db.write(write).await.unwrap();
    assert_eq!(house.app.upkeep().leap().await.unwrap(), None);
    house
}

fn life(house: &House) -> ServerCertificateLife {
    house.app.pki.life().unwrap()
}

/// Looks after the certificates once.
async fn looks(house: &House) -> May {
    let renewal = house.app.renewal();
    let may = renewal.may().await.unwrap();
    let _nothing_ended = renewal.reload(may);
    may
}

#[tokio::test]
async fn by_a_clock_that_leapt_no_certificate_is_renewed_and_no_authority_ends() {
    let (house, leapt) = (with_door().await, NOW.plus_ms(380 * DAY));
    let (app, first) = (&house.app, life(&house));
    app.pki.rotate_ca(&app.keys, NOW).unwrap();
    assert_eq!(looks(&house).await, May { renew: true, end: false }, "a door is away");
    for wrong in [leapt, Wall(0)] {
        house.clock.set_wall(wrong);
        assert_eq!(looks(&house).await, May::default());
        assert!(life(&house) == first && app.pki.is_rotating());
    }
    house.clock.set_wall(leapt);
    timekeeper::confirm(&app.db, "t".into(), leapt).await.unwrap();
    assert_eq!(looks(&house).await, May { renew: true, end: true }, "380 days did pass");
    assert!(life(&house).from > first.from && !app.pki.is_rotating());
}

#[tokio::test]
async fn a_certificate_that_was_made_by_a_wrong_clock_is_renewed_once_it_is_right() {
    let house = with_door().await;
    let app = &house.app;
    let wrong = NOW.plus_ms(30 * DAY);
    app.pki.renew(&app.keys, &[], wrong).unwrap();
    assert!(life(&house).from > NOW);
    looks(&house).await;
    assert!(life(&house).from <= NOW && !life(&house).is_due(NOW));
}
