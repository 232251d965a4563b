//! A program of the school's: speaks the hub's HTTP API with a bearer token.

use anyhow::{Context as _, bail};
use reqwest::blocking::{Client, RequestBuilder, Response};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A signed-in API client that trusts the hub's own authority and no other.
pub struct Api {
    client: Client,
    ca: PathBuf,
    base: String,
    token: Option<String>,
}

impl Api {
    /// A client for the hub at `https://localhost:{port}`, trusting the authority in `ca`.
    ///
    /// # Errors
    /// When the certificate cannot be read.
    pub fn new(port: u16, ca: &Path) -> anyhow::Result<Self> {
        let pem = std::fs::read(ca).with_context(|| format!("reading {}", ca.display()))?;
        let client = Client::builder()
            .tls_certs_only([reqwest::Certificate::from_pem(&pem)?])
            .timeout(Duration::from_secs(30))
            .build()?;
        let base = format!("https://localhost:{port}");
        Ok(Self { client, ca: ca.to_owned(), base, token: None })
    }

    /// The same person over a connection of its own.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn afresh(&self) -> anyhow::Result<Self> {
        let port = self.base.rsplit(':').next().and_then(|port| port.parse().ok());
        let mut api = Self::new(port.context("no port")?, &self.ca)?;
        api.token.clone_from(&self.token);
        Ok(api)
    }

    /// Posts any bytes as `kind`: the status, and what the hub says.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn throw(&self, path: &str, kind: &str, body: Vec<u8>) -> anyhow::Result<(u16, Value)> {
        let request = self.client.post(self.url(path)).header("content-type", kind).body(body);
        let request = request.timeout(Duration::from_secs(120));
        let request = self.token.iter().fold(request, RequestBuilder::bearer_auth);
        let answer = request.send()?;
        let status = answer.status().as_u16();
        Ok((status, serde_json::from_str(&answer.text()?)?))
    }

    /// Signs in; later requests carry the token.
    ///
    /// # Errors
    /// When the hub refuses.
    pub fn sign_in(&mut self, email: &str, password: &str) -> anyhow::Result<()> {
        let body = json!({ "email": email, "password": password });
        let answer = self.post("/api/auth/login", &body)?;
        let token = answer["access_token"].as_str().context("no access_token in the answer")?;
        self.token = Some(token.to_owned());
        Ok(())
    }

    /// The JSON at `path`.
    ///
    /// # Errors
    /// When the answer is not 2xx; the message holds the problem the hub named.
    pub fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.send(self.client.get(self.url(path)))
    }

    /// Posts JSON, answers JSON (null for an empty answer).
    ///
    /// # Errors
    /// As [`Self::get`].
    pub fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let request = self.client.post(self.url(path)).header("content-type", "application/json");
        self.send(request.body(body.to_string()))
    }

    /// Puts JSON, answers JSON.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub fn put(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let request = self.client.put(self.url(path)).header("content-type", "application/json");
        self.send(request.body(body.to_string()))
    }

    /// The bytes at `path`.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub fn file(&self, path: &str) -> anyhow::Result<Vec<u8>> {
        Ok(self.answer(self.client.get(self.url(path)))?.bytes()?.to_vec())
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    fn send(&self, request: RequestBuilder) -> anyhow::Result<Value> {
        let body = self.answer(request)?.text()?;
        if body.is_empty() { Ok(Value::Null) } else { Ok(serde_json::from_str(&body)?) }
    }

    fn answer(&self, request: RequestBuilder) -> anyhow::Result<Response> {
        let request = match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        let answer = request.send()?;
        let (status, url) = (answer.status(), answer.url().clone());
        if status.is_success() {
            return Ok(answer);
        }
        bail!("{url} answered {status}: {}", answer.text()?)
    }
}
