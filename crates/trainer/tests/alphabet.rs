//! Transfer of weights to another alphabet, length and input size.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod seeded;

use burn::tensor::{Device, Tensor};
use captcha_learning::weights::alphabet::with_alphabet;
use captcha_model::config::Grid;
use captcha_model::weights::{Precision, Weights, save};
use captcha_model::{ModelConfig, Vocabulary};
use seeded::seed_exclusively;

fn small(alphabet: &str) -> ModelConfig {
    let mut config = ModelConfig::compact();
    for block in &mut config.encoder.blocks {
        block.filters = 4;
    }
    config.alphabet = alphabet.into();
    config
}

fn random_weights(config: &ModelConfig) -> Weights {
    let device = Device::flex();
    let _guard = seed_exclusively(&device, 1);
    let network = config.init(&device).unwrap();
    let record = serde_json::json!({"data": "somewhere"});
    Weights::from_bytes(save(&network, config, &record, Precision::Full).unwrap()).unwrap()
}

/// The values of the output layer and those of the embedding.
type Rows = (Vec<f32>, Vec<f32>);

/// The output layer's column and the embedding's row of a character.
fn rows(weights: &Weights, character: char) -> Rows {
    let id = weights.config.vocabulary().unwrap().id(character).unwrap();
    token_rows(weights, id)
}

fn token_rows(weights: &Weights, id: usize) -> Rows {
    let decoder = weights.network(&Device::flex()).unwrap().decoder;
    let values = |tensor: Tensor<2>| tensor.into_data().try_into_vec::<f32>().unwrap();
    let bias = decoder.output.bias.unwrap().val().narrow(0, id, 1);
    let output = Tensor::cat(
        vec![
            decoder.output.weight.val().narrow(1, id, 1),
            bias.unsqueeze_dim(1),
        ],
        0,
    );
    let embedding = decoder.embedding.weight.val().narrow(0, id, 1);
    (values(output), values(embedding))
}

#[test]
fn with_alphabet_keeps_the_rows_of_known_tokens() {
    let from = random_weights(&small("abcos"));
    let to = with_alphabet(&from, &small("zsa")).unwrap();
    assert_eq!(to.config.alphabet, "zsa");
    assert_eq!(to.training, from.training);
    for character in ['s', 'a'] {
        assert_eq!(rows(&to, character), rows(&from, character), "{character}");
    }
    for special in 0..Vocabulary::FIRST_CHARACTER {
        assert_eq!(token_rows(&to, special), token_rows(&from, special));
    }
}

#[test]
fn with_alphabet_starts_a_new_character_near_its_kind() {
    let from = random_weights(&small("abcos"));
    let to = with_alphabet(&from, &small("05A?ü")).unwrap();
    for (new, known) in [('A', 'a'), ('0', 'o'), ('5', 's')] {
        assert_eq!(rows(&to, new), rows(&from, known), "{new}");
    }
    let mean = |part: fn(&Rows) -> &Vec<f32>| -> Vec<f32> {
        let known: Vec<_> = "abcos".chars().map(|c| rows(&from, c)).collect();
        (0..part(&known[0]).len())
            .map(|i| known.iter().map(|rows| part(rows)[i]).sum::<f32>() / 5.0)
            .collect()
    };
    for new in ['?', 'ü'] {
        let (output, embedding) = rows(&to, new);
        for (actual, expected) in [(output, mean(|rows| &rows.0)), (embedding, mean(|r| &r.1))] {
            let near = |(a, b): (&f32, &f32)| (a - b).abs() < 1e-6;
            assert!(actual.iter().zip(&expected).all(near), "{new}");
        }
    }
}

#[test]
fn with_alphabet_fits_another_input_size_and_length() {
    let from = random_weights(&small("abc"));
    let mut wide = small("abc");
    let grid = Grid { rows: 3, cols: 48 };
    [wide.input.height, wide.input.width] = wide.input_of_grid(grid);
    wide.max_length = 12;
    let to = with_alphabet(&from, &wide).unwrap();
    let device = Device::flex();
    let [channels, rows, cols] = wide.input_shape();
    let images = Tensor::zeros([1, channels, rows, cols], &device);
    let decoded = to.network(&device).unwrap().forward(images, wide.steps());
    assert_eq!(wide.grid(), grid);
    assert_eq!(decoded.attention.dims(), [1, 13, grid.positions()]);
}

#[test]
fn with_alphabet_of_another_structure_is_an_error() {
    let from = random_weights(&small("abc"));
    let mut other = small("abc");
    other.decoder.units += 1;
    let error = with_alphabet(&from, &other).unwrap_err().to_string();
    assert!(error.contains("another structure"), "{error}");
}
