//! `doctor --bench`, short: on what it has, and what it says it has not.

use crate::unit::Unit;
use serde_json::Value;

fn measured(unit: &Unit) -> Value {
    let output = unit.program(&["doctor", "--bench", "--seconds", "1", "--json"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_unit_is_measured_from_its_camera_to_its_card() {
    let unit = Unit::new();
    let told = measured(&unit);
    let number = |path: &str| told.pointer(path).and_then(Value::as_f64).unwrap();
    // A busy machine makes a camera slower, and none makes this one faster.
    assert!((0.2..34.0).contains(&number("/camera/rate")), "{told:#}");
    assert_eq!(told.pointer("/camera/size"), Some(&serde_json::json!([640, 480])));
    for path in ["/speed/decode_ms", "/speed/embed_ms", "/card/middle_ms", "/heat/alone"] {
        assert!(number(path) > 0.0, "{path}: {told:#}");
    }
    let detect = told.pointer("/speed/detect").and_then(Value::as_array).unwrap();
    let [small, large] = [&detect[0]["ms"], &detect[2]["ms"]].map(|ms| ms.as_f64().unwrap());
    assert!(small > large, "smaller faces cost more: {told:#}");
    assert!(!unit.data().join(".bench").exists(), "nothing is left behind");
}

#[test]
fn a_daemon_that_has_the_camera_is_asked_for_its_frames() {
    let told = measured(&Unit::running());
    assert_eq!(told["beside"], true);
    let rate = told["camera"]["rate"].as_f64().unwrap();
    assert!((0.5..26.0).contains(&rate), "{told:#}");
}

#[test]
fn what_cannot_be_measured_is_said_and_the_rest_is_measured() {
    let unit = Unit::new();
    unit.program_in_sh("exec false");
    let output = unit.program(&["doctor", "--bench", "--seconds", "1"]);
    let page = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{page}");
    assert!(page.contains("not measured: camera “sh” stopped"), "{page}");
    assert!(page.contains("a picture of a wall") && page.contains("ms a face"), "{page}");
}
