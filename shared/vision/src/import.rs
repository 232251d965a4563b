//! A file of somebody else's becomes a network of ours: read, recognised, tried out.

use crate::{
    NetError,
    convert::ConvertError,
    golden::Golden,
    kind::{self, Kind, Known},
    onnx::{self, OnnxError},
    plan::Network,
};

/// Rows and columns of a detector's self-test; each stride divides them.
const DETECTOR_TEST: [usize; 2] = [64, 96];

/// A network taken over.
#[derive(Debug)]
pub struct Imported {
    /// What it is.
    pub known: Known,
    /// Weights and plan as safetensors.
    pub bytes: Vec<u8>,
    /// What it gave for the test picture.
    pub golden: Golden,
    /// Steps of the plan, for people.
    pub steps: usize,
    /// Multiplications for one picture of its size.
    pub products: usize,
}

/// Why a file was not taken over.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// It is not what our modules do.
    #[error(transparent)]
    Onnx(#[from] OnnxError),
    /// It does not run.
    #[error("the network was read but does not run: {0}")]
    Run(#[from] NetError),
    /// It cannot be written.
    #[error(transparent)]
    Write(#[from] ConvertError),
}

/// Reads an ONNX file.
///
/// # Errors
/// See [`ImportError`].
pub fn import(file: &[u8]) -> Result<Imported, ImportError> {
    let draft = onnx::read(file)?;
    let known = kind::recognise(&draft)?;
    let network = Network::of(&draft)?;
    let side = if known.kind.detects() { DETECTOR_TEST } else { draft.plan.side };
    let golden = Golden::record(&network, side).map_err(NetError::from)?;
    let (steps, products) = (draft.plan.steps.len(), draft.products);
    Ok(Imported { known, bytes: draft.to_safetensors()?, golden, steps, products })
}

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
