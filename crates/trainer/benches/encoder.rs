//! Benchmarks of the encoder in a training step and in inference: burn's layers and our kernel.

use burn::module::Module;
use burn::tensor::{Device, Distribution, Tensor};
use captcha_model::ModelConfig;
use captcha_model::encoder::Encoder;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

/// Images in a step of the `compact` recipe.
const BATCH: usize = 16;

type Forward = fn(&Encoder, Tensor<4>) -> Tensor<3>;

const VARIANTS: [(&str, Forward); 2] = [
    ("burn", forward_reference),
    ("own kernel", Encoder::forward),
];

/// [`Encoder::forward`] with burn's layers.
fn forward_reference(encoder: &Encoder, images: Tensor<4>) -> Tensor<3> {
    let maps = encoder.blocks.iter().fold(images, |x, block| {
        block.norm_pool(block.conv_relu_pool_reference(x))
    });
    encoder.project(maps)
}

fn encoder(criterion: &mut Criterion) {
    let device = Device::flex().autodiff();
    let config = ModelConfig::compact();
    let encoder = config.encoder.init(&device);
    let [channels, rows, cols] = config.input_shape();
    let shape = [BATCH, channels, rows, cols];
    let images = Tensor::random(shape, Distribution::Uniform(0.0, 1.0), &device);
    let mut group = criterion.benchmark_group("encoder, forward and backward");
    group
        .throughput(Throughput::Elements(BATCH as u64))
        .sample_size(20);
    for (name, forward) in VARIANTS {
        group.bench_function(name, |bencher| {
            bencher.iter(|| forward(&encoder, images.clone()).sum().backward());
        });
    }
    group.finish();

    let device = Device::flex();
    let encoder = config.encoder.init(&device).no_grad();
    let image = images.inner().narrow(0, 0, 1);
    let mut group = criterion.benchmark_group("encoder, one image");
    for (name, forward) in VARIANTS {
        group.bench_function(name, |bencher| {
            bencher.iter(|| forward(&encoder, image.clone()).into_data());
        });
    }
    group.finish();
}

criterion_group!(benches, encoder);
criterion_main!(benches);
