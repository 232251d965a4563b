//! A unit's first start: from a card with nothing but the program to a door that can work.

use super::uplink::{fetch, signer};
use crate::config::Config;
use crate::fetch::Fetch;
use crate::identity::{Identity, IdentityError};
use crate::invitation::{self, Guest};
use crate::join::{JoinError, join};
use crate::link::Backoff;
use crate::packs::{Model, PackTrouble, Packs};
use ed25519_dalek::VerifyingKey;
use rand::{SeedableRng as _, rngs::StdRng};
use sd_notify::NotifyState;
use std::{convert::Infallible, sync::Arc, time::Duration};
use wire::{Clock, Invitation, sign};

/// How often somebody may have put an invitation there, or let the unit join by hand.
const LOOK: Duration = Duration::from_secs(2);
/// How often systemd hears that this waits on purpose.
const BEAT: Duration = Duration::from_secs(5);

/// Waits until this unit has joined a hub, by hand or by its invitation, and gets a model from
/// there if it has none. At once done where a door has both.
///
/// # Errors
/// When this disk cannot be used.
pub async fn prepare(config: &Config, clock: &Arc<dyn Clock>) -> anyhow::Result<()> {
    let is_new = matches!(Identity::load(&config.data), Err(IdentityError::Missing));
    if !is_new && config.invitation.exists() {
        let at = config.invitation.display();
        tracing::info!("the invitation at {at} is not used: this door has joined already");
    }
    if !is_new && config.packs().are_here() {
        return Ok(());
    }
    // The wait may be long, and a unit that systemd takes for starting is ended.
    let _ = sd_notify::notify(&[NotifyState::Ready]);
    let mut start = Start { config, clock, backoff: Backoff::default(), said: String::new() };
    tokio::select! {
        done = start.run() => done,
        never = beat() => match never {},
    }
}

async fn beat() -> Infallible {
    loop {
        let _ = sd_notify::notify(&[NotifyState::Watchdog]);
        tokio::time::sleep(BEAT).await;
    }
}

/// A first start that goes on.
struct Start<'a> {
    config: &'a Config,
    clock: &'a Arc<dyn Clock>,
    backoff: Backoff,
    /// What was said last: the same is not said again.
    said: String,
}

impl Start<'_> {
    async fn run(&mut self) -> anyhow::Result<()> {
        let identity = self.joined().await?;
        if self.config.packs().are_here() {
            return Ok(());
        }
        let fetch = fetch(&identity, self.clock.clone())?;
        let pinned = signer(&identity)?;
        let mut packs = self.config.packs();
        self.say("the door has no model yet: it asks the hub for its own");
        loop {
            match first_model(&mut packs, &pinned, &fetch).await {
                Ok(model) => {
                    self.say(&format!("model “{}” is here", model.id));
                    return Ok(());
                }
                Err(trouble) => self.wait(&trouble.to_string()).await,
            }
        }
    }

    /// Who this door is, as soon as it is somebody.
    async fn joined(&mut self) -> anyhow::Result<Identity> {
        let mut guest = Guest::default();
        loop {
            match Identity::load(&self.config.data) {
                Err(IdentityError::Missing) => {}
                known => return Ok(known?),
            }
            match invitation::read(&self.config.invitation) {
                Ok(Some(found)) if guest.tries(&found) => self.try_it(found, &mut guest).await,
                Ok(Some(_)) => tokio::time::sleep(LOOK).await,
                Ok(None) => {
                    let at = self.config.invitation.display();
                    let wait = format!(
                        "this door has not joined a hub: it waits for rollcall-edge join, or for \
                         the hub's invitation at {at}"
                    );
                    self.say(&wait);
                    tokio::time::sleep(LOOK).await;
                }
                Err(error) => {
                    self.say(&error.to_string());
                    tokio::time::sleep(LOOK).await;
                }
            }
        }
    }

    async fn try_it(&mut self, found: Invitation, guest: &mut Guest) {
        self.say(&format!("this door joins the hub at {} by its invitation", found.hub));
        let data = self.config.data.clone();
        let shown = found.clone();
        let tried = move || join(&shown.hub, &shown.token, &data).map(drop);
        let error = match tokio::task::spawn_blocking(tried).await {
            Ok(Ok(())) => return self.say("this door has joined"),
            Ok(Err(error)) => error,
            Err(error) => JoinError::Network(error.to_string()),
        };
        guest.turned_away(found.clone(), &error);
        self.say(&error.to_string());
        // Whatever is new is taken up at once, however often this one failed.
        let again = self.clock.mono().0 + self.pause().as_millis() as u64;
        while self.clock.mono().0 < again && self.is_as_it_was(&found) {
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Whether nobody let the unit join by hand, or put another invitation there.
    fn is_as_it_was(&self, found: &Invitation) -> bool {
        let is_nobody = matches!(Identity::load(&self.config.data), Err(IdentityError::Missing));
        let same = |there: Option<Invitation>| there.as_ref() == Some(found);
        is_nobody && invitation::read(&self.config.invitation).is_ok_and(same)
    }

    fn pause(&mut self) -> Duration {
        let now = self.clock.mono();
        self.backoff.failed(now, &mut StdRng::from_rng(&mut rand::rng())).max(LOOK)
    }

    /// Something is not as it should be, and may be in a while.
    async fn wait(&mut self, why: &str) {
        self.say(why);
        tokio::time::sleep(self.pause()).await;
    }

    /// Tells the log and `systemctl status`, once.
    fn say(&mut self, what: &str) {
        if self.said != what {
            tracing::info!("{what}");
            let _ = sd_notify::notify(&[NotifyState::Status(what)]);
            what.clone_into(&mut self.said);
        }
    }
}

/// The hub's own model, chosen for the next start.
async fn first_model(
    packs: &mut Packs,
    pinned: &VerifyingKey,
    fetch: &Fetch,
) -> Result<Model, PackTrouble> {
    let hub = sign::newest(pinned, &fetch.signers().await?);
    let id = Packs::offered(&hub, fetch).await?;
    let model = packs.get(&id, &hub, fetch).await?;
    packs.choose(&id)?;
    Ok(model)
}
