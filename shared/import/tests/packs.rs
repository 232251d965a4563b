//! Networks imported from ONNX files against ONNX Runtime's numbers for the same files.
//!
//! `vectors/packs.json` was written by `bench/packs.py` with ONNX Runtime. The two real files
//! lie in `../shared/models` beside the repository, where there is one; those of networks that we
//! have no weights of are made here, narrower, with noise.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails loudly and shows its figures"
)]

#[path = "packs/make.rs"]
mod make;

use import::{import, known, onnx, onnx::OnnxError};
use proptest::prelude::*;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use vision::decide::lines_of;
use vision::{Limits, Mtcnn, Picture, Template, decode, principal};
use vision::{detector::Detector, embedder::Embedder, golden, kind::Kind, plan::Network};

/// A file of `../shared/models`; says so where it is not there.
fn shared(name: &str) -> Option<Vec<u8>> {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/models"));
    let above = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../../shared/models"));
    let found = [path, above].iter().find_map(|folder| std::fs::read(folder.join(name)).ok());
    if found.is_none() {
        println!("skipped: ../shared/models/{name} is not there");
    }
    found
}

fn wanted(name: &str) -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/packs.json");
    let all: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    all[name].clone()
}

/// Runs the file on the formula's picture, and holds it to ONNX Runtime's numbers.
fn held(name: &str, file: &[u8]) {
    let wanted = wanted(name);
    let side = [0, 1].map(|i| wanted["side"][i].as_u64().unwrap() as usize);
    let network = onnx::read(file).unwrap().network().unwrap();
    let outputs = network.run(golden::picture(side), side).unwrap();
    let all = wanted["outputs"].as_array().unwrap();
    assert_eq!(outputs.len(), all.len(), "{name}");
    let mut worst = 0f32;
    for (got, wanted) in outputs.iter().zip(all) {
        assert_eq!(got.len() as u64, wanted["count"].as_u64().unwrap(), "{name}");
        let size = wanted["rms"].as_f64().unwrap().max(1e-3) as f32;
        let step = got.len().div_ceil(wanted["values"].as_array().unwrap().len().max(1));
        // What is normalised at the end is compared by direction.
        let length = got.iter().map(|x| x * x).sum::<f32>() / got.len() as f32;
        let unit = wanted["unit"].as_bool().unwrap();
        let scale = if unit { size / length.sqrt() } else { 1.0 };
        for (i, value) in wanted["values"].as_array().unwrap().iter().enumerate() {
            let off =
                (got[i * step] * scale - value.as_f64().unwrap() as f32).abs() / size.max(1.0);
            worst = worst.max(off);
        }
    }
    println!("{name}: at most {worst:.1e} off");
    assert!(worst < 1e-3, "{name}: {worst} off");
}

fn made() -> [(&'static str, Vec<u8>, Kind, &'static str); 5] {
    [
        ("sface", make::sface(4), Kind::Sface, "sface"),
        ("mobile", make::mobile(8), Kind::MobileFaceNet, "mobilefacenet512"),
        ("iresnet", make::iresnet(4), Kind::IResNet, "iresnet50"),
        ("facenet", make::facenet(8), Kind::FaceNet, "facenet512"),
        ("scrfd", make::scrfd(8), Kind::Scrfd, "scrfd500m"),
    ]
}

#[test]
fn yunet_gives_what_onnx_runtime_gives() {
    let Some(file) = shared("face_detection_yunet_2023mar.onnx") else { return };
    held("yunet", &file);
    assert_eq!(import(&file).unwrap().known.kind, Kind::Yunet);
}

#[test]
fn mobilefacenet_gives_what_onnx_runtime_gives() {
    let Some(file) = shared("mobilefacenet_128.onnx") else { return };
    held("mobilefacenet128", &file);
    assert_eq!(import(&file).unwrap().known.slug, "mobilefacenet128");
}

#[test]
fn networks_of_every_kind_give_what_onnx_runtime_gives() {
    for (name, file, kind, slug) in made() {
        held(name, &file);
        let imported = import(&file).unwrap();
        assert_eq!((imported.known.kind, imported.known.slug.as_str()), (kind, slug));
    }
}

fn portraits() -> PathBuf {
    let usual = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/portraits"));
    std::env::var_os("ROLLCALL_PORTRAITS").map_or(usual, PathBuf::from)
}

fn weights() -> PathBuf {
    let usual = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/weights"));
    std::env::var_os("ROLLCALL_MODELS").map_or(usual, PathBuf::from)
}

fn picture(path: &Path) -> Picture {
    decode(&std::fs::read(path).unwrap(), &Limits::default()).unwrap()
}

/// The network of a file of `../shared/models`, as import leaves it.
fn taken(name: &str) -> Option<(tempfile::TempDir, PathBuf)> {
    let file = shared(name)?;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("net.safetensors");
    std::fs::write(&path, import(&file).unwrap().bytes).unwrap();
    Some((folder, path))
}

#[test]
fn yunet_finds_the_faces_that_mtcnn_finds() {
    let Some((_kept, path)) = taken("face_detection_yunet_2023mar.onnx") else { return };
    let (yunet, mtcnn) = (Detector::yunet(&path).unwrap(), Mtcnn::load(&weights()).unwrap());
    for name in ["obama", "obama2", "obama3", "biden"] {
        let picture = picture(&portraits().join(name).with_extension("jpg"));
        let ours = yunet.detect(&picture, 40.0).unwrap();
        let theirs = mtcnn.detect(&picture, 40.0).unwrap();
        let (ours, theirs) = (principal(&ours).unwrap(), principal(&theirs).unwrap());
        let iou = ours.rect.iou(&theirs.rect);
        let pairs = ours.points.iter().zip(&theirs.points);
        let eyes = theirs.eye_distance();
        let off = pairs.map(|(a, b)| a.distance(*b) / eyes).fold(0.0, f32::max);
        let score = ours.score;
        println!(
            "{name}: overlap {iou:.2}, points at most {off:.2} eye distances apart, {score:.2}"
        );
        // They draw boxes differently; the points decide what is cut out.
        assert!(iou > 0.6 && off < 0.25, "{name}: overlap {iou}, points {off} apart");
    }
}

/// The cosines of same and of different people in `../shared/faces/deepface/master.csv`.
fn pairs(detector: &Detector, embedder: &Embedder) -> Option<[Vec<f32>; 2]> {
    let root = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../.."));
    let places = ["shared/faces/deepface", "../shared/faces/deepface"];
    let folder = places.iter().map(|place| root.join(place)).find(|folder| folder.is_dir());
    let Some(folder) = folder else {
        println!("skipped: ../shared/faces/deepface is not there");
        return None;
    };
    let mut known: BTreeMap<String, Option<Template>> = BTreeMap::new();
    let mut look = |name: &str| {
        let seen = known.entry(name.to_owned()).or_insert_with(|| {
            let picture = picture(&folder.join(name));
            let faces = detector.detect(&picture, 40.0).unwrap();
            let cut = embedder.cut(&picture, principal(&faces)?, detector.targets());
            embedder.embed(&[cut]).unwrap().pop()
        });
        seen.clone()
    };
    let mut cosines = [Vec::new(), Vec::new()];
    for line in std::fs::read_to_string(folder.join("master.csv")).unwrap().lines().skip(1) {
        let [a, b, same] = line.split(',').collect::<Vec<_>>().try_into().unwrap();
        if let (Some(a), Some(b)) = (look(a), look(b)) {
            cosines[usize::from(same.trim() != "Yes")].push(a.cosine(&b));
        }
    }
    Some(cosines)
}

#[test]
fn mobilefacenet_tells_people_apart() {
    let Some((_one, yunet)) = taken("face_detection_yunet_2023mar.onnx") else { return };
    let Some((_two, mobile)) = taken("mobilefacenet_128.onnx") else { return };
    let detector = Detector::yunet(&yunet).unwrap();
    let embedder = Embedder::Imported(Kind::MobileFaceNet, Network::load(&mobile).unwrap());
    let Some([mut same, mut other]) = pairs(&detector, &embedder) else { return };
    same.sort_by(f32::total_cmp);
    other.sort_by(f32::total_cmp);
    let right = |line: f32| {
        same.iter().filter(|&&x| x >= line).count() + other.iter().filter(|&&x| x < line).count()
    };
    let best = (0..100).map(|n| n as f32 / 100.0).max_by_key(|&line| right(line)).unwrap();
    let all = same.len() + other.len();
    let share = right(best) as f32 / all as f32;
    println!(
        "{all} pairs: {:.2} % right at {best:.2}; same {:.3} … {:.3} … {:.3}, others {:.3} … {:.3}",
        share * 100.0,
        same[0],
        same[same.len() / 20],
        same[same.len() / 2],
        other[other.len() / 2],
        other[other.len() - 1],
    );
    let lines = lines_of("mobilefacenet128-1");
    let strangers = other.iter().filter(|&&x| x >= lines.single_high).count();
    println!("at the lines: {strangers} strangers sure");
    assert!(share >= 0.97, "{share}");
    assert_eq!(strangers, 0, "nobody is surely somebody else");
}

/// Writes the files that `bench/packs.py` reads: run it by hand.
#[test]
#[ignore = "writes files for bench/packs.py"]
fn files_for_onnx_runtime() {
    let folder = PathBuf::from(std::env::var("ROLLCALL_ONNX").unwrap());
    for (name, file, ..) in made() {
        std::fs::write(folder.join(format!("{name}.onnx")), file).unwrap();
    }
}

/// The refusal of a small SCRFD after `spoil`.
fn refusal(spoil: impl FnOnce(&mut onnx::proto::Graph)) -> String {
    use prost::Message as _;
    let mut model = onnx::proto::Model::decode(make::scrfd(4).as_slice()).unwrap();
    spoil(model.graph.as_mut().unwrap());
    import(&model.encode_to_vec()).unwrap_err().to_string()
}

#[test]
fn what_our_modules_do_not_do_is_refused_by_name() {
    let said = refusal(|graph| graph.nodes[3].op = "Softmax".into());
    assert!(said.contains("Softmax") && said.contains("none that Rollcall knows"), "{said}");
    let said = refusal(|graph| graph.nodes[0].attributes[0].ints = vec![2, 2]);
    assert!(said.contains("Conv") && said.contains("dilation"), "{said}");
    let said = refusal(|graph| graph.initializers[0].dims[1] = 5);
    assert!(said.contains("does not have as many"), "{said}");
    let said = refusal(|graph| graph.initializers[0].place = 1);
    assert!(said.contains("another file"), "{said}");
    let said = refusal(|graph| drop(graph.outputs.pop()));
    assert!(said.contains("8 outputs") && said.contains("none of the networks"), "{said}");
    let said = refusal(|graph| graph.inputs[0].name = "other".into());
    assert!(said.contains("not there"), "{said}");
    let said = refusal(|graph| graph.outputs[0].name = "nothing".into());
    assert!(said.contains("nothing makes the output"), "{said}");
    assert_eq!(onnx::read(b"hello").unwrap_err(), OnnxError::Malformed);
    assert_eq!(onnx::read(&[]).unwrap_err(), OnnxError::Malformed);
}

#[test]
fn lengths_a_file_has_no_bytes_for_are_not_believed() {
    let said = refusal(|graph| graph.initializers[0].dims = vec![i64::MAX, i64::MAX]);
    assert!(said.contains("senseless"), "{said}");
    let said = refusal(|graph| graph.initializers[0].dims[0] = -3);
    assert!(said.contains("senseless"), "{said}");
    let said = refusal(|graph| {
        let shape = graph.inputs[0].shape.as_mut().unwrap().tensor.as_mut().unwrap();
        shape.shape.as_mut().unwrap().dims[2].value = Some(1 << 40);
    });
    assert!(said.contains("no picture"), "{said}");
}

#[test]
fn another_network_is_not_taken_for_one_we_know() {
    // An IResNet with an odd number of units, and a MobileFaceNet of another width.
    for file in [make::iresnet_of(4, [3, 4, 13, 3]), make::mobile_to(8, 256)] {
        let said = import(&file).unwrap_err().to_string();
        assert!(said.contains("none of the networks Rollcall knows"), "{said}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn no_damage_to_a_file_makes_the_reader_panic(
        places in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in prop::option::of(any::<prop::sample::Index>()),
        tail in any::<bool>(),
    ) {
        let mut file = make::scrfd(2);
        if let Some(cut) = cut {
            file.truncate(cut.index(file.len()) + 1);
        }
        // The graph's end is names, shapes and settings; weights lie before it.
        let first = if tail { file.len() * 9 / 10 } else { 0 };
        let length = file.len() - first;
        for (place, byte) in places {
            file[first + place.index(length)] = byte;
        }
        if let Ok(draft) = onnx::read(&file) {
            let _ = known::recognise(&draft);
            let _ = draft.network();
        }
    }

    #[test]
    fn noise_is_no_network(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(onnx::read(&bytes).is_err());
    }
}
