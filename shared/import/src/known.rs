//! Which network is it? Told from its layers alone; names in a file mean nothing.

use crate::draft::Draft;
use crate::onnx::OnnxError;
use vision::detector::{STRIDES, YUNET_PARTS};
use vision::kind::Kind;
use vision::plan::{Output, Step};

/// A network recognised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Which.
    pub kind: Kind,
    /// Its name with its size.
    pub title: String,
    /// Short and plain, for the id of a model.
    pub slug: String,
}

/// A convolution as its letter and sizes: `C` 3×3, `P` 1×1, `D` depthwise 3×3, `G` depthwise over
/// the whole map, `F` dense over the whole map, `X` anything else.
struct Layer {
    letter: char,
    rows: usize,
    columns: usize,
    channels: usize,
    out: usize,
    stride: usize,
}

fn layers(draft: &Draft) -> Vec<Layer> {
    let of = |(i, step): (usize, &Step)| {
        let Step::Conv { x, w, stride, depthwise, .. } = step else { return None };
        let (size, _) = draft.weights.get(&format!("{w}.weight"))?;
        let &[out, channels, rows, columns] = size.as_slice() else { return None };
        let whole = draft.shapes[i + 1][1..] == [1, 1] && draft.shapes[*x][1..] == [rows, columns];
        let letter = match (depthwise, rows, columns) {
            (true, ..) if whole => 'G',
            (false, ..) if whole => 'F',
            (true, 3, 3) => 'D',
            (false, 3, 3) => 'C',
            (false, 1, 1) => 'P',
            _ => 'X',
        };
        Some(Layer { letter, rows, columns, channels, out, stride: *stride })
    };
    draft.plan.steps.iter().enumerate().filter_map(of).collect()
}

/// The network that a draft is.
///
/// # Errors
/// A sentence when it is none we know.
pub fn recognise(draft: &Draft) -> Result<Known, OnnxError> {
    let layers = layers(draft);
    let found = match draft.plan.outputs.len() {
        1 => embedder(draft, &layers),
        9 => scrfd(draft),
        12 => yunet(draft, &layers),
        _ => None,
    };
    found.ok_or_else(|| {
        let letters: String = layers.iter().map(|layer| layer.letter).take(40).collect();
        OnnxError::Frame(format!(
            "this is none of the networks Rollcall knows (detectors: YuNet, SCRFD; embedders: \
             SFace, MobileFaceNet, IResNet, FaceNet512): it has {} outputs and {} convolutions, \
             which begin {letters}",
            draft.plan.outputs.len(),
            layers.len(),
        ))
    })
}

fn known(kind: Kind, title: String, slug: impl Into<String>) -> Option<Known> {
    Some(Known { kind, title, slug: slug.into() })
}

fn embedder(draft: &Draft, layers: &[Layer]) -> Option<Known> {
    let letters: String = layers.iter().map(|layer| layer.letter).collect();
    let width = draft.plan.outputs.first()?.width;
    let ends = layers.last().is_some_and(|last| last.out == width);
    let side = draft.plan.side;
    if side == [112, 112] && ends {
        let title = |name: &str| format!("{name}, {width} numbers");
        if is_sface(&letters, layers) && width == 128 {
            return known(Kind::Sface, title("SFace"), "sface");
        }
        if is_mobile(&letters) && matches!(width, 128 | 512) {
            return known(
                Kind::MobileFaceNet,
                title("MobileFaceNet"),
                format!("mobilefacenet{width}"),
            );
        }
        if let Some(depth) = resnet_depth(&letters, layers)
            && width == 512
        {
            return known(
                Kind::IResNet,
                title(&format!("IResNet-{depth}")),
                format!("iresnet{depth}"),
            );
        }
    }
    let facenet = side == [160, 160] && ends && width == 512 && is_facenet(layers);
    if facenet {
        known(Kind::FaceNet, "FaceNet512, 512 numbers".into(), "facenet512")
    } else {
        None
    }
}

/// `MobileNet` v1: a stem, thirteen times depthwise and 1×1, a dense layer over a 7×7 map.
fn is_sface(letters: &str, layers: &[Layer]) -> bool {
    let stem = layers.first().map_or(0, |layer| layer.out);
    letters == format!("C{}F", "DP".repeat(13))
        && layers.last().is_some_and(|last| last.channels == stem * 32 && last.rows == 7)
}

/// A stem, bottlenecks, 1×1, one filter of 7×7 for each channel, a dense layer.
fn is_mobile(letters: &str) -> bool {
    let body = letters.strip_prefix('C').and_then(|rest| rest.strip_suffix("PGF"));
    let Some(body) = body else { return false };
    ["", "D", "DP"].into_iter().any(|stem| {
        let blocks = body.strip_prefix(stem).unwrap_or_default();
        blocks.len() >= 9 && blocks.len() % 3 == 0 && blocks == "PDP".repeat(blocks.len() / 3)
    })
}

/// A stem, units of two 3×3 with a 1×1 beside the first of each stage, widths doubling, a dense
/// layer over a 7×7 map. Layers are counted as the papers do.
fn resnet_depth(letters: &str, layers: &[Layer]) -> Option<usize> {
    let mut rest = letters.strip_prefix('C')?;
    let (mut units, mut stages) = (0, 0);
    while let Some(after) = rest.strip_prefix("CC") {
        let (first, second) = (rest, after);
        rest = second.strip_prefix('P').unwrap_or(second);
        stages += usize::from(rest.len() < second.len());
        units += 1;
        debug_assert!(rest.len() < first.len(), "each unit takes letters");
    }
    let stem = layers.first()?.out;
    let last = layers.last()?;
    let fits = rest == "F" && stages == 4 && last.channels == stem * 8 && last.rows == 7;
    let depth = [(8, 18), (16, 34), (24, 50), (49, 100)];
    depth.into_iter().find(|&(count, _)| fits && count == units).map(|(_, depth)| depth)
}

/// Inception-ResNet v1: the very convolutions of it, in any order, perhaps all narrower.
fn is_facenet(layers: &[Layer]) -> bool {
    let Some(first) = layers.first().filter(|layer| layer.out > 0 && 32 % layer.out == 0) else {
        return false;
    };
    let part = 32 / first.out;
    let mut wanted = inception(part);
    let mut found: Vec<_> = layers
        .iter()
        .take(layers.len() - 1)
        .map(|layer| [layer.rows, layer.columns, layer.channels, layer.out, layer.stride])
        .collect();
    wanted.sort_unstable();
    found.sort_unstable();
    wanted == found && layers.last().is_some_and(|last| last.channels == 1792 / part)
}

/// Rows, columns, channels, filters and stride of every convolution but the dense one; all widths
/// divided by `part`.
fn inception(part: usize) -> Vec<[usize; 5]> {
    let mut all = vec![[3, 3, 3 * part, 32, 2], [3, 3, 32, 32, 1], [3, 3, 32, 64, 1]];
    all.extend([[1, 1, 64, 80, 1], [3, 3, 80, 192, 1], [3, 3, 192, 256, 2]]);
    for _ in 0..5 {
        all.extend([[1, 1, 256, 32, 1]; 3]);
        all.extend([[3, 3, 32, 32, 1]; 3]);
        all.push([1, 1, 96, 256, 1]);
    }
    all.extend([[3, 3, 256, 384, 2], [1, 1, 256, 192, 1], [3, 3, 192, 192, 1]]);
    all.push([3, 3, 192, 256, 2]);
    for _ in 0..10 {
        all.extend([[1, 1, 896, 128, 1]; 2]);
        all.extend([[1, 7, 128, 128, 1], [7, 1, 128, 128, 1], [1, 1, 256, 896, 1]]);
    }
    all.extend([[1, 1, 896, 256, 1]; 3]);
    all.extend([[3, 3, 256, 384, 2], [3, 3, 256, 256, 2], [3, 3, 256, 256, 1]]);
    all.push([3, 3, 256, 256, 2]);
    for _ in 0..6 {
        all.extend([[1, 1, 1792, 192, 1]; 2]);
        all.extend([[1, 3, 192, 192, 1], [3, 1, 192, 192, 1], [1, 1, 384, 1792, 1]]);
    }
    let narrow = |[rows, columns, channels, out, stride]: [usize; 5]| {
        [rows, columns, channels / part, out / part, stride]
    };
    all.into_iter().map(narrow).collect()
}

/// For each of the strides 8, 16 and 32: two scores, boxes and five points a cell.
fn scrfd(draft: &Draft) -> Option<Known> {
    for stride in [8, 16, 32] {
        for width in [1, 4, 10] {
            let fits = |output: &&Output| {
                let [c, h, w] = draft.shapes[output.from];
                let side = draft.plan.side;
                output.width == width
                    && c == 2 * width
                    && [h * stride, w * stride] == [side[0], side[1]]
            };
            if draft.plan.outputs.iter().filter(fits).count() != 1 {
                return None;
            }
        }
    }
    // Multiplications at 640×480 give the sizes their names.
    let [rows, columns] = draft.plan.side;
    let products = draft.products as f64 * (640.0 * 480.0) / (rows * columns) as f64;
    let (size, slug) = match products / 1e9 {
        ..1.2 => ("500M", "scrfd500m"),
        ..5.0 => ("2.5G", "scrfd2.5g"),
        _ => ("10G", "scrfd10g"),
    };
    known(Kind::Scrfd, format!("SCRFD-{size}"), slug)
}

/// The names of its outputs, and the very sequence of its layers.
fn yunet(draft: &Draft, layers: &[Layer]) -> Option<Known> {
    let named = |name: String| draft.plan.outputs.iter().any(|output| output.name == name);
    let all = YUNET_PARTS.iter().all(|(part, width)| {
        STRIDES.iter().all(|stride| {
            let name = format!("{part}_{stride}");
            let fits = draft.plan.outputs.iter().find(|output| output.name == name);
            named(name.clone()) && fits.is_some_and(|output| output.width == *width)
        })
    });
    let units = [
        (16, 16),
        (16, 16),
        (16, 32),
        (32, 32),
        (32, 64),
        (64, 64),
        (64, 64),
        (64, 64),
        (64, 64),
        (64, 64),
        (64, 64),
        (64, 64),
        (64, 64),
        (64, 64),
        (64, 1),
        (64, 1),
        (64, 1),
        (64, 4),
        (64, 4),
        (64, 4),
        (64, 1),
        (64, 1),
        (64, 1),
        (64, 10),
        (64, 10),
        (64, 10),
    ];
    let mut wanted = vec![[3, 3, 3, 16, 2]];
    for (channels, out) in units {
        wanted.extend([[1, 1, channels, out, 1], [3, 3, 1, out, 1]]);
    }
    let found: Vec<_> = layers
        .iter()
        .map(|layer| [layer.rows, layer.columns, layer.channels, layer.out, layer.stride])
        .collect();
    if all && found == wanted { known(Kind::Yunet, "YuNet".into(), "yunet") } else { None }
}
