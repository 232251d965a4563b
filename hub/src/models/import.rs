//! ONNX files that somebody has become a pack beside the default one, whole or not at all.

use super::{ModelsError, packs, place};
use import::onnx::{MOST_BYTES, OnnxError};
use import::{Imported, Licence};
use std::fs;
use std::path::{Path, PathBuf};
use vision::pack::{DEFAULT, Entry, MANIFEST, Manifest, Pack, Part};

/// What is wanted.
#[derive(Debug)]
pub struct ModelImport<'a> {
    /// One detector, one embedder, or both.
    pub files: &'a [PathBuf],
    /// What the pack shall be called; else what it is.
    pub name: Option<&'a str>,
    /// The folder of the models.
    pub models: &'a Path,
}

/// A file taken over.
struct ModelTaken {
    /// Its name, without its folder.
    from: String,
    sha256: String,
    imported: Imported,
    licence: Licence,
}

/// Temporary folders begin so.
const WORK: &str = ".import-";
/// Files of the default pack that stand in for a part nobody gave.
const DETECTOR: [&str; 3] = ["pnet.safetensors", "rnet.safetensors", "onet.safetensors"];
const EMBEDDER: [&str; 1] = ["dlib_resnet_v1.safetensors"];

/// Imports files as a pack, tells `say` what it found, and returns its manifest.
///
/// # Errors
/// When a file is refused, files do not make a pack, or the name is taken by another pack.
pub fn import(
    import: &ModelImport<'_>,
    say: &mut dyn FnMut(&str),
) -> Result<Manifest, ModelsError> {
    let mut detector = None;
    let mut embedder = None;
    for path in import.files {
        let taken = take(path, say)?;
        let detects = taken.imported.known.kind.detects();
        let slot = if detects { &mut detector } else { &mut embedder };
        if slot.replace(taken).is_some() {
            let what = if detects { "detectors" } else { "embedders" };
            return Err(ModelsError::Together(format!(
                "two {what} make no pack: give one detector, one embedder, or one of each"
            )));
        }
    }
    if detector.is_none() && embedder.is_none() {
        return Err(ModelsError::Together("no file was given".into()));
    }
    write(import, &[("detector", detector), ("embedder", embedder)], say)
}

fn take(path: &Path, say: &mut dyn FnMut(&str)) -> Result<ModelTaken, ModelsError> {
    let trouble = |error| ModelsError::file("reading", path, error);
    let length = fs::metadata(path).map_err(trouble)?.len();
    if length > MOST_BYTES as u64 {
        let why = OnnxError::Large("more than 512 MB").into();
        return Err(ModelsError::Refused { path: path.to_path_buf(), why: Box::new(why) });
    }
    let bytes = fs::read(path).map_err(trouble)?;
    let imported = import::import(&bytes)
        .map_err(|why| ModelsError::Refused { path: path.to_path_buf(), why: Box::new(why) })?;
    let sha256 = place::sha256(&bytes);
    let licence = Licence::of(&sha256, &imported.known);
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    say(&format!(
        "{name} is {} ({} steps, {:.2} thousand million multiplications a picture), licence: {}",
        imported.known.title,
        imported.steps,
        imported.products as f64 / 1e9,
        licence.name,
    ));
    if let Some(warning) = licence.warning {
        say(&format!("warning: {warning}"));
    }
    Ok(ModelTaken { from: name, sha256, imported, licence })
}

fn write(
    import: &ModelImport<'_>,
    parts: &[(&str, Option<ModelTaken>); 2],
    say: &mut dyn FnMut(&str),
) -> Result<Manifest, ModelsError> {
    let mut manifest = describe(import, parts)?;
    let folder = packs::named(import.models, &manifest.name)?;
    let above = import.models.join(vision::pack::PACKS);
    fs::create_dir_all(&above).map_err(|error| ModelsError::file("creating", &above, error))?;
    let work = tempfile::Builder::new().prefix(WORK).tempdir_in(&above);
    let work = work.map_err(|error| ModelsError::file("making a folder in", &above, error))?;
    for (role, part) in parts {
        match part {
            Some(taken) => manifest.files.push(put(work.path(), role, taken)?),
            None => manifest.files.extend(lent(import.models, work.path(), role)?),
        }
    }
    let text = toml::to_string(&manifest)
        .map_err(|error| ModelsError::Together(format!("the pack cannot be described: {error}")))?;
    place::put(work.path(), MANIFEST, text.as_bytes())?;
    Pack::open(work.path())?;
    if folder.exists() {
        let same = fs::read_to_string(folder.join(MANIFEST)).is_ok_and(|old| old == text);
        if same && Pack::open(&folder).is_ok() {
            say("this very pack is here already");
            return Ok(manifest);
        }
        return Err(ModelsError::Together(format!(
            "another pack is called {}: choose a name with --name",
            manifest.name
        )));
    }
    // The folder was private while it was made; doors' daemons run as other users.
    place::open_to_all(work.path())
        .and_then(|()| fs::rename(work.path(), &folder))
        .map_err(|error| ModelsError::file("putting in place", &folder, error))?;
    Ok(manifest)
}

/// The manifest but for its files.
fn describe(
    import: &ModelImport<'_>,
    parts: &[(&str, Option<ModelTaken>); 2],
) -> Result<Manifest, ModelsError> {
    let [(_, detector), (_, embedder)] = parts;
    let slug = |part: &Option<ModelTaken>, usual: &str| {
        part.as_ref().map_or_else(|| usual.to_owned(), |taken| taken.imported.known.slug.clone())
    };
    let title = |part: &Option<ModelTaken>, usual: &str| {
        part.as_ref().map_or_else(|| usual.to_owned(), |taken| taken.imported.known.title.clone())
    };
    let finds = slug(detector, "mtcnn");
    let tells = slug(embedder, "dlib");
    let name = match import.name {
        Some(name) => name.to_owned(),
        None => usual_name(&finds, &tells),
    };
    if name == DEFAULT {
        return Err(ModelsError::Together(
            "“dlib” is the default pack: choose another name".into(),
        ));
    }
    let taken = || parts.iter().filter_map(|(_, part)| part.as_ref());
    let hashes: String = taken().map(|taken| taken.sha256.as_str()).collect();
    let hash = place::sha256(hashes.as_bytes());
    let part = |role: &str, part: &Option<ModelTaken>| {
        part.as_ref().map(|taken| Part {
            kind: taken.imported.known.kind,
            file: format!("{role}.safetensors"),
            golden: taken.imported.golden.clone(),
        })
    };
    let mut warnings: Vec<&str> = taken().filter_map(|taken| taken.licence.warning).collect();
    warnings.dedup();
    Ok(Manifest {
        name,
        model_id: format!("{tells}-1.{finds}-{}", &hash[..8]),
        about: format!(
            "{} detector, {} embedder",
            title(detector, "MTCNN"),
            title(embedder, "dlib ResNet v1, 128 numbers")
        ),
        warning: (!warnings.is_empty()).then(|| warnings.join("; ")),
        detector: part("detector", detector),
        embedder: part("embedder", embedder),
        files: Vec::new(),
    })
}

/// The names people know; else what it is made of.
fn usual_name(detector: &str, embedder: &str) -> String {
    let arcface = ["iresnet18", "iresnet34", "iresnet50", "iresnet100", "mobilefacenet512"];
    match (detector, embedder) {
        ("yunet", "sface") => "opencv".into(),
        (_, embedder) if detector.starts_with("scrfd") && arcface.contains(&embedder) => {
            "arcface".into()
        }
        ("mtcnn", "facenet512") => "facenet512".into(),
        _ => format!("{embedder}-{detector}").replace('.', ""),
    }
}

fn put(folder: &Path, role: &str, taken: &ModelTaken) -> Result<Entry, ModelsError> {
    let name = format!("{role}.safetensors");
    place::put(folder, &name, &taken.imported.bytes)?;
    Ok(Entry {
        name,
        sha256: place::sha256(&taken.imported.bytes),
        licence: taken.licence.name.to_owned(),
        from: format!("{} (sha256 {})", taken.from, taken.sha256),
        source: taken.licence.source.to_owned(),
    })
}

/// The default pack's files for a part that nobody gave.
fn lent(models: &Path, folder: &Path, role: &str) -> Result<Vec<Entry>, ModelsError> {
    let wanted: &[&str] = if role == "detector" { &DETECTOR } else { &EMBEDDER };
    let usual = Manifest::read(models)?;
    let entries: Vec<Entry> =
        usual.files.into_iter().filter(|entry| wanted.contains(&entry.name.as_str())).collect();
    for entry in &entries {
        entry.verify(models)?;
        let path = models.join(&entry.name);
        let bytes = fs::read(&path).map_err(|error| ModelsError::file("reading", &path, error))?;
        place::put(folder, &entry.name, &bytes)?;
    }
    Ok(entries)
}

#[cfg(test)]
mod tests;
