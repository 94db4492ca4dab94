//! The encoder, in a training step and alone: burn's layers against our kernel.

use burn::module::Module;
use burn::tensor::{Device, Distribution, Tensor};
use captcha_model::ModelConfig;
use captcha_model::encoder::{ConvBlock, Encoder};
use captcha_trainer::convolution;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

/// Images in a step of the `compact` recipe.
const BATCH: usize = 16;

type Squares = fn(&Encoder, Tensor<4>) -> Tensor<4>;
type Activate = fn(&ConvBlock, Tensor<4>) -> Tensor<4>;

fn encoder(criterion: &mut Criterion) {
    let device = Device::flex().autodiff();
    let config = ModelConfig::compact();
    let encoder = config.encoder.init(&device);
    let shape = [BATCH, 3, config.input.height, config.input.width];
    let images = Tensor::random(shape, Distribution::Uniform(0.0, 1.0), &device);
    let mut group = criterion.benchmark_group("encoder, forward and backward");
    group
        .throughput(Throughput::Elements(BATCH as u64))
        .sample_size(20);
    let burn_squares: Squares = |encoder, images| encoder.unshuffle.forward(images);
    for (name, squares, activate) in [
        (
            "burn",
            burn_squares,
            ConvBlock::activate_by_layers as Activate,
        ),
        ("own kernel", convolution::squares, convolution::activate),
    ] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let squares = squares(&encoder, images.clone());
                let features = encoder.forward_squares_by(activate, squares);
                features.sum().backward()
            });
        });
    }
    group.finish();

    let device = Device::flex();
    let encoder = config.encoder.init(&device).no_grad();
    let image = images.inner().narrow(0, 0, 1);
    let mut group = criterion.benchmark_group("encoder, one image");
    for (name, squares, activate) in [
        (
            "burn",
            burn_squares,
            ConvBlock::activate_by_layers as Activate,
        ),
        ("own kernel", Encoder::squares, ConvBlock::activate),
    ] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let squares = squares(&encoder, image.clone());
                encoder.forward_squares_by(activate, squares).into_data()
            });
        });
    }
    group.finish();
}

criterion_group!(benches, encoder);
criterion_main!(benches);
