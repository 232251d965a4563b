//! `vision embed` and `vision compare`: single pictures.

use crate::cli::vision::faces::open;
use anyhow::Context as _;
use clap::Args;
use serde_json::{Value, json};
use std::{
    io::Write,
    path::{Path, PathBuf},
};
use vision::{Face, Judgement, Pack, Template, decide};
use wire::Verdict;

#[derive(Debug, Args)]
pub(super) struct Embed {
    /// Pictures: JPEG, PNG, BMP, TIFF or WebP.
    #[arg(required = true, value_name = "IMAGE")]
    images: Vec<PathBuf>,
    /// Print JSON, one line a picture, with the templates. They identify people: keep them safe.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Compare {
    /// A picture.
    a: PathBuf,
    /// Another.
    b: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// A face with everything the networks say about it.
struct EmbeddedLook {
    face: Face,
    judged: Judgement,
    template: Template,
}

fn looks(pack: &Pack, path: &Path) -> anyhow::Result<Vec<EmbeddedLook>> {
    let picture = open(path)?;
    let look = |face: Face| {
        let cut = pack.cut(&picture, &face);
        let judged = vision::judge(&face, &cut.view.to_picture());
        let template = pack.embed_cuts(&[cut])?.pop().context("a face without a template")?;
        Ok(EmbeddedLook { face, judged, template })
    };
    pack.detect(&picture)?.into_iter().map(look).collect()
}

impl Embed {
    pub(super) fn run(&self, pack: &Pack, out: &mut dyn Write) -> anyhow::Result<()> {
        for path in &self.images {
            let looks = looks(pack, path)?;
            if self.json {
                let faces: Vec<Value> = looks.iter().map(EmbeddedLook::json).collect();
                let line = json!({ "file": path, "model": pack.model_id, "faces": faces });
                writeln!(out, "{line}")?;
                continue;
            }
            let count = match looks.len() {
                0 => "no face".to_owned(),
                1 => "1 face".to_owned(),
                many => format!("{many} faces"),
            };
            writeln!(out, "{}: {count}", path.display())?;
            for look in &looks {
                writeln!(out, "  {}", look.line())?;
            }
        }
        Ok(())
    }
}

impl EmbeddedLook {
    fn line(&self) -> String {
        let rect = &self.face.rect;
        let quality = &self.judged.quality;
        let doubts: Vec<_> = self.judged.doubts.iter().map(|doubt| format!("{doubt:?}")).collect();
        format!(
            "at {:.0},{:.0} to {:.0},{:.0}  score {:.4}  eyes {:.0} px  sharpness {:.0}  light {:.0}  \
             turn {:.2}  {:?} {}",
            rect.left,
            rect.top,
            rect.right,
            rect.bottom,
            self.face.score,
            quality.eye_px,
            quality.sharpness,
            quality.brightness,
            quality.turn,
            self.judged.grade,
            doubts.join(", ")
        )
    }

    fn json(&self) -> Value {
        let Face { rect, score, points } = &self.face;
        let points: Vec<_> = points.iter().map(|point| [point.x, point.y]).collect();
        json!({
            "box": [rect.left, rect.top, rect.right, rect.bottom],
            "score": score,
            "points": points,
            "quality": self.judged.quality,
            "grade": format!("{:?}", self.judged.grade),
            "doubts": self.judged.doubts,
            "template": self.template.as_slice(),
        })
    }
}

impl Compare {
    pub(super) fn run(&self, pack: &Pack, out: &mut dyn Write) -> anyhow::Result<()> {
        let (a, b) = (self.one(pack, &self.a)?, self.one(pack, &self.b)?);
        let score = a.cosine(&b);
        let lines = pack.lines();
        let scale = pack.scale();
        let distance = scale.distance(score);
        let confidence = scale.confidence(score);
        let (high, review) = decide::lines_for(1, &lines);
        let verdict = match score {
            _ if score >= high => Verdict::High,
            _ if score >= review => Verdict::Review,
            _ => Verdict::Unknown,
        };
        if self.json {
            let line = json!({ "cosine": score, "confidence": confidence, "distance": distance,
                "verdict": verdict, "model": pack.model_id });
            return Ok(writeln!(out, "{line}")?);
        }
        let says = match verdict {
            Verdict::High => "the same person",
            Verdict::Review => "perhaps the same person: a teacher should look",
            Verdict::Unknown => "not recognised as the same person",
        };
        writeln!(out, "{says}")?;
        writeln!(out, "cosine {score:.4}  confidence {confidence:.2}  distance {distance:.3}")?;
        Ok(writeln!(out, "lines of a single frame: sure from {high:.3}, review from {review:.3}")?)
    }

    fn one(&self, pack: &Pack, path: &Path) -> anyhow::Result<Template> {
        let picture = open(path)?;
        let faces = pack.detect(&picture)?;
        let face = vision::principal(&faces);
        let face = face.with_context(|| format!("{} shows no face", path.display()))?;
        Ok(pack.embed(&picture, face)?)
    }
}
