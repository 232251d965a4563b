//! Traces for whoever keeps a collector: OTLP by HTTP, off unless the settings name one.
//!
//! Spans are made where things happen ([`rules::spans`]); here they are held against the list of
//! what may be said, queued and sent. The queue is bounded and nobody waits for it: a collector
//! that is away costs what it would have been told, and one line of the log.

use opentelemetry::trace::{Status, TracerProvider as _};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{SpanExporter as Otlp, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracer, SdkTracerProvider, SpanData,
    SpanEvents, SpanExporter, SpanLinks,
};
use rules::error::{Doing, Error};
use rules::spans;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;
use tokio::runtime::Handle;
use tracing::Subscriber;
use tracing_opentelemetry::OpenTelemetryLayer;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::registry::LookupSpan;

/// What the collector knows us as.
const SERVICE: &str = "rollcall-hub";
/// Spans that wait to be sent; those that come on top are not told.
const QUEUE: usize = 2048;
/// Spans of one message.
const MESSAGE: usize = 512;
/// How long spans wait for others to go with.
const EVERY: Duration = Duration::from_secs(5);
/// For the collector to take one message. The end of the hub waits no longer than that either.
const TIME: Duration = Duration::from_secs(2);
/// Bytes of a collector's answer that are read.
const ANSWER: usize = 64 * 1024;

/// Traces on their way to the collector.
pub struct Traces {
    provider: SdkTracerProvider,
}

impl Traces {
    /// Begins to send what spans say; call it on the runtime that is to carry it.
    ///
    /// # Errors
    /// When a variable of OTLP's own (`OTEL_EXPORTER_OTLP_…`) makes no sense.
    pub fn begin(settings: &config::Traces) -> Result<Self, Error> {
        let doing = "setting up the way to the collector of traces";
        let _another_is_in_use = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
        let client = client.timeout(TIME).build().doing(doing)?;
        let otlp = Otlp::builder()
            .with_http()
            .with_http_client(Post { client, runtime: Handle::current() })
            .with_endpoint(format!("{}/v1/traces", settings.endpoint))
            .with_timeout(TIME)
            .with_retry_policy(opentelemetry_otlp::RetryPolicy::disabled())
            .build()
            .doing(doing)?;
        let batches = BatchConfigBuilder::default()
            .with_max_queue_size(QUEUE)
            .with_max_export_batch_size(MESSAGE)
            .with_scheduled_delay(EVERY)
            .build();
        let listed = Listed { next: otlp, fails: AtomicBool::new(false) };
        let processor = BatchSpanProcessor::builder(listed).with_batch_config(batches).build();
        let ratio = Sampler::TraceIdRatioBased(settings.ratio);
        let provider = SdkTracerProvider::builder()
            .with_span_processor(processor)
            .with_sampler(Sampler::ParentBased(Box::new(ratio)))
            .with_resource(Resource::builder().with_service_name(SERVICE).build())
            .build();
        Ok(Self { provider })
    }

    /// What takes spans from where they are made.
    pub fn layer<S>(&self) -> impl Layer<S> + Send + Sync + use<S>
    where
        S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
    {
        let layer: OpenTelemetryLayer<S, SdkTracer> = tracing_opentelemetry::layer()
            .with_tracer(self.provider.tracer(SERVICE))
            .with_location(false)
            .with_threads(false)
            .with_level(false)
            .with_target(false)
            .with_tracked_inactivity(false);
        layer.with_filter(filter_fn(|of| of.is_span() && of.target() == spans::TARGET))
    }

    /// Sends what waits, if the collector takes it in time.
    pub fn end(self) {
        if self.provider.shutdown_with_timeout(TIME).is_err() {
            tracing::warn!("the last traces did not reach their collector");
        }
    }
}

/// Sends only what is listed, and says when the collector goes away and when it is back.
#[derive(Debug)]
struct Listed<E> {
    next: E,
    fails: AtomicBool,
}

impl<E: SpanExporter> SpanExporter for Listed<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let sent = self.next.export(batch.into_iter().filter_map(listed).collect()).await;
        match (&sent, self.fails.swap(sent.is_err(), Relaxed)) {
            (Err(error), false) => {
                tracing::warn!(%error, "traces do not reach their collector, and are dropped");
            }
            (Ok(()), true) => tracing::info!("traces reach their collector again"),
            _ => {}
        }
        sent
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.next.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.next.set_resource(resource);
    }
}

/// The span without anything that is not on the list.
fn listed(mut span: SpanData) -> Option<SpanData> {
    let fields = spans::fields(&span.name)?;
    span.attributes.retain(|of| fields.contains(&of.key.as_str()));
    span.events = SpanEvents::default();
    span.links = SpanLinks::default();
    if let Status::Error { .. } = span.status {
        span.status = Status::error("");
    }
    Some(span)
}

/// Posts from the thread that sends, over the hub's own runtime and its one TLS.
#[derive(Debug)]
struct Post {
    client: reqwest::Client,
    runtime: Handle,
}

#[async_trait::async_trait]
impl HttpClient for Post {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let client = self.client.clone();
        self.runtime.block_on(async move {
            let mut answer = client.execute(request.try_into()?).await?;
            let mut body = Vec::new();
            while let Some(chunk) = answer.chunk().await? {
                body.extend_from_slice(&chunk);
                if body.len() > ANSWER {
                    return Err("the collector's answer has no end".into());
                }
            }
            Ok(Response::builder().status(answer.status()).body(body.into())?)
        })
    }
}
