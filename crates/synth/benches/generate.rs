//! Images per second on one core: drawn, and drawn and resized to the network's input of 388 x 196.

use std::hint::black_box;

use captcha_synth::{FontSet, Generator, Split, Style, TextSource};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};

fn generate(criterion: &mut Criterion) {
    let generator = Generator::new(
        Style::Words,
        TextSource::listed(),
        FontSet::Train,
        Split::Train,
        1,
    );
    let mut group = criterion.benchmark_group("generate");
    group.throughput(Throughput::Elements(1));

    let mut index = 0;
    group.bench_function("sample", |bencher| {
        bencher.iter(|| {
            index += 1;
            black_box(generator.sample(index))
        });
    });

    let mut resizer = Resizer::new();
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Bilinear));
    let mut small = Image::new(388, 196, PixelType::U8x3);
    group.bench_function("sample and resize", |bencher| {
        bencher.iter(|| {
            index += 1;
            let sample = generator.sample(index);
            let large = ImageRef::new(sample.width, sample.height, &sample.rgb, PixelType::U8x3)
                .expect("the buffer has the image's size");
            resizer
                .resize(&large, &mut small, Some(&options))
                .expect("both are U8x3");
            black_box(small.buffer()[0])
        });
    });
    group.finish();
}

criterion_group!(benches, generate);
criterion_main!(benches);
