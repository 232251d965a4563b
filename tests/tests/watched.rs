//! What systemd hears of the hub: that it is ready, that it lives, that it ends.

use house::school::School;
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

/// Waits until the hub says `word`.
fn hears(ear: &UnixDatagram, word: &str) -> bool {
    let mut said = [0; 256];
    std::iter::from_fn(|| ear.recv(&mut said).ok().map(|n| said[..n].to_vec()))
        .any(|said| said.windows(word.len()).any(|part| part == word.as_bytes()))
}

#[test]
fn systemd_hears_that_the_hub_is_ready_lives_and_ends() {
    let _another_is_in_use = rustls::crypto::ring::default_provider().install_default();
    let dir = tempfile::tempdir().unwrap();
    let ear = UnixDatagram::bind(dir.path().join("notify")).unwrap();
    ear.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let school = School::found(dir.path()).unwrap();
    let mut serve = school.hub_command(&["serve"]);
    serve.env("NOTIFY_SOCKET", dir.path().join("notify")).env("WATCHDOG_USEC", "12000000");
    let hub = school.open_with(&mut serve).unwrap();
    assert!(hears(&ear, "READY=1"));
    assert!(hears(&ear, "WATCHDOG=1"), "each of its loops turned since the last look");
    hub.stop().unwrap();
    assert!(hears(&ear, "STOPPING=1"));
}
