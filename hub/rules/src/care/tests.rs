use super::*;

const NOW: Wall = Wall(1_790_000_000_000);

fn kinds(facts: &CareFacts) -> Vec<&'static str> {
    worries(facts, NOW).iter().map(Worry::kind).collect()
}

/// A house where nothing waits for anybody.
fn well() -> CareFacts {
    let ends = NOW.plus_ms(SOON_MS);
    CareFacts {
        began: Some(NOW.plus_ms(-300 * DAY_MS)),
        backup: Some(NOW.plus_ms(-DAY_MS)),
        disk: Some((50 << 30, 100 << 30)),
        certificates: vec![("server", ends)],
        ..CareFacts::default()
    }
}

fn held() -> Held {
    Held { device: "door-1".parse().unwrap(), model: "m-1".parse().unwrap(), since: NOW }
}

fn failed(what: AsideKind, ago: i64) -> Failed {
    let (since, last) = (NOW.plus_ms(-ago), NOW.plus_ms(-ago));
    let (id, why) = ("one".to_owned(), "closing a lesson failed".to_owned());
    Failed { what, id, tries: 3, since, last, next: wire::Mono(0), why }
}

#[test]
fn each_fact_is_a_worry_of_its_own_and_a_house_that_is_well_has_none() {
    let one = |change: fn(&mut CareFacts)| {
        let mut facts = well();
        change(&mut facts);
        kinds(&facts)
    };
    assert_eq!(one(|_| ()), [""; 0]);
    assert_eq!(one(|of| of.dead_letters = (2, None)), ["dead-letters"]);
    assert_eq!(one(|of| of.held = vec![held()]), ["held"]);
    assert_eq!(one(|of| of.lost = vec![("door-1".into(), 3, NOW)]), ["lost"]);
    assert_eq!(one(|of| of.offline = 100), ["doors-offline"], "one worry, however many");
    assert_eq!(one(|of| of.old_programs = 100), ["old-programs"]);
    assert_eq!(one(|of| of.mails = 1), ["mail"]);
    assert_eq!(one(|of| of.hooks = vec!["https://a.test".into()]), ["webhook"]);
    assert_eq!(one(|of| of.backup = Some(NOW.plus_ms(-BACKUP_MS - 1))), ["backup"]);
    assert_eq!(one(|of| of.backup_is_here = true), ["backup-here"]);
    assert_eq!(one(|of| of.twins = vec![("door-1".into(), NOW)]), ["twin"]);
    assert_eq!(one(|of| of.leap = Some(NOW)), ["clock"]);
    assert_eq!(one(|of| of.backup = None), ["no-backup"]);
    assert_eq!(one(|of| of.recognition = Some("no pack".into())), ["recognition"]);
    assert_eq!(one(|of| of.disk = Some((1 << 30, 100 << 30))), ["disk"]);
    assert_eq!(one(|of| of.disk = Some((0, 100 << 30))), ["disk-full"]);
    assert_eq!(one(|of| of.certificates[0].1 = NOW.plus_ms(SOON_MS - 1)), ["certificate"]);
    assert_eq!(one(|of| of.certificates[0].1 = NOW), ["certificate-over"]);
    assert_eq!(one(|of| of.tls = "own.pem cannot be read".into()), ["tls"]);
    let found = |is_refused| CareFound { device: "door-1".into(), at: NOW, is_refused };
    assert_eq!(kinds(&CareFacts { found: vec![found(false)], ..well() }), ["found"]);
    let behind = |ago: i64| vec![("door-1".to_owned(), NOW.plus_ms(-ago))];
    let mut late = well();
    late.behind = behind(HOUR_MS + 1);
    assert_eq!(kinds(&late), ["authority"]);
    let strange = CareFacts { found: vec![found(true)], ..late.clone() };
    assert_eq!(kinds(&strange), ["refused"], "it cannot follow");
    late.behind = behind(HOUR_MS);
    assert_eq!(kinds(&late), [""; 0], "doors have an hour to follow");
    assert_eq!(one(|of| of.aside = vec![failed(AsideKind::Lesson, 0)]), ["lesson"]);
    assert_eq!(one(|of| of.aside = vec![failed(AsideKind::Work, OVER_MS)]), [""; 0], "it is over");
    assert_eq!(one(|of| of.aside = vec![failed(AsideKind::Broker, 0)]), ["broker"]);
    assert_eq!(one(|of| of.aside = vec![failed(AsideKind::Leaver, DAY_MS)]), ["leaver"], "daily");
}

#[test]
fn a_new_hub_has_some_days_to_make_its_first_backup() {
    let began = Some(NOW.plus_ms(-BACKUP_MS));
    assert_eq!(kinds(&CareFacts { began, backup: None, ..well() }), [""; 0]);
}

#[test]
fn keys_that_were_replaced_are_a_worry_until_the_next_backup() {
    let replaced = Some(NOW.plus_ms(-HOUR_MS));
    let backup = |at: Option<Wall>| kinds(&CareFacts { replaced, backup: at, ..well() });
    assert_eq!(backup(Some(NOW.plus_ms(-DAY_MS))), ["keys"]);
    assert_eq!(backup(Some(NOW.plus_ms(-HOUR_MS + 1))), [""; 0]);
    assert_eq!(backup(None), ["no-backup", "keys"]);
}

#[test]
fn what_is_grave_comes_first() {
    let blind = ("doors-blind", "doors-blind-next");
    let facts = CareFacts { doors: vec![("door-1".into(), blind)], mails: 3, ..well() };
    let found = worries(&facts, NOW);
    assert_eq!(found.iter().map(|worry| worry.is_grave).collect::<Vec<_>>(), [true, false]);
    assert_eq!((found[0].count, found[1].link.as_str()), (3, "/devices/door-1"));
}
