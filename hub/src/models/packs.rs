//! The packs that are here, and which one is in use.
//!
//! Templates of two models do not compare, so another pack in use means that people have to be
//! enrolled anew. [`Coverage`] says whether enough of them are.

use super::{ModelsError, place};
use rules::error::{Doing, Error};
use serde_json::json;
use std::path::{Path, PathBuf};
use store::{Db, Tx, audit, coverage};
use vision::pack::{DEFAULT, IN_USE, Manifest, PACKS, Pack};
use wire::{ModelId, Wall};

/// Of a hundred people recognised now, so many have to be recognised by another pack.
pub const ENOUGH: usize = 95;

/// A pack that is here.
#[derive(Debug)]
pub struct PackFound {
    /// What it says of itself.
    pub manifest: Manifest,
    /// Whether it is in use.
    pub in_use: bool,
    /// Why it cannot be opened; its hashes and self-tests were checked.
    pub trouble: Option<String>,
}

/// Whom another pack would recognise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coverage {
    /// People recognised now.
    pub people: usize,
    /// Those of them who have a template of the other model.
    pub covered: usize,
}

impl Coverage {
    /// Whether the other pack may be used: at least 95 of a hundred are covered.
    #[must_use]
    pub fn is_enough(self) -> bool {
        self.covered * 100 >= self.people * ENOUGH
    }

    /// Whole percents; 100 where nobody is enrolled.
    #[must_use]
    pub fn percent(self) -> usize {
        (self.covered * 100).checked_div(self.people).unwrap_or(100)
    }
}

/// The folder of a pack by its name.
pub(super) fn named(models: &Path, name: &str) -> Result<PathBuf, ModelsError> {
    vision::pack::named(models, name).ok_or_else(|| {
        ModelsError::Together(format!(
            "“{name}” is no name for a pack: use 1 to 32 small letters, digits and hyphens"
        ))
    })
}

/// The folder of a pack that is here.
///
/// # Errors
/// When there is none of that name.
pub fn folder_of(models: &Path, name: &str) -> Result<PathBuf, ModelsError> {
    let folder = named(models, name)?;
    if folder.join(vision::pack::MANIFEST).is_file() {
        return Ok(folder);
    }
    let here: Vec<String> = names(models).collect();
    Err(ModelsError::Together(format!(
        "there is no pack “{name}” in {}; here are: {}",
        models.display(),
        if here.is_empty() { "none".into() } else { here.join(", ") }
    )))
}

/// Names of the packs that are here: the default one first, the others by name.
fn names(models: &Path) -> impl Iterator<Item = String> {
    let usual = models.join(vision::pack::MANIFEST).is_file().then(|| DEFAULT.to_owned());
    let entries = std::fs::read_dir(models.join(PACKS)).into_iter().flatten().flatten();
    let name = |entry: std::fs::DirEntry| entry.file_name().into_string().ok();
    let mut others: Vec<String> = entries.filter_map(name).collect();
    others.retain(|name| {
        named(models, name).is_ok_and(|folder| folder.join(vision::pack::MANIFEST).is_file())
    });
    others.sort();
    usual.into_iter().chain(others)
}

/// Every pack that is here, opened to see whether it is whole.
///
/// # Errors
/// When the name of the one in use is none.
pub fn found(models: &Path) -> Result<Vec<PackFound>, ModelsError> {
    let used = vision::pack::folder(models)?;
    let mut all = Vec::new();
    for name in names(models) {
        let folder = named(models, &name)?;
        let trouble = Pack::open(&folder).err().map(|error| error.to_string());
        match Manifest::read(&folder) {
            Ok(manifest) => all.push(PackFound { manifest, in_use: folder == used, trouble }),
            Err(error) => tracing::warn!(pack = name, %error, "a pack cannot be read"),
        }
    }
    Ok(all)
}

/// Another pack, as somebody wants it used.
#[derive(Clone, Debug)]
pub struct PackWish {
    /// The folder of the models.
    pub models: PathBuf,
    /// The name of the pack.
    pub name: String,
    /// The model that is in use.
    pub from: ModelId,
    /// That of the pack.
    pub to: ModelId,
    /// What if too few are enrolled for it.
    pub few: Few,
}

/// What follows when fewer than `ENOUGH` of a hundred people are enrolled for a pack.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Few {
    /// It is not used.
    Refuse,
    /// It is: the others are not recognised until they are enrolled anew.
    Accept,
}

/// Uses another pack from the next start on, if enough people are covered.
///
/// # Errors
/// `Conflict` below the line; whatever the disk says.
pub async fn choose(db: &Db, wish: PackWish, by: String, now: Wall) -> Result<Coverage, Error> {
    let work = move |tx: &Tx<'_>| {
        let PackWish { models, name, from, to, few } = wish;
        let (people, covered) = coverage::count(tx, &from, &to)?;
        let coverage = Coverage { people, covered };
        let force = few == Few::Accept;
        if !coverage.is_enough() && !force {
            return Err(Error::Conflict(format!(
                "{covered} of {people} people ({} %) are enrolled for this pack, {ENOUGH} % are \
                 needed: enrol the others first (rollcall-hub enrol --pack {name}), or say --force",
                coverage.percent()
            )));
        }
        let meta = json!({ "from": from.as_str(), "people": people, "covered": covered,
            "force": force });
        let entry =
            audit::AuditEntry { actor: &by, action: "use", table: "model", id: to.as_str(), meta };
        audit::add(tx, now, &entry)?;
        mark(&models, &name)?;
        Ok(coverage)
    };
    db.write(work).await
}

/// Writes down which pack is in use.
fn mark(models: &Path, name: &str) -> Result<(), Error> {
    let doing = "choosing the model pack";
    if name != DEFAULT {
        return place::put(models, IN_USE, format!("{name}\n").as_bytes()).doing(doing);
    }
    match std::fs::remove_file(models.join(IN_USE)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error).doing(doing),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use store::student::{self, StudentProfile};
    use store::{consent, enrolment};

    #[test]
    fn ninety_five_of_a_hundred_are_enough_and_nobody_is_too() {
        let enough = |covered, people| Coverage { people, covered }.is_enough();
        assert!(enough(95, 100) && enough(19, 20) && enough(0, 0));
        assert!(!enough(94, 100) && !enough(18, 19) && !enough(0, 1));
        assert_eq!(Coverage { people: 0, covered: 0 }.percent(), 100);
        assert_eq!(Coverage { people: 3, covered: 2 }.percent(), 66);
    }

    const NOW: Wall = Wall(1_790_000_000_000);

    /// People with consent and a template of `old`; the first `ready` of them of `new` too.
    async fn school(folder: &Path, people: usize, ready: usize) -> Db {
        let db = Db::open(folder.join("hub.db")).unwrap();
        db.write(move |tx| {
            for n in 0..people {
                let student_number = format!("S-{n:03}");
                let profile =
                    StudentProfile { student_number, first_name: "A".into(), ..Default::default() };
                let student = student::add(tx, profile, "t", NOW)?;
                consent::add(tx, student, &consent::ConsentSaid::yes("parent"), "t", NOW)?;
                let models = if n < ready { &["old", "new"][..] } else { &["old"] };
                for model in models {
                    let model: ModelId = model.parse().unwrap();
                    enrolment::add(tx, &enrolled(student, model), b"sealed", "t")?;
                }
            }
            Ok(())
        })
        .await
        .unwrap();
        db
    }

    fn enrolled(student: wire::StudentId, model: ModelId) -> enrolment::Enrolment {
        enrolment::Enrolment {
            id: wire::id::v7(NOW),
            student,
            number: String::new(),
            model,
            source: "photo".into(),
            quality: wire::Quality::default(),
            is_active: true,
            created_at: NOW,
            created_by: "t".into(),
            version: 1,
        }
    }

    async fn chosen(db: &Db, models: &Path, name: &str, few: Few) -> Result<Coverage, Error> {
        let (models, name) = (models.to_path_buf(), name.to_owned());
        let (from, to) = ("old".parse().unwrap(), "new".parse().unwrap());
        choose(db, PackWish { models, name, from, to, few }, "t".into(), NOW).await
    }

    #[tokio::test]
    async fn a_pack_is_chosen_only_when_enough_people_are_enrolled_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let db = school(folder.path(), 20, 18).await;
        let (old, new): (ModelId, ModelId) = ("old".parse().unwrap(), "new".parse().unwrap());
        let missing =
            db.read(move |tx| coverage::missing(tx, (&old, &new), "", 500)).await.unwrap();
        let numbers: Vec<_> = missing.iter().map(|person| person.number.as_str()).collect();
        assert_eq!(numbers, ["S-018", "S-019"]);
        let refused =
            chosen(&db, folder.path(), "quick", Few::Refuse).await.unwrap_err().to_string();
        assert!(refused.contains("18 of 20") && refused.contains("--force"), "{refused}");
        assert!(!folder.path().join(IN_USE).exists());
        let coverage = chosen(&db, folder.path(), "quick", Few::Accept).await.unwrap();
        assert_eq!(coverage, Coverage { people: 20, covered: 18 });
        let used = vision::pack::folder(folder.path()).unwrap();
        assert_eq!(used, folder.path().join(PACKS).join("quick"));
        chosen(&db, folder.path(), DEFAULT, Few::Accept).await.unwrap();
        assert_eq!(vision::pack::folder(folder.path()).unwrap(), folder.path());
        let rows =
            db.read(|tx| audit::list(tx, &audit::AuditFilter::default(), None, 2)).await.unwrap();
        assert!(rows.iter().all(|row| row.action == "use" && row.id == "new"), "{rows:?}");
    }

    #[tokio::test]
    async fn nineteen_of_twenty_are_enough() {
        let folder = tempfile::tempdir().unwrap();
        let db = school(folder.path(), 20, 19).await;
        assert!(chosen(&db, folder.path(), "quick", Few::Refuse).await.is_ok());
    }

    #[test]
    fn a_name_that_leads_elsewhere_is_none() {
        let models = Path::new("/models");
        for bad in ["", "../x", "A", "a/b", ".", "a.b", &"x".repeat(33)] {
            assert!(named(models, bad).is_err(), "{bad}");
        }
        assert_eq!(named(models, "dlib").unwrap(), models);
        let said = folder_of(models, "opencv").unwrap_err().to_string();
        assert!(said.contains("no pack “opencv”") && said.contains("none"), "{said}");
    }
}
