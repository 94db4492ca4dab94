//! The losses of training.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod seeded;

use burn::tensor::{Device, Distribution, Int, Tensor, Tolerance};
use burn::train::TrainStep;
use captcha_learning::data::batch::Batch;
use captcha_learning::losses::{attention_losses, character_map_losses, text_loss};
use captcha_model::{ModelConfig, Vocabulary};
use captcha_trainer::training::model::TrainingModel;
use captcha_trainer::training::optimizer::optimizer;
use captcha_trainer::training::recipe::Recipe;

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
