//! The trainer's own kernel against burn's: the same values, the same gradients.

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::{Device, Distribution, Tensor};
use captcha_model::ModelConfig;
use captcha_model::config::{BlockConfig, EncoderConfig};
use captcha_model::encoder::{ConvBlock, Encoder};
use captcha_trainer::convolution;

/// Every kind of block, odd sizes, maps of many tiles and of less than one.
fn encoders() -> Vec<(EncoderConfig, [usize; 4])> {
    let blocks = |filters: [usize; 3]| {
        vec![
            BlockConfig::new(filters[0], false, false, true),
            BlockConfig::new(filters[1], true, true, true),
            BlockConfig::new(filters[2], true, true, false),
        ]
    };
    let encoder = |filters| EncoderConfig::new(blocks(filters), 0.0, 7, 0.1);
    vec![
        (encoder([5, 9, 11]).with_pool_first(true), [3, 3, 23, 38]),
        (encoder([5, 9, 11]), [3, 3, 23, 38]),
        (encoder([16, 70, 40]).with_pool_first(true), [2, 3, 98, 194]),
        (encoder([4, 4, 4]).with_pool_first(true), [70, 3, 10, 12]),
        (ModelConfig::compact().encoder, [1, 3, 98, 194]),
    ]
}

type Values = Vec<(String, Tensor<1>)>;

fn run(
    encoder: &Encoder,
    images: &Tensor<4>,
    activate: fn(&ConvBlock, Tensor<4>) -> Tensor<4>,
) -> Values {
    let images = images.clone().require_grad();
    let features = encoder.forward_by(activate, images.clone());
    // Squares, so that each position's gradient differs.
    let mut gradients = features.clone().powi_scalar(2).sum().backward();
    let mut values = vec![
        ("features".to_owned(), features.inner().flatten(0, 2)),
        (
            "images".to_owned(),
            images
                .grad_remove(&mut gradients)
                .expect("a gradient")
                .flatten(0, 3),
        ),
    ];
    let gradients = GradientsParams::from_grads(gradients, encoder);
    for (index, block) in encoder.blocks.iter().enumerate() {
        let weight: Tensor<4> = gradients.get(block.conv.weight.id).expect("a gradient");
        let bias: Tensor<1> = gradients
            .get(block.conv.bias.as_ref().expect("a bias").id)
            .expect("a gradient");
        values.push((format!("weight {index}"), weight.flatten(0, 3)));
        values.push((format!("bias {index}"), bias));
    }
    values
}

#[test]
fn values_and_gradients_are_those_of_burn() {
    let device = Device::flex().autodiff();
    device.seed(1);
    for (config, shape) in encoders() {
        let encoder = config.init(&device);
        let images = Tensor::random(
            shape,
            Distribution::Uniform(0.0, 1.0),
            &device.clone().inner(),
        );
        let images = Tensor::from_inner(images);
        let plain = run(&encoder, &images, ConvBlock::activate);
        let ours = run(&encoder, &images, convolution::activate);
        for ((name, expected), (_, actual)) in plain.into_iter().zip(ours) {
            let size = |x: Tensor<1>| x.powi_scalar(2).sum().sqrt().into_scalar::<f32>();
            let distance = size(actual - expected.clone()) / size(expected);
            // Where two values under a pool differ by rounding only, either may be the greatest, and
            // the gradient goes another way; so it is the whole that must agree. A border that is
            // treated wrongly makes a tenth and more.
            let most = if name == "features" { 1e-5 } else { 5e-2 };
            assert!(distance < most, "{name} differs by {distance}");
        }
    }
}

#[test]
fn without_training_burn_computes() {
    let device = Device::flex();
    let encoder = ModelConfig::compact().encoder.init(&device).no_grad();
    let images = Tensor::random([1, 3, 98, 194], Distribution::Uniform(0.0, 1.0), &device);
    let plain = encoder.forward(images.clone());
    let ours = encoder.forward_by(convolution::activate, images);
    ours.into_data().assert_eq(&plain.into_data(), true);
}
