//! Under which licence a network usually comes, and what has to be said before it is used.

use crate::known::Known;
use vision::kind::Kind;

/// Whose a network usually is, and what its users have to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Licence {
    /// SPDX name where it is known, else a few words.
    pub name: &'static str,
    /// Where it usually comes from.
    pub source: &'static str,
    /// What has to be said before it is used.
    pub warning: Option<&'static str>,
}

/// The one file whose origin is proven: YuNet of March 2023 in `opencv_zoo`.
const YUNET_2023: &str = "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4";

impl Licence {
    /// Of a file with this hash (lower-case hex) and of this kind.
    #[must_use]
    pub fn of(sha256: &str, known: &Known) -> Self {
        const ZOO: &str = "https://github.com/opencv/opencv_zoo";
        const INSIGHT: &str = "https://github.com/deepinsight/insightface";
        const UNPROVEN: &str =
            "the origin of this file is not proven: make sure that you may use it";
        const RESEARCH: &str = "networks of this kind come from InsightFace, whose weights are for \
             non-commercial research only: a school may not use them without an agreement";
        let (name, source, warning) = match known.kind {
            Kind::Yunet if sha256 == YUNET_2023 => ("MIT", ZOO, None),
            Kind::Yunet => ("MIT if it is opencv_zoo's", ZOO, Some(UNPROVEN)),
            Kind::Sface => ("Apache-2.0 if it is opencv_zoo's", ZOO, Some(UNPROVEN)),
            Kind::MobileFaceNet if known.slug == "mobilefacenet128" => {
                ("unknown", "unknown", Some(UNPROVEN))
            }
            Kind::Scrfd | Kind::IResNet | Kind::MobileFaceNet => {
                ("non-commercial research", INSIGHT, Some(RESEARCH))
            }
            Kind::FaceNet => ("unknown", "unknown", Some(UNPROVEN)),
        };
        Self { name, source, warning }
    }
}
