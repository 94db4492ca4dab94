//! Preprocessed and encoded images.

use burn::tensor::Tensor;

use crate::config::Grid;

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
    /// The positions that attention weighs; `None` for those of the configured input.
    pub(crate) grid: Option<Grid>,
    /// Whether each image is blank.
    pub(crate) blank: Vec<bool>,
}

/// Inputs of one size, and the places of their images.
#[derive(Clone, Debug)]
pub struct InputBatch {
    /// The inputs.
    pub inputs: Inputs,
    /// The place of each image among the images of all batches.
    pub places: Vec<usize>,
}

impl Inputs {
    /// Stacks inputs of the same size. The images' places count through all inputs.
    pub fn batches(inputs: Vec<Self>) -> Vec<InputBatch> {
        let mut groups: Vec<(Vec<Self>, Vec<usize>)> = Vec::new();
        let mut place = 0;
        for input in inputs {
            let [count, shape @ ..] = input.images.dims();
            let places = place..place + count;
            place += count;
            let same = |(group, _): &&mut (Vec<Self>, _)| group[0].images.dims()[1..] == shape;
            match groups.iter_mut().find(same) {
                Some((group, taken)) => {
                    group.push(input);
                    taken.extend(places);
                }
                None => groups.push((vec![input], places.collect())),
            }
        }
        groups
            .into_iter()
            .map(|(inputs, places)| InputBatch {
                inputs: Self::cat(inputs),
                places,
            })
            .collect()
    }

    /// The images of at least one input, all of the same size.
    fn cat(mut inputs: Vec<Self>) -> Self {
        // burn would copy it.
        if inputs.len() == 1 {
            return inputs.remove(0);
        }
        let (images, blank): (Vec<_>, Vec<_>) = inputs
            .into_iter()
            .map(|input| (input.images, input.blank))
            .unzip();
        Self {
            images: Tensor::cat(images, 0),
            blank: blank.concat(),
        }
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

/// Features of images of the configured size that are taken as not blank.
impl From<Tensor<3>> for Encoded {
    fn from(features: Tensor<3>) -> Self {
        let blank = vec![false; features.dims()[0]];
        Self {
            features,
            grid: None,
            blank,
        }
    }
}
