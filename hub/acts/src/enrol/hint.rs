//! What to tell somebody in front of a camera before a picture of them is taken.

use crate::enrol::LEAST_SIDE;
use crate::recogniser::FrameGlance;
use vision::Rect;
use vision::quality::Grade;
use wire::Reason;

/// What is wrong with a frame, if anything is.
#[derive(Clone, PartialEq, Debug)]
pub enum HintWord {
    /// The picture is smaller than an enrolment photo may be.
    Small,
    /// Nobody is in it.
    Nobody,
    /// So many faces are in it.
    Several(usize),
    /// One face, with these doubts; none when it is good.
    One(Vec<Reason>),
}

/// A frame judged as enrolment would judge it.
#[derive(Clone, PartialEq, Debug)]
pub struct Hint {
    /// Whether a picture taken now would be good.
    pub ready: bool,
    /// What to say.
    pub say: HintWord,
    /// Where the face is, if there is one alone.
    pub face: Option<Rect>,
}

/// The hint for a frame.
#[must_use]
pub fn hint(glance: &FrameGlance) -> Hint {
    let not = |say| Hint { ready: false, say, face: None };
    match glance.faces.as_slice() {
        _ if glance.width.min(glance.height) < LEAST_SIDE => not(HintWord::Small),
        [] => not(HintWord::Nobody),
        [(place, judgement)] => Hint {
            ready: judgement.grade == Grade::Accept,
            say: HintWord::One(judgement.doubts.clone()),
            face: Some(*place),
        },
        many => not(HintWord::Several(many.len())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vision::quality::Judgement;

    fn glance(side: u32, faces: &[(Grade, &[Reason])]) -> FrameGlance {
        let face = |(grade, doubts): &(Grade, &[Reason])| {
            let quality = wire::Quality::default();
            (Rect::default(), Judgement { quality, grade: *grade, doubts: doubts.to_vec() })
        };
        FrameGlance { width: side, height: side, faces: faces.iter().map(face).collect() }
    }

    #[test]
    fn only_one_clear_face_is_good() {
        let good: (Grade, &[Reason]) = (Grade::Accept, &[]);
        let say = |side, faces: &[_]| {
            let hint = hint(&glance(side, faces));
            (hint.ready, hint.say)
        };
        assert_eq!(say(200, &[good]), (true, HintWord::One(vec![])));
        assert_eq!(say(99, &[good]), (false, HintWord::Small));
        assert_eq!(say(200, &[]), (false, HintWord::Nobody));
        assert_eq!(say(200, &[good, good]), (false, HintWord::Several(2)));
        let blurred: (Grade, &[Reason]) = (Grade::ReviewOnly, &[Reason::Blurred]);
        assert_eq!(say(200, &[blurred]), (false, HintWord::One(vec![Reason::Blurred])));
    }
}
