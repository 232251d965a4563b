//! Keeps the door's gallery as the hub wants it: fetch, verify, keep, swap, report; and forgets
//! it when its lease is over.

use super::files::{GalleryFiles, Release};
use super::{KeyPlace, LoadedGallery};
use crate::clock::Timekeeper;
use crate::fetch::{Fetch, FetchError};
use crate::identity::{IdentityError, Passport};
use crate::link::Backoff;
use crate::packs::{Model, PackTrouble, Packs};
use crate::status::Lack;
use ed25519_dalek::VerifyingKey;
use rand::rngs::StdRng;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use vision::{Template, TemplateError};
use wire::gallery::GalleryError;
use wire::join::{GALLERY_PATH, MANIFEST_PATH};
use wire::link::{Desired, Reported};
use wire::sign::{self, Signed};
use wire::{DeviceId, Manifest, ModelId, Wall};

/// How often the lease is looked at.
const LEASE_EVERY: Duration = Duration::from_secs(60);
/// People looked up in a new gallery before it is used.
const PROBES: usize = 16;
/// A person's own template finds them with at least this cosine.
const SELF_COSINE: f32 = 0.99;

/// The gallery's supervisor, ready to run.
pub struct Curator {
    /// Who this door is.
    pub device: DeviceId,
    /// Whose signature counts.
    pub hub: VerifyingKey,
    /// The model packs of this unit.
    pub packs: Packs,
    /// The running one: newest only.
    pub model: watch::Sender<Model>,
    /// Where releases come from.
    pub fetch: Fetch,
    /// Where they are kept.
    pub files: GalleryFiles,
    /// Where the key of that is kept between two starts …
    pub key: KeyPlace,
    /// … if it is this disk.
    pub passport: Passport,
    /// Whether the hub has given the key since the start.
    pub unlocked: bool,
    /// What time it is.
    pub time: Timekeeper,
    /// What the hub wants.
    pub desired: watch::Receiver<Option<Desired>>,
    /// What the recogniser uses: newest only.
    pub loaded: watch::Sender<Option<Arc<LoadedGallery>>>,
    /// What the link tells the hub.
    pub reported: watch::Sender<Reported>,
    /// The same in a word, for whoever looks after this unit.
    pub lack: watch::Sender<Option<Lack>>,
    /// When the gallery in use must be forgotten; nothing while there is none.
    pub leased: Option<Wall>,
    /// For waits only.
    pub rng: StdRng,
}

/// Why the wanted gallery is not in use. Its text goes to the hub.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// It did not come.
    #[error("the gallery did not come: {0}")]
    Fetch(#[from] FetchError),
    /// The key to what is on this disk did not come.
    #[error("the hub has not given the key of the gallery: {0}")]
    Key(#[source] FetchError),
    /// That key cannot be kept, or let go of.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The model it is for is not here.
    #[error(transparent)]
    Pack(#[from] PackTrouble),
    /// It may not be used.
    #[error(transparent)]
    Refused(#[from] GalleryError),
    /// The model it is for was here and is not any more.
    #[error("the gallery is for model “{0}”, which is not on this disk")]
    Gone(ModelId),
    /// The hub moved on meanwhile.
    #[error("the hub's manifest is not the one it announced")]
    Stale,
    /// A template is none.
    #[error("a template of the gallery is damaged")]
    Template(#[from] TemplateError),
    /// Looked up, somebody is not found.
    #[error("the gallery failed its self-test: {0} is not found by their own template")]
    SelfTest(wire::StudentId),
    /// The disk.
    #[error("the gallery could not be kept on this disk")]
    Disk(#[from] std::io::Error),
}

impl Trouble {
    /// What kind of trouble it is.
    #[must_use]
    pub fn lack(&self) -> Lack {
        match self {
            Self::Fetch(_) | Self::Stale => Lack::Missing,
            Self::Key(_) => Lack::Key,
            Self::Identity(_) | Self::Disk(_) => Lack::Disk,
            Self::Pack(_) | Self::Gone(_) => Lack::Model,
            Self::Refused(GalleryError::Expired) => Lack::Lease,
            Self::Refused(_) | Self::Template(_) | Self::SelfTest(_) => Lack::Refused,
        }
    }
}

impl Curator {
    /// Loads what is on the disk, then follows what the hub wants.
    pub async fn run(mut self, stop: CancellationToken) {
        self.boot();
        let mut backoff = Backoff::default();
        loop {
            self.lease();
            let wait = match self.catch_up().await {
                Ok(()) => {
                    backoff.reset();
                    LEASE_EVERY
                }
                Err(trouble) => {
                    tracing::warn!(%trouble, "the wanted gallery is not in use");
                    self.reported.send_modify(|reported| reported.trouble = trouble.to_string());
                    self.lack.send_replace(Some(trouble.lack()));
                    backoff.failed(self.time.mono(), &mut self.rng).min(LEASE_EVERY)
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = sleep(wait) => {}
                changed = self.desired.changed() => if changed.is_err() { return },
            }
        }
    }

    /// The key first, and without it at least what the hub wants.
    async fn catch_up(&mut self) -> Result<(), Trouble> {
        let unlocked = self.unlock().await;
        self.follow().await?;
        unlocked
    }

    /// Asks the hub for the key of the gallery, once in each life of the daemon.
    async fn unlock(&mut self) -> Result<(), Trouble> {
        if self.unlocked {
            return Ok(());
        }
        if let Some(key) = self.fetch.key().await.map_err(Trouble::Key)? {
            match self.passport.get().gallery_key() {
                Some(had) if had != *key => self.files.rekey(&key)?,
                _ => self.files.unlock(&key),
            }
            let kept = (self.key == KeyPlace::Disk).then_some(&*key);
            self.passport.change(|identity| identity.with_gallery_key(kept))?;
        }
        self.unlocked = true;
        self.reported
            .send_if_modified(|reported| !std::mem::take(&mut reported.trouble).is_empty());
        self.lack.send_replace(None);
        if self.loaded.borrow().is_none() {
            self.boot();
            self.lease();
        }
        Ok(())
    }

    fn boot(&mut self) {
        match self.files.load() {
            Ok(Some(release)) => {
                if let Err(trouble) = self.show(&release) {
                    self.lack.send_replace(Some(trouble.lack()));
                    tracing::warn!(%trouble, "the gallery on this disk cannot be used");
                }
            }
            Ok(None) => tracing::info!("no gallery on this disk that opens yet"),
            Err(error) => tracing::warn!(%error, "the gallery on this disk cannot be read"),
        }
    }

    /// Fetches what the hub wants, if that is not what is in use.
    async fn follow(&mut self) -> Result<(), Trouble> {
        let desired = self.desired.borrow_and_update().clone();
        let Some(desired) = desired.filter(|desired| desired.gallery > self.installed()) else {
            return Ok(());
        };
        let signed = self.fetch.signed(MANIFEST_PATH).await?;
        if signed.digest() != desired.manifest {
            return Err(Trouble::Stale);
        }
        let manifest = self.open(&signed).await?;
        let now = self.time.now().wall;
        manifest.admit(&self.device, self.installed(), &manifest.model, now)?;
        let model = self.model_for(&manifest.model).await?;
        let path = format!("{GALLERY_PATH}{}", manifest.version);
        let file = self.fetch.file(&path, &manifest.blake3, manifest.size).await?;
        let gallery = manifest.check(&file)?;
        let digest = signed.digest();
        let release = Release { manifest, digest, gallery };
        let loaded = load(&release)?;
        // The pack first: a cut after it finds it here, whichever gallery is current then.
        self.packs.choose(&model.id)?;
        self.files.put(&signed, &file, &release.manifest)?;
        self.passport.change(|identity| identity.with_signer(self.hub.to_bytes()))?;
        self.swap(&release, loaded, model);
        self.packs.tidy(&release.manifest.model);
        Ok(())
    }

    /// The manifest in `signed`. If the hub's key did not sign it, it may have been replaced: the
    /// key that this door knows names its successor, and from then on counts no more.
    async fn open(&mut self, signed: &Signed) -> Result<Manifest, Trouble> {
        match Manifest::open(signed, &self.hub) {
            Err(GalleryError::Forged(_)) => {}
            opened => return Ok(opened?),
        }
        let next = sign::newest(&self.hub, &self.fetch.signers().await?);
        let manifest = Manifest::open(signed, &next)?;
        tracing::info!("the hub's signing key was replaced: the new one counts");
        self.hub = next;
        self.files.trust(next);
        Ok(manifest)
    }

    /// The running model if it is that of `id`; else one that is here, or that the hub sends.
    async fn model_for(&mut self, id: &ModelId) -> Result<Model, PackTrouble> {
        let running = self.model.borrow().clone();
        if running.id == *id {
            return Ok(running);
        }
        let packs = self.packs.clone();
        let of = id.clone();
        let here = tokio::task::spawn_blocking(move || packs.here(&of));
        if let Some(model) = here.await.map_err(std::io::Error::other)? {
            return Ok(model);
        }
        tracing::info!(model = %id, "fetching the model pack “{id}” from the hub");
        self.packs.get(id, &self.hub, &self.fetch).await
    }

    fn installed(&self) -> u64 {
        self.loaded.borrow().as_ref().map_or(0, |loaded| loaded.version)
    }

    fn show(&mut self, release: &Release) -> Result<(), Trouble> {
        let running = self.model.borrow().clone();
        let id = &release.manifest.model;
        let model = if running.id == *id { Some(running) } else { self.packs.here(id) };
        let model = model.ok_or_else(|| Trouble::Gone(id.clone()))?;
        let loaded = load(release)?;
        self.swap(release, loaded, model);
        Ok(())
    }

    fn swap(&mut self, release: &Release, loaded: LoadedGallery, model: Model) {
        let version = release.manifest.version;
        let people = release.manifest.people;
        let id = model.id.clone();
        if self.model.borrow().id != id {
            tracing::info!(model = %id, "the door recognises by model “{id}” now");
            self.model.send_replace(model);
        }
        self.loaded.send_replace(Some(Arc::new(loaded)));
        self.reported.send_modify(|reported| {
            reported.gallery = version;
            reported.manifest = release.digest;
            reported.model = id;
            reported.trouble.clear();
        });
        self.lack.send_replace(None);
        self.leased = Some(release.manifest.expires);
        tracing::info!(version, people, "gallery release {version} is in use");
    }

    /// After the lease the door forgets: nobody renewed it, so nobody can be asked.
    fn lease(&mut self) {
        let now = self.time.now().wall;
        let expires = self.leased;
        if now.zip(expires).is_none_or(|(now, expires)| now < expires) {
            return;
        }
        if let Err(error) = self.files.forget() {
            tracing::error!(%error, "the gallery's lease is over and it cannot be destroyed");
        }
        self.loaded.send_replace(None);
        self.leased = None;
        self.reported.send_modify(|reported| {
            (reported.gallery, reported.manifest) = (0, [0; 32]);
            reported.trouble = GalleryError::Expired.to_string();
        });
        self.lack.send_replace(Some(Lack::Lease));
    }
}

/// Loads a release and looks some people up by their own templates.
fn load(release: &Release) -> Result<LoadedGallery, Trouble> {
    let loaded = LoadedGallery::new(release.manifest.version, release.gallery.clone())?;
    for person in loaded.gallery.people.iter().take(PROBES) {
        let own = Template::from_f16_bytes(&person.template)?;
        let found = loaded.nearest(&own, 1);
        if found.first().is_none_or(|best| best.score < SELF_COSINE) {
            return Err(Trouble::SelfTest(person.id));
        }
    }
    Ok(loaded)
}
