//! The site's own lines: those of its file, or those an admin chose, or those of the network.

use rules::error::{Doing, Error};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{Tx, audit, change, setting};
use wire::{Lines, Wall};

/// The setting that holds an admin's choice.
const SETTING: &str = "recognition_lines";
/// How far below and above the network's own line a choice may lie.
const REACH: f32 = 0.15;

/// From which cosine of a single picture on somebody is surely, or possibly, who they look like.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// Sure.
    pub high: f32,
    /// A person is asked.
    pub review: f32,
}

impl Choice {
    /// Checked against where the network's lines usually lie.
    ///
    /// # Errors
    /// `Invalid` naming the field.
    pub fn checked(self, usual: &Lines) -> Result<Self, Error> {
        let Self { high, review } = self;
        let low = usual.single_review - REACH;
        let top = 1.0f32;
        let out = |line: f32| !line.is_finite() || line < low || line > top;
        if out(high) || out(review) {
            return Err(Error::Invalid(format!("high, review: use lines from {low:.3} to {top}")));
        }
        match review > high {
            true => Err(Error::Invalid("review: this line lies above the sure one".into())),
            false => Ok(self),
        }
    }

    /// All lines: those of several pictures move along.
    #[must_use]
    pub fn lines(self, usual: &Lines) -> Lines {
        moved(usual, self.high, self.review, None)
    }
}

/// The lines `usual`, moved to `high` and `review`: those of several pictures move along.
#[must_use]
pub fn moved(usual: &Lines, high: f32, review: f32, margin: Option<f32>) -> Lines {
    let along = |line: f32, fused: f32, single: f32| (fused + (line - single)).min(1.0);
    Lines {
        single_high: high,
        single_review: review,
        fused_high: along(high, usual.fused_high, usual.single_high),
        fused_review: along(review, usual.fused_review, usual.single_review),
        margin: margin.unwrap_or(usual.margin),
    }
}

/// What an admin chose.
pub fn chosen(tx: &Tx<'_>) -> Result<Option<Choice>, Error> {
    let text = setting::get(tx, SETTING)?.filter(|text| text != "null");
    let read = |text: String| serde_json::from_str(&text).doing("reading the chosen lines");
    text.map(read).transpose()
}

/// Keeps a choice, or (nothing) goes back to the network's own lines.
pub fn choose(tx: &Tx<'_>, new: Option<Choice>, actor: &str, now: Wall) -> Result<(), Error> {
    let before = chosen(tx)?;
    setting::set(tx, SETTING, &json!(new).to_string())?;
    change::bump(tx, change::GALLERY)?;
    let action = "change";
    let table = "setting";
    let id = SETTING;
    let meta = json!({ "before": before, "after": new });
    audit::add(tx, now, &audit::AuditEntry { actor, action, table, id, meta })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use vision::decide::LINES;

    proptest! {
        #[test]
        fn lines_of_several_pictures_move_along(up in 0.0f32..0.03, down in 0.0f32..0.02) {
            let choice = Choice { high: 0.960 + up, review: 0.940 - down };
            let lines = choice.lines(&LINES);
            prop_assert!((lines.fused_high - LINES.fused_high - up).abs() < 1e-5);
            prop_assert!((LINES.fused_review - lines.fused_review - down).abs() < 1e-5);
            prop_assert_eq!(lines.margin, LINES.margin);
        }

        #[test]
        fn no_number_is_taken_that_is_no_line(high in any::<f32>(), review in any::<f32>()) {
            if let Ok(Choice { high, review }) = (Choice { high, review }).checked(&LINES) {
                prop_assert!((0.0..=1.0).contains(&review) && review <= high && high <= 1.0);
            }
        }
    }

    #[tokio::test]
    async fn a_choice_is_kept_and_taken_back() {
        let dir = tempfile::tempdir().unwrap();
        let db = store::Db::open(dir.path().join("hub.db")).unwrap();
        let choice = Choice { high: 0.965, review: 0.942 };
        let write = db.write(move |tx| {
            assert_eq!(chosen(tx)?, None);
            choose(tx, Some(choice), "t", Wall(1))?;
            let kept = chosen(tx)?;
            choose(tx, None, "t", Wall(2))?;
            Ok((kept, chosen(tx)?))
        });
        assert_eq!(write.await.unwrap(), (Some(choice), None));
    }
}
