//! The networks against PyTorch's outputs for a picture made by a formula.

use super::*;
use crate::nn::LAYERS;
use serde_json::Value;
use std::path::PathBuf;

fn weights() -> PathBuf {
    let usual = || concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/weights").into();
    let folder: PathBuf = std::env::var_os("ROLLCALL_MODELS").map_or_else(usual, PathBuf::from);
    assert!(folder.is_dir(), "{} is not there: run models/fetch", folder.display());
    folder
}

/// The reference: lists of numbers, one for each head. Its networks saw `(v − 127.5) / 128`.
fn wanted(net: &str, side: usize) -> Vec<Vec<f32>> {
    let all: Value =
        serde_json::from_str(include_str!("../../../tests/vectors/testvectors.json")).unwrap();
    let key = format!("{net} {side}x{side} input v[c,y,x]=((7c+3y+5x)%256-127.5)/128");
    serde_json::from_value(all[key].clone()).unwrap()
}

fn pixels(side: usize) -> Map {
    let value = |i: usize| ((7 * (i % 3) + 3 * (i / 3 / side) + 5 * (i / 3 % side)) % 256) as f32;
    let values: Vec<f32> = (0..side * side * 3).map(value).collect();
    Map::of(values, [1, side, side, 3]).unwrap()
}

fn close(got: &[f32], wanted: &[f32]) {
    assert_eq!(got.len(), wanted.len());
    let off = got.iter().zip(wanted).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(off < 1e-3, "{off} off");
}

/// Both halves of a softmax over two numbers.
fn chances(no: f32, yes: f32) -> [f32; 2] {
    let yes = 1.0 / (1.0 + (no - yes).exp());
    [1.0 - yes, yes]
}

#[test]
fn the_refiner_gives_what_pytorch_gives() {
    let map = Net::refiner(&weights()).unwrap().run(pixels(24)).unwrap();
    let got = map.values();
    let wanted = wanted("rnet", 24);
    close(&got[2..], &wanted[0]);
    close(&chances(got[0], got[1]), &wanted[1]);
}

#[test]
fn the_decider_gives_what_pytorch_gives() {
    let map = Net::decider(&weights()).unwrap().run(pixels(48)).unwrap();
    let got = map.values();
    let wanted = wanted("onet", 48);
    close(&got[2..6], &wanted[0]);
    close(&got[6..], &wanted[1]);
    close(&chances(got[0], got[1]), &wanted[2]);
}

#[test]
fn the_proposer_gives_what_pytorch_gives() {
    let map = Net::proposer(&weights()).unwrap().run(pixels(24)).unwrap();
    let got = map.values();
    let places = got.as_chunks::<6>().0;
    assert_eq!(places.len(), 49);
    let wanted = wanted("pnet", 24);
    // The reference lists the first 40 numbers of each map, channel by channel.
    let boxes: Vec<f32> = places.iter().map(|place| place[2]).collect();
    let faces: Vec<f32> = places.iter().map(|place| chances(place[0], place[1])[0]).collect();
    close(&boxes[..40], &wanted[0]);
    close(&faces[..40], &wanted[1]);
}

/// Or nobody would notice where the detour has become slower than the direct way.
#[test]
fn every_layer_that_goes_winograds_way_is_timed_and_counted() {
    let nets = [Net::proposer(&weights()), Net::refiner(&weights()), Net::decider(&weights())];
    let nets = nets.map(|net| net.unwrap().detours());
    let dlib = crate::DlibNet::load(&weights()).unwrap().detours();
    let taken: Vec<_> = nets.into_iter().flatten().chain(dlib).collect();
    let known = LAYERS.map(|layer| (layer.map[3], layer.filters, layer.tile));
    assert!(taken.iter().all(|layer| known.contains(layer)), "{taken:?}");
    assert!(known.iter().all(|layer| taken.contains(layer)), "{known:?} are no layers of ours");
    assert_eq!(taken.len(), 4 + 6 + 7 + 5);
}
