//! Preprocessed and encoded images.

use burn::tensor::Tensor;

/// Preprocessed images, ready for the encoder.
#[derive(Clone, Debug)]
pub struct Inputs {
    /// `[batch, channels, height, width]`, values 0..1
    pub(crate) images: Tensor<4>,
    /// Whether each image is blank.
    pub(crate) blank: Vec<bool>,
}

/// Encoded images.
#[derive(Clone, Debug)]
pub struct Encoded {
    /// `[batch, positions, features]`
    pub(crate) features: Tensor<3>,
    /// Whether each image is blank.
    pub(crate) blank: Vec<bool>,
}

impl Inputs {
    /// The images of several inputs, in order; `None` if there are no inputs.
    pub fn cat(inputs: Vec<Self>) -> Option<Self> {
        let (images, blank): (Vec<_>, Vec<_>) = inputs
            .into_iter()
            .map(|input| (input.images, input.blank))
            .unzip();
        (!images.is_empty()).then(|| Self {
            images: Tensor::cat(images, 0),
            blank: blank.concat(),
        })
    }

    /// The images: `[batch, channels, height, width]`, values 0..1.
    pub fn images(&self) -> &Tensor<4> {
        &self.images
    }

    /// Whether each image is blank.
    pub fn blank(&self) -> &[bool] {
        &self.blank
    }
}

impl Encoded {
    /// The features: `[batch, positions, features]`.
    pub fn features(&self) -> &Tensor<3> {
        &self.features
    }
}

/// Images that are taken as not blank.
impl From<Tensor<4>> for Inputs {
    fn from(images: Tensor<4>) -> Self {
        let blank = vec![false; images.dims()[0]];
        Self { images, blank }
    }
}

/// Features of images that are taken as not blank.
impl From<Tensor<3>> for Encoded {
    fn from(features: Tensor<3>) -> Self {
        let blank = vec![false; features.dims()[0]];
        Self { features, blank }
    }
}
