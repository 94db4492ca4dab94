//! Which of the images looked at are learnt from.
//!
//! Late in a run nearly every image is read right, and teaches next to nothing for the full price
//! of a step's way back. So a step can read several images for each that it learns from, and prefer
//! those with a large gradient. Each of them counts as much as it was unlikely to be taken, so the
//! expected gradient is that of all images looked at, and its variance much less than that of as
//! few taken blindly (Katharopoulos and Fleuret, "Not All Samples Are Created Equal: Deep Learning
//! with Importance Sampling", ICML 2018, whose bound on the gradient this uses).

use burn::tensor::activation::softmax;
use burn::tensor::{Int, Tensor, TensorReadError};
use captcha_model::Vocabulary;

use crate::files::hash;

/// Share of the mean score that an image has at least: bounds the weights, and so what one image
/// can do that seemed easy and was not.
const FLOOR: f64 = 0.25;

/// Images to learn from, as indices into those looked at, and what each counts for.
#[derive(Clone, Debug, PartialEq)]
pub struct Selection {
    /// Which, in order, none twice.
    pub indices: Vec<usize>,
    /// What each counts for: one, were all as likely.
    pub weights: Vec<f32>,
}

/// Norm of the loss's gradient in the logits, for each image: what bounds its gradient in all else.
///
/// # Shapes
///
/// - `logits`: `[batch, steps, classes]`
/// - `targets`: `[batch, steps]`, padded
/// - output: `batch` numbers
///
/// # Errors
///
/// If the tensors' values cannot be read.
pub fn gradient_norms(
    logits: Tensor<3>,
    targets: Tensor<2, Int>,
) -> Result<Vec<f32>, TensorReadError> {
    let counts = targets.clone().not_equal_elem(Vocabulary::PAD as i32);
    let answers = softmax(logits, 2);
    let right: Tensor<2> = answers
        .clone()
        .gather(2, targets.unsqueeze_dim(2))
        .squeeze_dim(2);
    // |p - y|^2 of a one-hot y is |p|^2 - 2 p_y + 1.
    let squares: Tensor<2> = answers.square().sum_dim(2).squeeze_dim(2);
    let squares = squares - right.mul_scalar(2.0) + 1.0;
    let norms = (squares * counts.float()).sum_dim(1).clamp_min(0.0).sqrt();
    norms.try_into_data()?.try_into_vec().map_err(Into::into)
}

/// Takes `count` images, each as likely as its score is large, by systematic sampling.
///
/// All are taken, each counting for one, if `count` is not smaller than their number.
pub fn select(scores: &[f32], count: usize) -> Selection {
    let count = count.min(scores.len());
    let chances = chances(scores, count);
    let (mut indices, mut weights) = (Vec::with_capacity(count), Vec::with_capacity(count));
    let mut sum = start(scores);
    for (index, chance) in chances.iter().enumerate() {
        sum += chance;
        if sum >= 1.0 && indices.len() < count {
            sum -= 1.0;
            indices.push(index);
            weights.push((count as f64 / (scores.len() as f64 * chance)) as f32);
        }
    }
    Selection { indices, weights }
}

/// Where sampling starts, 0..1: as if drawn, but the same for the same scores, so that a run can be
/// repeated whatever its workers' order.
fn start(scores: &[f32]) -> f64 {
    let bytes: Vec<u8> = scores
        .iter()
        .flat_map(|score| score.to_le_bytes())
        .collect();
    let first = hash(&bytes).first_chunk().copied().unwrap_or_default();
    u64::from_be_bytes(first) as f64 / 2f64.powi(64)
}

/// Chance of each image to be taken: proportional to its score, at most one, `count` in sum.
fn chances(scores: &[f32], count: usize) -> Vec<f64> {
    let images = scores.len();
    if count >= images {
        return vec![1.0; images];
    }
    let scores = scores.iter().map(|&score| f64::from(score));
    let mean = scores.clone().sum::<f64>() / images as f64;
    let scores: Vec<f64> = if mean > 0.0 && mean.is_finite() {
        scores.map(|score| score + FLOOR * mean).collect()
    } else {
        vec![1.0; images]
    };
    // Those that are certain to be taken leave the rest to share what remains.
    let mut certain = vec![false; images];
    loop {
        let taken = certain.iter().filter(|&&certain| certain).count();
        let rest: f64 = (scores.iter().zip(&certain))
            .filter_map(|(score, certain)| (!certain).then_some(score))
            .sum();
        let scale = (count - taken) as f64 / rest;
        let more: Vec<usize> = (0..images)
            .filter(|&image| !certain[image] && scores[image] * scale >= 1.0)
            .collect();
        if more.is_empty() {
            return (scores.iter().zip(&certain))
                .map(|(score, &certain)| if certain { 1.0 } else { score * scale })
                .collect();
        }
        for image in more {
            certain[image] = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn start_is_that_of_every_version() {
        // The first eight bytes of SHA-256 of 0.5 and 1.0 in little-endian.
        assert_eq!(
            start(&[0.5, 1.0]),
            0x9612447463caefad_u64 as f64 / 2f64.powi(64)
        );
    }
}
