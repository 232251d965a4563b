//! Embedders of every pack behind one call, and how each wants to see a face.

use crate::{
    Chip, DlibNet, Face, NetError, Picture, Point, Template,
    align::{ARCFACE_SIDE, ARCFACE_TARGETS, align_to, boxed},
    kind::Kind,
    plan::Network,
};

/// Pixels across and down what FaceNet looks at.
const FACENET_SIDE: usize = 160;

/// Tells faces apart.
pub enum Embedder {
    /// Of the default pack.
    Dlib(Box<DlibNet>),
    /// Imported.
    Imported(Kind, Network),
}

/// A face cut out twice: as people and the quality measures see it, and as the embedder does.
#[derive(Clone, Debug)]
pub struct Cut {
    /// 150 pixels, upright: what is judged and shown, and what the default embedder sees.
    pub view: Chip,
    /// Where the embedder sees something else.
    input: Option<Chip>,
}

impl Cut {
    /// Of a chip alone: for the default pack.
    #[must_use]
    pub fn of(view: Chip) -> Self {
        Self { view, input: None }
    }

    fn input(&self) -> &Chip {
        self.input.as_ref().unwrap_or(&self.view)
    }
}

impl Embedder {
    /// Cuts a face out of its picture. `targets` are the detector's in the default chip.
    #[must_use]
    pub fn cut(&self, picture: &Picture, face: &Face, targets: &[Point; 5]) -> Cut {
        let view = align_to(picture, &face.points, targets, crate::align::SIDE);
        let input = match self {
            Self::Dlib(_) => None,
            // The box as it is, stretched: what facenet_pytorch does.
            Self::Imported(Kind::FaceNet, _) => Some(boxed(picture, &face.rect, FACENET_SIDE)),
            Self::Imported(..) => {
                Some(align_to(picture, &face.points, &ARCFACE_TARGETS, ARCFACE_SIDE))
            }
        };
        Cut { view, input }
    }

    /// One template for each cut.
    ///
    /// # Errors
    /// When a cut is not this embedder's, or a computation fails.
    pub fn embed(&self, cuts: &[Cut]) -> Result<Vec<Template>, NetError> {
        match self {
            Self::Dlib(net) => net.embed(&chips(cuts, Chip::clone)),
            Self::Imported(kind, net) => imported(*kind, net, cuts),
        }
    }

    /// One template for each cut as it is, without its mirror image.
    ///
    /// # Errors
    /// As [`Embedder::embed`].
    pub fn glance(&self, cuts: &[Cut]) -> Result<Vec<Template>, NetError> {
        match self {
            Self::Dlib(net) => net.glance(&chips(cuts, Chip::clone)),
            Self::Imported(kind, net) => imported(*kind, net, cuts),
        }
    }

    /// One template for each cut's mirror image; nothing where the embedder does without.
    ///
    /// # Errors
    /// As [`Embedder::embed`].
    pub fn mirror(&self, cuts: &[Cut]) -> Result<Option<Vec<Template>>, NetError> {
        match self {
            Self::Dlib(net) => net.glance(&chips(cuts, Chip::mirrored)).map(Some),
            Self::Imported(..) => Ok(None),
        }
    }
}

fn chips(cuts: &[Cut], of: impl Fn(&Chip) -> Chip) -> Vec<Chip> {
    cuts.iter().map(|cut| of(cut.input())).collect()
}

fn imported(kind: Kind, net: &Network, cuts: &[Cut]) -> Result<Vec<Template>, NetError> {
    cuts.iter().map(|cut| one(kind, net, cut.input())).collect()
}

fn one(kind: Kind, net: &Network, chip: &Chip) -> Result<Template, NetError> {
    let side = chip.side();
    let mut outputs = net.run(pixels(kind, chip), [side, side])?;
    Ok(Template::from_raw(outputs.pop().unwrap_or_default())?)
}

/// The chip's pixels as the network was trained on them, red first.
fn pixels(kind: Kind, chip: &Chip) -> Vec<f32> {
    let (mean, scale) = match kind {
        // Its first layers do it themselves.
        Kind::Sface => (0.0, 1.0),
        Kind::FaceNet => (127.5, 1.0 / 128.0),
        _ => (127.5, 1.0 / 127.5),
    };
    chip.rgb().iter().map(|&byte| (f32::from(byte) - mean) * scale).collect()
}
