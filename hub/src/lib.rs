//! The hub: takes what the doors saw, matches it against the whole gallery, and lets teachers
//! decide.
//!
//! `app` builds and runs the parts. Decisions (`ingest`, `review`, `auth` …) know nothing of
//! HTTP or SQL; `store` holds all SQL; `http` and `web` are skins.

pub mod acts;
pub mod album;
pub mod apart;
pub mod app;
pub mod auth;
pub mod backup;
pub mod care;
pub mod certificates;
pub mod cli;
pub mod darkroom;
pub mod desk;
pub mod device;
pub mod enrol;
pub mod events;
pub mod gallery;
pub mod http;
pub mod import;
pub mod ingest;
pub mod jobs;
pub mod join;
pub mod lessons;
pub mod listener;
pub mod marks;
pub mod models;
pub mod notify;
pub mod online;
pub mod pairing;
pub mod parts;
pub mod photo;
pub mod pki;
pub mod planning;
pub mod privacy;
pub mod provider;
pub mod recogniser;
pub mod seed;
pub mod sheets;
pub mod site;
pub mod snaps;
pub mod timekeeper;
pub mod upkeep;
pub mod web;

pub use app::App;
pub use rules::Error;
