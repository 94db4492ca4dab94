//! Importance sampling: a step trains on the images of a batch with the largest gradients.
//!
//! Late in a run nearly every answer is correct, and most images contribute little at the full
//! price of a backward pass. A step therefore scores several images for each one that it trains on,
//! and samples those with large gradients more often. Each sampled image has a weight inverse to
//! its probability, so the expected gradient is that of the whole batch, with a much smaller
//! variance than that of uniform sampling (Katharopoulos and Fleuret, "Not All Samples Are Created
//! Equal: Deep Learning with Importance Sampling", ICML 2018; the score is their bound of the
//! gradient norm).

use burn::tensor::activation::softmax;
use burn::tensor::{Int, Tensor, TensorReadError};
use captcha_model::Vocabulary;

use captcha_evaluation::files::hash;

/// Share of the mean score that is added to each score. It bounds the weights of images with small
/// scores.
const MIN_SCORE: f64 = 0.25;

/// Sampled images and their weights.
#[derive(Clone, Debug, PartialEq)]
pub struct ImportanceSample {
    /// Indices in the batch, ascending and distinct.
    pub indices: Vec<usize>,
    /// Weight of each; one if all probabilities are equal.
    pub weights: Vec<f32>,
}

/// Norm of the loss's gradient with respect to the logits, for each image; it bounds the gradient
/// with respect to all parameters.
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
    let correct: Tensor<2> = answers
        .clone()
        .gather(2, targets.unsqueeze_dim(2))
        .squeeze_dim(2);
    // |p - y|^2 of a one-hot y is |p|^2 - 2 p_y + 1.
    let squares: Tensor<2> = answers.square().sum_dim(2).squeeze_dim(2);
    let squares = squares - correct.mul_scalar(2.0) + 1.0;
    let norms = (squares * counts.float()).sum_dim(1).clamp_min(0.0).sqrt();
    norms.try_into_data()?.try_into_vec().map_err(Into::into)
}

/// Samples `count` images with probabilities proportional to their scores, by systematic sampling.
///
/// If `count` is at least their number, all images are taken with weight one.
pub fn sample(scores: &[f32], count: usize) -> ImportanceSample {
    let count = count.min(scores.len());
    let probabilities = probabilities(scores, count);
    let (mut indices, mut weights) = (Vec::with_capacity(count), Vec::with_capacity(count));
    let mut sum = start(scores);
    for (index, probability) in probabilities.iter().enumerate() {
        sum += probability;
        if sum >= 1.0 && indices.len() < count {
            sum -= 1.0;
            indices.push(index);
            weights.push((count as f64 / (scores.len() as f64 * probability)) as f32);
        }
    }
    ImportanceSample { indices, weights }
}

/// The start of systematic sampling, 0 to 1: pseudorandom, but a function of the scores, so that a
/// run is reproducible whatever the order of its workers.
fn start(scores: &[f32]) -> f64 {
    let bytes: Vec<u8> = scores
        .iter()
        .flat_map(|score| score.to_le_bytes())
        .collect();
    let first = hash(&bytes).first_chunk().copied().unwrap_or_default();
    u64::from_be_bytes(first) as f64 / 2f64.powi(64)
}

/// Probability of each image: proportional to its score, at most one, with sum `count`.
fn probabilities(scores: &[f32], count: usize) -> Vec<f64> {
    let images = scores.len();
    if count >= images {
        return vec![1.0; images];
    }
    let scores = scores.iter().map(|&score| f64::from(score));
    let mean = scores.clone().sum::<f64>() / images as f64;
    let scores: Vec<f64> = if mean > 0.0 && mean.is_finite() {
        scores.map(|score| score + MIN_SCORE * mean).collect()
    } else {
        vec![1.0; images]
    };
    // Images with probability one leave the remainder of `count` to the others.
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
    fn start_never_changes() {
        // The first eight bytes of SHA-256 of 0.5 and 1.0 in little-endian.
        assert_eq!(
            start(&[0.5, 1.0]),
            0x9612447463caefad_u64 as f64 / 2f64.powi(64)
        );
    }
}
