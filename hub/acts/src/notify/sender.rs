//! Sends what is due: mail and webhooks, each in the order in which it was written.

use super::letters;
use super::post::{Post, Undelivered};
use super::texts::{self, Texts};
use super::{pause_ms, webhooks};
use crate::upkeep::Upkeep;
use config::Smtp;
use jiff::tz::TimeZone;
use rules::care::AsideKind;
use rules::error::{Doing, Error};
use rules::timetable::day;
use std::time::Duration;
use store::keys::Keys;
use store::mail::MailLetter;
use store::outgoing::{self, Outgoing};
use store::{self, Db, Tx, account, alert, budget, mail, preference, setting, webhook};
use tokio_util::sync::CancellationToken;
use wire::Wall;
use wire::pulse::Beat;
use words::language::Language;

/// How often it looks.
const EVERY: Duration = Duration::from_secs(1);
/// Messages of one look.
pub const SOME: u32 = 50;
/// The last month that was gone through for low attendance, its first day.
const MONTH: &str = "mail_month";
/// Nobody is told of a suspension that is older, milliseconds: a week.
const STALE_MS: i64 = 7 * 24 * 3_600_000;

/// What sends mail and webhooks; cheap to clone.
#[derive(Clone)]
pub struct Sender {
    /// The database.
    pub db: Db,
    /// The secrets of webhooks.
    pub keys: Keys,
    /// Where the school is.
    pub zone: TimeZone,
    /// The mail server, if there is one.
    pub smtp: Option<Smtp>,
    /// Whether webhooks may lead into private networks.
    pub private_webhooks: bool,
    /// What fails is tried again.
    pub upkeep: Upkeep,
}

impl Sender {
    /// Sends until `stop`. What fails is noted, and the next look is the retry.
    ///
    /// # Errors
    /// Never.
    pub async fn run(self, beat: Beat, stop: CancellationToken) -> Result<(), Error> {
        let post = self.smtp.as_ref();
        let post = post.and_then(|way| self.upkeep.tried("setting up mail", Post::new(way)));
        while stop.run_until_cancelled(tokio::time::sleep(EVERY)).await.is_some() {
            beat.turn();
            if !self.upkeep.is_ours() {
                continue;
            }
            self.upkeep.tried("looking after messages", self.send_due(post.as_ref(), &beat).await);
        }
        Ok(())
    }

    /// One look: writes what follows from what happened and from months that are over, and sends what
    /// is due.
    pub async fn send_due(&self, post: Option<&Post>, beat: &Beat) -> Result<(), Error> {
        self.tell(post.is_some()).await?;
        if let Some(post) = post {
            if self.upkeep.is_believed().await {
                self.month(beat).await?;
            }
            self.suspended().await?;
            self.send_mail(post, beat).await?;
        }
        self.send_hooks(beat).await?;
        let (mails, hooks) =
            self.db.read(|tx| Ok((mail::waiting(tx)?, webhook::waiting(tx)?))).await?;
        metrics::gauge!("mail_waiting").set(f64::from(mails));
        metrics::gauge!("webhook_waiting").set(f64::from(hooks));
        Ok(())
    }

    /// Writes the messages of everything that happened. One that cannot be written is set aside, and
    /// the rest goes on.
    async fn tell(&self, mails: bool) -> Result<(), Error> {
        loop {
            let most =
                SOME + u32::try_from(self.upkeep.aside.count(AsideKind::Outgoing)).unwrap_or(SOME);
            let mut some = self.db.read(move |tx| outgoing::next(tx, most)).await?;
            some.retain(|one| self.upkeep.is_due(AsideKind::Outgoing, &one.n.to_string()));
            if some.is_empty() {
                return Ok(());
            }
            let zone = self.zone.clone();
            let now = self.upkeep.clock.wall();
            let write = |some: Vec<Outgoing>| {
                let zone = zone.clone();
                self.db.write_behind(move |tx| {
                    some.iter().try_for_each(|one| told(tx, one, mails, &zone, now))
                })
            };
            if write(some.clone()).await.is_ok() {
                some.iter().for_each(|one| {
                    self.upkeep.aside.done(AsideKind::Outgoing, &one.n.to_string())
                });
                continue;
            }
            for one in some {
                let n = one.n.to_string();
                self.upkeep.one(AsideKind::Outgoing, &n, write(vec![one]).await)?;
            }
        }
    }

    /// Mail about low attendance, once a month, class by class: nobody waits for it.
    async fn month(&self, beat: &Beat) -> Result<(), Error> {
        let now = self.upkeep.clock.wall();
        let (first, last) = letters::last_month(day(now, &self.zone));
        let key = first.to_string();
        let before = self.db.read(|tx| setting::get(tx, MONTH)).await?;
        if before.as_ref() == Some(&key) {
            return Ok(());
        }
        // At the first look there is no past: nobody gets mail about last year.
        let texts = self.db.read(texts::get).await?;
        let classes = self.db.read(mail::classes).await?.into_iter().filter(|_| before.is_some());
        for class in classes {
            beat.turn();
            let found = self.db.read(move |tx| mail::month(tx, class, first, last)).await?;
            let letter = |of| letters::low_attendance(of, first, &texts, now);
            let letters: Vec<_> = found.iter().filter_map(letter).collect();
            if !letters.is_empty() {
                let write = move |tx: &Tx<'_>| letters.iter().try_for_each(|one| add(tx, one, now));
                self.db.write_behind(write).await?;
            }
        }
        self.db.write_behind(move |tx| setting::set(tx, MONTH, &key)).await
    }

    /// Mail to the teachers of classes in which a person decides again.
    async fn suspended(&self) -> Result<(), Error> {
        let now = self.upkeep.clock.wall();
        let since = now.plus_ms(-STALE_MS);
        let today = day(now, &self.zone);
        let found = self.db.read(move |tx| budget::to_tell(tx, since, today, SOME)).await?;
        if found.is_empty() {
            return Ok(());
        }
        let write = move |tx: &Tx<'_>| {
            let texts = texts::get(tx)?;
            found.iter().try_for_each(|of| add(tx, &letters::suspended(of, &texts, now), now))
        };
        self.db.write(write).await
    }

    async fn send_mail(&self, post: &Post, beat: &Beat) -> Result<(), Error> {
        let now = self.upkeep.clock.wall();
        for due in self.db.read(move |tx| mail::due(tx, now, SOME)).await? {
            beat.turn();
            let (id, now) = (due.id, self.upkeep.clock.wall());
            if !self.db.write(move |tx| mail::take(tx, id, now)).await? {
                continue;
            }
            let sent = post.send(&due, now).await;
            let (outcome, next) = match sent {
                Ok(()) => (Ok(()), None),
                Err(Undelivered::Never(why)) => (Err(why), None),
                Err(Undelivered::Later(why)) => (Err(why), pause_ms(due.attempts + 1)),
            };
            if let Err(why) = &outcome {
                tracing::warn!(mail = %id, why, "a mail was not handed over");
            }
            let now = self.upkeep.clock.wall();
            self.db.write(move |tx| mail::tried(tx, id, outcome, next, now)).await?;
        }
        Ok(())
    }

    async fn send_hooks(&self, beat: &Beat) -> Result<(), Error> {
        let now = self.upkeep.clock.wall();
        let keys = self.keys.clone();
        let private = self.private_webhooks;
        let due = self.db.read(move |tx| webhook::due(tx, &keys, now, SOME)).await?;
        for (hook, attempts, message) in due {
            beat.turn();
            let (id, now) = (message.id, self.upkeep.clock.wall());
            if !self.db.write(move |tx| webhook::take(tx, id, now)).await? {
                continue;
            }
            let (status, why) = match webhooks::deliver(&message, private, now).await {
                Ok(status @ 200..300) => (Some(status), None),
                Ok(status) => (Some(status), Some(format!("it answers {status}"))),
                Err(why) => (None, Some(why)),
            };
            let next = why.as_ref().and_then(|_| pause_ms(attempts + 1));
            let tried = webhook::Tried { status, why, next };
            let now = self.upkeep.clock.wall();
            self.db.write(move |tx| webhook::tried(tx, hook, id, &tried, now)).await?;
        }
        Ok(())
    }
}

/// Writes what follows from one thing that happened, and that it is written.
fn told(tx: &Tx<'_>, one: &Outgoing, mails: bool, zone: &TimeZone, now: Wall) -> Result<(), Error> {
    if let Some(data) = webhooks::told(one) {
        webhook::enqueue(tx, &one.event, &webhooks::body(&one.event, &data, now), now)?;
    }
    if mails && one.event == webhooks::CLOSED {
        let texts = texts::get(tx)?;
        for absence in mail::absences(tx, &one.a)? {
            add(tx, &letters::absence(&absence, zone, &texts, now), now)?;
        }
    }
    if mails && one.event == webhooks::ALERTS {
        alerts(tx, &one.a, zone, now)?;
    }
    if mails && let Some(news) = letters::news(&one.event) {
        own(tx, one, news, now)?;
    }
    outgoing::done(tx, one.n)
}

/// Writes to every admin who wants it what one look at the doors found, in the language in which they
/// said so.
fn alerts(tx: &Tx<'_>, look: &str, zone: &TimeZone, now: Wall) -> Result<(), Error> {
    let (begun, ended) = alert::told(tx, look)?;
    let school = texts::get(tx)?;
    for reader in alert::readers(tx)? {
        let (choices, _) = preference::get(tx, reader.account)?;
        let own = choices.language.as_deref().and_then(Language::tagged);
        let texts = Texts { language: own.unwrap_or(school.language), ..school.clone() };
        let about = format!("alerts:{look}:{}", reader.account);
        let letter = letters::alerts((&begun, &ended), &texts, zone, now);
        add(tx, &MailLetter { about: Some(about), recipient: reader.email, ..letter }, now)?;
    }
    Ok(())
}

/// Writes to whoever owns an account what changed about it, and to the address it had.
fn own(tx: &Tx<'_>, one: &Outgoing, news: &str, now: Wall) -> Result<(), Error> {
    let id = one.a.parse().doing("reading whose account changed")?;
    let Some(of) = account::ever(tx, id)? else { return Ok(()) };
    let texts = texts::get(tx)?;
    let to = [Some(of.email.as_str()), one.b.as_deref()].into_iter().flatten();
    to.into_iter().try_for_each(|to| add(tx, &letters::account(news, &of, to, &texts, now), now))
}

fn add(tx: &Tx<'_>, letter: &MailLetter, now: Wall) -> Result<(), Error> {
    store::mail::add(tx, letter, "hub", now).map(drop)
}
