//! Recipes, and transfer of weights.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod seeded;

use burn::module::{Param, RunningState};
use burn::nn::PixelUnshuffleConfig;
use burn::nn::pool::AvgPool2dConfig;
use burn::tensor::{Device, Distribution, Tensor};
use captcha_model::config::BlockConfig;
use captcha_model::weights::{Precision, Weights, save};
use captcha_model::{ModelConfig, Network};
use captcha_trainer::training::recipe::{Recipe, Schedule};
use captcha_trainer::weights::average::average;
use captcha_trainer::weights::transfer::widen_and_deepen;

fn value(number: Tensor<1>) -> f32 {
    number.into_scalar::<f32>()
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
