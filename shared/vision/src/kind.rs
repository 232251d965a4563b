//! The networks of other makers that we know how to feed and to read.

use serde::{Deserialize, Serialize};

/// A network we know how to feed and to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Detector, 1 place a cell.
    Yunet,
    /// Detector, 2 places a cell.
    Scrfd,
    /// Embedder, 128 numbers.
    Sface,
    /// Embedder, 128 or 512 numbers.
    MobileFaceNet,
    /// Embedder, 512 numbers.
    IResNet,
    /// Embedder (Inception-ResNet v1), 512 numbers.
    FaceNet,
}

impl Kind {
    /// Whether it finds faces; else it tells them apart.
    #[must_use]
    pub fn detects(self) -> bool {
        matches!(self, Self::Yunet | Self::Scrfd)
    }
}
