//! What holds for every clustering.

use super::*;
use proptest::prelude::*;
use std::collections::{HashMap, HashSet};

/// A unit vector in the plane, `degrees` from the first axis.
fn look(degrees: f32) -> Template {
    let (sin, cos) = degrees.to_radians().sin_cos();
    Template::from_raw(vec![cos, sin]).unwrap()
}

fn face(n: u128, photo: u128, known: Option<u128>, degrees: f32) -> ClusterFace {
    let (id, photo) = (Uuid::from_u128(n), Uuid::from_u128(photo));
    let known = known.map(|n| StudentId(Uuid::from_u128(n)));
    ClusterFace { id, photo, known, template: look(degrees) }
}

fn rule(line: f32) -> ClusterRule {
    ClusterRule { line, most: 200, force: false }
}

fn numbers(clusters: &[Vec<Uuid>]) -> Vec<Vec<u128>> {
    clusters.iter().map(|ids| ids.iter().map(Uuid::as_u128).collect()).collect()
}

#[test]
fn faces_in_one_direction_are_one_person() {
    let at = [(1, 0.0), (2, 2.0), (3, 90.0), (4, 91.0), (5, 1.0), (6, 45.0)];
    let faces: Vec<_> = at.iter().map(|(n, at)| face(*n, *n, None, *at)).collect();
    assert_eq!(numbers(&cluster(&faces, rule(0.99))), [vec![1, 2, 5], vec![3, 4], vec![6]]);
}

#[test]
fn two_whom_a_person_named_differently_are_never_joined_even_by_force() {
    let faces = [face(1, 1, Some(7), 0.0), face(2, 2, Some(8), 0.0), face(3, 3, None, 0.0)];
    for force in [false, true] {
        let rule = ClusterRule { line: 0.5, most: 1, force };
        let joined = cluster(&faces, rule);
        assert_eq!(numbers(&joined[..1]), [[1, 3]], "the third goes to one of them only");
    }
}

#[test]
fn two_faces_of_one_photo_are_two_people() {
    let twins = [face(1, 1, None, 0.0), face(2, 1, None, 0.0)];
    assert_eq!(numbers(&cluster(&twins, rule(-1.0))), [[1], [2]]);
}

#[test]
fn force_goes_on_below_the_line_and_without_it_the_largest_are_given() {
    let at = [(1, 0.0), (2, 1.0), (3, 80.0), (4, 160.0)];
    let faces: Vec<_> = at.iter().map(|(n, at)| face(*n, *n, None, *at)).collect();
    let two = |force| numbers(&cluster(&faces, ClusterRule { line: 0.99, most: 2, force }));
    assert_eq!(two(false), [vec![1, 2], vec![3]]);
    assert_eq!(two(true).iter().map(Vec::len).sum::<usize>(), 4);
    assert_eq!(two(true).len(), 2);
}

#[test]
fn equal_similarities_are_joined_in_the_order_of_ids() {
    let faces: Vec<_> = [4, 2, 3, 1].map(|n| face(n, n % 2, None, 0.0)).into();
    assert_eq!(numbers(&cluster(&faces, rule(0.9))), [[1, 2], [3, 4]]);
    assert!(cluster(&[], rule(0.9)).is_empty());
}

/// Up to 24 faces of 3 to 6 photos, some of them known.
fn faces() -> impl Strategy<Value = Vec<ClusterFace>> {
    let one = (0u128..6, prop::option::weighted(0.3, 0u128..4), 0f32..180.0, 0f32..180.0);
    prop::collection::vec(one, 0..24).prop_map(|all| {
        let make = |(n, (photo, known, a, b)): (u128, (u128, Option<u128>, f32, f32))| {
            let (x, y) = (look(a), look(b));
            let raw = [x.as_slice(), y.as_slice()].concat();
            let template = Template::from_raw(raw).unwrap();
            ClusterFace { template, ..face(n, photo, known, 0.0) }
        };
        (1..).zip(all).map(make).collect()
    })
}

/// The number of each crop's cluster.
fn places(clusters: &[Vec<Uuid>]) -> HashMap<Uuid, usize> {
    let place =
        |(n, ids): (usize, &Vec<Uuid>)| ids.iter().map(move |id| (*id, n)).collect::<Vec<_>>();
    clusters.iter().enumerate().flat_map(place).collect()
}

proptest! {
    #[test]
    fn every_crop_is_in_one_cluster_and_nobody_with_whom_they_cannot_be(
        faces in faces(), line in 0f32..1.0, most in 1usize..30, force: bool
    ) {
        let clusters = cluster(&faces, ClusterRule { line, most: 200, force });
        let all: Vec<_> = clusters.iter().flatten().collect();
        prop_assert_eq!(all.len(), faces.len());
        prop_assert_eq!(all.iter().collect::<HashSet<_>>().len(), faces.len());
        let fewer = cluster(&faces, ClusterRule { line, most, force });
        prop_assert!(fewer.len() <= most);
        let by_id: HashMap<_, _> = faces.iter().map(|face| (face.id, face)).collect();
        for ids in clusters.iter().chain(&fewer) {
            let known: HashSet<_> = ids.iter().filter_map(|id| by_id[id].known).collect();
            let photos: HashSet<_> = ids.iter().map(|id| by_id[id].photo).collect();
            prop_assert!(known.len() <= 1);
            prop_assert_eq!(photos.len(), ids.len());
        }
        prop_assert!(clusters.windows(2).all(|two| two[0].len() >= two[1].len()));
    }

    #[test]
    fn a_higher_line_only_cuts_and_never_joins(
        faces in faces(), low in 0f32..1.0, step in 0f32..0.5
    ) {
        let (coarse, fine) = (cluster(&faces, rule(low)), cluster(&faces, rule(low + step)));
        let places = places(&coarse);
        for ids in &fine {
            let of: HashSet<_> = ids.iter().map(|id| places[id]).collect();
            prop_assert_eq!(of.len(), 1, "a fine cluster lies in one coarse cluster");
        }
    }

    #[test]
    fn the_order_of_the_input_does_not_matter(faces in faces(), line in 0f32..1.0, by: usize) {
        let mut turned = faces.clone();
        turned.rotate_left(by % faces.len().max(1));
        turned.reverse();
        prop_assert_eq!(cluster(&turned, rule(line)), cluster(&faces, rule(line)));
    }

    #[test]
    fn no_two_clusters_that_may_be_joined_are_as_alike_as_the_line(
        faces in faces(), line in 0f32..1.0
    ) {
        let clusters = cluster(&faces, rule(line));
        let by_id: HashMap<_, _> = faces.iter().map(|face| (face.id, face)).collect();
        for (n, a) in clusters.iter().enumerate() {
            for b in &clusters[n + 1..] {
                let pairs = a.iter().flat_map(|a| b.iter().map(move |b| (a, b)));
                let sum: f64 = pairs.map(|(a, b)| likeness(by_id[a], by_id[b])).sum();
                let average = sum / (a.len() * b.len()) as f64;
                prop_assert!(average < f64::from(line) + 1e-9, "{average} {line}");
            }
        }
    }
}
