//! Whether a new program has proven itself: it hears its hub, and sees if the door saw before.

use super::book::Able;
use wire::Mono;

/// Within this it must have heard its hub, milliseconds: a school's network may be away for some
/// minutes, and what is recorded meanwhile lies in the outbox whichever program runs.
const HUB_MS: u64 = 15 * 60_000;
/// Within this it must keep records and see, milliseconds: until then nobody who passes counts.
const OWN_MS: u64 = 2 * 60_000;
/// A camera gives its next frame within this, milliseconds.
const FRAME_MS: u64 = 5_000;

/// A program on trial.
#[derive(Debug)]
pub struct Trial {
    since: Mono,
    must: Able,
    steady_ms: u64,
    /// Frames when there was a new one last.
    frames: (u64, Mono),
    /// Since when all has been well.
    well: Option<Mono>,
}

/// How the door is at a moment.
#[derive(Clone, Copy, Debug)]
pub struct Facts {
    /// Whether the hub hears it.
    pub online: bool,
    /// Frames since the start.
    pub frames: u64,
    /// Whether the outbox takes records.
    pub keeps: bool,
    /// Whether its gallery has people in it.
    pub knows: bool,
}

/// What follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Go on looking.
    Open,
    /// It has proven itself.
    Proven,
    /// It has not, and the time is over.
    Failed(&'static str),
}

impl Trial {
    /// Begins at `now`, at a door that could do as much as it `must`; all must be well for `steady_ms` without a break.
    #[must_use]
    pub fn new(now: Mono, must: Able, steady_ms: u64) -> Self {
        Self { since: now, must, steady_ms, frames: (0, now), well: None }
    }

    /// What follows from how the door is at `now`.
    pub fn look(&mut self, facts: Facts, now: Mono) -> Verdict {
        if facts.frames > self.frames.0 {
            self.frames = (facts.frames, now);
        }
        let sees = self.frames.0 > 0 && now.since(self.frames.1) < FRAME_MS;
        let lacking = [
            (facts.keeps, OWN_MS, "its outbox does not take records"),
            (sees || !self.must.sees, OWN_MS, "its camera gives no frames"),
            (facts.online, HUB_MS, "it does not reach its hub"),
            (facts.knows || !self.must.knows, HUB_MS, "it has no gallery, as the one before had"),
        ];
        let Some((_, limit, why)) = lacking.into_iter().find(|(is_well, ..)| !is_well) else {
            let well = *self.well.get_or_insert(now);
            let proven = now.since(well) >= self.steady_ms;
            return if proven { Verdict::Proven } else { Verdict::Open };
        };
        self.well = None;
        match now.since(self.since) >= limit {
            true => Verdict::Failed(why),
            false => Verdict::Open,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WELL: Facts = Facts { online: true, frames: 0, keeps: true, knows: true };
    const SEEING: Able = Able { sees: true, knows: false };

    /// The verdicts of looks once a second, each with as many frames as seconds passed.
    fn looks(trial: &mut Trial, seconds: std::ops::Range<u64>, online: bool) -> Vec<Verdict> {
        let look = |s: u64| trial.look(Facts { online, frames: s, ..WELL }, Mono(s * 1_000));
        seconds.map(look).collect()
    }

    #[test]
    fn a_program_proves_itself_by_hearing_its_hub_and_seeing_without_a_break() {
        let mut trial = Trial::new(Mono(0), SEEING, 3_000);
        assert_eq!(looks(&mut trial, 1..4, true), [Verdict::Open; 3]);
        assert_eq!(looks(&mut trial, 4..5, false), [Verdict::Open], "the hub was away");
        assert_eq!(looks(&mut trial, 5..8, true), [Verdict::Open; 3]);
        assert_eq!(looks(&mut trial, 8..9, true), [Verdict::Proven]);
    }

    #[test]
    fn a_program_without_its_hub_for_a_quarter_of_an_hour_has_failed() {
        let mut trial = Trial::new(Mono(0), SEEING, 3_000);
        assert!(looks(&mut trial, 1..900, false).iter().all(|v| *v == Verdict::Open));
        assert_eq!(
            looks(&mut trial, 900..901, false),
            [Verdict::Failed("it does not reach its hub")]
        );
    }

    #[test]
    fn a_door_that_saw_must_see_and_one_that_was_blind_need_not() {
        let dark = |sees, s: u64| {
            let mut trial = Trial::new(Mono(0), Able { sees, knows: false }, 3_000);
            (1..=s).map(|s| trial.look(WELL, Mono(s * 1_000))).last()
        };
        assert_eq!(dark(false, 4), Some(Verdict::Proven));
        assert_eq!(dark(true, 4), Some(Verdict::Open));
        assert_eq!(dark(true, 119), Some(Verdict::Open));
        assert_eq!(dark(true, 120), Some(Verdict::Failed("its camera gives no frames")));
    }

    #[test]
    fn a_door_that_knew_people_must_know_people() {
        let mut trial = Trial::new(Mono(0), Able { sees: false, knows: true }, 3_000);
        let none = Facts { knows: false, ..WELL };
        assert!((1..900).all(|s| trial.look(none, Mono(s * 1_000)) == Verdict::Open));
        let failed = trial.look(none, Mono(900_000));
        assert_eq!(failed, Verdict::Failed("it has no gallery, as the one before had"));
    }
}
