//! dlib's own serialisation of its face recognition ResNet
//! (`dlib_face_recognition_resnet_model_v1.dat`).
//!
//! Layout: loss layer, one version per layer (outermost first), input layer, then the bodies of the
//! layers (innermost first). Source: `dlib/dnn/layers.h`, read and proved against dlib's outputs.

use super::{ConvertError, Cursor, Tensors};

/// A layer of the network as far as its bytes differ.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Layer {
    /// Filters, rows (= columns) of a filter, stride.
    Conv(usize, usize, i64),
    Affine,
    Relu,
    AddPrev,
    MaxPool,
    AvgPool,
    AvgAll,
    Fc,
    /// Tags and skips name a place and have no body.
    Mark,
}

/// Converts the `.dat` file: `conv00` to `conv28` with weight `[out, in, h, w]` and bias, `aff00`
/// to `aff28` with gamma and beta, and `fc.weight` as `[in, out]`, all f32.
///
/// # Errors
/// [`ConvertError::Unexpected`] for anything but that network, to the last byte.
pub fn dlib_resnet(dat: &[u8]) -> Result<Vec<u8>, ConvertError> {
    let mut reader = Reader(Cursor::new(dat));
    let mut tensors = Tensors::default();
    let layers = network();
    reader.int_is(1, "loss layer version 1")?;
    reader.text_is("loss_metric_2")?;
    reader.float()?;
    reader.float()?;
    let mut versions =
        layers.iter().map(|_| reader.int()).collect::<Result<Vec<_>, ConvertError>>()?;
    versions.reverse();
    reader.text_is("input_rgb_image_sized")?;
    for _ in 0..3 {
        reader.float()?;
    }
    reader.int_is(150, "an input of 150 pixels")?;
    reader.int_is(150, "an input of 150 pixels")?;
    let mut convs = 0;
    for (&layer, &version) in layers.iter().zip(&versions) {
        reader.layer(layer, version, &mut convs, &mut tensors)?;
    }
    reader.0.expect(reader.0.at == dat.len(), "the end of the file")?;
    tensors.to_safetensors()
}

fn network() -> Vec<Layer> {
    use Layer::{Affine, AvgAll, Conv, Fc, MaxPool, Relu};
    let mut layers = vec![Conv(32, 7, 2), Affine, Relu, MaxPool];
    let stages = [(32, 3, false), (64, 3, true), (128, 2, true), (256, 2, true), (256, 0, true)];
    for (filters, blocks, shrinks) in stages {
        if shrinks {
            block(&mut layers, filters, 2);
        }
        for _ in 0..blocks {
            block(&mut layers, filters, 1);
        }
    }
    layers.extend([AvgAll, Fc]);
    layers
}

/// Two convolutions and the way around them; stride 2 halves the picture on both ways.
fn block(layers: &mut Vec<Layer>, filters: usize, stride: i64) {
    use Layer::{AddPrev, Affine, AvgPool, Conv, Mark, Relu};
    layers.extend([Mark, Conv(filters, 3, stride), Affine, Relu, Conv(filters, 3, 1), Affine]);
    if stride == 2 {
        layers.extend([Mark, Mark, AvgPool]);
    }
    layers.extend([AddPrev, Relu]);
}

struct Reader<'a>(Cursor<'a>);

impl Reader<'_> {
    /// A control byte (sign, length), then that many bytes of magnitude, least first.
    fn int(&mut self) -> Result<i64, ConvertError> {
        let control = self.0.byte()?;
        let length = usize::from(control & 0x0f);
        self.0.expect(control & 0x70 == 0 && (1..=8).contains(&length), "an integer")?;
        let mut magnitude = [0; 8];
        magnitude[..length].copy_from_slice(self.0.take(length)?);
        let magnitude = i64::from_le_bytes(magnitude);
        self.0.expect(magnitude >= 0, "an integer below 2⁶³")?;
        Ok(if control & 0x80 == 0 { magnitude } else { -magnitude })
    }

    fn int_is(&mut self, wanted: i64, what: &'static str) -> Result<(), ConvertError> {
        let found = self.int()?;
        self.0.expect(found == wanted, what)
    }

    fn size(&mut self) -> Result<usize, ConvertError> {
        let size = self.int()?;
        usize::try_from(size).map_err(|_| self.0.unexpected("a size"))
    }

    /// Mantissa and exponent. Nothing we keep is stored so: only skipped.
    fn float(&mut self) -> Result<(), ConvertError> {
        self.int()?;
        self.int().map(drop)
    }

    fn text_is(&mut self, wanted: &'static str) -> Result<(), ConvertError> {
        let length = self.size()?;
        let found = self.0.take(length)?;
        self.0.expect(found == wanted.as_bytes(), wanted)
    }

    fn flag(&mut self) -> Result<(), ConvertError> {
        let found = self.0.byte()?;
        self.0.expect(matches!(found, b'0' | b'1'), "a flag, 0 or 1")
    }

    fn dims(&mut self, version: i64) -> Result<[usize; 4], ConvertError> {
        self.int_is(version, "a tensor of a known version")?;
        Ok([self.size()?, self.size()?, self.size()?, self.size()?])
    }

    /// Shape, then raw little-endian f32.
    fn tensor(&mut self) -> Result<Vec<u8>, ConvertError> {
        let dims = self.dims(2)?;
        let bytes = dims.iter().try_fold(4usize, |product, &dim| product.checked_mul(dim));
        let bytes = bytes.ok_or_else(|| self.0.unexpected("a tensor that fits into memory"))?;
        Ok(self.0.take(bytes)?.to_vec())
    }

    fn layer(
        &mut self,
        layer: Layer,
        version: i64,
        convs: &mut usize,
        tensors: &mut Tensors,
    ) -> Result<(), ConvertError> {
        match layer {
            Layer::Mark => return self.0.expect(version == 1, "a tag or skip of version 1"),
            Layer::Conv(filters, side, stride) => {
                self.conv(filters, side, stride, *convs, tensors)?;
                *convs += 1;
            }
            Layer::Affine => self.affine(*convs - 1, tensors)?,
            Layer::Relu => self.text_is("relu_")?,
            Layer::AddPrev => self.text_is("add_prev_")?,
            Layer::MaxPool => self.pool("max_pool_2", [3, 3, 2, 2, 0, 0])?,
            Layer::AvgPool => self.pool("avg_pool_2", [2, 2, 2, 2, 0, 0])?,
            Layer::AvgAll => self.pool("avg_pool_2", [0, 0, 1, 1, 0, 0])?,
            Layer::Fc => self.fc(tensors)?,
        }
        self.training_state(version)
    }

    /// What training left behind: three flags, two or three empty tensors.
    fn training_state(&mut self, version: i64) -> Result<(), ConvertError> {
        for _ in 0..3 {
            self.flag()?;
        }
        for _ in 0..if version >= 2 { 3 } else { 2 } {
            let left = self.tensor()?;
            self.0.expect(left.is_empty(), "no gradients in a finished network")?;
        }
        if version >= 3 {
            self.int_is(1, "a sample expansion factor of 1")?;
        }
        Ok(())
    }

    fn conv(
        &mut self,
        filters: usize,
        side: usize,
        stride: i64,
        index: usize,
        tensors: &mut Tensors,
    ) -> Result<(), ConvertError> {
        self.text_is("con_4")?;
        let mut weights = self.tensor()?;
        let shape = [self.size()?, self.size()?, self.size()?];
        self.0.expect(shape == [filters, side, side], "the filters of this layer")?;
        self.int_is(stride, "the stride of this layer")?;
        self.int_is(stride, "the stride of this layer")?;
        self.int()?;
        self.int()?;
        let shape = self.dims(1)?;
        let bias = self.dims(1)?;
        let known = shape[1] <= 256 && shape == [filters, shape[1], side, side];
        self.0.expect(known && bias == [1, filters, 1, 1], "aliases of the filters")?;
        let count = 4 * shape.iter().product::<usize>();
        self.0.expect(weights.len() == count + 4 * filters, "filters and as many biases")?;
        for _ in 0..4 {
            self.float()?;
        }
        let biases = weights.split_off(count);
        tensors.put(format!("conv{index:02}.weight"), shape.to_vec(), weights);
        tensors.put(format!("conv{index:02}.bias"), vec![filters], biases);
        Ok(())
    }

    fn affine(&mut self, index: usize, tensors: &mut Tensors) -> Result<(), ConvertError> {
        self.text_is("affine_")?;
        let mut gamma = self.tensor()?;
        let (shape, same) = (self.dims(1)?, self.dims(1)?);
        self.int_is(0, "an affine layer after a convolution")?;
        let [1, channels, 1, 1] = shape else {
            return Err(self.0.unexpected("one factor for each channel"));
        };
        let fits = channels <= 256 && gamma.len() == 8 * channels;
        self.0.expect(fits && same == shape, "gamma and beta")?;
        let beta = gamma.split_off(4 * channels);
        tensors.put(format!("aff{index:02}.gamma"), vec![channels], gamma);
        tensors.put(format!("aff{index:02}.beta"), vec![channels], beta);
        Ok(())
    }

    fn pool(&mut self, name: &'static str, wanted: [i64; 6]) -> Result<(), ConvertError> {
        self.text_is(name)?;
        wanted.into_iter().try_for_each(|number| self.int_is(number, "the pooling of this layer"))
    }

    /// The last layer multiplies from the right: its weight is `[in, out]`.
    fn fc(&mut self, tensors: &mut Tensors) -> Result<(), ConvertError> {
        self.text_is("fc_2")?;
        self.int_is(128, "128 outputs")?;
        self.int_is(256, "256 inputs")?;
        let weights = self.tensor()?;
        let (shape, bias) = (self.dims(1)?, self.dims(1)?);
        self.0.expect(shape == [256, 128, 1, 1] && bias == [0; 4], "a weight of 256 × 128")?;
        self.0.expect(weights.len() == 4 * 256 * 128, "256 × 128 weights")?;
        self.int_is(1, "a last layer without bias")?;
        for _ in 0..4 {
            self.float()?;
        }
        tensors.put("fc.weight".into(), vec![256, 128], weights);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn int(bytes: &[u8]) -> Result<i64, ConvertError> {
        Reader(Cursor::new(bytes)).int()
    }

    #[test]
    fn integers_have_a_sign_a_length_and_their_bytes() {
        assert_eq!(int(&[1, 5]).unwrap(), 5);
        assert_eq!(int(&[0x82, 0x34, 0x12]).unwrap(), -0x1234);
        assert!(int(&[0x11, 5]).is_err(), "the old text form");
        assert!(int(&[0, 5]).is_err() && int(&[2, 5]).is_err());
        assert!(int(&[8, 0, 0, 0, 0, 0, 0, 0, 0x80]).is_err());
    }

    #[test]
    fn the_network_has_130_layers_of_which_29_convolve() {
        let layers = network();
        assert_eq!(layers.len(), 130);
        assert_eq!(layers.iter().filter(|layer| matches!(layer, Layer::Conv(..))).count(), 29);
        assert_eq!(layers.iter().filter(|&&layer| layer == Layer::Mark).count(), 22);
    }

    #[test]
    fn a_tensor_that_promises_too_much_is_refused() {
        let mut bytes = vec![1, 2];
        bytes.extend([8, 255, 255, 255, 255, 255, 255, 255, 0x7f].repeat(4));
        assert!(Reader(Cursor::new(&bytes)).tensor().is_err());
        let few = [1, 2, 1, 9, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0];
        assert!(Reader(Cursor::new(&few)).tensor().is_err());
    }

    #[test]
    fn another_file_is_refused_with_the_place() {
        let error = dlib_resnet(b"\x01\x01\x01\x0dloss_metric_3").unwrap_err();
        assert!(error.to_string().contains("loss_metric_2"), "{error}");
    }
}
