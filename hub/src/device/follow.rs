//! Keeps the [`Fleet`](super::Fleet) as the database says: new releases and rooms are pushed to
//! doors, ended certificates end within a second, whichever process changed them.
//!
//! What doors showed is noted on the way, and what must outlive a backup goes to the key store.

use super::seen::News;
use super::{Serial, State};
use crate::app::App;
use crate::events::Event;
use rules::error::Error;
use std::time::Duration;
use store::certificate::{self, Ended};
use store::{self, Tx, change};
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use wire::pulse::Beat;
use wire::{DeviceId, Wall};

/// How often the database is asked: another process may have changed it.
const POLL: Duration = Duration::from_millis(400);

/// Follows the database until `stop`. A failed look is noted, and the next one is the retry.
///
/// # Errors
/// Never.
pub async fn run(app: App, beat: Beat, stop: CancellationToken) -> Result<(), Error> {
    let mut heard = app.events.listen();
    while !stop.is_cancelled() {
        beat.turn();
        app.tried("following the doors", look(&app).await);
        let next = Instant::now() + POLL;
        tokio::select! {
            () = stop.cancelled() => {}
            () = sleep_until(next) => {}
            () = change(&mut heard) => {}
        }
    }
    Ok(())
}

/// Reads the state once.
///
/// # Errors
/// When the database or the key store fails.
pub async fn look(app: &App) -> Result<(), Error> {
    note(app).await?;
    let now = app.clock.wall();
    let (state, ended, cut_off) = app.db.read(move |tx| state(tx, now)).await?;
    if app.fleet.set(state) {
        app.keys.remember_ended(&ended, now)?;
        app.keys.remember_shut(&app.db.read(store::shut::all).await?, now)?;
        cut_off.iter().try_for_each(|door| app.keys.erase_door(door))?;
        app.fleet.kept();
    }
    Ok(())
}

/// Writes down what doors showed.
async fn note(app: &App) -> Result<(), Error> {
    let (news, now) = (app.fleet.news(), app.clock.wall());
    if news == News::default() {
        return Ok(());
    }
    let (of, pki) = (news.clone(), app.pki.clone());
    let write = app.db.write(move |tx| {
        for door in &of.first {
            let serial = door.serial.as_str();
            certificate::used(tx, &door.device, serial, door.not_after, now)?;
            certificate::signed_by(tx, serial, &door.authority)?;
            match pki.signer() == door.authority {
                true => certificate::identify(tx, serial, &door.digest)?,
                false => certificate::doubted(tx, &door.device, serial, now)?,
            }
        }
        for door in &of.refused {
            certificate::refused(tx, &door.device, (&door.digest, &door.authority), now)?;
        }
        of.twins.iter().try_for_each(|(door, places)| {
            certificate::twin(tx, &door.device, door.serial.as_str(), *places, now)
        })
    });
    write.await?;
    app.fleet.noted(&news);
    for (door, places) in &news.twins {
        rules::security!("twin", device = %door.device, one = %places.0, other = %places.1,
            "a certificate is shown from two places: cut the door off and let it join again");
        app.events.say(Event::DeviceChanged(door.device.clone()));
    }
    Ok(())
}

fn state(tx: &Tx<'_>, now: Wall) -> Result<(State, Vec<Ended>, Vec<DeviceId>), Error> {
    let ended = certificate::ended(tx, now)?;
    let counting = certificate::counting(tx, now)?;
    let counting = counting.into_iter().map(|(serial, digest)| (Serial::from_hex(&serial), digest));
    let revoked = ended.iter().map(|ended| Serial::from_hex(&ended.serial)).collect();
    let desired = store::release::desired(tx)?.into_iter().collect();
    let settings = store::door_settings::all(tx)?;
    let shut = change::of(tx, change::SHUT)?;
    let state = State { desired, settings, revoked, counting: counting.collect(), shut };
    Ok((state, ended, certificate::cut_off(tx)?))
}

/// Until something that doors must know was done in this process.
async fn change(heard: &mut Receiver<Event>) {
    loop {
        match heard.recv().await {
            Ok(Event::GalleryChanged | Event::DeviceChanged(_)) | Err(RecvError::Lagged(_)) => {
                return;
            }
            Ok(_) => {}
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}
