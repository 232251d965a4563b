//! What a collector of traces is told, read from what reaches it, and what never does.

use super::{Carrying, House, PASSWORD, get, post};
use crate::traces::Traces;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Said;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use rules::auth::Role;
use rules::spans;
use serde_json::json;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::mpsc;
use std::time::{Duration, Instant};
use tracing_subscriber::layer::SubscriberExt as _;

/// A collector on this machine, and the bodies that it gets.
fn collector() -> (config::Traces, mpsc::Receiver<Vec<u8>>) {
    let (settings, listener) = place();
    let (keep, kept) = mpsc::channel();
    std::thread::spawn(move || {
        for guest in listener.incoming() {
            let mut guest = BufReader::new(guest.unwrap());
            while let Some(body) = message(&mut guest) {
                let _over = keep.send(body);
            }
        }
    });
    (settings, kept)
}

fn place() -> (config::Traces, TcpListener) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    (config::Traces { endpoint, ratio: 1.0 }, listener)
}

/// The body of the next message, which is answered.
fn message(guest: &mut BufReader<TcpStream>) -> Option<Vec<u8>> {
    let mut length = 0;
    let mut line = String::new();
    loop {
        line.clear();
        if guest.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim().to_ascii_lowercase().split_once(": ") {
            Some(("content-length", of)) => length = of.parse().unwrap(),
            None if line.trim().is_empty() => break,
            _ => {}
        }
    }
    let mut body = vec![0; length];
    guest.read_exact(&mut body).ok()?;
    guest.get_mut().write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").ok()?;
    Some(body)
}

/// What a span says, as text.
fn said(span: &Span) -> BTreeMap<&str, String> {
    let text = |value: &Said| match value {
        Said::StringValue(text) => text.clone(),
        Said::IntValue(n) => n.to_string(),
        other => panic!("{other:?}"),
    };
    let value =
        |of: &opentelemetry_proto::tonic::common::v1::AnyValue| text(of.value.as_ref().unwrap());
    span.attributes.iter().map(|of| (&*of.key, value(of.value.as_ref().unwrap()))).collect()
}

/// Every span in `bodies`, after the service was named.
fn told(bodies: &[Vec<u8>]) -> Vec<Span> {
    let mut all = Vec::new();
    for body in bodies {
        for of in ExportTraceServiceRequest::decode(&body[..]).unwrap().resource_spans {
            let about = of.resource.unwrap().attributes;
            let name = about.iter().find(|of| of.key == "service.name").unwrap();
            assert_eq!(
                name.value.as_ref().unwrap().value,
                Some(Said::StringValue("rollcall-hub".into()))
            );
            all.extend(of.scope_spans.into_iter().flat_map(|scope| scope.spans));
        }
    }
    all
}

/// Names everywhere: in an address, a query, a body, and where no span may have them.
async fn a_name_everywhere(house: &House) {
    let token = house.school().await;
    house.send(get("/api/students?search=Zephyrine").bearer(&token)).await;
    house.send(get("/api/students/by-number/Zephyrine").bearer(&token)).await;
    house.send(get("/Zephyrine")).await;
    let new =
        json!({ "student_number": "Z-1", "first_name": "Zephyrine", "last_name": "Zephyrine" });
    let made = house.send(post("/api/students").bearer(&token).json(&new)).await;
    assert_eq!(made.status(), 201);
    house.login(Role::Admin).await;
    let user = house.admin().await.id;
    let job = house.app.jobs.start("walk", 1, user, |_| async { Ok(()) }).await.unwrap();
    house.app.jobs.ended(job.id, user).await.unwrap();
    drop(spans::batch(&"door-1".parse().unwrap(), 3));
    let odd = tracing::info_span!(target: spans::TARGET, "request", name = "Zephyrine");
    odd.in_scope(|| tracing::error!(target: spans::TARGET, "Zephyrine"));
    drop(tracing::info_span!(target: spans::TARGET, "Zephyrine"));
    drop(tracing::info_span!("request", name = "Zephyrine"));
}

/// Runs `work` while spans go to the collector; how long the last of them took.
fn traced(settings: &config::Traces, work: impl AsyncFnOnce(House)) -> Duration {
    // Spans are taken on this thread alone, and carried by others.
    let carrier = tokio::runtime::Runtime::new().unwrap();
    let traces = carrier.block_on(async { Traces::begin(settings) }).unwrap();
    let here = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    here.block_on(async {
        let house = House::new().await;
        let listening = tracing_subscriber::registry().with(traces.layer());
        let _listening = tracing::subscriber::set_default(listening);
        work(house).await;
    });
    let began = Instant::now();
    traces.end();
    began.elapsed()
}

#[test]
fn a_trace_says_what_was_done_and_of_whom_nothing() {
    let (settings, kept) = collector();
    traced(&settings, async |house| a_name_everywhere(&house).await);
    let bodies: Vec<_> = kept.try_iter().collect();
    let all = told(&bodies);
    for span in &all {
        let fields =
            spans::fields(&span.name).unwrap_or_else(|| panic!("{} is not listed", span.name));
        assert!(said(span).keys().all(|key| fields.contains(key)), "{span:?}");
        assert!(span.events.is_empty() && span.links.is_empty(), "{span:?}");
    }
    let has = |name: &str, fields: &[(&str, &str)]| {
        let says = |span: &Span, (key, value): &(&str, &str)| {
            said(span).get(key).is_some_and(|said| said == value)
        };
        let is = |span: &&Span| span.name == name && fields.iter().all(|of| says(span, of));
        all.iter().find(is).unwrap_or_else(|| panic!("no {name} {fields:?} in {all:?}"))
    };
    let listed = [
        ("http.request.method", "GET"),
        ("http.route", "/api/students"),
        ("http.response.status_code", "200"),
    ];
    let request = has("request", &listed);
    let inside = |span: &Span| span.name == "database" && span.parent_span_id == request.span_id;
    assert!(all.iter().any(inside), "what the request asked of the database is in its trace");
    has("request", &[("http.request.method", "POST"), ("http.response.status_code", "201")]);
    has("database", &[("lane", "write")]);
    has("batch", &[("door", "door-1"), ("records", "3")]);
    has("job", &[("kind", "walk")]);
    for secret in ["Zephyrine", "Z-1", PASSWORD, "Bearer", "admin@"] {
        let found = |body: &Vec<u8>| body.windows(secret.len()).any(|at| at == secret.as_bytes());
        assert!(!bodies.iter().any(found), "{secret} left the hub");
    }
}

#[test]
fn a_collector_that_never_answers_holds_nobody_up() {
    let (settings, _never_asked) = place();
    let took = traced(&settings, async |house| {
        let began = Instant::now();
        for _ in 0..10_000 {
            drop(spans::database("read"));
        }
        assert_eq!(house.send(get("/health")).await.status(), 200);
        assert!(began.elapsed() < Duration::from_secs(2), "spans wait for nobody");
    });
    assert!(took < Duration::from_secs(4), "nor does the end: {took:?}");
}
