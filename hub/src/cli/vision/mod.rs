//! `rollcall-hub vision …`: what the networks make of pictures, and how good they are.

mod embed;
mod faces;
mod identify;
mod list;
mod pairs;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use std::{io::Write, path::PathBuf};
use vision::Pack;

/// Recognition by hand: embed, compare, measure.
#[derive(Debug, Args)]
pub struct Vision {
    /// Folder of the weights.
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "ROLLCALL_MODELS",
        default_value = "models/weights"
    )]
    models: PathBuf,
    #[command(subcommand)]
    verb: VisionVerb,
}

#[derive(Debug, Subcommand)]
enum VisionVerb {
    /// Every face of the pictures: where it is, how good the look is; with --json its template.
    Embed(embed::Embed),
    /// How alike the faces of two pictures are, and what a door would say.
    Compare(embed::Compare),
    /// Accuracy over pairs: LFW's pairs.txt, or lines of two pictures and Yes or No, by commas.
    Pairs(pairs::Pairs),
    /// Accuracy of finding people: folders of pictures, one folder a person.
    Identify(identify::Identify),
}

impl Vision {
    /// # Errors
    /// A sentence for the person at the terminal.
    pub fn run(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        let pack = Pack::load(&self.models).context("opening the models")?;
        match &self.verb {
            VisionVerb::Embed(embed) => embed.run(&pack, out),
            VisionVerb::Compare(compare) => compare.run(&pack, out),
            VisionVerb::Pairs(pairs) => pairs.run(&pack, out),
            VisionVerb::Identify(identify) => identify.run(&pack, out),
        }
    }
}

/// `97.31 %`, or what is missing.
fn percent(part: Option<f64>) -> String {
    part.map_or_else(|| "not measurable".to_owned(), |part| format!("{:.2} %", part * 100.0))
}

/// `.9731`, or what is missing.
fn cosine(score: Option<f32>) -> String {
    score.map_or_else(|| "none".to_owned(), |score| format!("{score:.4}"))
}
