//! Transfer of weights to a network with another alphabet, another length of texts, or an input of
//! another size or other proportions, as a start for training.
//!
//! Only the embedding and the output layer depend on the alphabet: they have a row for each token.
//! The encoder is convolutional, and attention takes any grid, so that the same weights fit an
//! input of another size.

use anyhow::{Result, ensure};
use burn::module::Param;
use burn::tensor::{Device, Int, Tensor};
use captcha_model::weights::{Precision, Weights, save};
use captcha_model::{ModelConfig, Vocabulary};

/// Characters of similar shape. A character that the weights do not know starts with the row of the
/// first one that they know.
const LOOK_ALIKES: [(char, &str); 10] = [
    ('0', "oO"),
    ('1', "lIi"),
    ('2', "zZ"),
    ('3', "sSB"),
    ('4', "aA"),
    ('5', "sS"),
    ('6', "bG"),
    ('7', "tT"),
    ('8', "bBs"),
    ('9', "gq"),
];

/// Weights for `config` from those of a network with another alphabet, text length, or size or
/// proportions of the input.
///
/// Tokens that both know keep their rows. A new letter starts with the row of its other case, a new
/// digit with that of a letter of similar shape, and any other character with the mean of all
/// known characters.
///
/// # Errors
///
/// If the networks differ in anything else.
pub fn with_alphabet(weights: &Weights, config: &ModelConfig) -> Result<Weights> {
    let mut same = config.clone();
    same.alphabet.clone_from(&weights.config.alphabet);
    same.max_length = weights.config.max_length;
    let input = &weights.config.input;
    (same.input.height, same.input.width) = (input.height, input.width);
    same.input.proportions = input.proportions;
    // They can be added, but not removed.
    same.encoder.positions &= weights.config.encoder.positions;
    ensure!(
        same == weights.config,
        "these weights belong to a network of another structure"
    );
    config.validate()?;
    let device = Device::flex();
    let (from, to) = (weights.config.vocabulary()?, config.vocabulary()?);
    let mut network = weights.network(&device)?;
    if config.encoder.positions && network.encoder.positions.is_none() {
        network.encoder.positions = Some(config.encoder.position_projection(&device));
    }
    let decoder = &mut network.decoder;
    let rows = TokenRows::new(&from, &to);
    let embedding = rows.select(decoder.embedding.weight.val(), 0);
    decoder.embedding.weight = Param::from_tensor(embedding);
    let output = rows.select(decoder.output.weight.val(), 1);
    decoder.output.weight = Param::from_tensor(output);
    if let Some(bias) = &mut decoder.output.bias {
        *bias = Param::from_tensor(rows.select(bias.val(), 0));
    }
    let bytes = save(&network, config, &weights.training, Precision::Full)?;
    Ok(Weights::from_bytes(bytes)?)
}

/// The row of the old vocabulary that each token of the new one starts with.
struct TokenRows {
    /// Old token ids; [`Vocabulary::PAD`] where the mean of the known characters is taken.
    origins: Vec<usize>,
    known: usize,
}

impl TokenRows {
    fn new(from: &Vocabulary, to: &Vocabulary) -> Self {
        let special = 0..Vocabulary::FIRST_CHARACTER;
        let characters = (Vocabulary::FIRST_CHARACTER..to.size())
            .map(|id| to.character(id).and_then(|new| origin(new, from)));
        Self {
            origins: special
                .chain(characters.map(|id| id.unwrap_or(Vocabulary::PAD)))
                .collect(),
            known: from.size(),
        }
    }

    /// Selects the rows along a dimension.
    fn select<const D: usize>(&self, tensor: Tensor<D>, dim: usize) -> Tensor<D> {
        let first = Vocabulary::FIRST_CHARACTER;
        let mean = tensor
            .clone()
            .narrow(dim, first, self.known - first)
            .mean_dim(dim);
        let with_mean = Tensor::cat(vec![tensor, mean], dim);
        let indices: Vec<i32> = (0..)
            .zip(&self.origins)
            .map(|(id, &origin)| {
                let is_new = id >= first && origin == Vocabulary::PAD;
                (if is_new { self.known } else { origin }) as i32
            })
            .collect();
        let indices = Tensor::<1, Int>::from_ints(indices.as_slice(), &with_mean.device());
        with_mean.select(dim, indices)
    }
}

/// The known token that a character starts with.
fn origin(character: char, known: &Vocabulary) -> Option<usize> {
    let other_case = || {
        let lower = character.to_lowercase().find_map(|c| known.id(c));
        lower.or_else(|| character.to_uppercase().find_map(|c| known.id(c)))
    };
    let look_alike = || {
        let (_, others) = LOOK_ALIKES.iter().find(|(new, _)| *new == character)?;
        others.chars().find_map(|c| known.id(c))
    };
    known.id(character).or_else(other_case).or_else(look_alike)
}
