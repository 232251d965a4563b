//! Drafts of a few steps.

use super::*;

fn filters(size: [usize; 4], groups: usize) -> Filters {
    let count: usize = size.iter().product();
    let weight = (0..count).map(|i| ((i * 37 % 19) as f32 - 9.0) / 20.0).collect();
    Filters { size, weight, bias: None, stride: 1, pads: [1; 4], groups }
}

fn ramp(side: usize) -> Vec<f32> {
    (0..side * side * 3).map(|i| (i * 31 % 101) as f32 / 50.0 - 1.0).collect()
}

/// A convolution, a factor, a shortcut and a bend: fused, and one after the other.
fn block(sole: bool) -> Draft {
    let mut draft = Draft::new([8, 8]);
    let x = draft.conv(0, filters([4, 3, 3, 3], 1)).unwrap();
    let y = draft.conv(x, filters([4, 1, 3, 3], 4)).unwrap();
    let z = draft.conv(y, filters([4, 4, 3, 3], 1)).unwrap();
    let z = draft.scale(z, vec![0.5, -1.0, 2.0, 1.5], vec![0.1, 0.2, -0.3, 0.0], sole).unwrap();
    let z = draft.add((x, false), (z, sole)).unwrap();
    let z = draft.bend(z, vec![0.0, 0.25, 0.5, 0.0], Some(0.6), sole).unwrap();
    draft.give("out".into(), z, 4);
    draft
}

#[test]
fn fused_steps_give_what_single_steps_give() {
    let (fused, single) = (block(true), block(false));
    assert_eq!((fused.plan.steps.len(), single.plan.steps.len()), (3, 6));
    let run = |draft: &Draft| draft.network().unwrap().run(ramp(8), [8, 8]).unwrap().remove(0);
    let (fused, single) = (run(&fused), run(&single));
    assert_eq!(fused.len(), 8 * 8 * 4);
    assert!(fused.iter().zip(&single).all(|(a, b)| (a - b).abs() < 1e-5));
    assert!(fused.iter().any(|&x| x < 0.0) && fused.iter().all(|&x| x <= 0.6));
}

#[test]
fn filters_that_do_not_fit_are_refused_in_words() {
    let mut draft = Draft::new([8, 8]);
    let why = draft.conv(0, filters([4, 5, 3, 3], 1)).unwrap_err();
    assert_eq!(why, "filters for 5 channels meet a map of 3");
    assert!(draft.conv(0, filters([4, 1, 3, 3], 2)).unwrap_err().contains("groups"));
    assert!(draft.enlarge(0, 9).is_err());
    assert!(draft.scale(0, vec![1.0], vec![0.0], true).is_err());
    assert!(draft.join(vec![]).is_err());
}
