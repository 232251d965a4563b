//! The two files of `../shared/models`, imported as a school would.
#![expect(clippy::print_stdout, reason = "a test that finds no files says so")]

use super::*;
use vision::Picture;

fn shared(name: &str) -> Option<PathBuf> {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let folders = ["../shared/models", "../../shared/models"].map(|folder| root.join(folder));
    let found = folders.iter().map(|folder| folder.join(name)).find(|path| path.is_file());
    if found.is_none() {
        println!("skipped: ../shared/models/{name} is not there");
    }
    found
}

fn usual() -> PathBuf {
    let models = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../models/weights"));
    std::env::var_os("ROLLCALL_MODELS").map_or_else(|| models.to_path_buf(), PathBuf::from)
}

/// A folder of models with the default pack in it.
fn models() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(usual()).unwrap().flatten() {
        if entry.path().is_file() {
            fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
        }
    }
    folder
}

fn brought(models: &Path, files: &[PathBuf], name: Option<&str>) -> Result<Manifest, ModelsError> {
    import(&ModelImport { files, name, models }, &mut |_| {})
}

fn files() -> Option<[PathBuf; 2]> {
    Some([shared("face_detection_yunet_2023mar.onnx")?, shared("mobilefacenet_128.onnx")?])
}

#[test]
fn two_files_become_a_pack_that_opens_and_recognises_its_own_test() {
    let (Some(files), models) = (files(), models()) else { return };
    let mut said = Vec::new();
    let wish = ModelImport { files: &files, name: None, models: models.path() };
    let pack = import(&wish, &mut |step| said.push(step.to_owned())).unwrap();
    assert_eq!(pack.name, "mobilefacenet128-yunet");
    assert!(pack.model_id.starts_with("mobilefacenet128-1.yunet-"), "{}", pack.model_id);
    assert!(pack.model_id.parse::<wire::ModelId>().is_ok());
    assert!(said[0].contains("YuNet") && said[0].contains("licence: MIT"), "{said:?}");
    assert!(said[2].starts_with("warning: the origin"), "{said:?}");
    let folder = models.path().join("packs/mobilefacenet128-yunet");
    assert_eq!(Pack::open(&folder).unwrap().model_id, pack.model_id);
    assert_eq!(Pack::load(models.path()).unwrap().name, "dlib", "it is not in use yet");
    fs::write(models.path().join(vision::pack::IN_USE), "mobilefacenet128-yunet\n").unwrap();
    assert_eq!(Pack::load(models.path()).unwrap().model_id, pack.model_id);
    // Again: nothing to do. Another under its name: refused.
    brought(models.path(), &files, None).unwrap();
    let taken = brought(models.path(), &files[..1], Some("mobilefacenet128-yunet"));
    assert!(taken.unwrap_err().to_string().contains("--name"));
}

#[test]
fn a_part_that_nobody_gave_is_the_default_packs() {
    let (Some([yunet, mobile]), models) = (files(), models()) else { return };
    let pack = brought(models.path(), std::slice::from_ref(&yunet), Some("quick")).unwrap();
    assert!(pack.model_id.starts_with("dlib-1.yunet-") && pack.files.len() == 2, "{pack:?}");
    let quick = Pack::open(&models.path().join("packs/quick")).unwrap();
    assert_eq!(quick.lines(), vision::decide::LINES);
    let pack = brought(models.path(), std::slice::from_ref(&mobile), None).unwrap();
    assert_eq!((pack.name.as_str(), pack.files.len()), ("mobilefacenet128-mtcnn", 4));
    let picture = Picture::new(320, 240, vec![90; 320 * 240 * 3]).unwrap();
    assert!(quick.detect(&picture).unwrap().is_empty());
    let two = brought(models.path(), &[mobile.clone(), mobile], None).unwrap_err();
    assert!(two.to_string().contains("two embedders"), "{two}");
    for bad in ["dlib", "../x", "Big"] {
        assert!(brought(models.path(), std::slice::from_ref(&yunet), Some(bad)).is_err(), "{bad}");
    }
}

#[test]
fn a_pack_whose_numbers_changed_is_not_opened() {
    let (Some([yunet, _]), models) = (files(), models()) else { return };
    brought(models.path(), &[yunet], Some("quick")).unwrap();
    let folder = models.path().join("packs/quick");
    let path = folder.join(MANIFEST);
    let text = fs::read_to_string(&path).unwrap();
    let mut manifest: Manifest = toml::from_str(&text).unwrap();
    if let Some(part) = &mut manifest.detector {
        part.golden.values[3] += 0.5;
    }
    fs::write(&path, toml::to_string(&manifest).unwrap()).unwrap();
    let error = Pack::open(&folder).unwrap_err().to_string();
    assert!(error.contains("fails its self-test"), "{error}");
    fs::write(&path, text).unwrap();
    fs::write(folder.join("detector.safetensors"), b"other").unwrap();
    assert!(Pack::open(&folder).unwrap_err().to_string().contains("changed or cut short"));
}

#[test]
fn a_file_that_is_no_network_is_refused_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cat.onnx");
    fs::write(&path, b"meow").unwrap();
    let error = brought(folder.path(), &[path], None).unwrap_err().to_string();
    assert!(error.contains("cat.onnx") && error.contains("no ONNX file"), "{error}");
}

#[test]
fn packs_have_the_names_people_know() {
    assert_eq!(usual_name("yunet", "sface"), "opencv");
    assert_eq!(usual_name("scrfd2.5g", "iresnet50"), "arcface");
    assert_eq!(usual_name("mtcnn", "facenet512"), "facenet512");
    assert_eq!(usual_name("scrfd2.5g", "dlib"), "dlib-scrfd25g");
}
