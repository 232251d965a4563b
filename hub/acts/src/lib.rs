//! What people, doors and the hub itself can do: one home per act, asked by every skin.
//!
//! An act takes the parts it needs, checks, writes and audits in one transaction, and says its
//! events after COMMIT. Everything here fails with [`Error::Internal`](rules::Error::Internal) when
//! the database or the key store does; `# Errors` names what else can stand in the way.

pub mod accounts;
pub mod album;
pub mod alerts;
pub mod apart;
pub mod audit;
pub mod auth;
pub mod backup;
pub mod begin;
pub mod bring;
pub mod calendars;
pub mod cancel;
pub mod care;
pub mod certificates;
pub mod classes;
pub mod darkroom;
pub mod dead_letters;
pub mod desk;
pub mod device;
pub mod doors;
pub mod enrol;
pub mod entrance;
pub mod events;
pub mod finds;
pub mod gallery;
pub mod holidays;
pub mod import;
pub mod ingest;
pub mod jobs;
pub mod join;
pub mod keyring;
pub mod keys;
pub mod lessons;
pub mod mail;
pub mod marks;
pub mod notify;
pub mod online;
pub mod own;
pub mod pairing;
pub mod parts;
pub mod people;
pub mod photo;
pub mod photos;
pub mod pki;
pub mod planning;
pub mod privacy;
pub mod provider;
pub mod recogniser;
pub mod recognition;
pub mod reports;
pub mod retention;
pub mod rooms;
pub mod roster;
pub mod rounds;
pub mod sheets;
pub mod sign_ins;
pub mod snaps;
pub mod teaching;
pub mod timekeeper;
pub mod timetable;
pub mod upkeep;
pub mod webhooks;
