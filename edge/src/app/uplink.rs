//! From record to hub: identity, outbox, clockwork, gallery, link.

use super::Parts;
use crate::{
    care::Care,
    clock::Timekeeper,
    config::Config,
    draft::{Keep, Timing},
    fetch::Fetch,
    gallery::{Curator, GalleryFiles, LoadedGallery},
    identity::{Identity, Passport},
    link::{self, Link},
    outbox::{self, Outbox, Place, Setup},
    packs::{Model, Packs},
    pulse::{Beat, Pulse},
    renew::{Certificate, Renewer},
    settings,
    snap::{Sealer, Snapper},
    status::{Lack, Road, Stock},
    tls::{self, Badge, Trust},
    trigger::Ask,
};
use anyhow::{Context as _, bail};
use ed25519_dalek::VerifyingKey;
use rand::{SeedableRng as _, rngs::StdRng};
use rustls::ClientConfig;
use std::{
    sync::{Arc, mpsc::SyncSender},
    time::Duration,
};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use wire::{
    Clock, Joined, Wall,
    link::{Command, Desired, Reported, Snap},
    program::{Offer, Progress},
    time::SystemClock,
};
use zeroize::Zeroizing;

/// Commands of the hub that may wait; one more is dropped, a person asks again.
const COMMANDS: usize = 4;
/// How often the outbox is asked whether it turns.
const PROBE: Duration = Duration::from_secs(2);
/// With every so many-th question it is asked what it holds.
const STOCKTAKING: u64 = 10;

/// Whom to recognise: newest only.
pub type Loaded = watch::Receiver<Option<Arc<LoadedGallery>>>;

/// The way from a record to the hub: where records go, and whom to recognise.
pub struct Uplink {
    /// Makes handles to where records go.
    pub keep: Box<dyn Fn() -> Box<dyn Keep> + Send>,
    /// Dates records.
    pub timing: Arc<dyn Timing>,
    /// Whom to recognise.
    pub gallery: Loaded,
    /// By which model.
    pub model: watch::Receiver<Model>,
    /// What the hub is told about that.
    pub reported: watch::Receiver<Reported>,
    /// How the door's certificate is.
    pub certificate: watch::Receiver<Certificate>,
    /// What kind of trouble the gallery has.
    pub lack: watch::Receiver<Option<Lack>>,
    /// Why the outbox does not take records; empty if it does.
    pub trouble: watch::Receiver<String>,
    /// What waits in it.
    pub stock: watch::Receiver<Stock>,
    /// How the way to the hub is.
    pub way: Arc<dyn Fn() -> Road + Send + Sync>,
    /// What is needed to follow the hub's programs.
    pub programs: Programs,
}

/// Which program the hub offers, and where answers go.
#[derive(Clone)]
pub struct Programs {
    /// What the hub offers.
    pub offers: watch::Receiver<Option<Offer>>,
    /// What it is told.
    pub progress: watch::Sender<Option<Progress>>,
    /// Whether it hears.
    pub online: watch::Receiver<bool>,
    /// Asks it.
    pub fetch: Fetch,
    /// Whose programs are taken.
    pub signer: Option<VerifyingKey>,
}

/// Everything the uplink is built from.
pub struct Post<'a> {
    /// The whole configuration.
    pub config: &'a Config,
    /// Time.
    pub clock: &'a Arc<dyn Clock>,
    /// The model packs of this unit.
    pub packs: Packs,
    /// The one to begin with.
    pub model: Model,
    /// Ends the tasks.
    pub stop: &'a CancellationToken,
    /// The shutter, for the hub's wishes.
    pub asks: &'a SyncSender<Ask>,
    /// What is said of the door from afar.
    pub care: Care,
}

impl Post<'_> {
    /// Opens the outbox and starts all that stands between it and the hub.
    ///
    /// # Errors
    /// When this unit has not joined a hub, or its disk cannot be used.
    pub fn start(&self, parts: &mut Parts, pulse: &mut Pulse) -> anyhow::Result<Uplink> {
        let identity = Identity::load(&self.config.data)?;
        let good = tls::validity(&identity.joined.certificate_pem)?;
        let outbox = self.outbox(&identity.joined, good.from, parts)?;
        let (stocked, stock) = watch::channel(Stock::default());
        let probed = outbox.clone();
        parts.task("probe", probe(probed, pulse.beat("outbox"), stocked, self.stop.clone()));
        let line = self.line(identity, good.from, outbox)?;
        let time = line.time.clone();
        let outbox = line.outbox.clone();
        let stop = self.stop.clone();
        parts.task("clock", async move { Ok(time.run(outbox, stop).await?) });
        let (desired, wanted) = watch::channel(None);
        let (reported, reports) = watch::channel(self.reported());
        let known = line.gallery(wanted.clone(), reported, parts)?;
        let (way, linked) = watch::channel(Road::default());
        let programs = line.link(desired, reports.clone(), way, parts)?;
        let online = programs.online.clone();
        let hub = line.way(linked, online.clone());
        let certificate = Certificate { ends: good.to, trouble: String::new() };
        let certificate = line.renewer(certificate, wanted, online, parts);
        let outbox = line.outbox.clone();
        Ok(Uplink {
            trouble: outbox.trouble(),
            lack: known.lack,
            stock,
            way: hub,
            keep: Box::new(move || Box::new(outbox.clone()) as Box<dyn Keep>),
            timing: Arc::new(line.time),
            gallery: known.gallery,
            model: known.model,
            reported: reports,
            certificate,
            programs,
        })
    }

    fn outbox(&self, joined: &Joined, from: Wall, parts: &mut Parts) -> anyhow::Result<Outbox> {
        let path = self.config.data.join("outbox.db");
        let boot = outbox::boot_id().context("the kernel does not say which boot this is")?;
        let mut setup = Setup::new(&path, joined.device.clone(), joined.hub_key.clone(), boot);
        setup.boots = outbox::boots(self.clock.wall().max(from));
        setup.place = Place { room: joined.room.clone(), direction: joined.direction };
        let (outbox, writer) = outbox::open(setup, rng())
            .with_context(|| format!("the outbox {} cannot be opened", path.display()))?;
        parts.thread("outbox", move || Ok(writer.run()?));
        Ok(outbox)
    }

    fn line(&self, identity: Identity, from: Wall, outbox: Outbox) -> anyhow::Result<Line<'_>> {
        let time = Timekeeper::new(outbox.opened().boot, from, self.clock.clone());
        let badge = Badge::new(&identity)?;
        let trust = Trust::new(&identity.joined.ca_pem)?;
        let tls = tls::config(&identity, &badge, &trust, time.clone())?;
        let fetch = Fetch::new(&identity.joined.https, &tls)?;
        let passport = Passport::new(&self.config.data, identity.clone());
        Ok(Line {
            post: self,
            joined: identity.joined,
            passport,
            outbox,
            time,
            badge,
            trust,
            tls,
            fetch,
        })
    }

    fn reported(&self) -> Reported {
        Reported {
            gallery: 0,
            manifest: [0; 32],
            model: self.model.id.clone(),
            software: env!("CARGO_PKG_VERSION").to_owned(),
            trouble: String::new(),
        }
    }
}

/// This unit as the hub knows it, and the way there.
struct Line<'a> {
    post: &'a Post<'a>,
    joined: Joined,
    passport: Passport,
    outbox: Outbox,
    time: Timekeeper,
    badge: Badge,
    trust: Trust,
    tls: Arc<ClientConfig>,
    fetch: Fetch,
}

/// Whom to recognise, and by which model.
struct Known {
    gallery: Loaded,
    lack: watch::Receiver<Option<Lack>>,
    model: watch::Receiver<Model>,
}

impl Line<'_> {
    /// Looks after the door's certificate; returns how it is.
    fn renewer(
        &self,
        now: Certificate,
        desired: watch::Receiver<Option<Desired>>,
        online: watch::Receiver<bool>,
        parts: &mut Parts,
    ) -> watch::Receiver<Certificate> {
        let (certificate, told) = watch::channel(now);
        let renewer = Renewer {
            passport: self.passport.clone(),
            fetch: self.fetch.clone(),
            badge: self.badge.clone(),
            trust: self.trust.clone(),
            time: self.time.clone(),
            desired,
            online,
            certificate,
        };
        let stop = self.post.stop.clone();
        parts.task("certificate", async move {
            renewer.run(stop).await;
            Ok(())
        });
        told
    }

    fn gallery(
        &self,
        desired: watch::Receiver<Option<Desired>>,
        reported: watch::Sender<Reported>,
        parts: &mut Parts,
    ) -> anyhow::Result<Known> {
        let (loaded, gallery) = watch::channel(None);
        let (lack, lacking) = watch::channel(None);
        let (model, running) = watch::channel(self.post.model.clone());
        let identity = self.passport.get();
        let config = self.post.config;
        let curator = Curator {
            device: self.joined.device.clone(),
            hub: signer(&identity)?,
            packs: self.post.packs.clone(),
            model,
            fetch: self.fetch.clone(),
            files: gallery_files(config, &identity)?,
            key: config.gallery.key,
            passport: self.passport.clone(),
            unlocked: false,
            time: self.time.clone(),
            desired,
            loaded,
            reported,
            lack,
            leased: None,
            rng: rng(),
        };
        let stop = self.post.stop.clone();
        parts.task("gallery", async move {
            curator.run(stop).await;
            Ok(())
        });
        Ok(Known { gallery, lack: lacking, model: running })
    }

    /// Speaks with the hub; returns what it says of programs, and whether it hears.
    fn link(
        &self,
        desired: watch::Sender<Option<Desired>>,
        reported: watch::Receiver<Reported>,
        way: watch::Sender<Road>,
        parts: &mut Parts,
    ) -> anyhow::Result<Programs> {
        let (host, port) = host_port(&self.joined.mqtt)?;
        let device = self.joined.device.clone();
        let (commands, wishes) = mpsc::channel(COMMANDS);
        let (see, snaps) = self.snaps(parts);
        let (online, is_online) = watch::channel(false);
        let (settings, told) = watch::channel(None);
        let (offers, offered) = watch::channel(None);
        let (progress, said) = watch::channel(None);
        let link = Link {
            config: link::Config { device, host, port, tls: self.tls.clone() },
            badge: self.badge.clone(),
            outbox: self.outbox.clone(),
            time: self.time.clone(),
            software: env!("CARGO_PKG_VERSION").to_owned(),
            desired: desired.clone(),
            settings,
            offers,
            progress: said,
            reported,
            commands,
            snaps,
            care: self.post.care.clone(),
            online,
            way,
            rng: rng(),
        };
        let data = self.post.config.data.clone();
        let stop = self.post.stop.clone();
        let care = self.post.care.clone();
        parts.task("settings", settings::follow(told, data, care, stop.clone()));
        parts.task("commands", obey(wishes, see, desired, stop.clone()));
        parts.task("link", async move { Ok(link.run(stop).await?) });
        let signer = self.post.config.update.signer(Some(&self.passport.get()));
        let fetch = self.fetch.clone();
        Ok(Programs { offers: offered, progress, online: is_online, fetch, signer })
    }

    /// How the way to the hub is, whenever somebody asks.
    fn way(
        &self,
        linked: watch::Receiver<Road>,
        online: watch::Receiver<bool>,
    ) -> Arc<dyn Fn() -> Road + Send + Sync> {
        let time = self.time.clone();
        Arc::new(move || Road {
            online: *online.borrow(),
            ahead_ms: time.ahead_ms(),
            ..linked.borrow().clone()
        })
    }

    /// Where the hub's wishes to see go, and where the pictures come from.
    fn snaps(&self, parts: &mut Parts) -> (mpsc::Sender<()>, mpsc::Receiver<Snap>) {
        let (see, wishes) = mpsc::channel(1);
        let (snaps, shown) = mpsc::channel(1);
        let Joined { device, hub_key: key, .. } = self.joined.clone();
        let sealer = Sealer { device, epoch: self.outbox.opened().epoch, key, rng: rng() };
        let asks = self.post.asks.clone();
        let clock = self.post.clock.clone();
        let snapper = Snapper { wishes, asks, snaps, sealer, clock };
        let stop = self.post.stop.clone();
        parts.task("snaps", async move {
            snapper.run(stop).await;
            Ok(())
        });
        (see, shown)
    }
}

/// Does what the hub wishes.
async fn obey(
    mut wishes: mpsc::Receiver<Command>,
    see: mpsc::Sender<()>,
    desired: watch::Sender<Option<Desired>>,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    while let Some(Some(wish)) = stop.run_until_cancelled(wishes.recv()).await {
        match wish {
            // Full: a look is about to begin, which answers it as well.
            Command::Snap => drop(see.try_send(())),
            Command::Restart => bail!("the hub asked for a restart"),
            // Whoever follows the wish looks at it again, even if it is the same.
            Command::Reload => desired.send_modify(|_| ()),
            // The link answers it by itself.
            Command::Log => {}
        }
    }
    stop.cancelled().await;
    Ok(())
}

/// Turns the outbox's beat as long as its writer answers, and now and then says what it holds.
async fn probe(
    outbox: Outbox,
    beat: Beat,
    stock: watch::Sender<Stock>,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    for turn in 0_u64.. {
        if stop.is_cancelled() {
            break;
        }
        outbox.cursor().await?;
        beat.turn();
        // A disk that does not work says so by itself.
        if turn.is_multiple_of(STOCKTAKING)
            && let Ok(held) = outbox.stock().await
        {
            stock.send_replace(held);
        }
        let _ = stop.run_until_cancelled(tokio::time::sleep(PROBE)).await;
    }
    Ok(())
}

/// The gallery on this unit's disk, for looks without a daemon; `None` before the first one, and
/// where neither this disk nor the hub has its key.
///
/// # Errors
/// When its folder cannot be used.
pub fn kept_gallery(config: &Config) -> anyhow::Result<Option<Arc<LoadedGallery>>> {
    let Ok(identity) = Identity::load(&config.data) else { return Ok(None) };
    let mut files = gallery_files(config, &identity)?;
    if identity.gallery_key().is_none() {
        match asked_for_key(&identity) {
            Ok(key) => key.iter().for_each(|key| files.unlock(key)),
            Err(why) => {
                tracing::warn!("nobody is recognised: the hub does not give the key: {why}")
            }
        }
    }
    let load = |release: crate::gallery::Release| {
        LoadedGallery::new(release.manifest.version, release.gallery).map(Arc::new)
    };
    Ok(files.current().map(load).transpose()?)
}

/// The key of the gallery, from the hub.
fn asked_for_key(identity: &Identity) -> anyhow::Result<Option<Zeroizing<[u8; 32]>>> {
    let fetch = fetch(identity, Arc::new(SystemClock))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(fetch.key())?)
}

/// What time the hub thinks it is, asked as this door where no daemon runs; nothing from a hub that
/// does not say.
///
/// # Errors
/// When it does not answer, or refuses this door.
pub fn hub_time(identity: &Identity) -> anyhow::Result<Option<Wall>> {
    let fetch = fetch(identity, Arc::new(SystemClock))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(fetch.date())?)
}

/// Asks the hub as this door, where no daemon runs yet.
pub(super) fn fetch(identity: &Identity, clock: Arc<dyn Clock>) -> anyhow::Result<Fetch> {
    let from = tls::validity(&identity.joined.certificate_pem)?.from;
    let time = Timekeeper::new(0, from, clock);
    let badge = Badge::new(identity)?;
    let trust = Trust::new(&identity.joined.ca_pem)?;
    let tls = tls::config(identity, &badge, &trust, time)?;
    Ok(Fetch::new(&identity.joined.https, &tls)?)
}

fn gallery_files(config: &Config, identity: &Identity) -> anyhow::Result<GalleryFiles> {
    let device = identity.joined.device.clone();
    let folder = config.data.join("gallery");
    let mut files = GalleryFiles::open(&folder, device, signer(identity)?)
        .with_context(|| format!("the folder {} cannot be used", folder.display()))?;
    identity.gallery_key().iter().for_each(|key| files.unlock(key));
    Ok(files)
}

pub(super) fn signer(identity: &Identity) -> anyhow::Result<VerifyingKey> {
    let key = VerifyingKey::from_bytes(&identity.joined.gallery_key);
    key.context("the hub's signing key is damaged: let the door join again with a new token")
}

/// Host and port of `host:port`.
///
/// # Errors
/// When it is something else.
pub fn host_port(address: &str) -> anyhow::Result<(String, u16)> {
    let parts = address.rsplit_once(':').and_then(|(h, p)| Some((h.to_owned(), p.parse().ok()?)));
    parts.with_context(|| {
        format!("“{address}” is no address of a hub: let the door join again with a new token")
    })
}

pub(super) fn rng() -> StdRng {
    StdRng::from_rng(&mut rand::rng())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_host_and_a_port() {
        assert_eq!(host_port("hub.school:8883").unwrap(), ("hub.school".into(), 8883));
        assert!(host_port("hub.school").is_err() && host_port("hub:99999").is_err());
    }

    #[tokio::test]
    async fn the_hub_may_ask_for_a_look_and_for_a_restart() {
        let (wish, wishes) = mpsc::channel(3);
        let (see, mut seen) = mpsc::channel(1);
        wish.try_send(Command::Snap).unwrap();
        let (desired, mut look) = watch::channel(None);
        wish.try_send(Command::Reload).unwrap();
        wish.try_send(Command::Restart).unwrap();
        let error = obey(wishes, see, desired, CancellationToken::new()).await.unwrap_err();
        assert!(look.changed().await.is_ok(), "the curator looks again");
        assert_eq!(error.to_string(), "the hub asked for a restart");
        assert_eq!(seen.recv().await, Some(()));
    }
}
