//! The kernel against burn's layers: the same values, the same gradients.

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::{Device, Distribution, Tensor, Tolerance};
use captcha_model::ModelConfig;
use captcha_model::config::{BlockConfig, EncoderConfig};
use captcha_model::encoder::{ConvBlock, Encoder};

use crate::seeded;

/// Every kind of block, odd sizes, maps of two bands and of less than one.
fn encoders() -> Vec<(EncoderConfig, [usize; 4])> {
    let blocks = |filters: [usize; 3]| {
        vec![
            BlockConfig::new(filters[0], false, false, true),
            BlockConfig::new(filters[1], true, true, true),
            BlockConfig::new(filters[2], true, true, false),
            BlockConfig::new(filters[2], true, true, true).with_pool_cols(false),
        ]
    };
    let encoder = |filters| EncoderConfig::new(blocks(filters), 0.0, 7, 0.1);
    vec![
        (encoder([5, 9, 11]).with_pool_first(true), [3, 3, 23, 38]),
        (encoder([5, 9, 11]), [3, 3, 23, 38]),
        (encoder([16, 70, 40]).with_pool_first(true), [2, 3, 98, 194]),
        (encoder([4, 4, 4]).with_pool_first(true), [70, 3, 10, 12]),
        (ModelConfig::compact().encoder, [1, 3, 196, 388]),
    ]
}

/// The shape of the encoder's input for images of this shape.
fn input_shape(config: &EncoderConfig, [batch, _, height, width]: [usize; 4]) -> [usize; 4] {
    let side = config.unshuffle;
    [batch, config.channels(), height / side, width / side]
}

/// Difference of values between which rounding may choose.
const EQUAL: f32 = 1e-4;

/// 1 for each output that rounding cannot move to another input of its window, nor across the
/// threshold of the ReLU; 0 for the others.
fn certain_outputs(block: &ConvBlock, x: &Tensor<4>) -> Tensor<4> {
    let maps = block.conv.forward(x.clone()).inner();
    let [batch, filters, height, width] = maps.dims();
    let output = block.conv_relu_pool_reference(x.clone()).inner();
    let [.., rows, cols] = output.dims();
    let window = [height / rows, width / cols];
    let values: Tensor<5> = maps
        .slice([
            0..batch,
            0..filters,
            0..rows * window[0],
            0..cols * window[1],
        ])
        .reshape([batch * filters, rows, window[0], cols, window[1]])
        .swap_dims(2, 3)
        .reshape([batch, filters, rows, cols, window[0] * window[1]])
        .sort_descending(4);
    let max: Tensor<4> = values.clone().narrow(4, 0, 1).squeeze_dim(4);
    let mut certain = max.clone().abs().greater_elem(EQUAL);
    if window != [1, 1] {
        let second: Tensor<4> = values.narrow(4, 1, 1).squeeze_dim(4);
        let is_inactive = max.clone().lower_elem(0.0);
        certain = certain.bool_and((max - second).greater_elem(EQUAL).bool_or(is_inactive));
    }
    certain.float()
}

/// A block's output, and the gradients of its input, weights and bias.
fn run(
    block: &ConvBlock,
    x: &Tensor<4>,
    certain: &Tensor<4>,
    conv_relu_pool: fn(&ConvBlock, Tensor<4>) -> Tensor<4>,
) -> [Tensor<1>; 4] {
    let x = x.clone().require_grad();
    let output = conv_relu_pool(block, x.clone());
    // Squares, so that each position's gradient differs.
    let objective = output.clone().powi_scalar(2) * Tensor::from_inner(certain.clone());
    let mut gradients = objective.sum().backward();
    let of_x = x.grad_remove(&mut gradients).expect("a gradient");
    let gradients = GradientsParams::from_grads(gradients, block);
    let weight: Tensor<4> = gradients.get(block.conv.weight.id).expect("a gradient");
    let bias = block.conv.bias.as_ref().expect("a bias");
    let bias: Tensor<1> = gradients.get(bias.id).expect("a gradient");
    [
        output.inner().flatten(0, 3),
        of_x.flatten(0, 3),
        weight.flatten(0, 3),
        bias,
    ]
}

/// As [`Encoder::forward`], by burn's own layers.
fn forward_reference(encoder: &Encoder, images: Tensor<4>) -> Tensor<3> {
    let maps = encoder.blocks.iter().fold(images, |x, block| {
        block.norm_pool(block.conv_relu_pool_reference(x))
    });
    encoder.project(maps)
}

#[test]
fn conv_relu_pool_in_training_has_the_values_and_gradients_of_burn() {
    let device = Device::flex().autodiff();
    let _numbers = seeded::alone(&device, 1);
    for (config, shape) in encoders() {
        let mut shape = input_shape(&config, shape);
        for block in config.init(&device).blocks {
            let x = Tensor::random(
                shape,
                Distribution::Uniform(0.0, 1.0),
                &device.clone().inner(),
            );
            let x = Tensor::from_inner(x);
            let certain = certain_outputs(&block, &x);
            assert!(certain.clone().mean().into_scalar::<f32>() > 0.99);
            let reference = run(&block, &x, &certain, ConvBlock::conv_relu_pool_reference);
            let kernel = run(&block, &x, &certain, ConvBlock::conv_relu_pool);
            for (expected, actual) in reference.into_iter().zip(kernel) {
                let scale = expected.clone().abs().max().into_scalar::<f32>().max(1e-6);
                (actual / scale).into_data().assert_approx_eq::<f32>(
                    &(expected / scale).into_data(),
                    Tolerance::absolute(1e-4),
                );
            }
            shape = block.forward(x).dims();
        }
    }
}

#[test]
fn encoder_in_training_has_the_features_of_burn() {
    let device = Device::flex().autodiff();
    let _numbers = seeded::alone(&device, 2);
    for (config, shape) in encoders() {
        let encoder = config.init(&device);
        let images = Tensor::random(
            input_shape(&config, shape),
            Distribution::Uniform(0.0, 1.0),
            &device.clone().inner(),
        );
        let images = Tensor::from_inner(images);
        let expected = forward_reference(&encoder, images.clone());
        let actual = encoder.forward(images);
        let scale = expected.clone().abs().max().into_scalar::<f32>();
        (actual / scale)
            .into_data()
            .assert_approx_eq::<f32>(&(expected / scale).into_data(), Tolerance::absolute(1e-4));
    }
}

#[test]
fn encoder_in_inference_has_the_features_of_burn() {
    let device = Device::flex();
    let _numbers = seeded::alone(&device, 3);
    for (config, shape) in encoders() {
        let encoder = config.init(&device).no_grad();
        let shape = input_shape(&config, shape);
        let images = Tensor::random(shape, Distribution::Uniform(0.0, 1.0), &device);
        let expected = forward_reference(&encoder, images.clone());
        let scale = expected.clone().abs().max().into_scalar::<f32>();
        (encoder.forward(images) / scale)
            .into_data()
            .assert_approx_eq::<f32>(&(expected / scale).into_data(), Tolerance::absolute(1e-4));
    }
}

#[test]
fn conv_relu_pool_of_nan_is_nan() {
    let device = Device::flex().autodiff();
    let _numbers = seeded::alone(&device, 5);
    for (config, shape) in encoders() {
        let [_, channels, height, width] = input_shape(&config, shape);
        let block = &config.init(&device).blocks[0];
        let x = Tensor::full([1, channels, height, width], f32::NAN, &device);
        let output = block.conv_relu_pool(x).inner();
        assert!(output.is_nan().all().into_scalar::<bool>());
    }
}
