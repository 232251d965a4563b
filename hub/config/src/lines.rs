//! From which score on somebody is taken for whom they look like: as typed, and for a pack.
//!
//! Each pack has lines of its own, so what a number of another system means is known only once it
//! is known which pack is in use. One that means nothing there is refused.

use super::ConfigError;
use super::source::Source;
use serde::Deserialize;
use vision::decide::lines_of;
use vision::score::{self, Scale};

/// A line, in whatever measure it was typed: `0.96` is a cosine, `"0.9 confidence"` is not.
#[derive(Clone, Copy, PartialEq, Debug, Deserialize)]
#[serde(try_from = "LinesTyped")]
pub enum LineSetting {
    /// Of the pack's templates; what everything is turned into.
    Cosine(f32),
    /// A cosine too, but of the network that its system used.
    Similarity(f32),
    /// Between the raw numbers of the dlib network.
    Distance(f32),
    /// 0..=1; .7 is where a person decides, .9 where nobody needs to.
    Confidence(f32),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum LinesTyped {
    Number(f32),
    Text(String),
}

/// The site's own lines.
#[derive(Clone, Default, Debug)]
pub struct LinesSetting {
    pub(super) high: Option<LineSetting>,
    pub(super) review: Option<LineSetting>,
    pub(super) margin: Option<f32>,
    pub(super) source: Source,
}

impl TryFrom<LinesTyped> for LineSetting {
    type Error = String;

    fn try_from(typed: LinesTyped) -> Result<Self, String> {
        let text = match typed {
            LinesTyped::Number(number) => return Ok(Self::Cosine(number)),
            LinesTyped::Text(text) => text,
        };
        let (number, measure) = text.trim().split_once(' ').unwrap_or((text.trim(), "cosine"));
        let number = number.parse().map_err(|_| format!("“{number}” is no number"))?;
        match measure.trim() {
            "cosine" => Ok(Self::Cosine(number)),
            "similarity" => Ok(Self::Similarity(number)),
            "distance" => Ok(Self::Distance(number)),
            "confidence" => Ok(Self::Confidence(number)),
            _ => Err("write a cosine, or a number with similarity, distance or confidence".into()),
        }
    }
}

impl LineSetting {
    /// The cosine that it is with `model`, or why it is none.
    fn cosine(self, model: &str) -> Result<f32, String> {
        let usual = lines_of(model);
        let (high, review) = (usual.single_high, usual.single_review);
        match self {
            Self::Cosine(cosine) if (0.0..=1.0).contains(&cosine) => Ok(cosine),
            Self::Cosine(_) => Err("a cosine line lies between 0 and 1".into()),
            Self::Confidence(of) => Scale::of(model).cosine(of).map_err(|why| why.to_string()),
            Self::Similarity(of) => {
                let low = (review - 2.0 * (high - review)).max(0.2);
                let means = (low - 1e-4..=1.0).contains(&of);
                means.then_some(of).ok_or_else(|| {
                    format!(
                        "a similarity line of {of} belongs to another kind of pack (0.6 to ArcFace \
                         packs): with {model} lines lie between {low:.2} and 1 (start with {high:.2})"
                    )
                })
            }
            Self::Distance(of) if model.starts_with("dlib") => {
                score::from_distance(of).map_err(|why| why.to_string())
            }
            Self::Distance(_) => Err(format!(
                "a distance is measured between the raw numbers of the dlib network, and {model} \
                 has others: set lines.high and lines.review instead (this pack's are {high:.3} \
                 and {review:.3})"
            )),
        }
    }
}

impl LinesSetting {
    /// The lines of `model`, moved where the site says so (those of several frames move along),
    /// and what is unwise about them. None when the site says nothing.
    ///
    /// # Errors
    /// When a line means nothing with this model, or lies on the wrong side of the other.
    pub fn of(&self, model: &str) -> Result<(Option<wire::Lines>, Vec<String>), ConfigError> {
        if self.high.is_none() && self.review.is_none() && self.margin.is_none() {
            return Ok((None, Vec::new()));
        }
        let usual = lines_of(model);
        let mut unwise = Vec::new();
        let (high, review) = self.both(model, &mut unwise)?;
        if high.is_none() && review.is_none() && self.margin.is_none() {
            return Ok((None, unwise));
        }
        // One that is not set gives way to the other.
        let (high, review) = match (high, review) {
            (Some(high), None) => (high, usual.single_review.min(high)),
            (None, Some(review)) => (usual.single_high.max(review), review),
            (high, review) => {
                (high.unwrap_or(usual.single_high), review.unwrap_or(usual.single_review))
            }
        };
        let lines = [
            ("lines.high", high, usual.single_high),
            ("lines.review", review, usual.single_review),
        ];
        for (key, _, usual) in lines.iter().filter(|(_, line, usual)| *line < usual - 1e-4) {
            unwise.push(format!(
                "{key} is below the {usual:.3} that was measured for {model}: strangers will be \
                 taken for people of the school more often"
            ));
        }
        let moved = |line: f32, usual: f32, own: f32| (usual + (line - own)).min(1.0);
        let lines = wire::Lines {
            single_high: high,
            single_review: review,
            fused_high: moved(high, usual.fused_high, usual.single_high),
            fused_review: moved(review, usual.fused_review, usual.single_review),
            margin: self.margin.unwrap_or(usual.margin),
        };
        Ok((Some(lines), unwise))
    }

    /// A line that `why` speaks against. A variable of a system that was here before does not stop
    /// the hub: it is said, and the pack's own line counts.
    fn spoken(
        &self,
        key: &'static str,
        value: &dyn std::fmt::Debug,
        why: String,
        unwise: &mut Vec<String>,
    ) -> Result<Option<f32>, ConfigError> {
        match self.source.bad(key, &format!("{value:?}"), why) {
            ConfigError::Variable { name, why } => {
                unwise.push(format!("{name} is left out, and the pack's own line counts: {why}"));
                Ok(None)
            }
            error => Err(error),
        }
    }

    /// High and review line, as far as they are set and mean something.
    fn both(
        &self,
        model: &str,
        unwise: &mut Vec<String>,
    ) -> Result<(Option<f32>, Option<f32>), ConfigError> {
        let bad = |key, value: &dyn std::fmt::Debug, why: String| {
            self.source.bad(key, &format!("{value:?}"), why)
        };
        let mut cosine = |key, line: Option<LineSetting>| match line.map(|line| line.cosine(model))
        {
            Some(Err(why)) => self.spoken(key, &line, why, unwise),
            found => Ok(found.and_then(Result::ok)),
        };
        let high = cosine("lines.high", self.high)?;
        let mut review = cosine("lines.review", self.review)?;
        if let (Some(high), Some(above)) = (high, review)
            && above > high
        {
            let why = format!("the review line lies above the high line of {high}");
            review = self.spoken("lines.review", &above, why, unwise)?;
        }
        if let Some(margin) = self.margin.filter(|margin| !(0.0..=1.0).contains(margin)) {
            return Err(bad("lines.margin", &margin, "a margin lies between 0 and 1".into()));
        }
        Ok((high, review))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use vision::decide::confidence_by;

    const MODELS: [&str; 5] = [
        "dlib-1.mtcnn-mirror",
        "iresnet50-1.scrfd10g-00",
        "sface-1.yunet-00",
        "facenet512-1.retina-00",
        "mobilefacenet128-1.scrfd-00",
    ];

    fn close(cosine: Result<f32, String>, wanted: f32) -> bool {
        cosine.is_ok_and(|cosine| (cosine - wanted).abs() < 1e-4)
    }

    #[test]
    fn numbers_of_others_become_cosines_of_the_pack_in_use() {
        let [dlib, arcface, sface, ..] = MODELS;
        assert!(close(LineSetting::Confidence(0.9).cosine(dlib), 0.960));
        assert!(close(LineSetting::Confidence(0.7).cosine(arcface), 0.420));
        assert!(close(LineSetting::Distance(0.50).cosine(dlib), 0.9444));
        assert!(close(LineSetting::Similarity(0.96).cosine(dlib), 0.96));
        assert!(close(LineSetting::Similarity(0.6).cosine(arcface), 0.6), "as S2 means it");
        assert!(close(LineSetting::Cosine(0.5).cosine(sface), 0.5));
    }

    #[test]
    fn what_means_nothing_with_a_pack_is_refused_in_a_sentence() {
        let [dlib, arcface, ..] = MODELS;
        let refused = |line: LineSetting, model| line.cosine(model).unwrap_err();
        let similar = refused(LineSetting::Similarity(0.6), dlib);
        assert!(similar.contains("ArcFace") && similar.contains("start with 0.96"), "{similar}");
        let distance = refused(LineSetting::Distance(0.5), arcface);
        assert!(distance.contains("dlib") && distance.contains("0.600 and 0.420"), "{distance}");
        for odd in [
            LineSetting::Cosine(1.5),
            LineSetting::Confidence(-0.1),
            LineSetting::Similarity(f32::NAN),
        ] {
            assert!(MODELS.iter().all(|model| odd.cosine(model).is_err()), "{odd:?}");
        }
    }

    #[test]
    fn a_line_may_be_typed_with_its_measure() {
        let typed = |text: &str| toml::from_str::<toml::Table>(&format!("v = {text}"));
        let line = |text: &str| typed(text).unwrap().remove("v").unwrap().try_into::<LineSetting>();
        assert_eq!(line("0.95"), Ok(LineSetting::Cosine(0.95)));
        assert_eq!(line("\"0.95\""), Ok(LineSetting::Cosine(0.95)));
        assert_eq!(line("\"0.9 confidence\""), Ok(LineSetting::Confidence(0.9)));
        assert!(line("\"0.9 metres\"").is_err() && line("\"much\"").is_err());
    }

    proptest! {
        #[test]
        fn a_confidence_comes_back_from_every_pack(of in 0.0f32..=1.0, n in 0usize..5) {
            let cosine = LineSetting::Confidence(of).cosine(MODELS[n]).unwrap();
            let back = confidence_by(&lines_of(MODELS[n]), cosine);
            prop_assert!((back - of).abs() < 1e-3, "{of} came back as {back}");
        }
    }
}
