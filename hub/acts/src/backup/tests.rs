//! A backup is taken while the hub works, and a hub made of it goes on.

use super::*;
use crate::pki::Pki;
use rules::auth::elsewhere::ProviderIdentity;
use store::cursor::{self, Cursor};
use store::student::{self, StudentProfile};
use store::transfer;
use store::{reshut::ReshutBack, shut::ShutKind};
use wire::{DeviceId, StudentId};

const NOW: Wall = Wall(1_790_000_000_123);
const EPOCH: Epoch = Epoch([1; 16]);

struct Rig {
    dir: tempfile::TempDir,
    db: Db,
    keys: Keys,
    student: StudentId,
}

fn door() -> DeviceId {
    "door-1".parse().unwrap()
}

async fn rig() -> Rig {
    rig_with("").await
}

/// With `settings` before all others.
async fn rig_with(settings: &str) -> Rig {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    private(&data).unwrap();
    let keys = Keys::create(&data, NOW).unwrap();
    Pki::create(&keys, &["localhost".into()], NOW).unwrap();
    lock::create(&data, |key| lock::write_private(&dir.path().join("private"), key)).unwrap();
    let text = settings.to_owned() + &config::template("localhost", "UTC");
    fs::write(data.join(config::FILE), &text).unwrap();
    let db = Db::open(Config::parse(&data, &text, None).unwrap().database()).unwrap();
    let write = |tx: &Tx<'_>| {
        store::setting::set(tx, "hub_epoch", &Epoch([9; 16]).to_string())?;
        let (room, location) = ("204".to_owned(), String::new());
        let place =
            store::device::DevicePlace { room, location, direction: wire::Direction::Entry };
        store::device::add(tx, &door(), &place, "t", NOW)?;
        let profile = StudentProfile {
            student_number: "1".into(),
            first_name: "A".into(),
            ..StudentProfile::default()
        };
        student::add(tx, profile, "t", NOW)
    };
    let student = db.write(write).await.unwrap();
    keys.student_or_new(student, NOW).unwrap();
    Rig { dir, db, keys, student }
}

impl Rig {
    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The hub has `1..=cum` of the door's outbox.
    async fn holds(&self, cum: u64) {
        let mut all = Cursor { max_seq: cum, ..Cursor::default() };
        all.ranges.insert(1, cum);
        self.db.write(move |tx| cursor::put(tx, &door(), EPOCH, &all, NOW)).await.unwrap();
    }

    /// The half of the key that is kept elsewhere.
    fn key(&self) -> BackupKey {
        BackupKey::read(&self.path("private")).unwrap()
    }

    /// Makes a hub of the newest backup in `new`.
    async fn restore(&self, new: &Path) -> Result<(PathBuf, PathBuf), Error> {
        let (folder, keys) = (self.path("backup"), self.path("keys"));
        restore((&folder, &keys), Some(&self.key()), new, "t".into(), NOW).await
    }

    /// The key store in a copy.
    fn keys_in(&self, made: &BackupMade) -> Keys {
        let to = self.path(&made.keys.file_name().unwrap().to_string_lossy());
        unpack(&made.keys, Some(&self.key()), &to).unwrap();
        Keys::open(&to).unwrap()
    }

    fn back_up(&self, now: Wall) -> BackupMade {
        self.back_up_after(None, now)
    }

    fn back_up_after(&self, leap: Option<&Leap>, now: Wall) -> BackupMade {
        make(&self.config(), (&self.path("backup"), &self.path("keys")), now, leap).unwrap()
    }

    fn config(&self) -> Config {
        let data = self.path("data");
        let text = fs::read_to_string(data.join(config::FILE)).unwrap();
        Config::parse(&data, &text, None).unwrap()
    }
}

#[tokio::test]
async fn a_backup_is_checked_and_tells_doors_how_far_it_goes() {
    let rig = rig().await;
    rig.holds(7).await;
    let made = rig.back_up(NOW);
    rig.holds(9).await;
    let reach =
        |db: Db| async move { db.read(|tx| backed_up::of(tx, &door(), EPOCH)).await.unwrap() };
    assert_eq!(reach(rig.db.clone()).await, 0, "nothing before it is told");
    tell(&rig.db, &made, "t".into(), NOW).await.unwrap();
    assert!(made.same_disk && reach(rig.db.clone()).await == 0, "lost with the hub's own disk");
    let newest = rig.db.read(backed_up::newest).await.unwrap().unwrap();
    assert!(newest.same_disk && newest.place == rig.path("backup").display().to_string());
    let made = BackupMade { same_disk: false, ..made };
    tell(&rig.db, &made, "t".into(), NOW).await.unwrap();
    assert_eq!(reach(rig.db.clone()).await, 7, "what came later is not in it");
    assert!(made.audited >= 2 && made.bytes > 0);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(made.keys.parent().unwrap()), mode(&made.keys)), (0o700, 0o600));
}

#[tokio::test]
async fn a_restored_hub_begins_a_new_life_and_knows_what_the_backup_knew() {
    let rig = rig().await;
    rig.holds(7).await;
    rig.back_up(NOW);
    rig.holds(9).await;
    rig.back_up(NOW.plus_ms(1));
    let (old, new) = (rig.path("data"), rig.path("new"));
    assert!(matches!(rig.restore(&old).await, Err(Error::Conflict(_))), "never overwritten");
    let (folder, keys) = (rig.path("backup"), rig.path("keys"));
    let locked = restore((&folder, &keys), None, &new, "t".into(), NOW).await;
    assert!(matches!(locked, Err(Error::Invalid(_))) && !new.exists(), "without its key");
    rig.restore(&new).await.unwrap();
    let db = Db::open(new.join("hub.db")).unwrap();
    let read = |tx: &Tx<'_>| {
        let (epoch, all) = (store::setting::hub_epoch(tx)?, cursor::get(tx, &door(), EPOCH)?);
        Ok((epoch, all.ranges.cumulative(), audit::verify(tx)?.rows, store::release::floor(tx)?))
    };
    let (epoch, cum, rows, floor) = db.read(read).await.unwrap();
    assert_ne!(epoch, Epoch([9; 16]), "doors send their tail again");
    assert_eq!((cum, floor), (9, JUMP), "the newest backup");
    assert!(rows > 2, "the chain goes on");
    let keys = Keys::open(&new).unwrap();
    let key = |keys: &Keys| *keys.student(rig.student).unwrap().unwrap().as_bytes();
    assert_eq!(key(&keys), key(&rig.keys));
    Pki::open(&keys).unwrap();
}

#[tokio::test]
async fn a_database_at_another_place_is_copied_and_put_there_again() {
    let rig = rig_with("database = \"elsewhere.db\"\n").await;
    rig.holds(7).await;
    rig.back_up(NOW);
    let new = rig.path("new");
    rig.restore(&new).await.unwrap();
    assert!(!new.join("hub.db").exists());
    let db = Db::open(Database::File(new.join("elsewhere.db"))).unwrap();
    let held = db.read(|tx| cursor::get(tx, &door(), EPOCH)).await.unwrap();
    assert_eq!(held.ranges.cumulative(), 7);
}

#[tokio::test]
async fn keys_that_do_not_open_are_no_backup() {
    let rig = rig().await;
    let data = rig.path("data");
    let config = Config::parse(&data, &config::template("localhost", "UTC"), None).unwrap();
    let make = || make(&config, (&rig.path("backup"), &rig.path("keys")), NOW, None).map(drop);
    let kek = fs::read(data.join("kek")).unwrap();
    fs::write(data.join("kek"), [7_u8; 32]).unwrap();
    assert!(make().is_err(), "the wrong key to the keys");
    fs::write(data.join("kek"), kek).unwrap();
    fs::remove_file(data.join("keys.db")).unwrap();
    assert!(make().is_err() && Keys::open(&data).is_err(), "no keys");
    assert!(!data.join("keys.db").exists(), "none are made in their place");
    let kept = [names(&rig.path("backup")).unwrap(), names(&rig.path("keys")).unwrap()];
    assert_eq!(kept, [vec![], vec![]], "nothing half-made");
}

#[tokio::test]
async fn an_erased_key_is_in_no_backup_after_thirty_days() {
    let rig = rig().await;
    let first = rig.back_up(NOW);
    let holds = |made: &BackupMade| rig.keys_in(made).student(rig.student).unwrap().is_some();
    assert!(holds(&first));
    rig.keys.erase(rig.student).unwrap();
    let second = rig.back_up(NOW.plus_ms(KEYS_MS - 1));
    assert!(first.keys.exists() && !holds(&second));
    let third = rig.back_up(NOW.plus_ms(KEYS_MS));
    assert_eq!(third.destroyed, Some((1, 0)));
    assert_eq!((first.keys.exists(), second.keys.exists()), (false, true));
    assert!(first.data.exists(), "data stays: nothing in it opens");
}

#[tokio::test]
async fn a_clock_that_leapt_destroys_no_copy_until_it_is_believed() {
    let rig = rig().await;
    let first = rig.back_up(NOW);
    let leapt = NOW.plus_ms(KEYS_MS + 1);
    for night in 0..2 {
        let now = leapt.plus_ms(night * DAY_MS);
        let leap = crate::timekeeper::leap_at(&rig.db, now).await.unwrap();
        let made = rig.back_up_after(leap.as_ref(), now);
        assert!(leap.is_some() && made.destroyed.is_none() && first.keys.exists());
        tell(&rig.db, &made, "t".into(), now).await.unwrap();
    }
    let now = leapt.plus_ms(2 * DAY_MS);
    crate::timekeeper::confirm(&rig.db, "an admin".into(), now).await.unwrap();
    let leap = crate::timekeeper::leap_at(&rig.db, now).await.unwrap();
    assert_eq!(rig.back_up_after(leap.as_ref(), now).destroyed, Some((1, 0)));
    assert!(!first.keys.exists());
}

#[tokio::test]
async fn a_damaged_copy_is_no_backup() {
    let rig = rig().await;
    let made = rig.back_up(NOW);
    let mut bytes = fs::read(&made.data).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 4096].fill(0xA5);
    fs::write(&made.data, bytes).unwrap();
    let new = rig.path("new");
    assert!(rig.restore(&new).await.is_err());
    assert!(!new.exists(), "nothing half-made");
}

#[tokio::test]
async fn a_copy_says_nothing_to_whoever_finds_it_and_nothing_is_left_in_the_clear() {
    let rig = rig().await;
    let made = rig.back_up(NOW);
    for copy in [&made.data, &made.keys] {
        let bytes = fs::read(copy).unwrap();
        assert!(
            bytes.starts_with(b"age-encryption.org/v1")
                && !bytes.windows(6).any(|w| w == b"SQLite")
        );
    }
    let left = names(&rig.path("data")).unwrap();
    assert!(!left.iter().any(|(name, _)| name.ends_with(".part")), "{left:?}");
    fs::remove_file(rig.path("data").join(lock::FILE)).unwrap();
    let data = rig.path("data");
    let config = Config::parse(&data, &config::template("localhost", "UTC"), None).unwrap();
    let refused = make(&config, (&rig.path("backup"), &rig.path("keys")), NOW.plus_ms(1), None);
    assert!(matches!(refused, Err(Error::Conflict(_))), "no key to lock it with, no backup");
}

#[tokio::test]
async fn a_copy_of_before_backups_were_locked_still_makes_a_hub() {
    let rig = rig().await;
    rig.holds(7).await;
    let (data, new) = (rig.path("data"), rig.path("new"));
    let (folder, keys) = (rig.path("backup"), rig.path("keys"));
    let secret = keys.join(format!("keys-{}", stamp(NOW)));
    [&folder, &keys, &secret].into_iter().for_each(|folder| private(folder).unwrap());
    let copy = folder.join(format!("hub-{}.db", stamp(NOW)));
    transfer::copy(rig.db.place(), &copy).unwrap();
    for name in ["keys.db", "kek", "ca.pem", "server.pem", config::FILE] {
        fs::copy(data.join(name), secret.join(name)).unwrap();
    }
    restore((&folder, &keys), None, &new, "t".into(), NOW).await.unwrap();
    let keys = Keys::open(&new).unwrap();
    assert!(keys.student(rig.student).unwrap().is_some());
}

#[test]
fn data_and_keys_are_never_in_one_place() {
    let dir = tempfile::tempdir().unwrap();
    let place = |name: &str| dir.path().join(name);
    assert!(apart(&place("data"), &place("data/keys")).is_err());
    assert!(apart(&place("all/data"), &place("all")).is_err());
    assert!(apart(&place("one"), &place("one/../one")).is_err());
    apart(&place("one"), &place("two")).unwrap();
}

#[tokio::test]
async fn every_authority_and_what_the_hub_shows_is_in_a_backup_with_its_key() {
    let rig = rig().await;
    let (data, keys) = (rig.path("data"), &rig.keys);
    let pki = Pki::open(keys).unwrap();
    pki.rotate_ca(keys, NOW).unwrap();
    rig.back_up(NOW);
    let new = rig.path("new");
    rig.restore(&new).await.unwrap();
    let back = Keys::open(&new).unwrap();
    let restored = Pki::open(&back).unwrap();
    assert!(restored.is_rotating() && restored.ca_pem() == pki.ca_pem());
    // It ended after that backup: the hub made of it goes on where doors are by now.
    restored.finish_ca(&back, NOW.plus_ms(1)).unwrap();
    assert!(restored.ca_pem() != pki.ca_pem() && pki.ca_pem().ends_with(&restored.ca_pem()));
    assert_eq!(back.replaced().unwrap(), Some(NOW.plus_ms(1)));

    // What the hub shows without its key: not a backup that could be used.
    let server = fs::read(new.join("server.pem")).unwrap();
    fs::write(data.join("server.pem"), server).unwrap();
    let config = rig.config();
    let made = make(&config, (&rig.path("backup"), &rig.path("keys")), NOW.plus_ms(2), None);
    let why = format!("{:?}", made.unwrap_err());
    assert!(why.contains("no key of the hub belongs to it"), "{why}");
    assert_eq!(fs::read_dir(rig.path("keys")).unwrap().count(), 1);
}

#[tokio::test]
async fn who_was_signed_in_and_which_certificates_ended_is_not_undone() {
    let rig = rig().await;
    let open = |tx: &Tx<'_>| {
        let new = store::account::NewAccount {
            email: "a@school.test".into(),
            name: "A".into(),
            role: rules::auth::Role::Admin,
            student: None,
            password: None,
        };
        let account = store::account::add(tx, &new, "t", NOW)?;
        let way = store::login::Way::Password;
        let origin = store::login::Origin { way, from: std::net::Ipv4Addr::LOCALHOST.into() };
        store::login::open(tx, b"browser", account.id, &origin, NOW)?;
        store::login::begin(tx, uuid::Uuid::from_u128(7), account.id, b"refresh", &origin, NOW)?;
        store::device::add_cert(tx, &door(), "aa", NOW.plus_ms(DAY_MS), NOW)?;
        let until = NOW.plus_ms(DAY_MS);
        let life = store::device::capture_token::TokenLife { from: NOW, until, overlap: NOW };
        store::device::add_token(tx, &door(), "join", until, "t", NOW)?;
        store::device::capture_token::add(tx, &door(), b"program", life, "t")
    };
    rig.db.write(open).await.unwrap();
    let data = rig.back_up(NOW).data;
    // Ended since; the newer copy of the data is lost, that of the keys is not.
    let ended = rig.db.write(|tx| {
        store::device::revoke(tx, &door(), "t", NOW)?;
        store::certificate::ended(tx, NOW)
    });
    rig.keys.remember_ended(&ended.await.unwrap(), NOW).unwrap();
    fs::remove_file(rig.back_up(NOW.plus_ms(1)).data).unwrap();
    let new = rig.path("new");
    let (from, _) = rig.restore(&new).await.unwrap();
    assert_eq!(from, data);
    let ended = Keys::open(&new).unwrap().ended().unwrap();
    let read = move |tx: &Tx<'_>| {
        let before = store::device::revoked(tx)?.len();
        let back = store::certificate::end_again(tx, &ended, NOW)?;
        let session = store::login::session(tx, b"browser")?.is_some();
        let family = store::login::family(tx, uuid::Uuid::from_u128(7))?.is_some();
        let program =
            store::device::capture_token::holder(tx, b"program", NOW.plus_ms(1))?.is_some();
        let join = store::device::use_token(tx, "join", NOW)?.is_some();
        Ok((before, back, [session, family, program, join]))
    };
    let db = Db::open(new.join("hub.db")).unwrap();
    assert_eq!(db.write(read).await.unwrap(), (0, 1, [false; 4]));
}

/// An account that everything opens.
fn opened_by_all(tx: &Tx<'_>, email: &str) -> Result<uuid::Uuid, Error> {
    use rules::auth::Role;
    use store::passkey::PasskeyKept;
    let (name, password) = ("A".to_owned(), Some("old".to_owned()));
    let new = store::account::NewAccount {
        email: email.into(),
        name,
        role: Role::Admin,
        student: None,
        password,
    };
    let id = store::account::add(tx, &new, "t", NOW)?.id;
    let credential = email.as_bytes().to_vec();
    store::passkey::add(
        tx,
        id,
        "laptop",
        &PasskeyKept { credential, key: vec![], state: vec![] },
        NOW,
    )?;
    store::totp::start(tx, id, b"sealed", NOW)?;
    store::totp::confirm(tx, id, 1, &[b"code".to_vec()], NOW)?;
    tx.execute("update user_account set may_link = 1 where id = $1", [id.to_string()])?;
    let (issuer, subject, verified_email) = ("i".into(), email.into(), Some(email.into()));
    store::identity::open(tx, &ProviderIdentity { issuer, subject, verified_email }, NOW)?;
    let feed = store::feed::Feed { id, account: id, class: None, created_at: NOW };
    store::feed::add(tx, &feed, email.as_bytes(), NOW)?;
    Ok(id)
}

/// What still opens an account: its passkey, codes, password, link, calendar address, itself.
fn opens(tx: &Tx<'_>, id: uuid::Uuid) -> Result<[bool; 6], Error> {
    let person = store::accounts::find(tx, &id.to_string())?;
    let (passkey, codes) = (store::passkey::any(tx, id)?, store::totp::get(tx, id)?.is_some());
    let feed = !store::feed::of(tx, id)?.is_empty();
    Ok([passkey, codes, person.has_password, person.linked, feed, person.is_active])
}

fn shut_all(tx: &Tx<'_>, id: uuid::Uuid) -> Result<(), Error> {
    let (by, later) = (id.to_string(), NOW.plus_ms(1));
    let passkey = store::passkey::of(tx, id)?[0].id;
    store::passkey::remove(tx, id, passkey, later)?;
    store::totp::remove(tx, id, &by, later)?;
    store::identity::unlink(tx, id, &by, later)?;
    store::feed::remove(tx, id, id, later)?;
    store::accounts::set_password(tx, id, "new", &store::login::LoginKeep::Nothing, &by, later)?;
    let mut profile = store::accounts::find(tx, &by)?.profile();
    profile.is_active = false;
    store::accounts::change(tx, id, profile, None, &by, later).map(drop)
}

#[tokio::test]
async fn what_opened_an_account_and_was_shut_since_opens_nothing_in_an_older_copy() {
    let rig = rig().await;
    let both = |tx: &Tx<'_>| Ok((opened_by_all(tx, "a@s.test")?, opened_by_all(tx, "b@s.test")?));
    let (gone, stays) = rig.db.write(both).await.unwrap();
    rig.back_up(NOW);
    rig.db.write(move |tx| shut_all(tx, gone)).await.unwrap();
    let shut = rig.db.read(store::shut::all).await.unwrap();
    rig.keys.remember_shut(&shut, NOW).unwrap();
    fs::remove_file(rig.back_up(NOW.plus_ms(1)).data).unwrap();
    let new = rig.path("new");
    rig.restore(&new).await.unwrap();
    let shut = Keys::open(&new).unwrap().shut().unwrap();
    let after = move |tx: &Tx<'_>| {
        let before = opens(tx, gone)?;
        let back = [store::reshut::again(tx, &shut)?, store::reshut::again(tx, &shut)?];
        Ok((before, back, opens(tx, gone)?, opens(tx, stays)?))
    };
    let db = Db::open(new.join("hub.db")).unwrap();
    let (open, none) = ([true; 6], [false; 6]);
    let back = [6, 0].map(|shut| ReshutBack { shut, bare: 0 });
    assert_eq!(db.write(after).await.unwrap(), (open, back, none, open));
}

#[tokio::test]
async fn an_account_that_was_closed_and_opened_again_stays_open() {
    let rig = rig().await;
    let write = |tx: &Tx<'_>| {
        let (id, _other) = (opened_by_all(tx, "a@s.test")?, opened_by_all(tx, "b@s.test")?);
        shut_all(tx, id)?;
        let shut = store::shut::all(tx)?;
        let mut profile = store::accounts::find(tx, &id.to_string())?.profile();
        profile.is_active = true;
        store::accounts::change(tx, id, profile, None, "t", NOW.plus_ms(2))?;
        Ok((store::reshut::again(tx, &shut)?, opens(tx, id)?))
    };
    let (back, opens) = rig.db.write(write).await.unwrap();
    assert_eq!(
        (back, opens),
        (ReshutBack::default(), [false, false, true, false, false, true]),
        "its own data knows"
    );
}

#[tokio::test]
async fn an_account_opened_and_linked_again_since_the_backup_stays_so_in_an_older_copy() {
    for is_again in [true, false] {
        let rig = rig().await;
        let both =
            |tx: &Tx<'_>| Ok((opened_by_all(tx, "a@s.test")?, opened_by_all(tx, "b@s.test")?));
        let (id, _other) = rig.db.write(both).await.unwrap();
        rig.back_up(NOW);
        let write = move |tx: &Tx<'_>| {
            shut_all(tx, id)?;
            if is_again {
                // The clock went back by the millisecond in which it was closed.
                let mut profile = store::accounts::find(tx, &id.to_string())?.profile();
                (profile.is_active, profile.may_link) = (true, true);
                store::accounts::change(tx, id, profile, None, "t", NOW)?;
                let (issuer, subject, email) = ("i".into(), "a@s.test".into(), "a@s.test".into());
                let who = ProviderIdentity { issuer, subject, verified_email: Some(email) };
                store::identity::open(tx, &who, NOW)?;
            }
            store::shut::all(tx)
        };
        let shut = rig.db.write(write).await.unwrap();
        rig.keys.remember_shut(&shut, NOW).unwrap();
        fs::remove_file(rig.back_up(NOW.plus_ms(1)).data).unwrap();
        let new = rig.path("new");
        rig.restore(&new).await.unwrap();
        let shut = Keys::open(&new).unwrap().shut().unwrap();
        let after = move |tx: &Tx<'_>| {
            store::reshut::again(tx, &shut)?;
            store::reshut::again(tx, &shut)?;
            opens(tx, id)
        };
        let db = Db::open(new.join("hub.db")).unwrap();
        let opens = db.write(after).await.unwrap();
        assert_eq!(opens, [false, false, false, is_again, false, is_again]);
    }
}

#[tokio::test]
async fn another_link_since_brings_the_old_one_back_for_nobody() {
    let rig = rig().await;
    let write = |tx: &Tx<'_>| {
        let id = opened_by_all(tx, "a@s.test")?;
        let of = |kind, what: String, ms| store::shut::Shut { kind, what, at: NOW.plus_ms(ms) };
        let other = store::identity::mark(&id.to_string(), "i", "another");
        let shut = [of(ShutKind::Link, id.to_string(), 1), of(ShutKind::Linked, other, 2)];
        store::reshut::again(tx, &shut)?;
        Ok(store::accounts::find(tx, &id.to_string())?.linked)
    };
    assert!(!rig.db.write(write).await.unwrap());
}

#[tokio::test]
async fn whoever_lost_the_last_second_factor_to_a_restore_has_no_password_either() {
    let rig = rig().await;
    let write = |tx: &Tx<'_>| {
        let (both, plain) = (opened_by_all(tx, "a@s.test")?, opened_by_all(tx, "b@s.test")?);
        let passkey = store::passkey::of(tx, both)?[0].id.to_string();
        let of = |kind, what: String| store::shut::Shut { kind, what, at: NOW.plus_ms(1) };
        let one = store::reshut::again(tx, &[of(ShutKind::Codes, both.to_string())])?;
        let kept = opens(tx, both)?[2];
        let last = store::reshut::again(tx, &[of(ShutKind::Passkey, passkey)])?;
        Ok((one.bare, kept, last.bare, opens(tx, both)?[2], opens(tx, plain)?[2]))
    };
    assert_eq!(rig.db.write(write).await.unwrap(), (0, true, 1, false, true));
}

#[tokio::test]
async fn a_password_of_a_clock_that_leapt_and_one_of_the_right_clock_stay() {
    let rig = rig().await;
    let id = rig.db.write(|tx| opened_by_all(tx, "a@s.test")).await.unwrap();
    for (password, at) in [("one", NOW.plus_ms(300 * DAY_MS)), ("two", NOW.plus_ms(5))] {
        let by = id.to_string();
        let set = move |tx: &Tx<'_>| {
            store::accounts::set_password(
                tx,
                id,
                password,
                &store::login::LoginKeep::Nothing,
                &by,
                at,
            )
        };
        rig.db.write(set).await.unwrap();
        rig.keys.remember_shut(&rig.db.read(store::shut::all).await.unwrap(), NOW).unwrap();
    }
    let shut = rig.keys.shut().unwrap();
    let start = move |tx: &Tx<'_>| Ok((store::reshut::again(tx, &shut)?, opens(tx, id)?[2]));
    assert_eq!(
        rig.db.write(start).await.unwrap(),
        (ReshutBack::default(), true),
        "nothing was restored"
    );
}
