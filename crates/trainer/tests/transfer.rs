//! Losses, recipes, and transfer of weights.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod seeded;

use burn::module::{Param, RunningState};
use burn::nn::PixelUnshuffleConfig;
use burn::nn::pool::AvgPool2dConfig;
use burn::tensor::{Device, Distribution, Int, Tensor, Tolerance};
use burn::train::TrainStep;
use captcha_model::config::BlockConfig;
use captcha_model::weights::{Precision, Weights, save};
use captcha_model::{ModelConfig, Network, Vocabulary};
use captcha_trainer::data::batch::Batch;
use captcha_trainer::training::losses::{attention_losses, character_map_losses, text_loss};
use captcha_trainer::training::model::TrainingModel;
use captcha_trainer::training::optimizer::optimizer;
use captcha_trainer::training::recipe::{Recipe, Schedule};
use captcha_trainer::weights::average::average;
use captcha_trainer::weights::transfer::widen_and_deepen;

fn value(loss: Tensor<1>) -> f32 {
    loss.into_scalar::<f32>()
}

#[test]
fn text_loss_sums_over_steps_without_padding() {
    let device = Device::flex();
    let (batch, steps, classes) = (2, 3, 4);
    let logits = Tensor::<3>::zeros([batch, steps, classes], &device);
    let pad = Vocabulary::PAD as i32;
    let targets = Tensor::<2, Int>::from_ints([[3, 2, pad], [2, pad, pad]], &device);
    // Uniform outputs have a loss of ln 4 each; two images have three targets that are not padding.
    let expected = 3.0 * (classes as f32).ln() / batch as f32;
    assert!((value(text_loss(logits, targets)) - expected).abs() < 1e-6);
}

#[test]
fn attention_losses_are_those_of_the_characters_boxes() {
    let device = Device::flex();
    let attention = Tensor::<3>::from_floats(
        [
            [[0.5, 0.25, 0.25], [0.0, 1.0, 0.0]],
            [[0.2, 0.8, 0.0], [0.1, 0.1, 0.8]],
        ],
        &device,
    );
    // The first image has one character; the second image's second one is not looked at.
    let boxes = Tensor::<3>::from_floats(
        [
            [[1.0, 0.5, 0.0], [0.0, 0.0, 0.0]],
            [[0.0, 1.0, 0.0], [1.0, 1.0, 0.0]],
        ],
        &device,
    );
    let losses = attention_losses(attention, boxes).into_data();
    let expected = [-0.625f32.ln(), -0.8f32.ln() - 0.2f32.ln()];
    losses.assert_approx_eq::<f32>(&expected.into(), Tolerance::absolute(1e-6));
    let nowhere = Tensor::<3>::from_floats([[[0.0, 1.0]]], &device);
    let box_elsewhere = Tensor::<3>::from_floats([[[1.0, 0.0]]], &device);
    assert!(value(attention_losses(nowhere, box_elsewhere)).is_finite());
}

#[test]
fn training_with_the_attention_loss_moves_attention_into_the_box() {
    let mut config = ModelConfig::compact();
    for block in &mut config.encoder.blocks {
        block.filters = 4;
    }
    let device = Device::flex().autodiff();
    let positions = config.grid().positions();
    let [channels, rows, cols] = config.input_shape();
    let noise = Distribution::Uniform(0.0, 1.0);
    // The box of the only character is the last column of cells.
    let cells =
        (0..2 * positions).map(|cell| f32::from(u8::from(cell < positions && cell % 24 == 23)));
    let cells: Vec<f32> = cells.collect();
    let boxes = Tensor::<1>::from_floats(cells.as_slice(), &device).reshape([1, 2, positions]);
    let batch = Batch {
        images: Tensor::random([1, channels, rows, cols], noise, &device),
        inputs: Tensor::from_ints([[1, 3]], &device),
        targets: Tensor::from_ints([[3, 2]], &device),
        character_map: None,
        boxes: Some(boxes),
    };
    let mut recipe = Recipe::load("compact").unwrap().training;
    recipe.character_map_weight = 0.0;
    let mut inside = |attention_weight: f64| {
        recipe.attention_weight = attention_weight;
        let _numbers = seeded::seed_exclusively(&device, 3);
        let mut model = TrainingModel::new(&config, &recipe, &device).unwrap();
        let mut optimizer = optimizer(&recipe).unwrap();
        for _ in 0..30 {
            let step = TrainStep::step(&model, batch.clone());
            model = optimizer.step(1e-2, model, step.grads);
        }
        let features = model.network.encoder.forward(batch.images.clone());
        let decoded = (model.network.decoder).teacher_forced(features, batch.inputs.clone());
        let boxes = batch.boxes.clone().unwrap();
        (decoded.attention * boxes).sum().into_scalar::<f32>()
    };
    let (without, with) = (inside(0.0), inside(1.0));
    assert!(without < 0.3 && with > 0.6, "{without} {with}");
}

#[test]
fn character_map_losses_weigh_empty_and_filled_cells_equally() {
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
    // Each image has its own loss, so that it can be weighted.
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
fn recipe_paper_is_the_papers() {
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
fn recipe_compact_continued_has_the_compact_network() {
    let network = |preset| Recipe::load(preset).unwrap().model().unwrap();
    assert_eq!(network("compact-continued"), network("compact"));
}

#[test]
fn recipe_load_reports_what_is_wrong() {
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
            "batch = 16\nsampling_ratio = 0",
            "sampling_ratio must be at least 1",
        ),
        ("batch = 16", "bach = 16", "bach"),
        ("\"compact\"", "\"big\"", "there is no network"),
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

#[test]
fn recipe_with_earlier_field_names_is_read() {
    let new = Recipe::load("compact-continued").unwrap();
    let mut text = toml::to_string(&new).unwrap();
    for (now, before) in [
        ("distortion_share", "bent_share"),
        ("extra_fonts_share", "more_faces_share"),
        ("augmented_share", "degraded_share"),
        ("sampling_ratio", "candidates"),
        ("character_map_weight", "letter_map_weight"),
    ] {
        assert!(text.contains(now), "{now}");
        text = text.replace(now, before);
    }
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("old.toml");
    std::fs::write(&path, &text).unwrap();
    assert_eq!(Recipe::load(path.to_str().unwrap()).unwrap(), new);
    // The same for a run's record, which is JSON.
    let json = serde_json::to_value(toml::from_str::<Recipe>(&text).unwrap()).unwrap();
    assert_eq!(serde_json::from_value::<Recipe>(json).unwrap(), new);
}

/// A network with blocks `(filters, norm, pool)` and a small input.
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

/// Random weights, also for batch norm, which is the identity by default.
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
fn widen_and_deepen_preserves_the_output() {
    let device = Device::flex();
    let _numbers = seeded::seed_exclusively(&device, 7);
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
        let enlarged = widen_and_deepen(&weights, &config).unwrap();
        assert_eq!(enlarged.config, config);
        assert_eq!(
            (enlarged.temperature, &enlarged.training),
            (0.9, &weights.training)
        );
        let difference = (logits(&enlarged) - logits(&weights)).abs().max();
        assert!(value(difference) < 1e-4, "{larger:?}");
        // New filters can be trained: none of them is zero.
        let network = enlarged.network(&device).unwrap();
        for block in &network.encoder.blocks[..3] {
            let kernel = block.conv.weight.val();
            let [filters, ..] = kernel.dims();
            let sizes = kernel.abs().reshape([filters as i32, -1]).sum_dim(1);
            assert!(value(sizes.min()) > 0.0, "{larger:?}");
        }
    }
}

#[test]
fn widen_and_deepen_of_a_finer_input_uses_the_mean_over_squares() {
    let device = Device::flex();
    let _numbers = seeded::seed_exclusively(&device, 8);
    let small = network(&[(3, false, true), (4, true, true), (6, true, false)]);
    let weights = random_weights(&small, &device);
    let mut fine = network(&[(5, false, true), (4, true, true), (6, true, false)]);
    (fine.input.height, fine.input.width) = (52, 68);
    assert!(widen_and_deepen(&weights, &fine).is_err(), "another grid");
    fine.encoder.unshuffle = 2;
    let enlarged = widen_and_deepen(&weights, &fine).unwrap();
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
    let difference = (logits(&enlarged, images) - logits(&weights, means))
        .abs()
        .max();
    assert!(value(difference) < 1e-4);
    assert!(
        widen_and_deepen(&enlarged, &small).is_err(),
        "it cannot shrink"
    );
}

#[test]
fn widen_and_deepen_allows_pooling_that_keeps_columns() {
    let blocks = [(4, false, true), (5, true, true), (6, true, false)];
    let coarse = network(&blocks);
    let mut fine = network(&blocks);
    fine.encoder.blocks[1].pool_cols = false;
    assert_eq!([&coarse, &fine].map(|config| config.grid().cols), [8, 17]);

    let device = Device::flex();
    let _numbers = seeded::seed_exclusively(&device, 9);
    let weights = random_weights(&coarse, &device);
    let finer = widen_and_deepen(&weights, &fine).unwrap();
    let kernels = |weights: &Weights| {
        let network = weights.network(&device).unwrap();
        let kernels = network.encoder.blocks.into_iter();
        kernels.map(|block| block.conv.weight.val().into_data())
    };
    assert!(kernels(&finer).eq(kernels(&weights)));
    let error = widen_and_deepen(&finer, &coarse).unwrap_err().to_string();
    assert!(error.contains("another network"), "{error}");
}

#[test]
fn average_is_the_mean_and_records_its_parts() {
    let device = Device::flex();
    let _numbers = seeded::seed_exclusively(&device, 11);
    let small = network(&[(3, false, true), (4, true, true), (6, true, false)]);
    let large = network(&[
        (3, false, true),
        (4, true, true),
        (6, true, false),
        (6, true, false),
    ]);
    let [a, b] = [&small, &large].map(|config| random_weights(config, &device));
    let enlarged = widen_and_deepen(&a, &large).unwrap();
    let mean = average(&[a.clone(), b.clone(), a.clone()], "average a b a").unwrap_err();
    assert!(
        mean.to_string().contains("cannot start this one"),
        "the last network's shape counts"
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
    let expected = (numbers(&enlarged) * 2.0 + numbers(&b)) / 3.0;
    // The file has 16 bits per value.
    let far = value((numbers(&mean) - expected).abs().max());
    assert!(far < 2e-3, "{far}");
    assert!(average(&[], "average").is_err());
}

#[test]
fn widen_and_deepen_rejects_other_networks() {
    let blocks = [(4, false, true), (6, true, false)];
    let device = Device::flex();
    let _numbers = seeded::seed_exclusively(&device, 10);
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
        let error = widen_and_deepen(&weights, &other).unwrap_err().to_string();
        assert!(error.contains("another network"), "{error}");
    }
}
