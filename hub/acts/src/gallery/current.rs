//! Keeps index and releases true to the database, and hands them out.
//!
//! Whoever reads gets the newest whole index; a rebuild never makes anybody wait.

use rules::error::{Doing, Error};
use rules::gallery::Index;
use rules::gallery::release::{Last, Release, ReleaseContent, ReleasePlan, plan};
use rules::gallery::scope::{self, Scope, ScopeHouse, ScopeRoom};
use rules::sighting::school::School;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, PoisonError, RwLock};
use store::change::ChangeCounts;
use store::keys::Keys;
use store::vault::DataKey;
use store::{self, Db, Tx};
use vision::Template;
use wire::{DeviceId, ModelId, StudentId, Wall};

/// The gallery of the running hub; cheap to clone.
#[derive(Clone, Debug)]
pub struct Gallery {
    model: ModelId,
    lines: Option<wire::Lines>,
    state: Arc<RwLock<GalleryState>>,
    /// Held while the gallery is made anew: an older look never overwrites a newer one.
    turn: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Debug)]
struct GalleryState {
    index: Arc<Index>,
    /// Of older models: what doors made with them is still told by these.
    former: Vec<Arc<Index>>,
    /// Whether the index was read from the database once.
    is_loaded: bool,
    releases: HashMap<DeviceId, Arc<Release>>,
}

impl Gallery {
    /// An empty gallery of `model`; [`Gallery::refresh`] fills it.
    #[must_use]
    pub fn new(model: ModelId) -> Self {
        let index = Index::build(model.clone(), &BTreeMap::new()).expect("nobody fits together");
        let index = Arc::new(index);
        let former = Vec::new();
        let state = GalleryState { index, former, is_loaded: false, releases: HashMap::new() };
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

    /// Everybody, for each model of which somebody has a template: the one in use first.
    #[must_use]
    pub fn schools(&self) -> Vec<Arc<dyn School>> {
        let state = self.read();
        let all = std::iter::once(&state.index).chain(&state.former);
        all.filter(|index| !index.is_empty()).map(|index| index.clone() as _).collect()
    }

    /// Whether [`Gallery::index`] is that of the database, and not the empty one of the start.
    #[must_use]
    pub fn is_loaded(&self) -> bool {
        self.read().is_loaded
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
        let seen = db.read(store::change::read).await?;
        let index = self.rebuild(db, keys).await?;
        self.release_all(db, keys, index, (seen, now)).await
    }

    /// Builds the indexes anew from the database, without releases.
    ///
    /// # Errors
    /// As [`Gallery::refresh`].
    pub async fn rebuild(&self, db: &Db, keys: &Keys) -> Result<Arc<Index>, Error> {
        let index = load(db, keys, &self.model).await?;
        let index = Arc::new(match self.own_lines(db, &index).await? {
            Some(lines) => index.with_lines(&lines),
            None => index,
        });
        let mut former = Vec::new();
        for model in db.read(store::enrolment::models).await? {
            if model != self.model {
                former.push(Arc::new(load(db, keys, &model).await?));
            }
        }
        let mut state = self.write();
        (state.index, state.former, state.is_loaded) = (index.clone(), former, true);
        Ok(index)
    }

    /// The site's own lines: those of its file, or else those an admin chose.
    async fn own_lines(&self, db: &Db, index: &Index) -> Result<Option<wire::Lines>, Error> {
        if self.lines.is_some() {
            return Ok(self.lines);
        }
        let chosen = db.read(super::lines::chosen).await?;
        Ok(chosen.map(|choice| choice.lines(&index.usual())))
    }

    async fn release_all(
        &self,
        db: &Db,
        keys: &Keys,
        index: Arc<Index>,
        (seen, now): (ChangeCounts, Wall),
    ) -> Result<(), Error> {
        let plans = db.read(move |tx| Plans::read(tx, now)).await?;
        // Writing ten thousand people into a file takes a while for each room.
        let shares = tokio::task::spawn_blocking(move || plans.shares(&index));
        let shares = shares.await.doing("making galleries")?;
        let known: HashMap<_, _> = self.read().releases.clone();
        let signing = keys.signing()?;
        let model = self.model.clone();
        let releases = db
            .write(move |tx| {
                if !store::release::made_from(tx, seen)? {
                    return Ok(None);
                }
                let mut releases = HashMap::new();
                for (device, Share { file, blake3, people }) in shares {
                    let floor = store::release::floor(tx)?;
                    let model = &model;
                    let people_of = &people;
                    let content =
                        ReleaseContent { file: &file, blake3, model, people: people_of, floor };
                    let stored = store::release::last(tx, &device)?;
                    let last = stored.as_ref().map(|(manifest, _)| Last {
                        manifest,
                        people: known.get(&device).map(|release| release.people.as_slice()),
                    });
                    let (manifest, signed) =
                        match (plan(&device, last.as_ref(), &content, now), stored) {
                            (ReleasePlan::Keep, Some(stored)) => stored,
                            (ReleasePlan::Keep, None) => continue,
                            (ReleasePlan::Make(manifest), _) => {
                                let signed = manifest.sign(&signing);
                                store::release::add(tx, &manifest, &signed)?;
                                store::release::remember(tx, &manifest.blake3, &people, now)?;
                                (manifest, signed)
                            }
                        };
                    releases.insert(device, Arc::new(Release { manifest, signed, file, people }));
                }
                Ok(Some(releases))
            })
            .await?;
        // Another hub saw more: what follows from that is looked for at the next turn.
        if let Some(releases) = releases {
            self.write().releases = releases;
        }
        Ok(())
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, GalleryState> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, GalleryState> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a door is to have: the file, and who is in it.
#[derive(Clone)]
struct Share {
    file: Arc<Vec<u8>>,
    blake3: [u8; 32],
    people: Arc<Vec<StudentId>>,
}

/// A door, its room, and the people it is held to.
type GalleryDoor = (DeviceId, String, Option<Vec<StudentId>>);

/// Everything that decides who goes to which door.
struct Plans {
    doors: Vec<GalleryDoor>,
    rooms: HashMap<String, ScopeRoom>,
    house: ScopeHouse,
    scope: Scope,
}

impl Plans {
    fn read(tx: &Tx<'_>, now: Wall) -> Result<Self, Error> {
        let active = store::device::list(tx)?.into_iter().filter(|door| door.is_active);
        let door = |door: store::device::Device| {
            let held = store::release::held_to(tx, &door.id)?;
            Ok((door.id, door.room, held))
        };
        let doors = active.map(door).collect::<Result<Vec<GalleryDoor>, Error>>()?;
        let mut rooms = HashMap::new();
        for (_, name, _) in &doors {
            if !rooms.contains_key(name) {
                rooms.insert(name.clone(), store::scope::room(tx, name, now)?);
            }
        }
        let house = store::scope::house(tx, rooms.values())?;
        Ok(Self { doors, rooms, house, scope: store::scope::scope(tx)? })
    }

    /// What each door gets; doors of like rooms share it.
    fn shares(&self, index: &Index) -> Vec<(DeviceId, Share)> {
        let share = |room: &ScopeRoom, held: Option<&[StudentId]>| {
            let gallery = scope::gallery(index, self.scope, room, &self.house, held);
            let people = gallery.people.iter().map(|person| person.id).collect();
            let file = gallery.encode();
            let blake3 = *blake3::hash(&file).as_bytes();
            Share { file: Arc::new(file), blake3, people: Arc::new(people) }
        };
        let mut made: Vec<(&ScopeRoom, Share)> = Vec::new();
        let mut of = |(id, name, held): &GalleryDoor| {
            let room = &self.rooms[name];
            let like = made.iter().find(|(other, _)| *other == room).map(|(_, share)| share);
            let share = match (held, like) {
                (Some(held), _) => share(room, Some(held)),
                (None, Some(like)) => like.clone(),
                (None, None) => {
                    let new = share(room, None);
                    made.push((room, new.clone()));
                    new
                }
            };
            (id.clone(), share)
        };
        self.doors.iter().map(&mut of).collect()
    }
}

/// The index of everybody who may be recognised, as the database has it now.
///
/// # Errors
/// When the database or the key store fails, or a template does not open.
pub async fn load(db: &Db, keys: &Keys, model: &ModelId) -> Result<Index, Error> {
    let of = model.clone();
    let doing = "building the gallery's index";
    let read =
        move |tx: &Tx<'_>| Ok((store::enrolment::eligible(tx, &of)?, store::scope::ruled_out(tx)?));
    let (sealed, ruled_out) = db.read(read).await?;
    let model = model.clone();
    let keys = keys.clone();
    // Opening and comparing everybody takes a second for ten thousand people.
    let build = move || -> Result<Index, Error> {
        let students: BTreeSet<_> = sealed.iter().map(|row| row.student).collect();
        let people = open(&sealed, &model, &keys.of(students)?)?;
        Ok(Index::build(model, &people).doing(doing)?.with_ruled_out(ruled_out))
    };
    tokio::task::spawn_blocking(build).await.doing(doing)?
}

/// The plain templates, by person. A person whose key is gone is left out: an erasure that has
/// not reached the row yet.
fn open(
    sealed: &[store::enrolment::Eligible],
    model: &ModelId,
    keys: &HashMap<StudentId, DataKey>,
) -> Result<BTreeMap<StudentId, Vec<Template>>, Error> {
    let mut people = BTreeMap::<_, Vec<_>>::new();
    for of_one in sealed.chunk_by(|a, b| a.student == b.student) {
        let student = of_one[0].student;
        let Some(key) = keys.get(&student) else { continue };
        for row in of_one {
            let place = store::enrolment::place(student, model, row.id);
            // One damaged row costs one template, and no school its gallery.
            match opened(key, &place, &row.sealed) {
                Ok(template) => people.entry(student).or_default().push(template),
                Err(error) => {
                    metrics::counter!("templates_left_out_total").increment(1);
                    tracing::error!(%student, %error, "a template is left out: enrol them again");
                }
            }
        }
    }
    Ok(people)
}

fn opened(key: &DataKey, place: &str, sealed: &[u8]) -> Result<Template, Error> {
    let plain = key.open(place, sealed).doing("opening a template")?;
    Template::from_f16_bytes(&plain).doing("reading a template")
}
