//! Importance sampling: probabilities, weights, and the training step.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::HashSet;

use burn::tensor::{Device, Distribution, Int, Tensor, Tolerance};
use burn::train::TrainStep;
use captcha_learning::data::batch::Batch;
use captcha_learning::norm::fix_norm;
use captcha_model::{ModelConfig, Vocabulary};
use captcha_trainer::training::importance_sampling::{gradient_norms, sample};
use captcha_trainer::training::model::TrainingModel;
use captcha_trainer::training::recipe::Recipe;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Scores like those of a trained network: most are nearly zero, a few are large.
fn scores(random: &mut ChaCha8Rng, images: usize) -> Vec<f32> {
    (0..images)
        .map(|_| random.random::<f32>().powi(12))
        .collect()
}

#[test]
fn sample_gives_distinct_images() {
    let mut random = ChaCha8Rng::seed_from_u64(3);
    for (images, count) in [(64, 16), (64, 1), (7, 5), (16, 15), (3, 2)] {
        for _ in 0..100 {
            let sampled = sample(&scores(&mut random, images), count);
            let distinct: HashSet<_> = sampled.indices.iter().collect();
            assert_eq!([sampled.indices.len(), distinct.len()], [count; 2]);
            assert_eq!(sampled.weights.len(), count);
            assert!(sampled.weights.iter().all(|&weight| weight > 0.0));
            // The weight of an image with a small score is bounded.
            assert!(sampled.weights.iter().all(|&weight| weight < 6.0));
        }
    }
}

#[test]
fn sample_weighted_mean_is_unbiased() {
    let mut random = ChaCha8Rng::seed_from_u64(4);
    let scores = scores(&mut random, 40);
    let values: Vec<f32> = (0..40).map(|_| random.random()).collect();
    let truth = values.iter().sum::<f32>() / 40.0;
    let mut order: Vec<usize> = (0..40).collect();
    let (draws, count) = (20_000, 10);
    let mut sum = 0.0;
    for _ in 0..draws {
        order.shuffle(&mut random);
        let shuffled: Vec<f32> = order.iter().map(|&image| scores[image]).collect();
        let sampled = sample(&shuffled, count);
        let taken = sampled.indices.iter().zip(&sampled.weights);
        sum += taken
            .map(|(&index, weight)| f64::from(weight * values[order[index]]))
            .sum::<f64>()
            / count as f64;
    }
    let mean = sum / f64::from(draws);
    assert!((mean - f64::from(truth)).abs() < 0.01, "{mean}, {truth}");
}

#[test]
fn sample_always_contains_the_largest_scores() {
    let mut scores = [0.01; 32];
    (scores[5], scores[20]) = (1.0, 1.2);
    let sampled = sample(&scores, 8);
    assert!(sampled.indices.contains(&5) && sampled.indices.contains(&20));
    let place = sampled
        .indices
        .iter()
        .position(|&index| index == 5)
        .unwrap();
    assert!((sampled.weights[place] - 8.0 / 32.0).abs() < 1e-6);
}

#[test]
fn sample_of_equal_scores_has_weights_of_one() {
    for scores in [[0.0; 12], [0.3; 12], [f32::NAN; 12]] {
        let sampled = sample(&scores, 4);
        assert_eq!(sampled.indices.len(), 4);
        assert!(
            sampled
                .weights
                .iter()
                .all(|weight| (weight - 1.0).abs() < 1e-6)
        );
    }
    for count in [3, 5] {
        let all = sample(&[0.5, 0.1, 0.0], count);
        assert_eq!((all.indices, all.weights), (vec![0, 1, 2], vec![1.0; 3]));
    }
}

#[test]
fn gradient_norms_grow_with_the_error() {
    let device = Device::flex();
    let pad = Vocabulary::PAD as i32;
    let targets = Tensor::<2, Int>::from_ints([[3, 2], [3, 2], [3, pad], [1, pad]], &device);
    let sure = |class: usize| std::array::from_fn(|i| if i == class { 50.0 } else { 0.0 });
    let unsure = [0.0; 4];
    let logits = Tensor::<3>::from_floats(
        [
            [sure(3), sure(2)], // correct
            [sure(1), sure(0)], // wrong twice
            [sure(1), sure(1)], // wrong once; the rest is padding
            [unsure, unsure],
        ],
        &device,
    );
    let norms = gradient_norms(logits, targets).unwrap();
    let expected = [0.0, 2.0, 2f32.sqrt(), 0.75f32.sqrt()];
    for (norm, expected) in norms.iter().zip(expected) {
        assert!((norm - expected).abs() < 1e-4, "{norms:?}");
    }
}

/// The compact network with few filters.
fn narrow() -> ModelConfig {
    let mut config = ModelConfig::compact();
    for block in &mut config.encoder.blocks {
        block.filters = 4;
    }
    config
}

#[test]
fn training_step_uses_the_weights_of_the_sample() {
    let config = narrow();
    let mut recipe = Recipe::load("compact").unwrap().training;
    recipe.character_map_weight = 0.0;
    let device = Device::flex().autodiff();
    let model = |sampling_ratio| {
        let mut recipe = recipe.clone();
        recipe.sampling_ratio = sampling_ratio;
        let mut model = TrainingModel::new(&config, &recipe, &device).unwrap();
        fix_norm(&mut model.network); // so that an image does not depend on its batch
        model
    };
    let (sampler, mut plain) = (model(4), model(1));
    plain.network = sampler.network.clone();
    let (images, steps) = (8, config.steps());
    // Texts of one character and of the maximal length have gradients of different size.
    let pad = Vocabulary::PAD as i32;
    let targets: Vec<i32> = (0..images * steps)
        .map(|i| {
            if i % steps == 0 || i / steps % 2 == 0 {
                3 + i as i32 % 20
            } else {
                pad
            }
        })
        .collect();
    let ids = |ids: &[i32]| Tensor::<1, Int>::from_ints(ids, &device).reshape([images, steps]);
    let [channels, rows, cols] = config.input_shape();
    let shape = [images, channels, rows, cols];
    let batch = Batch {
        images: Tensor::random(shape, Distribution::Uniform(0.0, 1.0), &device),
        inputs: ids(&targets),
        targets: ids(&targets),
        character_map: None,
        boxes: None,
    };
    let layer = &sampler.network.decoder.output;
    let gradient = |model: &TrainingModel, batch: Batch| -> (Tensor<2>, _) {
        let step = TrainStep::step(model, batch);
        (step.grads.get(layer.weight.id).unwrap(), step.item)
    };
    let (actual, output) = gradient(&sampler, batch.clone());
    let sampled = sample(&gradient_norms(output.logits, output.targets).unwrap(), 2);
    assert_ne!(sampled.weights, [1.0; 2]);
    let parts = sampled.indices.iter().zip(&sampled.weights);
    let expected = parts
        .map(|(&index, &weight)| gradient(&plain, batch.clone().select(&[index])).0 * weight)
        .reduce(|a, b| a + b)
        .unwrap()
        / 2.0;
    let scale = expected.clone().abs().max().into_scalar::<f32>();
    (actual / scale)
        .into_data()
        .assert_approx_eq::<f32>(&(expected / scale).into_data(), Tolerance::absolute(1e-4));
}

#[test]
fn training_step_reports_the_whole_batch() {
    let config = narrow();
    let mut recipe = Recipe::load("compact").unwrap().training;
    (recipe.sampling_ratio, recipe.character_map_weight) = (4, 0.0);
    let device = Device::flex().autodiff();
    let model = TrainingModel::new(&config, &recipe, &device).unwrap();
    let (images, steps) = (8, config.steps());
    let [channels, rows, cols] = config.input_shape();
    let ids = |from: i32| Tensor::<1, Int>::arange(0..48, &device).remainder_scalar(5) + from;
    let batch = Batch {
        images: Tensor::zeros([images, channels, rows, cols], &device),
        inputs: ids(0).reshape([images, steps]),
        targets: ids(1).reshape([images, steps]),
        character_map: Some(Tensor::zeros([images, config.grid().positions()], &device)),
        boxes: Some(Tensor::zeros(
            [images, steps, config.grid().positions()],
            &device,
        )),
    };
    let output = TrainStep::step(&model, batch.clone()).item;
    assert_eq!(output.targets.dims(), [images, steps]);
    assert_eq!(output.logits.dims()[0], images);
    let part = batch.select(&[6, 1]);
    assert_eq!(part.images.dims()[0], 2);
    assert_eq!(part.boxes.map(|boxes| boxes.dims()[0]), Some(2));
    let first = part.targets.slice([0..1, 0..1]).into_scalar::<i64>();
    assert_eq!(first, 36 % 5 + 1);
}
