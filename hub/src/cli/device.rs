//! `device …`: doors, and how they join.

use super::hub::{Hub, actor, moment, now};
use acts::doors::{self, DoorChanges};
use acts::pki::Pki;
use clap::{Args, Subcommand};
use serde_json::json;
use std::io::Write;
use std::path::Path;
use store::device::{self, Device};
use wire::{DeviceId, Direction};

/// Doors: add, list, revoke.
#[derive(Debug, Args)]
pub struct Devices {
    #[command(subcommand)]
    verb: DeviceVerb,
}

#[derive(Debug, Subcommand)]
enum DeviceVerb {
    /// Add a door and print the command that lets it join.
    Add(DeviceAdd),
    /// Print a new join command for a door that is there: a new card, or a revoked door.
    Token {
        /// The door's name.
        name: DeviceId,
    },
    /// Print the file by which a unit joins at its first start, without a keyboard: write it onto
    /// the boot partition of its card, as rollcall-door.toml.
    Invite {
        /// The door's name.
        name: DeviceId,
    },
    /// List the doors.
    List {
        /// For scripts.
        #[arg(long)]
        json: bool,
    },
    /// Cut a door off at once: its certificates end.
    Revoke {
        /// The door's name.
        name: DeviceId,
    },
}

#[derive(Debug, Args)]
struct DeviceAdd {
    /// A name of a-z, 0-9, “-” and “.”, such as door-b204.
    name: DeviceId,
    /// The room behind it.
    #[arg(long, default_value = "")]
    room: String,
    /// Where it hangs, in your words.
    #[arg(long, default_value = "")]
    location: String,
    /// Which way it counts: entry, exit or both.
    #[arg(long, default_value = "entry", value_parser = way)]
    direction: Direction,
}

fn way(text: &str) -> Result<Direction, String> {
    device::direction(text).map_err(|error| error.to_string())
}

impl Devices {
    /// # Errors
    /// A sentence for the person at the terminal.
    pub async fn run(self, data: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
        let hub = Hub::open(data)?;
        match self.verb {
            DeviceVerb::Add(add) => add.run(&hub, out).await,
            DeviceVerb::Token { name } => {
                let command = join_command(&hub, name).await?;
                Ok(writeln!(out, "{command}")?)
            }
            DeviceVerb::Invite { name } => Ok(write!(out, "{}", invitation(&hub, name).await?)?),
            DeviceVerb::List { json } => list(&hub, json, out).await,
            DeviceVerb::Revoke { name } => {
                let id = name.clone();
                let ended = doors::end(&hub.db, id, None, actor(), now()).await?;
                Ok(writeln!(out, "{name} is cut off; {ended} certificate(s) ended.")?)
            }
        }
    }
}

impl DeviceAdd {
    async fn run(self, hub: &Hub, out: &mut dyn Write) -> anyhow::Result<()> {
        let Self { name, room, location, direction } = self;
        let new = DoorChanges {
            room: Some(room),
            location: Some(location),
            direction: Some(direction),
            ..DoorChanges::default()
        };
        doors::add(&hub.db, name.clone(), new, actor(), |_| Ok(()), now()).await?;
        let command = join_command(hub, name.clone()).await?;
        writeln!(out, "{name} is added. Type this on the unit within 15 minutes:")?;
        writeln!(out, "{command}")?;
        Ok(())
    }
}

/// The line to type on the unit: where the hub is, and a token.
async fn join_command(hub: &Hub, name: DeviceId) -> anyhow::Result<String> {
    let pki = Pki::open(&hub.keys()?)?;
    let token = doors::join_token(&hub.db, &pki, name, actor(), now()).await?;
    Ok(format!("rollcall-edge join {} {token}", hub.config.joining()))
}

async fn invitation(hub: &Hub, name: DeviceId) -> anyhow::Result<String> {
    let pki = Pki::open(&hub.keys()?)?;
    Ok(doors::invitation(&hub.db, &pki, name, hub.config.joining(), actor(), now()).await?)
}

async fn list(hub: &Hub, json: bool, out: &mut dyn Write) -> anyhow::Result<()> {
    let doors = hub.db.read(device::list).await?;
    if json {
        let doors: Vec<_> = doors.iter().map(as_json).collect();
        return Ok(writeln!(out, "{}", serde_json::to_string(&doors)?)?);
    }
    if doors.is_empty() {
        writeln!(out, "There is no door yet: rollcall-hub device add NAME")?;
    }
    for door in &doors {
        let seen = door.last_seen.map_or_else(|| "never seen".into(), moment);
        let id = door.id.as_str();
        let room = &door.room;
        let state = state(door);
        writeln!(out, "{id:<24} {room:<16} {state:<9} gallery {:<4} {seen}", door.gallery)?;
    }
    Ok(())
}

fn state(door: &Device) -> &'static str {
    match door {
        Device { is_active: false, .. } => "cut off",
        Device { online: true, .. } => "online",
        Device { last_seen: None, .. } => "not joined",
        _ => "offline",
    }
}

fn as_json(door: &Device) -> serde_json::Value {
    json!({
        "device_id": door.id, "room": door.room, "location": door.location,
        "direction": door.direction, "state": state(door), "software": door.software,
        "gallery": door.gallery, "model": door.model, "trouble": door.trouble,
        "last_seen": door.last_seen.map(moment),
    })
}
