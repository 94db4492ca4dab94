//! Where examples come from, and that they come as promised.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use burn::data::dataloader::DataLoader;
use burn::tensor::Device;
use captcha_model::{ModelConfig, Vocabulary};
use captcha_synth::{FontSet, Generator, Split, Style, TextSource, listed_words};
use captcha_trainer::data::augment::Degraded;
use captcha_trainer::data::batch::Batcher;
use captcha_trainer::data::folder::{Folder, Labelled, Part, labelled_files, labels_are_likely};
use captcha_trainer::data::loader::Loader;
use captcha_trainer::data::synthetic::Generated;
use captcha_trainer::data::{Example, FirstEpoch, PlacedCharacter, Source};
use captcha_trainer::training::recipe::Recipe;
use captcha_trainer::training::run_folder::Provenance;
use captcha_trainer::training::start::sources;
use serde_json::{Value, json};
use tempfile::TempDir;

fn listed(folder: &Path, part: Part) -> anyhow::Result<Vec<Labelled>> {
    let vocabulary = ModelConfig::compact().vocabulary().unwrap();
    labelled_files(folder, part, &vocabulary)
}

fn texts(folder: &Path, part: Part) -> Vec<String> {
    listed(folder, part)
        .unwrap()
        .into_iter()
        .map(|file| file.text)
        .collect()
}

#[test]
fn three_layouts_of_labelled_folders_are_read() {
    let spec = TempDir::new().unwrap();
    fs::write(
        spec.path().join("spec_train_val.txt"),
        "a0 thus\na1 line\n\n",
    )
    .unwrap();
    let files = listed(spec.path(), Part::All).unwrap();
    assert_eq!(files[1].path, spec.path().join("a1.png"));
    assert_eq!(texts(spec.path(), Part::All), ["thus", "line"]);

    let csv = TempDir::new().unwrap();
    fs::write(csv.path().join("labels.csv"), "file,label\nx.jpg, kids\n").unwrap();
    assert_eq!(texts(csv.path(), Part::All), ["kids"]);

    for text in [
        "\u{feff}x.jpg;kids\n",
        "\nfile\tlabel\nx.jpg\t kids\n",
        "x.jpg, \"kids\"\n",
        "Label,File\nkids,x.jpg\n",
        "name,text,who\nx.jpg,kids,me\n   \ny.jpg,\nz.jpg\n,,\n",
    ] {
        fs::write(csv.path().join("labels.csv"), text).unwrap();
        assert_eq!(texts(csv.path(), Part::All), ["kids"], "{text}");
    }

    fs::rename(csv.path().join("labels.csv"), csv.path().join("Labels.CSV")).unwrap();
    assert_eq!(texts(csv.path(), Part::All), ["kids"]);
    fs::remove_file(csv.path().join("Labels.CSV")).unwrap();

    // Labels in capitals mean the characters that the network knows.
    fs::write(csv.path().join("labels.csv"), "x.jpg,KiDs\n").unwrap();
    assert_eq!(texts(csv.path(), Part::All), ["kids"]);
    let capitals = Vocabulary::new("sdikK").unwrap();
    let kept = labelled_files(csv.path(), Part::All, &capitals).unwrap();
    assert_eq!(kept[0].text, "Kids");
    // And the other way round.
    let capitals = Vocabulary::new("SDIK").unwrap();
    let kept = labelled_files(csv.path(), Part::All, &capitals).unwrap();
    assert_eq!(kept[0].text, "KIDS");

    let names = TempDir::new().unwrap();
    for name in ["Pink.png", "toe_2.webp", "notes.txt"] {
        fs::write(names.path().join(name), "").unwrap();
    }
    assert_eq!(texts(names.path(), Part::All), ["pink", "toe"]);
    let capitals = Vocabulary::new("Pinktoe").unwrap();
    let files = labelled_files(names.path(), Part::All, &capitals).unwrap();
    assert_eq!(files[0].text, "Pink");
    assert!(labels_are_likely(names.path(), &files, &capitals));
}

#[test]
fn a_folder_splits_five_to_one_as_the_papers_set_does() {
    let folder = TempDir::new().unwrap();
    let lines: String = (0..12)
        .map(|i| format!("a{i} {}\n", "abcdefghijkl".split_at(i).1))
        .collect();
    fs::write(folder.path().join("spec_train_val.txt"), lines).unwrap();
    assert_eq!(texts(folder.path(), Part::Train).len(), 10);
    assert_eq!(texts(folder.path(), Part::Validation), ["kl", "l"]);
}

#[test]
fn without_an_order_a_folder_splits_by_chance_the_same_way_each_time() {
    let folder = TempDir::new().unwrap();
    let names: Vec<String> = (0..260)
        .map(|i| format!("{}_{i}.png", char::from(b'a' + (i / 10) as u8)))
        .collect();
    for name in &names {
        fs::write(folder.path().join(name), name).unwrap();
    }
    let distinct = |part| BTreeSet::from_iter(texts(folder.path(), part)).len();
    assert!(distinct(Part::Train) == 26 && distinct(Part::Validation) > 13);
    let train = texts(folder.path(), Part::Train);
    assert_eq!(train, texts(folder.path(), Part::Train));
    let all = [train, texts(folder.path(), Part::Validation)].concat();
    let sorted = |mut texts: Vec<String>| {
        texts.sort();
        texts
    };
    assert_eq!(sorted(all), texts(folder.path(), Part::All));
}

#[test]
fn what_is_wrong_with_a_folder_is_said() {
    let folder = TempDir::new().unwrap();
    let error = |path: &Path| format!("{:#}", listed(path, Part::All).unwrap_err());
    assert!(error(&folder.path().join("missing")).contains("is not a folder"));
    assert!(error(folder.path()).contains("no labelled image"));
    fs::write(folder.path().join("labels.csv"), "file,label\n").unwrap();
    assert!(error(folder.path()).contains("labels.csv names no image with its label"));
    fs::write(folder.path().join("spec_train_val.txt"), "a0 thus\na1\n").unwrap();
    assert!(error(folder.path()).contains("line 2: expected NAME WORD"));
    fs::write(folder.path().join("spec_train_val.txt"), "a0 thus\n").unwrap();
    let source = Folder::new(listed(folder.path(), Part::All).unwrap(), 1);
    assert!(format!("{:#}", source.example(0, 0).unwrap_err()).contains("a0.png"));
}

fn generated(split: Split, images_per_epoch: usize) -> Generated {
    let generator = Generator::new(Style::Words, TextSource::listed(), FontSet::Train, split, 7);
    Generated::new(generator, images_per_epoch)
}

#[test]
fn generated_epochs_never_repeat_an_image() {
    let source = generated(Split::Train, 3);
    let image = |epoch, index| source.example(epoch, index).unwrap().image;
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
fn a_run_learns_from_one_split_and_is_judged_on_another() {
    let mut recipe = Recipe::load("compact").unwrap();
    recipe.data.random_share = 0.0;
    recipe.data.blank_share = 0.0;
    recipe.data.bent_share = 0.0;
    recipe.data.more_faces_share = 0.0;
    recipe.data.degraded_share = 0.0;
    let provenance = Provenance {
        recipe,
        network: None,
        data: "synth:words".into(),
        folder: None,
        images: None,
        seed: 7,
        first_image: 2,
        devices: None,
        command: String::new(),
        version: String::new(),
        from: None,
    };
    let images = sources(&provenance).unwrap();
    let (train, validation) = (images.train, images.validation);
    let words = listed_words().iter().map(|&word| word.to_owned()).collect();
    let texts = TextSource::Mixed {
        words,
        random_share: 0.0,
    };
    let learnt = Generator::new(Style::Words, texts, FontSet::Train, Split::Train, 7);
    let learnt = Generated::new(learnt, 3).starting_at(2);
    let first = |source: &dyn Source| source.example(0, 0).unwrap().image;
    assert_eq!(first(&*train), first(&learnt));
    assert_eq!(first(&*validation), first(&generated(Split::Validation, 3)));
}

#[test]
fn a_run_goes_on_where_the_images_before_ended() {
    let later = generated(Split::Train, 3).starting_at(6);
    let text = |source: &Generated, epoch, index| source.example(epoch, index).unwrap().image;
    let whole = generated(Split::Train, 3);
    assert_eq!(text(&later, 0, 1), text(&whole, 2, 1));
    assert_eq!(text(&later, 1, 0), text(&whole, 3, 0));
}

#[test]
fn images_are_known_from_every_run_that_weights_come_from() {
    let run = |seed, first, seen, from: Value| json!({ "data": "synth:words", "seed": seed, "first_image": first, "images_seen": seen, "from": from });
    let old = run(7, 0, 50, Value::Null);
    let average = json!({ "average_of": [old, run(8, 100, 30, Value::Null)] });
    let record = run(9, 0, 10, average);
    let before = |data, seed| Provenance::images_before(&record, data, seed);
    assert_eq!(before("synth:words", 7), 50);
    assert_eq!(before("synth:words", 8), 130);
    assert_eq!(before("synth:words", 9), 10);
    assert_eq!(before("synth:words", 1), 0);
    assert_eq!(before("folder", 7), 0);
}

#[test]
fn what_epochs_are_compared_by_stays_the_same() {
    let source = generated(Split::Validation, 3);
    let first = |index| source.example(0, index).unwrap().image;
    let images: Vec<_> = (0..3).map(first).collect();
    let same = FirstEpoch(Arc::new(generated(Split::Validation, 3)));
    assert_eq!(same.len(), 3);
    for epoch in [0, 1, 7] {
        let again = (0..3).map(|index| same.example(epoch, index).unwrap().image);
        assert!(again.eq(images.iter().cloned()));
    }
}

#[test]
fn a_character_map_names_the_cell_that_a_character_stands_in() {
    let config = ModelConfig::compact();
    let grid = config.grid();
    let batcher = Batcher::new(config.clone()).unwrap();
    let mut example = generated(Split::Train, 1).example(0, 0).unwrap();
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
fn a_loader_gives_every_image_once_in_order_and_the_next_epoch_on_the_next_pass() {
    let config = ModelConfig::compact();
    let batcher = Batcher::new(config.clone()).unwrap();
    let device = Device::flex();
    let source = Arc::new(generated(Split::Train, 5));
    let loader = Loader::new(source.clone(), batcher.clone(), 2, 0, device.clone()).unwrap();
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
                    .prepare(&source.example(epoch, index).unwrap())
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

/// A source whose second image cannot be read.
struct Broken;

impl Source for Broken {
    fn len(&self) -> usize {
        3
    }

    fn example(&self, _epoch: usize, index: usize) -> anyhow::Result<Example> {
        match index {
            0 => generated(Split::Train, 1).example(0, 0),
            1 => anyhow::bail!("no such image"),
            _ => panic!("a fault in a source"),
        }
    }
}

#[test]
fn a_loader_passes_on_what_went_wrong() {
    let batcher = Batcher::new(ModelConfig::compact()).unwrap();
    let loader = Loader::new(Arc::new(Broken), batcher, 1, 0, Device::flex()).unwrap();
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

/// Mean darkness, 0 to 255, of a square around a place in the picture.
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
fn degraded_images_keep_their_characters_in_place() {
    let generated = || {
        let words = TextSource::listed();
        let generator = Generator::new(Style::Words, words, FontSet::Train, Split::Test, 4);
        Arc::new(Generated::new(generator, 40))
    };
    let (plain, never) = (generated(), Degraded::new(generated(), 0.0, 4));
    let (always, again) = (
        Degraded::new(generated(), 1.0, 4),
        Degraded::new(generated(), 1.0, 4),
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
            // As many pixels wide and high before it is scaled, so of the same shape.
            let shape = |example: &Example, placed: &PlacedCharacter| {
                let (width, height) = example.image.dimensions();
                placed.width * width as f32 / (placed.height * height as f32)
            };
            let change = shape(&after, new) / shape(&before, old);
            assert!((change - 1.0).abs() < 0.05, "{change}");
        }
    }
    // Another split's image of the same seed and place goes another way.
    let train = Degraded::new(generated(), 1.0, 4).in_split(Split::Train);
    let sizes = |source: &Degraded| -> Vec<_> {
        let sizes = (0..8).map(|index| source.example(0, index).unwrap().image.dimensions());
        sizes.collect()
    };
    assert_ne!(sizes(&train), sizes(&always));
    // A character's surroundings are about as dark as before; anywhere else they are not.
    assert!(
        difference / (characters as f32) < 8.0,
        "{difference} over {characters}"
    );
}
