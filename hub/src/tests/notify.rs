use crate::tests::{Carrying, House};
use acts::notify::letters;
use acts::notify::pause_ms;
use acts::notify::post::Post;
use acts::notify::texts::Texts;
use acts::notify::webhooks::{self, BadUrl};
use config::{Smtp, SmtpTls};
use jiff::civil::date;
use jiff::tz::TimeZone;
use rules::auth::Role;
use rules::care::AsideKind;
use rules::error::Error;
use rules::reports::Sums;
use std::sync::{Arc, Mutex};
use store::account::{self, NewAccount};
use store::mail::{Absence, MailAttendance};
use store::passkey::PasskeyKept;
use store::{
    Tx, accounts, audit, login, mail, outgoing, params, passkey, sample, student, totp, webhook,
};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use uuid::Uuid;
use wire::pulse::Beat;
use wire::{StudentId, Wall};

const AT: Wall = Wall(1_790_000_000_000); // 2026-09-21T14:13:20Z

fn student() -> StudentId {
    StudentId(Uuid::from_u128(7))
}

// Decisions ------------------------------------------------------------------------------------

#[test]
fn tries_come_ever_later_and_end_within_a_day() {
    let pauses: Vec<_> = (1..).map_while(pause_ms).collect();
    assert_eq!(i64::try_from(pauses.len()).unwrap(), acts::notify::TRIES - 1);
    assert!(pauses.windows(2).all(|two| two[0] < two[1]));
    assert!(pauses.iter().sum::<i64>() < 24 * 3_600_000);
    assert_eq!(pause_ms(0), None);
}

#[test]
fn what_families_read_about_an_absence() {
    let absence = Absence {
        session: Uuid::nil(),
        lesson: "Maths".into(),
        starts: AT,
        student: student(),
        name: "Ali <Rezaei>".into(),
        recipient: "mum@home.test".into(),
    };
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    let letter = letters::absence(&absence, &zone, &Texts::default(), AT);
    insta::assert_snapshot!(format!("{}\n\n{}", letter.subject, letter.body));
    assert_eq!(letter.due, AT.plus_ms(letters::GRACE_MS));
}

#[test]
fn low_attendance_is_strictly_below_the_line_and_nothing_recorded_says_nothing() {
    let month = |present, absent| MailAttendance {
        class: Uuid::nil(),
        class_name: "Maths".into(),
        student: student(),
        name: "Ali".into(),
        recipient: "mum@home.test".into(),
        sums: Sums { present, late: 0, absent },
    };
    let said = |of| letters::low_attendance(&of, date(2026, 9, 1), &Texts::default(), AT);
    assert_eq!(said(month(3, 1)), None, "75 % is not below 75 %");
    assert_eq!(said(month(0, 0)), None);
    let letter = said(month(2, 1)).unwrap();
    assert!(letter.body.contains("2 of 3 lessons of Maths (66.67 %)"), "{}", letter.body);
}

#[test]
fn the_last_month_is_whole() {
    assert_eq!(letters::last_month(date(2026, 3, 31)), (date(2026, 2, 1), date(2026, 2, 28)));
    assert_eq!(letters::last_month(date(2026, 1, 1)), (date(2025, 12, 1), date(2025, 12, 31)));
}

#[test]
fn only_addresses_outside_are_told() {
    let inside = [
        "10.0.0.1",
        "127.0.0.1",
        "169.254.169.254",
        "192.168.1.1",
        "100.64.0.1",
        "0.0.0.0",
        "::1",
        "fd00::1",
        "fe80::1",
        "::ffff:10.0.0.1",
        "224.0.0.1",
        "255.255.255.255",
    ];
    for address in inside {
        assert!(!webhooks::is_outside(address.parse().unwrap()), "{address}");
    }
    for address in ["93.184.216.34", "100.128.0.1", "2606:2800:220:1::1"] {
        assert!(webhooks::is_outside(address.parse().unwrap()), "{address}");
    }
    assert_eq!(webhooks::check("http://example.org", false), Err(BadUrl::Scheme));
    assert_eq!(webhooks::check("https://u:p@example.org", false), Err(BadUrl::User));
    assert!(webhooks::check("https://example.org/x?y", false).is_ok());
}

#[tokio::test]
async fn an_address_that_cannot_be_told_is_refused_by_its_field() {
    let house = House::new().await;
    let token = house.token(Role::Admin).await;
    let hook = serde_json::json!({ "url": "http://example.org", "events": ["session.closed"] });
    let refused = house.send(super::post("/api/webhooks").bearer(&token).json(&hook)).await;
    assert_eq!(refused.status(), 422);
    let detail = super::body(&refused)["detail"].to_string();
    assert_eq!(detail.matches("url").count(), 1, "{detail}");
}

// Mail over a real connection ------------------------------------------------------------------

/// A mail server that takes everything but what goes to `refuse@`; what it got, it keeps.
async fn server(got: Arc<Mutex<Vec<String>>>, listener: TcpListener) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { return };
        let _gone = converse(stream, &got).await;
    }
}

async fn converse(stream: TcpStream, got: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    write.write_all(b"220 sink\r\n").await?;
    while let Some(line) = lines.next_line().await? {
        let answer: &[u8] = match line.split(' ').next().unwrap_or("") {
            "EHLO" => b"250-sink\r\n250 8BITMIME\r\n",
            "RCPT" if line.contains("refuse@") => b"550 no such person\r\n",
            "RCPT" if line.contains("later@") => b"451 later\r\n",
            "DATA" => {
                write.write_all(b"354 go on\r\n").await?;
                let mut text = String::new();
                while let Some(line) = lines.next_line().await?.filter(|line| line != ".") {
                    text += &line;
                    text += "\n";
                }
                got.lock().unwrap().push(text);
                b"250 taken\r\n"
            }
            "QUIT" => return write.write_all(b"221 bye\r\n").await,
            _ => b"250 ok\r\n",
        };
        write.write_all(answer).await?;
    }
    Ok(())
}

/// Where mail goes in a test.
pub(super) fn smtp(port: u16) -> Smtp {
    let (user, password) = (None, None);
    let from = "School <school@school.test>".to_owned();
    Smtp { host: "127.0.0.1".into(), port, user, password, from, tls: SmtpTls::None }
}

async fn write(house: &House, sql: &'static str) {
    house.app.db.write(move |tx| tx.execute(sql, []).map(drop)).await.unwrap();
}

/// A closed lesson with three students: absent, unverified, undecided; all have addresses.
async fn closed_lesson(house: &House, now: Wall) {
    let fill = move |tx: &Tx<'_>| {
        tx.execute(
            "insert into class (id, class_name, class_code, is_active, version)
             values ('00000000-0000-0000-0000-00000000000c', 'Maths', 'M', 1, 1)",
            [],
        )?;
        let sql = "insert into session (id, class, name, day, starts, ends, late_after, room,
                 source, version)
             values ('00000000-0000-0000-0000-000000000005',
                 '00000000-0000-0000-0000-00000000000c', 'Maths', '2026-03-02', $1, $1, $1, '204',
                 'manual', 1)";
        tx.execute(sql, params![now.0])?;
        for (n, status) in [(1, "absent"), (2, "unverified"), (3, "undecided"), (4, "absent")] {
            let to = if n == 4 { "later@home.test" } else { "mum@home.test" };
            let id = format!("00000000-0000-0000-0000-00000000001{n}");
            tx.execute(
                "insert into student (id, student_number, first_name, last_name, email, kind,
                     is_active, created_at, updated_at, version)
                 values ($1, $2, 'Ali', $2, $3, 'student', 1, 0, 0, 1)",
                params![id, n.to_string(), to],
            )?;
            tx.execute(
                "insert into mark (session, student, status, source, by_whom, at, version)
                 values ('00000000-0000-0000-0000-000000000005', $1, $2, 'close', 'hub', 0, 1)",
                params![id, status],
            )?;
        }
        store::session::close(tx, Uuid::from_u128(5), now)
    };
    house.app.db.write(fill).await.unwrap();
}

#[tokio::test]
async fn a_verified_absence_is_mailed_once_and_nothing_else_is() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (port, got) = (listener.local_addr().unwrap().port(), Arc::new(Mutex::new(Vec::new())));
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(server(got.clone(), listener));
    let (house, post) = (House::new().await, Post::new(&smtp(port)).unwrap());
    let app = &house.app;
    app.sender().send_due(Some(&post), &Beat::default()).await.unwrap(); // from now on
    let now = app.clock.wall().plus_ms(1);
    house.clock.set_wall(now);
    closed_lesson(&house, now).await;
    app.sender().send_due(Some(&post), &Beat::default()).await.unwrap();
    assert!(got.lock().unwrap().is_empty(), "a door may still say that somebody was there");
    house.clock.set_wall(now.plus_ms(letters::GRACE_MS));
    app.sender().send_due(Some(&post), &Beat::default()).await.unwrap();
    app.sender().send_due(Some(&post), &Beat::default()).await.unwrap();
    let mails = got.lock().unwrap().clone();
    assert_eq!(mails.len(), 1, "one of four: {mails:?}");
    assert!(mails[0].contains("Subject: Absence on 2026-03-02: Maths"), "{}", mails[0]);
    let listed = app.db.read(|tx| mail::list(tx, None, 9)).await.unwrap();
    let mut states: Vec<_> = listed.iter().map(|m| (m.state.as_str(), m.attempts)).collect();
    states.sort_unstable();
    assert_eq!(states, [("sent", 1), ("waiting", 1)], "the other mailbox asks to try later");
    write(&house, "update mark set status = 'present' where status = 'absent'").await;
    house.clock.set_wall(now.plus_ms(2 * letters::GRACE_MS));
    app.sender().send_due(Some(&post), &Beat::default()).await.unwrap();
    let listed = app.db.read(|tx| mail::list(tx, None, 9)).await.unwrap();
    let state = |state| listed.iter().filter(|mail| mail.state == state).count();
    assert_eq!((state("sent"), state("failed")), (1, 1), "it turned out otherwise: not sent");
    assert_eq!(got.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn an_absence_that_was_not_told_because_it_was_untrue_is_told_once_it_is_true() {
    let (house, post) = (House::new().await, Post::new(&smtp(1)).unwrap());
    let turn = async || house.app.sender().send_due(Some(&post), &Beat::default()).await.unwrap();
    let states = async || {
        let listed = house.app.db.read(|tx| mail::list(tx, None, 9)).await.unwrap();
        listed.into_iter().map(|mail| (mail.state, mail.error)).collect::<Vec<_>>()
    };
    turn().await;
    let now = house.app.clock.wall().plus_ms(1);
    house.clock.set_wall(now);
    closed_lesson(&house, now).await;
    turn().await;
    write(&house, "update mark set status = 'present' where status = 'absent'").await;
    write(&house, "update session set closed_at = null").await; // closed by mistake
    house.clock.set_wall(now.plus_ms(letters::GRACE_MS));
    turn().await;
    let dropped = ("failed".to_owned(), Some(mail::UNTRUE.to_owned()));
    assert_eq!(states().await, [dropped.clone(), dropped]);
    write(&house, "update mark set status = 'absent' where status = 'present'").await;
    write(&house, "update session set closed_at = 1").await;
    turn().await;
    let waits = ("waiting".to_owned(), None);
    assert_eq!(states().await, [waits.clone(), waits], "in half an hour");
    write(&house, "update mail set state = 'failed', error = 'no such mailbox'").await;
    write(&house, "update session set closed_at = null").await;
    write(&house, "update session set closed_at = 2").await;
    turn().await;
    assert_eq!(
        house.app.db.read(mail::waiting).await.unwrap(),
        0,
        "what was tried is not said twice"
    );
}

#[tokio::test]
async fn a_teacher_may_switch_mail_off() {
    let (house, post) = (House::new().await, Post::new(&smtp(1)).unwrap());
    house.app.sender().send_due(Some(&post), &Beat::default()).await.unwrap();
    let now = house.app.clock.wall().plus_ms(1);
    house.clock.set_wall(now);
    closed_lesson(&house, now).await;
    let teacher = house.account(rules::auth::Role::Teacher).await.id.to_string();
    let switch = move |tx: &Tx<'_>| {
        tx.execute(
            "insert into teaches (class, teacher, from_day)
             values ('00000000-0000-0000-0000-00000000000c', $1, '2026-01-01')",
            params![teacher],
        )?;
        let sql = "insert into mail_switch (account, kind, is_on) values ($1, 'absence', 0)";
        tx.execute(sql, params![teacher])
    };
    house.app.db.write(switch).await.unwrap();
    house.app.sender().send_due(Some(&post), &Beat::default()).await.unwrap();
    assert_eq!(house.app.db.read(mail::waiting).await.unwrap(), 0);
}

/// The class `c` of [`closed_lesson`] is taught by a teacher, and suspended since `now`.
async fn suspended(house: &House, now: Wall) {
    let teacher = house.account(rules::auth::Role::Teacher).await.id.to_string();
    let suspend = move |tx: &Tx<'_>| {
        let class = Uuid::from_u128(0xc);
        tx.execute(
            "insert into teaches (class, teacher, from_day) values ($1, $2, '2026-01-01')",
            params![class.to_string(), teacher],
        )?;
        tx.execute("update class set policy = 'auto', auto_line = 1, error_budget = 1", [])?;
        let count = rules::attendance::budget::BudgetCount { passages: 40, errors: 3 };
        store::budget::suspend(tx, class, count, now)
    };
    house.app.db.write(suspend).await.unwrap();
}

#[tokio::test]
async fn teachers_are_told_once_that_a_person_decides_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (port, got) = (listener.local_addr().unwrap().port(), Arc::new(Mutex::new(Vec::new())));
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(server(got.clone(), listener));
    let (house, post) = (House::new().await, Post::new(&smtp(port)).unwrap());
    let now = house.app.clock.wall();
    closed_lesson(&house, now).await;
    suspended(&house, now).await;
    for _ in 0..2 {
        house.app.sender().send_due(Some(&post), &Beat::default()).await.unwrap();
    }
    let mails = got.lock().unwrap().clone();
    assert_eq!(mails.len(), 1, "{mails:?}");
    assert!(mails[0].contains("To: teacher@school.test"), "{}", mails[0]);
    assert!(mails[0].contains("Subject: A person decides again: Maths"), "{}", mails[0]);
}

#[tokio::test]
async fn a_suspension_that_is_over_before_the_mail_left_is_not_told() {
    let (house, post) = (House::new().await, Post::new(&smtp(1)).unwrap());
    let now = house.app.clock.wall();
    closed_lesson(&house, now).await;
    house.app.sender().send_due(None, &Beat::default()).await.unwrap(); // absences are not told here
    suspended(&house, now).await;
    house.app.sender().send_due(Some(&post), &Beat::default()).await.unwrap();
    assert_eq!(house.app.db.read(mail::waiting).await.unwrap(), 1, "the mail server is away");
    write(&house, "update class set suspended_at = null").await;
    house.clock.set_wall(now.plus_ms(10 * 60_000));
    house.app.sender().send_due(Some(&post), &Beat::default()).await.unwrap();
    assert_eq!(house.app.db.read(mail::waiting).await.unwrap(), 0);
}

/// What the teacher's account goes through, and what was told of it.
async fn told(house: &House, mails: bool) -> Vec<(String, String)> {
    let (teacher, admin) =
        (house.account(Role::Teacher).await.id, house.account(Role::Admin).await);
    let (by, post) = (admin.id.to_string(), Post::new(&smtp(1)).unwrap());
    let change = move |tx: &Tx<'_>| {
        let (own, keep) = (teacher.to_string(), login::LoginKeep::Nothing);
        accounts::set_password(tx, teacher, "new", &keep, &own, AT)?;
        totp::start(tx, teacher, b"sealed", AT)?;
        totp::confirm(tx, teacher, 1, &[], AT)?;
        let kept = PasskeyKept { credential: vec![1], key: vec![], state: vec![] };
        passkey::add(tx, teacher, "laptop", &kept, AT)?;
        totp::remove_every(tx, teacher, &by, AT)?;
        let (table, meta) = ("user_account", serde_json::json!({}));
        for id in [own.as_str(), by.as_str()] {
            let entry = audit::AuditEntry {
                actor: &by,
                action: "end-sign-ins",
                table,
                id,
                meta: meta.clone(),
            };
            audit::add(tx, AT, &entry)?; // their own is no news
        }
        let mut profile = accounts::find(tx, &own)?.profile();
        profile.email = "new@school.test".into();
        accounts::change(tx, teacher, profile, None, &by, AT).map(drop)
    };
    house.app.db.write(change).await.unwrap();
    house.app.sender().send_due(mails.then_some(&post), &Beat::default()).await.unwrap();
    let written = |tx: &Tx<'_>| {
        let sql = "select recipient, body from mail order by created_at, recipient, body";
        tx.query(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))
    };
    house.app.db.read(written).await.unwrap()
}

#[tokio::test]
async fn whoever_owns_an_account_hears_what_changed_at_the_old_address_too() {
    let house = House::new().await;
    let mut told = told(&house, true).await;
    let said = [
        "password of your account was changed",
        "were switched on",
        "passkey was added",
        "were switched off",
        "passkey was taken away",
        "ended all sign-ins",
        "e-mail address of your account was changed",
        "e-mail address of your account was changed",
    ];
    assert_eq!(told.len(), said.len(), "{told:?}");
    let place = |body: &str| said.iter().position(|said| body.contains(said));
    told.sort_by_key(|(to, body)| (place(body), to.clone()));
    for ((_, body), said) in told.iter().zip(said) {
        assert!(body.contains(said), "{body}");
    }
    assert!(told[..7].iter().all(|(_, body)| body.contains("new@school.test")));
    assert!(!told[7].1.contains("new@school.test"), "a stranger may read it: {told:?}");
    let to: Vec<_> = told.iter().map(|(to, _)| to.as_str()).collect();
    assert_eq!(to[..7], ["new@school.test"; 7]);
    assert_eq!(to[7], "teacher@school.test");
}

#[tokio::test]
async fn whoever_closes_an_account_first_is_told_of_all_the_same() {
    let house = House::new().await;
    let (teacher, by) =
        (house.account(Role::Teacher).await.id, house.account(Role::Admin).await.id.to_string());
    let change = move |tx: &Tx<'_>| {
        let mut profile = accounts::find(tx, &teacher.to_string())?.profile();
        (profile.email, profile.is_active) = ("thief@evil.test".into(), false);
        accounts::change(tx, teacher, profile, None, &by, AT).map(drop)
    };
    house.app.db.write(change).await.unwrap();
    let post = Post::new(&smtp(1)).unwrap();
    house.app.sender().send_due(Some(&post), &Beat::default()).await.unwrap();
    let to = |tx: &Tx<'_>| tx.query("select recipient from mail", [], |row| row.get(0));
    let told: Vec<String> = house.app.db.read(to).await.unwrap();
    assert!(told.contains(&"teacher@school.test".to_owned()), "{told:?}");
}

/// A pupil with an account, whose password was just changed.
async fn pupil(house: &House) -> StudentId {
    let write = |tx: &Tx<'_>| {
        let profile = student::StudentProfile {
            student_number: "1".into(),
            first_name: "A".into(),
            ..student::StudentProfile::default()
        };
        let pupil = student::add(tx, profile, "t", AT)?;
        let (email, name) = ("child@home.test".into(), "Child".into());
        let new =
            NewAccount { email, name, role: Role::Student, student: Some(pupil), password: None };
        let id = account::add(tx, &new, "t", AT)?.id;
        accounts::set_password(tx, id, "new", &login::LoginKeep::Nothing, "t", AT)?;
        Ok(pupil)
    };
    house.app.db.write(write).await.unwrap()
}

#[tokio::test]
async fn mail_about_the_account_of_a_pupil_goes_with_them() {
    let house = House::new().await;
    let pupil = pupil(&house).await;
    let post = Post::new(&smtp(1)).unwrap();
    let look = async || {
        house.app.sender().send_due(Some(&post), &Beat::default()).await.unwrap();
        let left =
            |tx: &Tx<'_>| tx.query("select recipient from mail", [], |row| row.get::<String>(0));
        house.app.db.read(left).await.unwrap()
    };
    assert_eq!(look().await, ["child@home.test".to_owned()]);
    let (app, why) = (&house.app, store::erasure::ErasureReason::Asked);
    acts::privacy::erase::erase(&app.db, &app.keys, pupil, why, "t".into(), AT).await.unwrap();
    assert_eq!(look().await, [] as [String; 0], "nor is the erasure told to anybody");
}

#[tokio::test]
async fn without_a_mail_server_nothing_is_written_and_nothing_waits() {
    let house = House::new().await;
    assert_eq!(told(&house, false).await, []);
    let left = house.app.db.read(|tx| outgoing::next(tx, 9)).await.unwrap();
    assert!(left.iter().all(|one| !one.event.starts_with("account.")), "{left:?}");
}

#[tokio::test]
async fn a_change_that_did_not_happen_is_not_told() {
    let house = House::new().await;
    let teacher = house.account(Role::Teacher).await.id;
    let undone = move |tx: &Tx<'_>| -> Result<(), Error> {
        accounts::set_password(tx, teacher, "new", &login::LoginKeep::Nothing, "t", AT)?;
        Err(Error::Invalid("it broke off".into()))
    };
    assert!(house.app.db.write(undone).await.is_err());
    assert_eq!(house.app.db.read(|tx| outgoing::next(tx, 9)).await.unwrap(), []);
}

// Webhooks over a real connection --------------------------------------------------------------

/// A receiver that answers `status` once and keeps head and body.
async fn receiver(listener: TcpListener, status: u16) -> (String, String) {
    let (mut stream, _) = listener.accept().await.unwrap();
    let (mut all, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let n = stream.read(&mut buffer).await.unwrap();
        all.extend_from_slice(&buffer[..n]);
        let text = String::from_utf8_lossy(&all).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n")
            && body.ends_with('}')
        {
            let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\n\r\n");
            stream.write_all(answer.as_bytes()).await.unwrap();
            return (head.to_lowercase(), body.to_owned());
        }
    }
}

#[tokio::test]
async fn a_message_arrives_signed_as_the_standard_says() {
    let _in_use = rustls::crypto::ring::default_provider().install_default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let (id, secret) = (Uuid::from_u128(9), webhooks::secret());
    let body = webhooks::body("ping", &serde_json::json!({}), AT);
    let message = store::webhook::WebhookMessage {
        id,
        url,
        secret: Some(secret.clone()),
        body: body.clone(),
    };
    let (got, sent) = tokio::join!(receiver(listener, 204), webhooks::deliver(&message, true, AT));
    assert_eq!((sent, &got.1), (Ok(204), &body));
    let header = |name: &str| {
        let line = got.0.lines().find(|line| line.starts_with(&format!("{name}: "))).unwrap();
        line.split_once(": ").unwrap().1.to_owned()
    };
    assert_eq!(header("webhook-timestamp"), (AT.0 / 1000).to_string());
    let signer = standardwebhooks::Webhook::new(&secret).unwrap();
    let right = signer.sign(&header("webhook-id"), AT.0 / 1000, body.as_bytes()).unwrap();
    assert_eq!(header("webhook-signature"), right.to_lowercase());
}

#[tokio::test]
async fn nobody_is_led_into_the_schools_own_network() {
    let (id, secret) = (Uuid::nil(), Some(webhooks::secret()));
    let (url, body) = ("https://localhost:1/".to_owned(), "{}".to_owned());
    let message = store::webhook::WebhookMessage { id, url, secret, body };
    let refused = webhooks::deliver(&message, false, AT).await.unwrap_err();
    assert!(refused.contains("private network"), "{refused}");
}

#[tokio::test]
async fn a_hook_that_fails_for_days_is_switched_off() {
    let house = House::new().await;
    let (keys, now) = (house.app.keys.clone(), house.app.clock.wall());
    let hook = webhook::Webhook {
        id: Uuid::from_u128(3),
        url: "https://gone.test/".into(),
        events: vec!["gallery.changed".into()],
        is_active: true,
        failing_since: None,
        created_at: now,
        version: 1,
    };
    let (id, secret) = (hook.id, webhooks::secret());
    let step = move |tx: &Tx<'_>| {
        webhook::add(tx, &keys, &hook, &secret, "t", now)?;
        webhook::enqueue(tx, "session.closed", "{}", now)?;
        assert!(webhook::due(tx, &keys, now, 9)?.is_empty(), "not of its events");
        webhook::enqueue(tx, "gallery.changed", "{}", now)?;
        let due = webhook::due(tx, &keys, now, 9)?;
        assert_eq!(due[0].2.secret.as_ref(), Some(&secret), "opened again");
        let fail = webhook::Tried { status: Some(500), why: Some("x".into()), next: Some(1) };
        webhook::tried(tx, id, due[0].2.id, &fail, now)?;
        assert!(webhook::get(tx, id)?.is_active);
        webhook::tried(tx, id, due[0].2.id, &fail, now.plus_ms(store::webhook::GIVE_UP_MS))?;
        webhook::get(tx, id)
    };
    assert!(!house.app.db.write(step).await.unwrap().is_active);
}

#[tokio::test]
async fn a_hook_whose_secret_is_damaged_holds_no_other_up() {
    let _in_use = rustls::crypto::ring::default_provider().install_default();
    let house = House::new().await;
    hook(&house).await;
    let (keys, now) = (house.app.keys.clone(), house.app.clock.wall());
    let damaged = move |tx: &Tx<'_>| {
        let mut second = webhook::get(tx, Uuid::from_u128(3))?;
        second.id = Uuid::from_u128(4);
        webhook::add(tx, &keys, &second, &webhooks::secret(), "t", now)?;
        tx.execute("update webhook set secret = x'00' where id like '%3'", [])?;
        webhook::enqueue(tx, "ping", "{}", now)
    };
    house.app.db.write(damaged).await.unwrap();
    house.app.sender().send_due(None, &Beat::default()).await.unwrap();
    for (hook, why) in [(3, "its secret is damaged"), (4, "its address leads into a private")] {
        let told = move |tx: &Tx<'_>| webhook::messages(tx, Uuid::from_u128(hook), 9);
        let told = house.app.db.read(told).await.unwrap();
        let ping = told.iter().find(|message| message.event == "ping").unwrap();
        assert!(ping.error.as_ref().is_some_and(|said| said.starts_with(why)), "{ping:?}");
        assert_eq!((ping.state.as_str(), ping.attempts), ("waiting", 1), "tried again later");
    }
}

// What was noted ------------------------------------------------------------------------------

/// A hook that hears everything.
async fn hook(house: &House) {
    let (keys, now) = (house.app.keys.clone(), house.app.clock.wall());
    let hook = webhook::Webhook {
        id: Uuid::from_u128(3),
        url: "https://127.0.0.1:1/".into(), // refused at once
        events: Vec::new(),
        is_active: true,
        failing_since: None,
        created_at: now,
        version: 1,
    };
    let add = move |tx: &Tx<'_>| webhook::add(tx, &keys, &hook, &webhooks::secret(), "t", now);
    house.app.db.write(add).await.unwrap();
}

async fn noted(house: &House) -> Vec<String> {
    let noted = house.app.db.read(|tx| outgoing::next(tx, 999)).await.unwrap();
    noted.into_iter().map(|one| one.event).collect()
}

/// `many` closed lessons at one moment, each with somebody absent.
async fn closed_lessons(house: &House, first: u128, many: u128, now: Wall) {
    let close = move |tx: &Tx<'_>| {
        for n in first..first + many {
            let id = Uuid::from_u128(0x5000 + n);
            let sql = "insert into session (id, class, name, day, starts, ends, late_after, room,
                     source, version)
                 select $1, class, name, day, starts, ends, late_after, room, source, 1
                 from session where id = '00000000-0000-0000-0000-000000000005'";
            tx.execute(sql, params![id.to_string()])?;
            let sql = "insert into mark (session, student, status, source, by_whom, at, version)
                 values ($1, '00000000-0000-0000-0000-000000000011', 'absent', 'close', 'hub', 0, 1)";
            tx.execute(sql, params![id.to_string()])?;
            store::session::close(tx, id, now)?;
        }
        Ok(())
    };
    house.app.db.write(close).await.unwrap();
}

#[tokio::test]
async fn what_is_to_be_told_is_noted_with_what_it_follows_from_or_not_at_all() {
    let house = House::new().await;
    let now = house.app.clock.wall();
    closed_lesson(&house, now).await;
    assert_eq!(noted(&house).await, ["session.closed"], "mail follows from it without any hook");
    hook(&house).await;
    let arrives = "update mark set status = 'present', source = 'door', version = version + 1
         where student = '00000000-0000-0000-0000-000000000012'";
    let fails = move |tx: &Tx<'_>| {
        tx.execute(arrives, [])?;
        Err::<(), _>(rules::Error::Invalid("cut short before its end".into()))
    };
    assert!(house.app.db.write(fails).await.is_err());
    assert_eq!(noted(&house).await.len(), 1, "nothing happened");
    write(&house, arrives).await;
    write(&house, "update class set suspended_at = 5").await;
    write(&house, "insert into change (name, n) values ('gallery', 1)").await;
    write(&house, "update change set n = n + 1 where name = 'gallery'").await;
    let all = ["session.closed", "attendance.marked", "class.suspended", "gallery.changed"];
    assert_eq!(noted(&house).await, all, "a gallery that changed twice is told once");
}

#[tokio::test]
async fn what_was_noted_before_a_crash_is_told_after_it() {
    let house = House::new().await;
    hook(&house).await;
    closed_lesson(&house, house.app.clock.wall()).await;
    // Nobody looked before the process ended.
    let again = crate::App::open((*house.app.config).clone(), house.clock.clone()).await.unwrap();
    again.sender().send_due(None, &Beat::default()).await.unwrap();
    let told = again.db.read(|tx| webhook::messages(tx, Uuid::from_u128(3), 9)).await.unwrap();
    assert_eq!(told.iter().map(|one| one.event.as_str()).collect::<Vec<_>>(), ["session.closed"]);
    assert!(noted(&house).await.is_empty(), "and only once");
}

#[tokio::test]
async fn no_lesson_is_skipped_that_closes_late_or_with_many_others() {
    let (house, post) = (House::new().await, Post::new(&smtp(1)).unwrap());
    let now = house.app.clock.wall();
    closed_lesson(&house, now).await;
    let mails = async || house.app.db.read(mail::waiting).await.unwrap();
    house.app.sender().send_due(Some(&post), &Beat::default()).await.unwrap();
    let before = mails().await;
    closed_lessons(&house, 0, 120, now).await;
    closed_lessons(&house, 500, 1, now.plus_ms(-60_000)).await;
    house.app.sender().send_due(Some(&post), &Beat::default()).await.unwrap();
    assert_eq!(mails().await - before, 121);
}

#[tokio::test]
async fn one_message_that_cannot_be_written_holds_no_other_up() {
    let house = House::new().await;
    hook(&house).await;
    let (place, when) = (house.app.db.place(), ("poison", "before insert on webhook_message"));
    sample::poison(place, when, "new.event = 'session.closed'");
    closed_lesson(&house, house.app.clock.wall()).await;
    write(&house, "update class set suspended_at = 5").await;
    house.app.sender().send_due(None, &Beat::default()).await.unwrap();
    assert_eq!(noted(&house).await, ["session.closed"], "set aside; the other is told");
    assert_eq!(house.app.aside.count(AsideKind::Outgoing), 1);
    sample::mend(place, "poison", "webhook_message");
    house.clock.advance(60_000);
    house.app.sender().send_due(None, &Beat::default()).await.unwrap();
    assert!(noted(&house).await.is_empty() && house.app.aside.list().is_empty());
}

#[tokio::test]
async fn low_attendance_of_a_month_is_mailed_once_and_never_by_a_clock_that_leapt() {
    let (house, post) = (House::new().await, Post::new(&smtp(1)).unwrap());
    closed_lesson(&house, house.app.clock.wall()).await;
    house.app.sender().send_due(Some(&post), &Beat::default()).await.unwrap(); // from now on
    write(&house, "update session set day = '2026-03-20'").await;
    let told = async || {
        house.app.sender().send_due(Some(&post), &Beat::default()).await.unwrap();
        let mails = house.app.db.read(|tx| mail::list(tx, None, 99)).await.unwrap();
        mails.iter().filter(|mail| mail.kind == "low_attendance").count()
    };
    let april = house.app.clock.wall().plus_ms(35 * 24 * 3_600_000);
    house.clock.set_wall(april);
    assert_eq!(told().await, 0, "is it April?");
    acts::timekeeper::confirm(&house.app.db, "an admin".into(), april).await.unwrap();
    assert_eq!(told().await, 2, "both who were absent; what nobody verified counts for nothing");
    assert_eq!(told().await, 2);
}
