//! The objective, and the recipes that shape it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod seeded;

use burn::module::{Param, RunningState};
use burn::nn::PixelUnshuffleConfig;
use burn::nn::pool::AvgPool2dConfig;
use burn::tensor::{Device, Distribution, Int, Tensor};
use captcha_model::config::BlockConfig;
use captcha_model::weights::{Precision, Weights, save};
use captcha_model::{ModelConfig, Network, Vocabulary};
use captcha_trainer::training::model::{character_map_losses, text_loss};
use captcha_trainer::training::recipe::{Recipe, Schedule};
use captcha_trainer::weights::average::average;
use captcha_trainer::weights::transfer::grow;

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
    assert!((value(character_map_losses(logits, map)) - (filled + 4f32.ln())).abs() < 1e-5);
    let nothing = Tensor::<2, Int>::zeros([1, 8], &device);
    assert!(
        value(character_map_losses(
            Tensor::zeros([1, 8, 4], &device),
            nothing
        ))
        .is_finite()
    );
    // Each image for itself, so that it can count for more or less.
    let two = Tensor::<2, Int>::from_ints(
        [[3, 0, 0, 0, 0, 0, 0, 0], [3, 3, 3, 3, 0, 0, 0, 0]],
        &device,
    );
    let losses = character_map_losses(Tensor::zeros([2, 8, 4], &device), two);
    let losses: Vec<f32> = losses.into_data().try_into_vec().unwrap();
    assert!(
        losses
            .iter()
            .all(|loss| (loss - 2.0 * 4f32.ln()).abs() < 1e-5)
    );
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
        (training.weight_decay, training.character_map_weight),
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
        (
            "batch = 16",
            "batch = 16\ncandidates = 0",
            "candidates must be at least 1",
        ),
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

/// Its blocks as `(filters, norm, pool)`, on an input small enough for a test.
fn network(blocks: &[(usize, bool, bool)]) -> ModelConfig {
    let mut config = ModelConfig::compact();
    (config.input.height, config.input.width) = (26, 34);
    config.encoder.unshuffle = 1;
    config.encoder.blocks = blocks
        .iter()
        .map(|&(filters, norm, pool)| BlockConfig::new(filters, true, norm, pool))
        .collect();
    config
}

/// Random weights, in batch norm too, which starts as if it were not there.
fn random_weights(config: &ModelConfig, device: &Device) -> Weights {
    let mut network = config.init(device).unwrap();
    let norms = &mut network.encoder.blocks;
    for norm in norms.iter_mut().filter_map(|block| block.norm.as_mut()) {
        let random = |from, to| {
            let [size] = norm.gamma.val().dims();
            Tensor::random([size], Distribution::Uniform(from, to), device)
        };
        let (gamma, beta) = (random(-1.0, 2.0), random(-1.0, 1.0));
        norm.running_mean = RunningState::new(random(-0.5, 0.5));
        norm.running_var = RunningState::new(random(0.2, 2.0));
        (norm.gamma, norm.beta) = (Param::from_tensor(gamma), Param::from_tensor(beta));
    }
    let bytes = save(&network, config, &"here".into(), Precision::Full).unwrap();
    Weights::from_bytes(bytes)
        .unwrap()
        .with_temperature(0.9)
        .unwrap()
}

#[test]
fn a_grown_network_answers_as_the_small_one() {
    let device = Device::flex();
    let _numbers = seeded::alone(&device, 7);
    let small = network(&[(3, false, true), (4, true, true), (6, true, false)]);
    let weights = random_weights(&small, &device);
    let images = Tensor::random([2, 3, 26, 34], Distribution::Default, &device);
    let logits = |weights: &Weights| {
        let network: Network = weights.network(&device).unwrap();
        network.forward(images.clone(), 4).logits
    };
    for larger in [
        &[(3, false, true), (4, true, true), (6, true, false)][..],
        &[(3, false, true), (7, true, true), (6, true, false)],
        &[(5, false, true), (4, true, true), (9, true, false)],
        &[
            (3, false, true),
            (4, true, true),
            (8, true, false),
            (7, true, false),
        ],
        &[
            (4, false, true),
            (5, true, true),
            (6, true, false),
            (9, true, false),
            (6, true, false),
        ],
        &[
            (3, false, true),
            (3, true, false),
            (4, true, true),
            (5, true, false),
            (4, true, false),
            (6, true, false),
        ],
    ] {
        let config = network(larger);
        let grown = grow(&weights, &config).unwrap();
        assert_eq!(grown.config, config);
        assert_eq!(
            (grown.temperature, &grown.training),
            (0.9, &weights.training)
        );
        let difference = (logits(&grown) - logits(&weights)).abs().max();
        assert!(value(difference) < 1e-4, "{larger:?}");
        // What is new can learn: nothing of it is zero all over.
        let network = grown.network(&device).unwrap();
        for block in &network.encoder.blocks[..3] {
            let kernel = block.conv.weight.val();
            let [filters, ..] = kernel.dims();
            let sizes = kernel.abs().reshape([filters as i32, -1]).sum_dim(1);
            assert!(value(sizes.min()) > 0.0, "{larger:?}");
        }
    }
}

#[test]
fn a_finer_input_starts_as_the_mean_over_its_squares() {
    let device = Device::flex();
    let _numbers = seeded::alone(&device, 8);
    let small = network(&[(3, false, true), (4, true, true), (6, true, false)]);
    let weights = random_weights(&small, &device);
    let mut fine = network(&[(5, false, true), (4, true, true), (6, true, false)]);
    (fine.input.height, fine.input.width) = (52, 68);
    assert!(grow(&weights, &fine).is_err(), "another grid");
    fine.encoder.unshuffle = 2;
    let grown = grow(&weights, &fine).unwrap();
    let images: Tensor<4> = Tensor::random([2, 3, 52, 68], Distribution::Default, &device);
    let means = AvgPool2dConfig::new([2, 2])
        .with_strides([2, 2])
        .init()
        .forward(images.clone());
    let images = PixelUnshuffleConfig::new(2).init().forward(images);
    let logits = |weights: &Weights, images| {
        let network = weights.network(&device).unwrap();
        network.forward(images, 4).logits
    };
    let difference = (logits(&grown, images) - logits(&weights, means))
        .abs()
        .max();
    assert!(value(difference) < 1e-4);
    assert!(grow(&grown, &small).is_err(), "it only grows");
}

#[test]
fn pooling_may_leave_the_columns_alone() {
    let blocks = [(4, false, true), (5, true, true), (6, true, false)];
    let coarse = network(&blocks);
    let mut fine = network(&blocks);
    fine.encoder.blocks[1].pool_cols = false;
    assert_eq!([&coarse, &fine].map(|config| config.grid().cols), [8, 17]);

    let device = Device::flex();
    let _numbers = seeded::alone(&device, 9);
    let weights = random_weights(&coarse, &device);
    let finer = grow(&weights, &fine).unwrap();
    let kernels = |weights: &Weights| {
        let network = weights.network(&device).unwrap();
        let kernels = network.encoder.blocks.into_iter();
        kernels.map(|block| block.conv.weight.val().into_data())
    };
    assert!(kernels(&finer).eq(kernels(&weights)));
    let error = grow(&finer, &coarse).unwrap_err().to_string();
    assert!(error.contains("another network"), "{error}");
}

#[test]
fn an_average_lies_in_the_middle_and_says_of_what() {
    let device = Device::flex();
    let _numbers = seeded::alone(&device, 11);
    let small = network(&[(3, false, true), (4, true, true), (6, true, false)]);
    let large = network(&[
        (3, false, true),
        (4, true, true),
        (6, true, false),
        (6, true, false),
    ]);
    let [a, b] = [&small, &large].map(|config| random_weights(config, &device));
    let grown = grow(&a, &large).unwrap();
    let mean = average(&[a.clone(), b.clone(), a.clone()], "average a b a").unwrap_err();
    assert!(
        mean.to_string().contains("cannot grow"),
        "the last one's shape counts"
    );

    let mean = average(&[a.clone(), a, b.clone()], "average a a b").unwrap();
    assert_eq!(mean.config, large);
    assert_eq!(mean.temperature, 1.0);
    assert_eq!(mean.training["average_of"].as_array().unwrap().len(), 3);
    let numbers = |weights: &Weights| {
        let network = weights.network(&device).unwrap();
        let block = network.encoder.blocks.last().unwrap().clone();
        let norm = block.norm.unwrap();
        let flat = [
            block.conv.weight.val().flatten::<1>(0, 3),
            norm.running_var.value(),
            network.decoder.attention.query.weight.val().flatten(0, 1),
        ];
        Tensor::cat(flat.to_vec(), 0)
    };
    let expected = (numbers(&grown) * 2.0 + numbers(&b)) / 3.0;
    // In 16 bits.
    let far = value((numbers(&mean) - expected).abs().max());
    assert!(far < 2e-3, "{far}");
    assert!(average(&[], "average").is_err());
}

#[test]
fn a_network_only_grows() {
    let blocks = [(4, false, true), (6, true, false)];
    let device = Device::flex();
    let _numbers = seeded::alone(&device, 10);
    let weights = random_weights(&network(&blocks), &device);
    let mut wider = network(&blocks);
    wider.decoder.units += 1;
    let mut other_white = network(&blocks);
    other_white.input.inverted = !other_white.input.inverted;
    for other in [
        wider,
        other_white,
        network(&[(3, false, true), (6, true, false)]),
        network(&[(4, true, true), (6, true, false)]),
        network(&[(4, false, true)]),
        network(&[(4, false, true), (6, true, false), (5, true, false)]),
        network(&[(4, false, true), (6, true, false), (6, true, true)]),
        network(&[(4, false, true), (6, true, false), (6, false, false)]),
    ] {
        let error = grow(&weights, &other).unwrap_err().to_string();
        assert!(error.contains("another network"), "{error}");
    }
}
