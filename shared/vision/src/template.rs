//! A face as the networks see it: a direction in space, of length 1.
//!
//! Templates of one model compare by cosine and by nothing else; those of two models do not
//! compare at all, so whoever stores one stores its `model_id` beside it.

use half::f16;

/// Why numbers are not a template.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum TemplateError {
    /// No component, or more than any model has.
    #[error("a face template has 1 to {MOST} components, not {0}")]
    Length(usize),
    /// NaN, an infinity, or a length too small to have a direction.
    #[error(
        "these numbers have no direction (zero, infinite or not a number): not a face template"
    )]
    Direction,
    /// Templates of different models.
    #[error("templates of {0} and {1} components come from different models and do not compare")]
    Mixed(usize, usize),
    /// A mean of nothing.
    #[error("the mean of no template at all was asked for")]
    None,
    /// Half a component.
    #[error("{0} bytes are no whole number of 16-bit components")]
    Bytes(usize),
}

/// Widest template any pack makes.
const MOST: usize = 4096;

/// A unit vector. It identifies a person, so it never prints and is wiped by whoever seals it.
#[derive(Clone, PartialEq)]
pub struct Template(Vec<f32>);

impl std::fmt::Debug for Template {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Template({} components)", self.0.len())
    }
}

impl Template {
    /// Normalises what a network put out.
    ///
    /// # Errors
    /// [`TemplateError::Length`] or [`TemplateError::Direction`].
    pub fn from_raw(mut raw: Vec<f32>) -> Result<Self, TemplateError> {
        if raw.is_empty() || raw.len() > MOST {
            return Err(TemplateError::Length(raw.len()));
        }
        let norm = raw.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>().sqrt();
        if !norm.is_finite() || norm < 1e-12 {
            return Err(TemplateError::Direction);
        }
        raw.iter_mut().for_each(|x| *x = (f64::from(*x) / norm) as f32);
        Ok(Self(raw))
    }

    /// The components; their squares add up to 1.
    #[must_use]
    pub fn as_slice(&self) -> &[f32] {
        &self.0
    }

    /// Number of components: 128 for the default pack.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.0.len()
    }

    /// Likeness, −1 to 1.
    ///
    /// # Panics
    /// When the templates differ in length, which only templates of different models do.
    #[must_use]
    pub fn cosine(&self, other: &Self) -> f32 {
        assert_eq!(self.dim(), other.dim(), "templates of different models do not compare");
        let dot: f64 =
            self.0.iter().zip(&other.0).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum();
        dot.clamp(-1.0, 1.0) as f32
    }

    /// The direction between all of `templates`. Beats best-of-three at enrolment and turns three
    /// probes into one far surer one (both measured on LFW).
    ///
    /// # Errors
    /// None given, different lengths, or opposites that cancel out.
    pub fn mean<'a>(templates: impl IntoIterator<Item = &'a Self>) -> Result<Self, TemplateError> {
        Self::weighted_mean(templates.into_iter().map(|template| (template, 1.0)))
    }

    /// The same with a weight for each: sharper looks count more.
    ///
    /// # Errors
    /// As [`Template::mean`].
    pub fn weighted_mean<'a>(
        templates: impl IntoIterator<Item = (&'a Self, f32)>,
    ) -> Result<Self, TemplateError> {
        let mut sum: Vec<f32> = Vec::new();
        for (template, weight) in templates {
            if sum.is_empty() {
                sum.resize(template.dim(), 0.0);
            }
            if sum.len() != template.dim() {
                return Err(TemplateError::Mixed(sum.len(), template.dim()));
            }
            sum.iter_mut().zip(&template.0).for_each(|(sum, x)| *sum += x * weight);
        }
        if sum.is_empty() { Err(TemplateError::None) } else { Self::from_raw(sum) }
    }

    /// What several looks at one face come to: the mean of `glances`, each with its weight, and of
    /// one mirror image, which stands for those of all of them.
    ///
    /// # Errors
    /// As [`Template::mean`].
    pub fn fused<'a>(
        glances: impl IntoIterator<Item = (&'a Self, f32)>,
        mirror: Option<&Self>,
    ) -> Result<Self, TemplateError> {
        let mean = Self::weighted_mean(glances)?;
        mirror.map_or_else(|| Ok(mean.clone()), |mirror| Self::mean([&mean, mirror]))
    }

    /// Half-precision little-endian bytes, 2 a component: what galleries ship and tables seal.
    #[must_use]
    pub fn to_f16_bytes(&self) -> Vec<u8> {
        self.0.iter().flat_map(|&x| f16::from_f32(x).to_le_bytes()).collect()
    }

    /// Reads [`Template::to_f16_bytes`] and makes the length 1 again.
    ///
    /// # Errors
    /// An odd number of bytes, or numbers that are no template.
    pub fn from_f16_bytes(bytes: &[u8]) -> Result<Self, TemplateError> {
        let (pairs, []) = bytes.as_chunks::<2>() else {
            return Err(TemplateError::Bytes(bytes.len()));
        };
        Self::from_raw(pairs.iter().map(|&pair| f16::from_le_bytes(pair).to_f32()).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn template(raw: &[f32]) -> Template {
        Template::from_raw(raw.to_vec()).unwrap()
    }

    #[test]
    fn a_template_has_length_one() {
        assert_eq!(template(&[3.0, 4.0]).as_slice(), [0.6, 0.8]);
        assert_eq!(template(&[1e-9, 0.0]).as_slice(), [1.0, 0.0]);
    }

    #[test]
    fn numbers_without_a_direction_are_refused() {
        for raw in [[0.0, 0.0], [f32::NAN, 1.0], [f32::INFINITY, 1.0]] {
            assert_eq!(Template::from_raw(raw.to_vec()), Err(TemplateError::Direction));
        }
        assert_eq!(Template::from_raw(vec![]), Err(TemplateError::Length(0)));
        assert_eq!(Template::from_raw(vec![1.0; 5000]), Err(TemplateError::Length(5000)));
    }

    #[test]
    fn cosine_knows_same_right_angle_and_opposite() {
        let (east, north, west) = (template(&[1., 0.]), template(&[0., 2.]), template(&[-3., 0.]));
        assert_eq!([&east, &north, &west].map(|other| east.cosine(other)), [1.0, 0.0, -1.0]);
    }

    #[test]
    fn the_mean_lies_between_and_weights_pull_it() {
        let (east, north) = (template(&[1.0, 0.0]), template(&[0.0, 1.0]));
        let middle = Template::mean([&east, &north]).unwrap();
        assert!((middle.cosine(&east) - 0.5f32.sqrt()).abs() < 1e-6);
        let pulled = Template::weighted_mean([(&east, 4.0), (&north, 3.0)]).unwrap();
        assert!((pulled.cosine(&east) - 0.8).abs() < 1e-6);
    }

    #[test]
    fn one_mirror_image_counts_as_much_as_all_glances_together() {
        let (east, north) = (template(&[1.0, 0.0]), template(&[0.0, 1.0]));
        let glances = || [(&east, 1.0), (&east, 9.0)];
        assert_eq!(Template::fused(glances(), None).unwrap(), east);
        let both = Template::fused(glances(), Some(&north)).unwrap();
        assert!((both.cosine(&north) - 0.5f32.sqrt()).abs() < 1e-6);
        assert_eq!(Template::fused([], Some(&north)), Err(TemplateError::None));
    }

    #[test]
    fn a_mean_of_nothing_of_opposites_or_of_two_models_is_refused() {
        let (east, west, other) = (template(&[1., 0.]), template(&[-1., 0.]), template(&[1.]));
        assert_eq!(Template::mean([]), Err(TemplateError::None));
        assert_eq!(Template::mean([&east, &west]), Err(TemplateError::Direction));
        assert_eq!(Template::mean([&east, &other]), Err(TemplateError::Mixed(2, 1)));
    }

    /// Bytes that already lie on disks and wires: a change here needs a new format version.
    #[test]
    fn f16_bytes_are_golden() {
        let bytes = template(&[3.0, -4.0, 0.0]).to_f16_bytes();
        assert_eq!(bytes, [0xcd, 0x38, 0x66, 0xba, 0x00, 0x00]);
        assert_eq!(Template::from_f16_bytes(&bytes[..5]), Err(TemplateError::Bytes(5)));
        assert_eq!(Template::from_f16_bytes(&[0, 0x7e]), Err(TemplateError::Direction));
    }

    #[test]
    fn a_template_does_not_print_its_numbers() {
        assert_eq!(format!("{:?}", template(&[0.6, 0.8])), "Template(2 components)");
    }

    proptest! {
        #[test]
        fn f16_keeps_the_direction(raw in prop::collection::vec(-1.0f32..1.0, 16..256)) {
            prop_assume!(raw.iter().any(|x| x.abs() > 0.01));
            let whole = Template::from_raw(raw).unwrap();
            let back = Template::from_f16_bytes(&whole.to_f16_bytes()).unwrap();
            prop_assert!(whole.cosine(&back) > 0.999_99);
        }
    }
}
