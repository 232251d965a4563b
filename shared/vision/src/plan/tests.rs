//! Files and networks of a few steps.

use super::*;

/// A convolution over three rows and columns that keeps the size of its map.
fn conv(x: Id, w: &str) -> Step {
    let (w, pads) = (w.to_owned(), [1; 4]);
    let (depthwise, onto, bent, cap) = (false, None, false, None);
    Step::Conv { x, w, stride: 1, pads, depthwise, onto, bent, cap }
}

/// A convolution, one of each channel alone, and one with a shortcut and a bend.
fn block() -> (Plan, Weights) {
    let (mut alone, mut last) = (conv(1, "001"), conv(2, "002"));
    if let Step::Conv { depthwise, .. } = &mut alone {
        *depthwise = true;
    }
    if let Step::Conv { onto, bent, cap, .. } = &mut last {
        (*onto, *bent, *cap) = (Some(1), true, Some(0.6));
    }
    let outputs = vec![Output { name: "out".into(), from: 3, width: 4 }];
    let plan = Plan { side: [8, 8], steps: vec![conv(0, "000"), alone, last], outputs };
    let mut weights = Weights::new();
    for (w, channels) in [("000", 3), ("001", 1), ("002", 4)] {
        let values = (0..36 * channels).map(|i| ((i * 37 % 19) as f32 - 9.0) / 20.0).collect();
        weights.insert(format!("{w}.weight"), (vec![4, channels, 3, 3], values));
        weights.insert(format!("{w}.bias"), (vec![4], vec![0.1, 0.2, -0.3, 0.0]));
    }
    weights.insert("002.slope".into(), (vec![4], vec![0.0, 0.25, 0.5, 0.0]));
    (plan, weights)
}

fn ramp(side: usize) -> Vec<f32> {
    (0..side * side * 3).map(|i| (i * 31 % 101) as f32 / 50.0 - 1.0).collect()
}

#[test]
fn a_network_comes_back_from_its_file() {
    let (plan, weights) = block();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("net.safetensors");
    std::fs::write(&path, plan.to_safetensors(&weights).unwrap()).unwrap();
    let loaded = Network::load(&path).unwrap();
    let run = |net: &Network| net.run(ramp(8), [8, 8]).unwrap();
    assert_eq!(run(&loaded), run(&Network::of(plan, &weights).unwrap()));
    assert!(Network::load(&folder.path().join("none")).is_err());
}

#[test]
fn a_plan_that_makes_no_sense_is_refused() {
    let spoil = |spoil: fn(&mut Plan, &mut Weights)| {
        let (mut plan, mut weights) = block();
        spoil(&mut plan, &mut weights);
        Network::of(plan, &weights).is_err()
    };
    assert!(!spoil(|_, _| {}));
    assert!(spoil(|plan, _| plan.outputs[0].from = 99));
    assert!(spoil(|plan, _| plan.steps.reverse()));
    assert!(spoil(|_, weights| drop(weights.remove("000.weight"))));
    assert!(spoil(|plan, _| plan.steps[0] = Step::Enlarge { x: 0, factor: 99 }));
}
