//! Keeps index and releases true to the database, and hands them out.
//!
//! Whoever reads gets the newest whole index; a rebuild never makes anybody wait.

use super::Index;
use super::release::{Content, Last, Plan, Release, plan};
use crate::error::{Doing, Error};
use crate::keys::Keys;
use crate::store::{self, Db};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock};
use vision::Template;
use wire::{DeviceId, ModelId, StudentId, Wall};

/// The gallery of the running hub; cheap to clone.
#[derive(Clone, Debug)]
pub struct Gallery {
    model: ModelId,
    lines: Option<wire::Lines>,
    state: Arc<RwLock<State>>,
    /// Held while the gallery is made anew: an older look never overwrites a newer one.
    turn: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Debug)]
struct State {
    index: Arc<Index>,
    releases: HashMap<DeviceId, Arc<Release>>,
}

impl Gallery {
    /// An empty gallery of `model`; [`Gallery::refresh`] fills it.
    #[must_use]
    pub fn new(model: ModelId) -> Self {
        let index = Index::build(model.clone(), &BTreeMap::new()).expect("nobody fits together");
        let state = State { index: Arc::new(index), releases: HashMap::new() };
        Self { model, lines: None, state: Arc::new(RwLock::new(state)), turn: Arc::default() }
    }

    /// The same under the site's own lines, if it has any.
    #[must_use]
    pub fn with_lines(self, lines: Option<wire::Lines>) -> Self {
        Self { lines, ..self }
    }

    /// The network every template in it is of.
    #[must_use]
    pub fn model(&self) -> &ModelId {
        &self.model
    }

    /// Everybody who may be recognised now.
    #[must_use]
    pub fn index(&self) -> Arc<Index> {
        self.read().index.clone()
    }

    /// What `device` should have now, absent before its first release.
    #[must_use]
    pub fn release(&self, device: &DeviceId) -> Option<Arc<Release>> {
        self.read().releases.get(device).cloned()
    }

    /// Builds the index anew from the database and signs a release for every active door that
    /// needs one. Idempotent: nothing changed, nothing happens.
    ///
    /// # Errors
    /// When the database or the key store fails, or a template does not open.
    pub async fn refresh(&self, db: &Db, keys: &Keys, now: Wall) -> Result<(), Error> {
        let _turn = self.turn.lock().await;
        let index = load(db, keys, &self.model).await?;
        let index = Arc::new(match &self.lines {
            Some(lines) => index.with_lines(lines),
            None => index,
        });
        let file = Arc::new(index.to_gallery().encode());
        self.write().index = index.clone();
        self.release_all(db, keys, &index, &file, now).await
    }

    async fn release_all(
        &self,
        db: &Db,
        keys: &Keys,
        index: &Index,
        file: &Arc<Vec<u8>>,
        now: Wall,
    ) -> Result<(), Error> {
        let devices = db.read(store::device::list).await?;
        let active: Vec<_> = devices.into_iter().filter(|d| d.is_active).map(|d| d.id).collect();
        let people = Arc::new(index.people().to_vec());
        let known: HashMap<_, _> = self.read().releases.clone();
        let (signing, file, model) = (keys.signing()?, file.clone(), self.model.clone());
        let releases = db
            .write(move |tx| {
                let content = Content { file: &file, model: &model, people: &people };
                let mut releases = HashMap::new();
                for device in active {
                    let stored = store::release::last(tx, &device)?;
                    let last = stored.as_ref().map(|(manifest, _)| Last {
                        manifest,
                        people: known.get(&device).map(|release| release.people.as_slice()),
                    });
                    let (manifest, signed) =
                        match (plan(&device, last.as_ref(), &content, now), stored) {
                            (Plan::Keep, Some(stored)) => stored,
                            (Plan::Keep, None) => continue,
                            (Plan::Make(manifest), _) => {
                                let signed = manifest.sign(&signing);
                                store::release::add(tx, &manifest, &signed)?;
                                (manifest, signed)
                            }
                        };
                    let (file, people) = (file.clone(), people.clone());
                    releases.insert(device, Arc::new(Release { manifest, signed, file, people }));
                }
                Ok(releases)
            })
            .await?;
        self.write().releases = releases;
        Ok(())
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The index of everybody who may be recognised, as the database has it now.
///
/// # Errors
/// When the database or the key store fails, or a template does not open.
pub async fn load(db: &Db, keys: &Keys, model: &ModelId) -> Result<Index, Error> {
    let (of, doing) = (model.clone(), "building the gallery's index");
    let sealed = db.read(move |tx| store::enrolment::eligible(tx, &of)).await?;
    let (model, keys) = (model.clone(), keys.clone());
    // Opening and comparing everybody takes a second for ten thousand people.
    let build = move || -> Result<Index, Error> {
        let people = open(&sealed, &model, &keys)?;
        Index::build(model, &people).doing(doing)
    };
    tokio::task::spawn_blocking(build).await.doing(doing)?
}

/// The plain templates, by person. A person whose key is gone is left out: an erasure that has
/// not reached the row yet.
fn open(
    sealed: &[store::enrolment::Eligible],
    model: &ModelId,
    keys: &Keys,
) -> Result<BTreeMap<StudentId, Vec<Template>>, Error> {
    let mut people = BTreeMap::<_, Vec<_>>::new();
    for of_one in sealed.chunk_by(|a, b| a.student == b.student) {
        let student = of_one[0].student;
        let Some(key) = keys.student(student)? else { continue };
        for row in of_one {
            let place = store::enrolment::place(student, model, row.id);
            let plain = key.open(&place, &row.sealed).doing("opening a template")?;
            let template = Template::from_f16_bytes(&plain).doing("reading a template")?;
            people.entry(student).or_default().push(template);
        }
    }
    Ok(people)
}
