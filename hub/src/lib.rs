//! The hub: takes what the doors saw, matches it against the whole gallery, and lets teachers
//! decide.
//!
//! `app` builds and runs the parts. Decisions (`ingest`, `review`, `auth` …) know nothing of
//! HTTP or SQL; `store` holds all SQL; `http` and `web` are skins.

pub mod accept;
pub mod album;
pub mod apart;
pub mod app;
pub mod attendance;
pub mod auth;
pub mod backup;
pub mod care;
pub mod certificates;
pub mod claims;
pub mod cli;
pub mod cluster;
pub mod config;
pub mod darkroom;
pub mod desk;
pub mod device;
pub mod enrol;
pub mod error;
pub mod events;
pub mod evidence;
pub mod gallery;
pub mod http;
pub mod import;
pub mod ingest;
pub mod jobs;
pub mod join;
pub mod keys;
pub mod knn;
pub mod listener;
pub mod models;
pub mod notify;
pub mod pairing;
pub mod patience;
pub mod photo;
pub mod pki;
pub mod privacy;
pub mod provider;
pub mod recogniser;
pub mod reports;
pub mod review;
pub mod scores;
mod security;
pub mod seed;
pub mod snaps;
pub mod store;
pub mod timekeeper;
pub mod timetable;
pub mod vault;
pub mod web;

pub use app::App;
pub use error::Error;
