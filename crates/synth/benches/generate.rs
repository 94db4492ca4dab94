//! Images per second on one core: of `words`, and of random looks; drawn, and drawn and resized to
//! the network's inputs of 388 x 196 and of 384 x 192, and to 100 x 50.

use std::hint::black_box;

use captcha_synth::{FontSet, Generator, Split, Style, TextSource};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};

fn generate(criterion: &mut Criterion) {
    let words = Generator::new(
        Style::Words,
        TextSource::listed(),
        FontSet::Train,
        Split::Train,
        1,
    );
    let random = Generator::of_random_looks(1, FontSet::Train, Split::Train, 1);
    let mut group = criterion.benchmark_group("generate");
    group.throughput(Throughput::Elements(1));
    for (name, generator) in [("words", words), ("random looks", random)] {
        let mut index = 0;
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                index += 1;
                black_box(generator.sample(index))
            });
        });
        for (width, height) in [(100, 50), (384, 192), (388, 196)] {
            let mut resizer = Resizer::new();
            let algorithm = ResizeAlg::Convolution(FilterType::Bilinear);
            let options = ResizeOptions::new().resize_alg(algorithm);
            let mut resized = Image::new(width, height, PixelType::U8x3);
            group.bench_function(
                format!("{name}, resized to {width} x {height}"),
                |bencher| {
                    bencher.iter(|| {
                        index += 1;
                        let sample = generator.sample(index);
                        let (width, height) = (sample.width, sample.height);
                        let drawn = ImageRef::new(width, height, &sample.rgb, PixelType::U8x3)
                            .expect("the buffer has the image's size");
                        resizer
                            .resize(&drawn, &mut resized, Some(&options))
                            .expect("both are U8x3");
                        black_box(resized.buffer()[0])
                    });
                },
            );
        }
    }
    group.finish();
}

criterion_group!(benches, generate);
criterion_main!(benches);
