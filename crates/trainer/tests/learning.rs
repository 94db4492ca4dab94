//! The objective, and the recipes that shape it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use burn::tensor::{Device, Int, Tensor};
use captcha_model::{ModelConfig, Vocabulary};
use captcha_trainer::learner::{letter_map_loss, text_loss};
use captcha_trainer::recipe::{Recipe, Schedule};

fn value(loss: Tensor<1>) -> f32 {
    loss.into_scalar::<f32>()
}

#[test]
fn padding_costs_nothing_and_the_rest_is_summed_over_steps() {
    let device = Device::flex();
    let (batch, steps, classes) = (2, 3, 4);
    let logits = Tensor::<3>::zeros([batch, steps, classes], &device);
    let pad = Vocabulary::PAD as i32;
    let targets = Tensor::<2, Int>::from_ints([[3, 2, pad], [2, pad, pad]], &device);
    // Uniform answers cost ln 4 each; three targets are no padding, over two images.
    let expected = 3.0 * (classes as f32).ln() / batch as f32;
    assert!((value(text_loss(logits, targets)) - expected).abs() < 1e-6);
}

#[test]
fn empty_cells_weigh_as_much_as_filled_ones_however_many_they_are() {
    let device = Device::flex();
    let mut rows = vec![[0.0; 4]; 8];
    rows[0] = [0.0, 0.0, 0.0, 5.0];
    let logits = Tensor::<1>::from_floats(rows.concat().as_slice(), &device).reshape([1, 8, 4]);
    let map = Tensor::<2, Int>::from_ints([[3, 0, 0, 0, 0, 0, 0, 0]], &device);
    let filled = -(5f32.exp() / (5f32.exp() + 3.0)).ln();
    assert!((value(letter_map_loss(logits, map)) - (filled + 4f32.ln())).abs() < 1e-5);
    let nothing = Tensor::<2, Int>::zeros([1, 8], &device);
    assert!(value(letter_map_loss(Tensor::zeros([1, 8, 4], &device), nothing)).is_finite());
}

#[test]
fn the_papers_preset_is_the_papers_recipe() {
    let recipe = Recipe::load("paper").unwrap();
    assert_eq!(recipe.model().unwrap(), ModelConfig::paper());
    let training = recipe.training;
    assert_eq!(
        (training.epochs, training.images_per_epoch, training.batch),
        (50, 100_000, 64)
    );
    assert_eq!(
        (training.learning_rate, training.schedule),
        (1e-3, Schedule::Constant)
    );
    assert_eq!(
        (training.weight_decay, training.letter_map_weight),
        (0.0, 0.0)
    );
}

#[test]
fn a_continued_run_trains_the_same_network() {
    let network = |preset| Recipe::load(preset).unwrap().model().unwrap();
    assert_eq!(network("compact-continued"), network("compact"));
}

#[test]
fn a_recipe_says_what_is_wrong_with_it() {
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("mine.toml");
    let good = include_str!("../presets/compact.toml");
    let load = |text: &str| {
        std::fs::write(&path, text).unwrap();
        Recipe::load(path.to_str().unwrap())
    };
    assert!(load(good).is_ok());
    for (from, to, complaint) in [
        ("batch = 16", "batch = 0", "batch must be at least 1"),
        ("batch = 16", "bach = 16", "bach"),
        ("\"compact\"", "\"big\"", "no network is called"),
        (
            "random_share = 0.25",
            "random_share = 3",
            "random_share must lie between",
        ),
    ] {
        let error = format!("{:#}", load(&good.replace(from, to)).unwrap_err());
        assert!(error.contains(complaint), "{error}");
    }
    let error = Recipe::load("no-such-preset").unwrap_err().to_string();
    assert!(error.contains("neither a preset"), "{error}");
}
