//! Data sets, batches and the loader.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use burn::data::dataloader::DataLoader;
use burn::tensor::{Device, TensorData, Tolerance};
use captcha_evaluation::data::augment::{AugmentStream, Augmented};
use captcha_evaluation::data::{Dataset, Example, FixedEpoch, PlacedCharacter};
use captcha_learning::data::batch::Batcher;
use captcha_model::image::RgbImage;
use captcha_model::{ModelConfig, Vocabulary};
use captcha_synth::{FontSet, Generator, Split, Style, TextSource, listed_words};
use captcha_trainer::data::loader::{Loader, Rest};
use captcha_trainer::data::run_data::{DataSource, RunData};
use captcha_trainer::data::synthetic::SyntheticDataset;
use captcha_trainer::training::provenance::Provenance;
use captcha_trainer::training::recipe::Recipe;
use serde_json::{Value, json};

fn synthetic(split: Split, images_per_epoch: usize) -> SyntheticDataset {
    let generator = Generator::new(Style::Words, TextSource::listed(), FontSet::Train, split, 7);
    SyntheticDataset::new(generator, images_per_epoch)
}

#[test]
fn synthetic_dataset_never_repeats_an_image() {
    let dataset = synthetic(Split::Train, 3);
    let image = |epoch, index| dataset.example(epoch, index).unwrap().image;
    let all: Vec<_> = (0..3)
        .flat_map(|epoch| (0..3).map(move |i| (epoch, i)))
        .collect();
    for (i, a) in all.iter().enumerate() {
        assert_eq!(image(a.0, a.1), image(a.0, a.1));
        for b in &all[..i] {
            assert_ne!(image(a.0, a.1), image(b.0, b.1));
        }
    }
}

#[test]
fn run_data_validates_on_another_split_than_it_trains_on() {
    let mut recipe = Recipe::load("compact").unwrap();
    recipe.data.random_share = 0.0;
    recipe.data.blank_share = 0.0;
    recipe.data.distortion_share = 0.0;
    recipe.data.extra_fonts_share = 0.0;
    recipe.data.augmented_share = 0.0;
    let source = DataSource::parse("synth:words").unwrap();
    let network = recipe.model().unwrap();
    let images = RunData::new(&source, &recipe, &network, 7, 2).unwrap();
    let (train, validation) = (images.train, images.validation);
    let words = listed_words().iter().map(|&word| word.to_owned()).collect();
    let texts = TextSource::Mixed {
        words,
        random_share: 0.0,
    };
    let expected = Generator::new(Style::Words, texts, FontSet::Train, Split::Train, 7);
    let expected = SyntheticDataset::new(expected, 3).starting_at(2);
    let first = |dataset: &dyn Dataset| dataset.example(0, 0).unwrap().image;
    assert_eq!(first(&*train), first(&expected));
    assert_eq!(first(&*validation), first(&synthetic(Split::Validation, 3)));
}

#[test]
fn synthetic_dataset_starting_at_skips_images() {
    let later = synthetic(Split::Train, 3).starting_at(6);
    let image =
        |dataset: &SyntheticDataset, epoch, index| dataset.example(epoch, index).unwrap().image;
    let whole = synthetic(Split::Train, 3);
    assert_eq!(image(&later, 0, 1), image(&whole, 2, 1));
    assert_eq!(image(&later, 1, 0), image(&whole, 3, 0));
}

#[test]
fn images_seen_before_counts_all_earlier_runs() {
    let run = |seed, first, seen, from: Value| json!({ "data": "synth:words", "seed": seed, "first_image": first, "images_seen": seen, "from": from });
    let old = run(7, 0, 50, Value::Null);
    let average = json!({ "average_of": [old, run(8, 100, 30, Value::Null)] });
    let record = run(9, 0, 10, average);
    let before = |data, seed| Provenance::images_seen_before(&record, data, seed);
    assert_eq!(before("synth:words", 7), 50);
    assert_eq!(before("synth:words", 8), 130);
    assert_eq!(before("synth:words", 9), 10);
    assert_eq!(before("synth:words", 1), 0);
    assert_eq!(before("folder", 7), 0);
}

#[test]
fn fixed_epoch_repeats_the_first_epoch() {
    let dataset = synthetic(Split::Validation, 3);
    let first = |index| dataset.example(0, index).unwrap().image;
    let images: Vec<_> = (0..3).map(first).collect();
    let same = FixedEpoch(Arc::new(synthetic(Split::Validation, 3)));
    assert_eq!(same.len(), 3);
    for epoch in [0, 1, 7] {
        let again = (0..3).map(|index| same.example(epoch, index).unwrap().image);
        assert!(again.eq(images.iter().cloned()));
    }
}

#[test]
fn batcher_character_map_has_each_character_in_its_cell() {
    let config = ModelConfig::compact();
    let grid = config.grid();
    let batcher = Batcher::new(config.clone()).unwrap();
    let mut example = synthetic(Split::Train, 1).example(0, 0).unwrap();
    example.text = "ab".into();
    example.characters = Some(vec![
        PlacedCharacter {
            character: 'a',
            x: 0.01,
            y: 0.01,
            width: 0.1,
            height: 0.2,
        },
        PlacedCharacter {
            character: 'b',
            x: 1.2,
            y: 0.99,
            width: 0.1,
            height: 0.2,
        }, // cut off by the right edge
    ]);
    let batch = batcher.stack(vec![batcher.prepare(&example).unwrap()], &Device::flex());
    let map: Vec<i32> = batch
        .character_map
        .unwrap()
        .into_data()
        .convert::<i32>()
        .try_into_vec()
        .unwrap();
    let vocabulary = config.vocabulary().unwrap();
    let mut expected = vec![Vocabulary::PAD as i32; grid.positions()];
    expected[0] = vocabulary.id('a').unwrap() as i32;
    expected[grid.positions() - 1] = vocabulary.id('b').unwrap() as i32;
    assert_eq!(map, expected);
}

#[test]
fn batcher_has_the_steps_of_the_longest_text_and_the_cells_of_each_box() {
    let config = ModelConfig::compact();
    let grid = config.grid();
    let batcher = Batcher::new(config).unwrap();
    let example = |text: &str| {
        let mut example = synthetic(Split::Train, 1).example(0, 0).unwrap();
        example.text = text.into();
        // Each box covers the third column completely and half of the fourth, in the first row.
        let place = |character| PlacedCharacter {
            character,
            x: 2.75 / grid.cols as f32,
            y: 0.25 / grid.rows as f32,
            width: 1.5 / grid.cols as f32,
            height: 0.5 / grid.rows as f32,
        };
        example.characters = Some(text.chars().map(place).collect());
        batcher.prepare(&example).unwrap()
    };
    let joined = batcher.batches(&[example("ab"), example("a")], 1, &Device::flex());
    let steps = joined.iter().map(|batch| batch.targets.dims()[1]);
    assert_eq!(steps.collect::<Vec<_>>(), [6, 6], "all steps");
    let batch = batcher.stack(vec![example("ab"), example("a")], &Device::flex());
    assert_eq!(batch.inputs.dims(), [2, 3]);
    assert_eq!(batch.targets.dims(), [2, 3]);
    let boxes = batch.boxes.unwrap();
    assert_eq!(boxes.dims(), [2, 3, grid.positions()]);
    let sums = boxes.clone().sum_dim(2).into_data();
    sums.assert_approx_eq::<f32>(
        &TensorData::new(vec![1.5f32, 1.5, 0.0, 1.5, 0.0, 0.0], [2, 3, 1]),
        Tolerance::absolute(1e-4),
    );
    let first = boxes.slice([0..1, 0..1, 2..4]).into_data();
    first.assert_approx_eq::<f32>(
        &TensorData::new(vec![1.0f32, 0.5], [1, 1, 2]),
        Tolerance::absolute(1e-4),
    );
}

#[test]
fn loader_gives_every_image_once_and_the_next_epoch_on_the_next_iteration() {
    let config = ModelConfig::compact();
    let batcher = Batcher::new(config.clone()).unwrap();
    let device = Device::flex();
    let dataset = Arc::new(synthetic(Split::Train, 5));
    let loader = Loader::new(
        dataset.clone(),
        batcher.clone(),
        2,
        Rest::Merged,
        0,
        device.clone(),
    )
    .unwrap();
    let second_half = loader.slice(3, 5);
    for (loader, range) in [
        (&loader as &dyn DataLoader<_>, 0..5),
        (second_half.as_ref(), 3..5),
    ] {
        for epoch in 0..2 {
            let batches: Vec<_> = loader.iter().map(|batch| batch.unwrap()).collect();
            let read: Vec<f32> = batches
                .iter()
                .flat_map(|batch| batch.images.to_data().try_into_vec::<f32>().unwrap())
                .collect();
            let prepare = |index| {
                batcher
                    .prepare(&dataset.example(epoch, index).unwrap())
                    .unwrap()
            };
            let expected = batcher.stack(range.clone().map(prepare).collect(), &device);
            assert_eq!(
                read,
                expected.images.into_data().try_into_vec::<f32>().unwrap()
            );
        }
    }
}

/// White images of three proportions, with their index as text.
struct Mixed(usize);

impl Dataset for Mixed {
    fn len(&self) -> usize {
        self.0
    }

    fn example(&self, _epoch: usize, index: usize) -> anyhow::Result<Example> {
        let width = [100, 200, 400][index % 3];
        Ok(Example {
            image: RgbImage::from_pixel(width, 50, image::Rgb([255; 3])),
            text: index.to_string(),
            characters: None,
            rendering: None,
        })
    }
}

#[test]
fn loader_batches_images_of_the_same_proportions() {
    let config = ModelConfig::general();
    let vocabulary = config.vocabulary().unwrap();
    let device = Device::flex();
    for (count, rest) in [1, 7, 8, 26]
        .into_iter()
        .flat_map(|count| [(count, Rest::Merged), (count, Rest::Separate)])
    {
        let batcher = Batcher::new(config.clone()).unwrap();
        let dataset = Arc::new(Mixed(count));
        let loader = Loader::new(dataset.clone(), batcher, 4, rest, 0, device.clone()).unwrap();
        let batches: Vec<_> = loader.iter().map(|batch| batch.unwrap()).collect();
        let mut read = Vec::new();
        let mut stretched = 0;
        for batch in &batches {
            let [images, _, rows, cols] = batch.images.dims();
            let targets = batch.targets.to_data().convert::<i32>();
            let targets = targets.try_into_vec::<i32>().unwrap();
            for target in targets.chunks(targets.len() / images) {
                let text = target
                    .iter()
                    .map_while(|&id| vocabulary.character(id as usize))
                    .collect::<String>();
                let index: usize = text.parse().unwrap();
                let (width, height) = dataset.example(0, index).unwrap().image.dimensions();
                let own = config.for_image(width, height).input_shape();
                stretched += usize::from(own[1..] != [rows, cols]);
                read.push(index);
            }
        }
        read.sort_unstable();
        assert_eq!(read, (0..count).collect::<Vec<_>>());
        match rest {
            Rest::Merged => {
                assert_eq!(batches.len(), count.div_ceil(4));
                assert!(stretched <= 6, "{stretched} of {count}");
            }
            Rest::Separate => assert_eq!(stretched, 0),
        }
    }
}

/// A data set whose second image cannot be read.
struct Broken;

impl Dataset for Broken {
    fn len(&self) -> usize {
        3
    }

    fn example(&self, _epoch: usize, index: usize) -> anyhow::Result<Example> {
        match index {
            0 => synthetic(Split::Train, 1).example(0, 0),
            1 => anyhow::bail!("no such image"),
            _ => panic!("a fault in a data set"),
        }
    }
}

#[test]
fn loader_passes_on_errors() {
    let batcher = Batcher::new(ModelConfig::compact()).unwrap();
    let loader = Loader::new(
        Arc::new(Broken),
        batcher,
        1,
        Rest::Merged,
        0,
        Device::flex(),
    )
    .unwrap();
    let first_error = |loader: &dyn DataLoader<_>| {
        loader
            .iter()
            .find_map(Result::err)
            .map(|error| error.to_string())
    };
    assert_eq!(first_error(&loader).as_deref(), Some("no such image"));
    assert!(
        first_error(loader.slice(2, 3).as_ref()).is_some(),
        "a panic must not end an epoch"
    );
}

/// Mean darkness, 0 to 255, of a square around a position in the image.
fn darkness(example: &Example, [x, y]: [f32; 2]) -> f32 {
    let (width, height) = example.image.dimensions();
    let reach = width as f32 / 24.0;
    let range = |share: f32, size: u32| {
        let centre = share * size as f32;
        let clamp = |at: f32| at.clamp(0.0, size as f32 - 1.0) as u32;
        clamp(centre - reach)..=clamp(centre + reach)
    };
    let darks: Vec<f32> = range(y, height)
        .flat_map(|row| range(x, width).map(move |col| (col, row)))
        .map(|(col, row)| 255.0 - f32::from(example.image.get_pixel(col, row)[1]))
        .collect();
    darks.iter().sum::<f32>() / darks.len() as f32
}

#[test]
fn augmented_images_keep_the_positions_of_characters() {
    let synthetic = || {
        let words = TextSource::listed();
        let generator = Generator::new(Style::Words, words, FontSet::Train, Split::Test, 4);
        Arc::new(SyntheticDataset::new(generator, 40))
    };
    let (plain, never) = (
        synthetic(),
        Augmented::new(synthetic(), 0.0, 4, AugmentStream::Test),
    );
    let (always, again) = (
        Augmented::new(synthetic(), 1.0, 4, AugmentStream::Test),
        Augmented::new(synthetic(), 1.0, 4, AugmentStream::Test),
    );
    let (mut difference, mut characters) = (0.0, 0);
    for index in 0..plain.len() {
        let before = plain.example(0, index).unwrap();
        assert_eq!(before.image, never.example(0, index).unwrap().image);
        let after = always.example(0, index).unwrap();
        assert_eq!(after.image, again.example(0, index).unwrap().image);
        assert_ne!(after.image.dimensions(), before.image.dimensions());
        assert_eq!(after.text, before.text);
        let places = before
            .characters
            .iter()
            .flatten()
            .zip(after.characters.iter().flatten());
        for (old, new) in places {
            assert_eq!(old.character, new.character);
            difference +=
                (darkness(&before, [old.x, old.y]) - darkness(&after, [new.x, new.y])).abs();
            characters += 1;
            // Resizing keeps the shape of the bounding box.
            let shape = |example: &Example, placed: &PlacedCharacter| {
                let (width, height) = example.image.dimensions();
                placed.width * width as f32 / (placed.height * height as f32)
            };
            let change = shape(&after, new) / shape(&before, old);
            assert!((change - 1.0).abs() < 0.05, "{change}");
        }
    }
    // Training images with the same seed and index are augmented differently.
    let train = Augmented::new(synthetic(), 1.0, 4, AugmentStream::Train);
    let sizes = |dataset: &Augmented| -> Vec<_> {
        let sizes = (0..8).map(|index| dataset.example(0, index).unwrap().image.dimensions());
        sizes.collect()
    };
    assert_ne!(sizes(&train), sizes(&always));
    // The same position in the image is about as dark as before.
    assert!(
        difference / (characters as f32) < 8.0,
        "{difference} over {characters}"
    );
}
