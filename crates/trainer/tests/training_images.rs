//! The images of fine-tuning steps: their series, their variants, and the decoder's input.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use burn::tensor::{Device, Int, Tensor};
use captcha_evaluation::data::labels::LabelledFile;
use captcha_evaluation::data::{Dataset, Example};
use captcha_learning::data::augmentation::Augmentation;
use captcha_learning::data::batch::{Batcher, Prepared};
use captcha_learning::data::read_images::Disk;
use captcha_learning::finetune::FinetuneRecipe;
use captcha_learning::finetune::stream::TrainingStream;
use captcha_model::image::RgbImage;
use captcha_model::{ModelConfig, Vocabulary};
use captcha_synth::{FontSet, Generator, Split, TextSource};
use captcha_trainer::data::synthetic::SyntheticDataset;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use tempfile::TempDir;

/// Six images of different grey levels, and a stream of them.
fn stream(folder: &Path, share: f64) -> TrainingStream {
    let files = (0..6u8)
        .map(|index| {
            let path = folder.join(format!("{index}.png"));
            RgbImage::from_pixel(8, 4, image::Rgb([40 * index; 3]))
                .save(&path)
                .unwrap();
            LabelledFile {
                path,
                text: index.to_string(),
            }
        })
        .collect();
    let generator = Generator::new(
        captcha_synth::Style::Words,
        TextSource::Random,
        FontSet::Train,
        Split::Train,
        1,
    );
    let synthetic: Arc<dyn Dataset> = Arc::new(SyntheticDataset::new(generator, 100));
    let augmentation = FinetuneRecipe::standard().unwrap().augmentation;
    let config = ModelConfig::compact().with_input([8, 16]);
    let synthetic = Some((synthetic, share));
    TrainingStream::new(files, Arc::new(Disk), synthetic, augmentation, config, 5).unwrap()
}

#[test]
fn stream_draws_each_image_once_before_one_again() {
    let folder = TempDir::new().unwrap();
    let stream = stream(folder.path(), 0.25);
    let drawn: Vec<_> = (0..32)
        .map(|number| stream.draw(number, 1.0).unwrap())
        .collect();
    let labelled: Vec<usize> = drawn.iter().filter_map(|one| one.file).collect();
    assert_eq!(labelled.len(), 24);
    for pass in labelled.chunks(6) {
        let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
        for file in pass {
            *counts.entry(*file).or_default() += 1;
        }
        assert_eq!(counts.len(), 6, "{pass:?}");
    }
    for one in drawn.iter().filter(|one| one.file.is_some()) {
        assert_eq!(one.example.text, one.file.unwrap().to_string());
    }
    let again = stream.draw(17, 1.0).unwrap();
    assert_eq!(again.example.image, drawn[17].example.image);
}

/// No change at all.
fn nothing() -> Augmentation {
    Augmentation {
        rotation: 0.0,
        scale: 0.0,
        shear: 0.0,
        shift: 0.0,
        wave: 0.0,
        contrast: 0.0,
        brightness: 0.0,
        noise: 0.0,
        blur_share: 0.0,
        jpeg_share: 0.0,
    }
}

fn gradient(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        image::Rgb([(13 * x % 256) as u8, (29 * y % 256) as u8, 128])
    })
}

#[test]
fn augmentation_of_nothing_changes_nothing() {
    let image = gradient(20, 10);
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let standard = FinetuneRecipe::standard().unwrap().augmentation;
    for augmentation in [nothing(), standard.scaled(0.0)] {
        let same = augmentation.apply(&image, [20, 10], &mut random).unwrap();
        assert_eq!(same, image);
    }
    assert_eq!(standard.scaled(1.0), standard);
}

#[test]
fn augmentation_takes_any_size() {
    let standard = FinetuneRecipe::standard().unwrap().augmentation;
    let all = Augmentation {
        wave: 0.1,
        blur_share: 1.0,
        jpeg_share: 1.0,
        ..standard
    };
    for (width, height) in [(1, 1), (1, 90), (300, 2), (900, 30), (7, 5)] {
        let mut random = ChaCha8Rng::seed_from_u64(u64::from(width));
        let image = all
            .apply(&gradient(width, height), [48, 16], &mut random)
            .unwrap();
        assert_eq!(image.dimensions(), (48, 16));
    }
}

#[test]
fn augmentation_moves_within_its_limits() {
    // A black column on white, moved by at most a tenth of the width.
    let image = RgbImage::from_fn(100, 20, |x, _| {
        image::Rgb([if (48..52).contains(&x) { 0 } else { 255 }; 3])
    });
    let moved = Augmentation {
        shift: 0.1,
        ..nothing()
    };
    let places: Vec<f32> = (0..40)
        .map(|seed| {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            let image = moved.apply(&image, [100, 20], &mut random).unwrap();
            let dark = |x: &u32| image.get_pixel(*x, 10).0[0] < 128;
            let columns: Vec<u32> = (0..100).filter(dark).collect();
            columns.iter().sum::<u32>() as f32 / columns.len() as f32 - 49.5
        })
        .collect();
    let largest = places
        .iter()
        .fold(0f32, |most, place| most.max(place.abs()));
    assert!((5.0..=10.6).contains(&largest), "{largest}");
}

#[test]
fn augmentation_keeps_the_ends_of_long_images() {
    let standard = FinetuneRecipe::standard().unwrap().augmentation;
    let geometry = Augmentation {
        rotation: standard.rotation,
        scale: standard.scale,
        shear: standard.shear,
        shift: standard.shift,
        ..nothing()
    };
    // As large as the input, and so large that it is reduced first, to other proportions.
    for (size, input) in [(1, [320, 40]), (6, [360, 90])] {
        // A black square on white, where a last character would be.
        let image = RgbImage::from_fn(320 * size, 40 * size, |x, y| {
            let is_black = (290..302).contains(&(x / size)) && (14..26).contains(&(y / size));
            image::Rgb([if is_black { 0 } else { 255 }; 3])
        });
        let whole = 144 * input[0] * input[1] / (320 * 40);
        for seed in 0..500 {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            let image = geometry.apply(&image, input, &mut random).unwrap();
            let dark = image.pixels().filter(|pixel| pixel.0[0] < 128).count();
            let share = dark as f32 / whole as f32;
            assert!(share > 0.6, "{share} of it is left: {input:?}, seed {seed}");
        }
    }
}

#[test]
fn replaced_inputs_leave_the_targets_and_the_special_tokens() {
    let config = ModelConfig::compact();
    let batcher = Batcher::new(config.clone()).unwrap();
    let example = Example {
        image: gradient(20, 10),
        text: "abc".into(),
        characters: None,
        rendering: None,
    };
    let before = batcher.prepare(&example).unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let tokens = |prepared: Prepared| {
        let batch = batcher.stack(vec![prepared], &Device::flex());
        let values = |tensor: Tensor<2, Int>| -> Vec<i32> { tensor.into_data().iter().collect() };
        (values(batch.inputs), values(batch.targets))
    };
    let mut same = before.clone();
    batcher.replace_inputs(&mut same, 0.0, &mut random);
    assert_eq!(tokens(same), tokens(before.clone()));
    let (inputs, targets) = tokens(before.clone());
    let first = Vocabulary::FIRST_CHARACTER as i32;
    let mut changed = 0;
    for _ in 0..20 {
        let mut prepared = before.clone();
        batcher.replace_inputs(&mut prepared, 1.0, &mut random);
        let (replaced, same_targets) = tokens(prepared);
        assert_eq!(same_targets, targets);
        for (new, old) in replaced.iter().zip(&inputs) {
            assert_eq!(*new < first, *old < first, "{replaced:?}");
            changed += usize::from(new != old);
        }
    }
    assert!(changed > 50, "{changed} of 60 characters");
}
