//! Our kernel against burn's layers: the same values, the same gradients.

mod seeded;

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::{Device, Distribution, Tensor, Tolerance};
use captcha_model::ModelConfig;
use captcha_model::config::{BlockConfig, EncoderConfig};
use captcha_model::encoder::ConvBlock;
use captcha_trainer::convolution;

/// Every kind of block, odd sizes, maps of many tiles and of less than one.
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

/// What the first block takes of images of this shape.
fn unshuffled(config: &EncoderConfig, [batch, _, height, width]: [usize; 4]) -> [usize; 4] {
    let side = config.unshuffle;
    [batch, config.channels(), height / side, width / side]
}

/// Values of few binary digits, so that sums are exact in any order: two values under a pool are
/// equal or not, whoever adds them up.
fn few_digits<const D: usize>(x: Tensor<D>, digits: i32) -> Tensor<D> {
    let steps = 2f32.powi(digits);
    x.mul_scalar(steps).round().div_scalar(steps)
}

/// The same for a parameter.
fn leaf_of_few_digits<const D: usize>(parameter: Tensor<D>) -> Tensor<D> {
    Tensor::from_inner(few_digits(parameter.inner(), 10)).require_grad()
}

/// A block's output, and the gradients of its input, weights and bias.
fn run(
    block: &ConvBlock,
    x: &Tensor<4>,
    activate: fn(&ConvBlock, Tensor<4>) -> Tensor<4>,
) -> [Tensor<1>; 4] {
    let x = x.clone().require_grad();
    let output = activate(block, x.clone());
    // Squares, so that each position's gradient differs.
    let mut gradients = output.clone().powi_scalar(2).sum().backward();
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

#[test]
fn values_and_gradients_are_those_of_burn() {
    let device = Device::flex().autodiff();
    let _numbers = seeded::alone(&device, 1);
    for (config, shape) in encoders() {
        let mut shape = unshuffled(&config, shape);
        for mut block in config.init(&device).blocks {
            block.conv.weight = block.conv.weight.map(leaf_of_few_digits);
            block.conv.bias = block.conv.bias.map(|bias| bias.map(leaf_of_few_digits));
            let x = Tensor::random(
                shape,
                Distribution::Uniform(0.0, 1.0),
                &device.clone().inner(),
            );
            let x = Tensor::from_inner(few_digits(x, 6));
            let plain = run(&block, &x, ConvBlock::activate_by_layers);
            let ours = run(&block, &x, convolution::activate);
            for (expected, actual) in plain.into_iter().zip(ours) {
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
fn a_whole_encoder_sees_the_same_in_training() {
    let device = Device::flex().autodiff();
    let _numbers = seeded::alone(&device, 2);
    for (config, shape) in encoders() {
        let encoder = config.init(&device);
        let images = Tensor::random(
            shape,
            Distribution::Uniform(0.0, 1.0),
            &device.clone().inner(),
        );
        let images = Tensor::from_inner(images);
        let expected = encoder.forward_by(ConvBlock::activate_by_layers, images.clone());
        let actual = encoder.forward_by(convolution::activate, images);
        let scale = expected.clone().abs().max().into_scalar::<f32>();
        (actual / scale)
            .into_data()
            .assert_approx_eq::<f32>(&(expected / scale).into_data(), Tolerance::absolute(1e-4));
    }
}

#[test]
fn a_whole_encoder_sees_the_same_without_training() {
    let device = Device::flex();
    let _numbers = seeded::alone(&device, 3);
    for (config, shape) in encoders() {
        let encoder = config.init(&device).no_grad();
        let images = Tensor::random(shape, Distribution::Uniform(0.0, 1.0), &device);
        let squares = match config.unshuffle {
            1 => images.clone(),
            _ => encoder.unshuffle.forward(images.clone()),
        };
        let expected = encoder.forward_squares_by(ConvBlock::activate_by_layers, squares);
        let scale = expected.clone().abs().max().into_scalar::<f32>();
        (encoder.forward(images) / scale)
            .into_data()
            .assert_approx_eq::<f32>(&(expected / scale).into_data(), Tolerance::absolute(1e-4));
    }
}

#[test]
fn squares_of_pixels_are_those_of_burn() {
    let device = Device::flex();
    let _numbers = seeded::alone(&device, 4);
    for side in [2, 3] {
        let mut config = ModelConfig::compact().encoder;
        config.unshuffle = side;
        let encoder = config.init(&device).no_grad();
        let images = Tensor::random([2, 3, 4 * side, 5 * side], Distribution::Default, &device);
        let expected = encoder.unshuffle.forward(images.clone()).into_data();
        assert_eq!(encoder.squares(images.clone()).into_data(), expected);
        let trained = convolution::squares(&encoder, Tensor::from_inner(images));
        assert!(trained.is_autodiff());
        assert_eq!(trained.into_data(), expected);
    }
}

#[test]
fn what_is_not_a_number_stays_so() {
    let device = Device::flex().autodiff();
    let _numbers = seeded::alone(&device, 5);
    for (config, shape) in encoders() {
        let [_, channels, height, width] = unshuffled(&config, shape);
        let block = &config.init(&device).blocks[0];
        let x = Tensor::full([1, channels, height, width], f32::NAN, &device);
        let output = convolution::activate(block, x).inner();
        assert!(output.is_nan().all().into_scalar::<bool>());
    }
}
