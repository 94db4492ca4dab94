//! The built-in looks of the generator that resemble labelled images most.

use anyhow::{Result, anyhow};
use burn::tensor::{Device, Tensor};
use captcha_model::image::{batch, preprocess};
use captcha_model::{ModelConfig, Network, Weights};
use captcha_synth::{FontSet, Generator, Look, Split, TextSource};
use rayon::prelude::*;

use crate::data::synthetic::example_of;

/// Images of each look that are compared.
const IMAGES: usize = 24;
/// Smallest spread that a statistic is divided by.
const MIN_SPREAD: f32 = 1e-3;

/// What is compared with the built-in looks.
pub(super) struct Comparison<'a> {
    /// The weights whose encoder describes images.
    pub(super) weights: &'a Weights,
    /// Their configuration, with the input that the run has.
    pub(super) config: &'a ModelConfig,
    /// Texts of the looks' images.
    pub(super) texts: &'a TextSource,
    /// Seed of the looks' images.
    pub(super) seed: u64,
}

impl Comparison<'_> {
    /// The `count` built-in looks nearest to preprocessed images, nearest first.
    ///
    /// An image is described by mean and standard deviation of each channel after each block of the
    /// encoder, which depend little on what is written (the statistics that transfer a style in
    /// Huang and Belongie 2017, "Arbitrary Style Transfer in Real-time with Adaptive Instance
    /// Normalization"). The distance is that of the means over the images, each statistic relative
    /// to its spread over all looks.
    ///
    /// # Errors
    ///
    /// If the device fails.
    pub(super) fn nearest(&self, images: Vec<Vec<f32>>, count: usize) -> Result<Vec<Look>> {
        let network = self.weights.network(&Device::flex())?;
        let wanted = self.describe(&network, images)?;
        let looks: Vec<(Look, Vec<f32>)> = Look::names()
            .collect::<Vec<_>>()
            .into_par_iter()
            .map(|name| {
                let look = Look::named(name)?;
                let generator =
                    Generator::of_look(look.clone(), FontSet::Train, Split::Train, self.seed)
                        .with_texts(self.texts.clone());
                let images = (0..IMAGES as u64)
                    .map(|index| {
                        let image = example_of(generator.sample(index))?.image;
                        Ok(preprocess(&image, self.config)?)
                    })
                    .collect::<Result<_>>()?;
                Ok((look, self.describe(&network, images)?))
            })
            .collect::<Result<_>>()?;
        let spread = spreads(looks.iter().map(|(_, statistics)| statistics.as_slice()));
        let distance = |statistics: &[f32]| -> f32 {
            let pairs = statistics.iter().zip(&wanted).zip(&spread);
            pairs
                .map(|((a, b), spread)| ((a - b) / spread).powi(2))
                .sum()
        };
        let mut looks: Vec<(f32, Look)> = looks
            .into_iter()
            .map(|(look, statistics)| (distance(&statistics), look))
            .collect();
        looks.sort_by(|a, b| a.0.total_cmp(&b.0));
        Ok(looks
            .into_iter()
            .take(count)
            .map(|(_, look)| look)
            .collect())
    }

    /// Mean and standard deviation of each channel after each block, averaged over the images.
    fn describe(&self, network: &Network, images: Vec<Vec<f32>>) -> Result<Vec<f32>> {
        let mut maps = batch(images, self.config, &Device::flex());
        let mut statistics = Vec::new();
        for block in &network.encoder.blocks {
            maps = block.forward(maps);
            let [images, channels, rows, cols] = maps.dims();
            let values = maps.clone().reshape([images, channels, rows * cols]);
            let (variance, mean) = values.var_mean(2);
            for statistic in [mean, variance.sqrt()] {
                let mean: Tensor<1> = statistic.mean_dim(0).reshape([channels]);
                let data = mean.try_into_data().map_err(|error| anyhow!("{error:?}"))?;
                let values = data
                    .try_to_vec::<f32>()
                    .map_err(|error| anyhow!("{error:?}"))?;
                statistics.extend(values);
            }
        }
        Ok(statistics)
    }
}

/// The standard deviation of each statistic over the looks.
fn spreads<'a>(looks: impl ExactSizeIterator<Item = &'a [f32]> + Clone) -> Vec<f32> {
    let count = looks.len() as f32;
    let width = looks.clone().next().map_or(0, <[f32]>::len);
    (0..width)
        .map(|at| {
            let values = looks.clone().map(|look| look[at]);
            let mean = values.clone().sum::<f32>() / count;
            let variance = values.map(|value| (value - mean).powi(2)).sum::<f32>() / count;
            variance.sqrt().max(MIN_SPREAD)
        })
        .collect()
}
