//! The losses: text, character map and attention.

use burn::tensor::activation::log_softmax;
use burn::tensor::{Int, Tensor};
use captcha_model::Vocabulary;

/// Negative log-likelihood of each target.
///
/// # Shapes
///
/// - `logits`: `[batch, steps, classes]`
/// - `targets` and output: `[batch, steps]`
fn negative_log_likelihood(logits: Tensor<3>, targets: Tensor<2, Int>) -> Tensor<2> {
    log_softmax(logits, 2)
        .gather(2, targets.unsqueeze_dim(2))
        .squeeze_dim(2)
        .neg()
}

/// Cross-entropy of texts without padding, summed over the steps, averaged over the batch (paper,
/// "Training"; its printed values are divided by 7).
///
/// # Shapes
///
/// - `logits`: `[batch, steps, vocabulary]`
/// - `targets`: `[batch, steps]`, padded
/// - output: `[1]`
pub fn text_loss(logits: Tensor<3>, targets: Tensor<2, Int>) -> Tensor<1> {
    text_losses(logits, targets).mean()
}

/// [`text_loss`] of each image: `[batch]`.
pub fn text_losses(logits: Tensor<3>, targets: Tensor<2, Int>) -> Tensor<1> {
    let counts = targets
        .clone()
        .not_equal_elem(Vocabulary::PAD as i32)
        .float();
    let losses = negative_log_likelihood(logits, targets) * counts;
    losses.sum_dim(1).squeeze_dim(1)
}

/// Cross-entropy of each image's character map: the mean over cells with a character plus the mean
/// over empty cells, because there are many more empty cells.
///
/// # Shapes
///
/// - `logits`: `[batch, positions, classes]`
/// - `map`: `[batch, positions]`
/// - output: `[batch]`
pub fn character_map_losses(logits: Tensor<3>, map: Tensor<2, Int>) -> Tensor<1> {
    let filled = map.clone().not_equal_elem(Vocabulary::PAD as i32).float();
    let losses = negative_log_likelihood(logits, map);
    let mean = |cells: Tensor<2>| {
        (losses.clone() * cells.clone()).sum_dim(1) / cells.sum_dim(1).clamp_min(1.0)
    };
    let both: Tensor<2> = mean(filled.clone()) + mean(filled.neg().add_scalar(1.0));
    both.squeeze_dim(1)
}

/// Negative log-likelihood of each image's characters' boxes under the attention weights, summed over
/// the characters: attention learns to look at the character that it reads. Steps without a character
/// do not count.
///
/// # Shapes
///
/// - `attention`: `[batch, steps, positions]`
/// - `boxes`: as [`Batch::boxes`](crate::data::batch::Batch::boxes)
/// - output: `[batch]`
pub fn attention_losses(attention: Tensor<3>, boxes: Tensor<3>) -> Tensor<1> {
    // Below this, the gradient would be that of chance.
    const SMALLEST: f32 = 1e-6;
    let has_character: Tensor<2> = boxes.clone().max_dim(2).squeeze_dim(2);
    let has_character = has_character.greater_elem(0.0).float();
    let inside: Tensor<2> = (attention * boxes).sum_dim(2).squeeze_dim(2);
    let losses = inside.clamp_min(SMALLEST).log().neg() * has_character;
    losses.sum_dim(1).squeeze_dim(1)
}
