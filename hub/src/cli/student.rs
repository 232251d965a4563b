//! `student …`: people in the register.

use super::hub::{Hub, actor, now};
use acts::people::{self, PersonChanges, PersonKind};
use clap::{Args, Subcommand};
use serde_json::json;
use std::io::Write;
use std::path::Path;
use store::Tx;
use store::student::{self, Student, StudentFilter, StudentProfile};

/// People listed at once.
const PAGE: u32 = 500;

/// People in the register: add, list.
#[derive(Debug, Args)]
pub struct Students {
    #[command(subcommand)]
    verb: StudentVerb,
}

#[derive(Debug, Subcommand)]
enum StudentVerb {
    /// Add a person.
    Add {
        /// Student number or personnel code, unique in the school.
        number: String,
        /// Given name.
        first_name: String,
        /// Family name.
        #[arg(default_value = "")]
        last_name: String,
        /// A member of staff.
        #[arg(long)]
        staff: bool,
    },
    /// List the people.
    List {
        /// For scripts.
        #[arg(long)]
        json: bool,
    },
}

impl Students {
    /// # Errors
    /// A sentence for the person at the terminal.
    pub async fn run(self, data: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
        let hub = Hub::open(data)?;
        match self.verb {
            StudentVerb::Add { number, first_name, last_name, staff } => {
                let new = PersonChanges {
                    number: Some(number.clone()),
                    first_name: Some(first_name),
                    last_name: Some(last_name),
                    kind: Some(if staff { PersonKind::Staff } else { PersonKind::Student }),
                    ..PersonChanges::default()
                };
                let id = people::add(&hub.db, new, actor(), now()).await?.id;
                Ok(writeln!(out, "{number} is added as {id}.")?)
            }
            StudentVerb::List { json } => list(&hub, json, out).await,
        }
    }
}

async fn list(hub: &Hub, json: bool, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut after = None;
    loop {
        let read = move |tx: &Tx<'_>| student::list(tx, &StudentFilter::default(), after, PAGE);
        let people = hub.db.read(read).await?;
        for person in &people {
            line(person, json, out)?;
        }
        match people.last() {
            Some(last) => after = Some(last.id),
            None => return Ok(()),
        }
    }
}

/// One person: for people a line, for scripts a JSON object a line.
fn line(person: &Student, json: bool, out: &mut dyn Write) -> anyhow::Result<()> {
    let StudentProfile { student_number, .. } = &person.profile;
    let name = person.profile.full_name();
    if json {
        let person = json!({
            "id": person.id.to_string(), "student_number": student_number, "full_name": name,
            "is_active": person.is_active, "face_enrolled": person.face_enrolled,
            "consent": person.consent,
        });
        return Ok(writeln!(out, "{person}")?);
    }
    let state = match person {
        Student { is_active: false, .. } => "inactive",
        Student { face_enrolled: true, .. } => "enrolled",
        _ => "no face",
    };
    Ok(writeln!(out, "{student_number:<16} {state:<9} {name}")?)
}
