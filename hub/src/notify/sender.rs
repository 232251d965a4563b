//! Sends what is due: mail and webhooks, each in the order in which it was written.

use super::letters::{self, Letter};
use super::post::{Post, Undelivered};
use super::texts;
use super::{pause_ms, webhooks};
use crate::app::App;
use crate::error::Error;
use crate::events::Event;
use crate::store::{self, Tx, budget, mail, setting, webhook};
use crate::web::words::day;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;
use wire::Wall;

/// How often it looks, whatever happens.
const EVERY: Duration = Duration::from_secs(5);
/// Messages of one look.
pub const SOME: u32 = 50;
/// Until when closed lessons were gone through for absences, milliseconds.
const CLOSED: &str = "mail_closed_until";
/// The last month that was gone through for low attendance, its first day.
const MONTH: &str = "mail_month";
/// Nobody is told of a suspension that is older, milliseconds: a week.
const STALE_MS: i64 = 7 * 24 * 3_600_000;

/// Sends until `stop`. What fails is logged, and the next look is the retry.
///
/// # Errors
/// When the settings name no sender.
pub async fn run(app: App, stop: CancellationToken) -> Result<(), Error> {
    let post = app.config.smtp.as_ref().map(Post::new).transpose()?;
    let mut heard = app.events.listen();
    let mut tick = tokio::time::interval(EVERY);
    loop {
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            event = heard.recv() => match event {
                Ok(event) => logged(hear(&app, &event).await),
                Err(RecvError::Lagged(n)) => {
                    metrics::counter!("webhook_events_missed_total").increment(n);
                }
                Err(RecvError::Closed) => return Ok(()),
            },
            _ = tick.tick() => {
                logged(look(&app, post.as_ref()).await);
            }
        }
    }
}

fn logged(done: Result<(), Error>) {
    if let Err(error) = done {
        tracing::warn!(%error, "messages could not be looked after; the next look tries again");
    }
}

/// One look: writes what follows from closed lessons and months, and sends what is due.
///
/// # Errors
/// When the database fails.
pub async fn look(app: &App, post: Option<&Post>) -> Result<(), Error> {
    if let Some(post) = post {
        absences(app).await?;
        month(app).await?;
        suspended(app).await?;
        send_mail(app, post).await?;
    }
    send_hooks(app).await?;
    let (mails, hooks) = app.db.read(|tx| Ok((mail::waiting(tx)?, webhook::waiting(tx)?))).await?;
    metrics::gauge!("mail_waiting").set(f64::from(mails));
    metrics::gauge!("webhook_waiting").set(f64::from(hooks));
    Ok(())
}

/// Writes a message to every hook that wants to hear of `event`.
async fn hear(app: &App, event: &Event) -> Result<(), Error> {
    let Some((name, data)) = webhooks::told(event) else { return Ok(()) };
    if !app.db.read(move |tx| webhook::wanted(tx, name)).await? {
        return Ok(());
    }
    let now = app.clock.wall();
    let body = webhooks::body(name, &data, now);
    app.db.write(move |tx| webhook::enqueue(tx, name, &body, now)).await
}

/// Mail about those who were absent in lessons that were closed since the last look.
async fn absences(app: &App) -> Result<(), Error> {
    let (now, zone) = (app.clock.wall(), app.config.zone.clone());
    let write = move |tx: &Tx<'_>| {
        let since = setting::get(tx, CLOSED)?.and_then(|text| text.parse().ok()).map(Wall);
        // At the first look there is no past: nobody gets mail about last year.
        let since = since.unwrap_or(now);
        let (found, until) = mail::absences(tx, since, now, SOME)?;
        let texts = texts::get(tx)?;
        for absence in found {
            add(tx, &letters::absence(&absence, &zone, &texts, now), now)?;
        }
        setting::set(tx, CLOSED, &until.0.to_string())
    };
    app.db.write(write).await
}

/// Mail about low attendance, once a month.
async fn month(app: &App) -> Result<(), Error> {
    let now = app.clock.wall();
    let (first, last) = letters::last_month(day(now, &app.config.zone));
    let key = first.to_string();
    let before = app.db.read(|tx| setting::get(tx, MONTH)).await?;
    if before.as_ref() == Some(&key) {
        return Ok(());
    }
    let write = move |tx: &Tx<'_>| {
        if before.is_some() {
            let texts = texts::get(tx)?;
            for of in mail::months(tx, first, last)? {
                if let Some(letter) = letters::low_attendance(&of, first, &texts, now) {
                    add(tx, &letter, now)?;
                }
            }
        }
        setting::set(tx, MONTH, &key)
    };
    app.db.write(write).await
}

/// Mail to the teachers of classes in which a person decides again.
async fn suspended(app: &App) -> Result<(), Error> {
    let now = app.clock.wall();
    let asked = (now.plus_ms(-STALE_MS), day(now, &app.config.zone));
    let found = app.db.read(move |tx| budget::to_tell(tx, asked, SOME)).await?;
    if found.is_empty() {
        return Ok(());
    }
    let write = move |tx: &Tx<'_>| {
        let texts = texts::get(tx)?;
        found.iter().try_for_each(|of| add(tx, &letters::suspended(of, &texts, now), now))
    };
    app.db.write(write).await
}

fn add(tx: &Tx<'_>, letter: &Letter, now: Wall) -> Result<(), Error> {
    store::mail::add(tx, letter, "hub", now).map(drop)
}

async fn send_mail(app: &App, post: &Post) -> Result<(), Error> {
    let now = app.clock.wall();
    for due in app.db.read(move |tx| mail::due(tx, now, SOME)).await? {
        let id = due.id;
        if !app.db.write(move |tx| mail::still_true(tx, id, now)).await? {
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
        let now = app.clock.wall();
        app.db.write(move |tx| mail::tried(tx, id, outcome, next, now)).await?;
    }
    Ok(())
}

async fn send_hooks(app: &App) -> Result<(), Error> {
    let (now, keys) = (app.clock.wall(), app.keys.clone());
    let private = app.config.private_webhooks;
    let due = app.db.read(move |tx| webhook::due(tx, &keys, now, SOME)).await?;
    for (hook, attempts, message) in due {
        let id = message.id;
        let (status, why) = match webhooks::deliver(&message, private, now).await {
            Ok(status @ 200..300) => (Some(status), None),
            Ok(status) => (Some(status), Some(format!("it answers {status}"))),
            Err(why) => (None, Some(why)),
        };
        let next = why.as_ref().and_then(|_| pause_ms(attempts + 1));
        let tried = webhook::Tried { status, why, next };
        let now = app.clock.wall();
        app.db.write(move |tx| webhook::tried(tx, hook, id, &tried, now)).await?;
    }
    Ok(())
}
