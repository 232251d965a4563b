//! The line that each request leaves in the log.

use super::{Carrying, House, get};
use serde_json::Value;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use tracing_subscriber::layer::SubscriberExt as _;

/// What was logged.
#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn each_request_is_one_line_of_json_that_names_nobody() {
    let house = House::new().await;
    let token = house.school().await;
    let paper = Paper::default();
    let writer = paper.clone();
    let lines = crate::cli::serve::as_json(move || writer.clone());
    let lines = tracing_subscriber::registry().with(lines);
    let listening = tracing::subscriber::set_default(lines);
    let asked = get("/api/students?search=Obama").bearer(&token);
    assert_eq!(house.send(asked).await.status(), 200);
    drop(listening);
    let text = String::from_utf8(paper.0.lock().unwrap().clone()).unwrap();
    let line =
        text.lines().find(|line| line.contains("\"request\"")).unwrap_or_else(|| panic!("{text}"));
    let line: Value = serde_json::from_str(line).unwrap();
    assert_eq!((&line["endpoint"], &line["status"]), (&"/api/students".into(), &200.into()));
    assert_eq!((&line["method"], &line["request_id"]), (&"GET".into(), &"test".into()));
    assert!(line["user_id"].as_str().is_some_and(|id| id.parse::<uuid::Uuid>().is_ok()), "{line}");
    assert!(line["duration_ms"].is_u64() && line["level"] == "INFO", "{line}");
    assert!(line["timestamp"].as_str().is_some_and(|at| at.ends_with('Z')), "{line}");
    assert!(!text.contains("Obama") && !text.contains(&token), "neither names nor tokens");
}
