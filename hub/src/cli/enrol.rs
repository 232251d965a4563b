//! `enrol`: a person by photos, from the command line. A hub that runs sends the new gallery to
//! its doors within a second.

use super::hub::{Hub, actor, now};
use crate::models;
use acts::enrol::{self, EnrolmentAsk, EnrolmentDesk};
use acts::gallery;
use acts::recogniser::Recogniser;
use anyhow::Context as _;
use clap::Args;
use std::io::Write;
use std::path::{Path, PathBuf};
use store::student;

/// Enrol a person by photos.
#[derive(Debug, Args)]
pub struct Enrol {
    /// Student number, or id.
    student: String,
    /// Photos, each with exactly one face: JPEG, PNG, BMP, TIFF or WebP.
    #[arg(required = true)]
    photos: Vec<PathBuf>,
    /// Who agreed to the recognition: needed once, before the first photo.
    #[arg(long, value_name = "WHO")]
    consent_by: Option<String>,
    /// This is really another person than the one who looks the same (a twin).
    #[arg(long)]
    another_person: bool,
    /// Enrol for a pack that is not in use yet, to prepare “models use”.
    #[arg(long, value_name = "NAME")]
    pack: Option<String>,
}

impl Enrol {
    pub async fn run(self, data: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
        let hub = Hub::open(data)?;
        let recogniser = match &self.pack {
            None => Recogniser::start(&hub.config.models)?,
            Some(name) => Recogniser::open(&models::folder_of(&hub.config.models, name)?)?,
        };
        let name = self.student.clone();
        let student = hub.db.read(move |tx| student::find(tx, &name)).await?;
        for photo in &self.photos {
            let keys = hub.keys()?;
            let index = gallery::load(&hub.db, &keys, recogniser.model()).await?;
            let doing = || photo.display().to_string();
            let ask = EnrolmentAsk {
                student: student.id,
                photo: std::fs::read(photo).with_context(doing)?,
                consent_by: self.consent_by.clone(),
                another_person: self.another_person,
                source: "photo".into(),
                actor: actor(),
            };
            let desk =
                EnrolmentDesk { db: &hub.db, keys: &keys, recogniser: &recogniser, index: &index };
            let enrolled = enrol::enrol(desk, ask, now()).await.with_context(doing)?;
            let number = &student.profile.student_number;
            writeln!(out, "{number} is enrolled by {}.", photo.display())?;
            for warning in enrolled.warnings {
                writeln!(out, "  note: {warning}")?;
            }
        }
        Ok(())
    }
}
