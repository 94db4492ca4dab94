//! Fine-tuning through the library, with a tiny network.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod seeded;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use burn::tensor::Device;
use captcha_evaluation::data::Dataset;
use captcha_evaluation::data::labels::LabelledFile;
use captcha_evaluation::device::DeviceChoice;
use captcha_evaluation::learning_curve::LearningCurve;
use captcha_evaluation::progress::{Progress, Silent};
use captcha_evaluation::weights_file::read_weights;
use captcha_model::image::RgbImage;
use captcha_model::weights::{Precision, Weights, save};
use captcha_model::{ModelConfig, Recognizer};
use captcha_synth::{FontSet, Generator, Look, Split, TextSource};
use captcha_trainer::data::augmentation::Augmentation;
use captcha_trainer::data::synthetic::SyntheticDataset;
use captcha_trainer::finetune::learning_curve::{check_curve, learning_curve};
use captcha_trainer::finetune::recipe::FinetuneRecipe;
use captcha_trainer::finetune::stream::TrainingStream;
use captcha_trainer::finetune::{End, FinetuneRequest, finetune};
use captcha_trainer::training::Session;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use seeded::seed_exclusively;
use tempfile::TempDir;

/// Random weights of a small network of 20 x 40 pixels for letters.
fn initial_weights() -> Weights {
    let mut config = ModelConfig::compact();
    config.encoder.blocks.truncate(2);
    for block in &mut config.encoder.blocks {
        (block.filters, block.pool, block.pool_cols) = (6, true, true);
    }
    config.encoder.unshuffle = 1;
    (config.input.height, config.input.width) = (20, 40);
    config.encoder.features = 8;
    (
        config.decoder.embedding,
        config.decoder.units,
        config.decoder.attention,
    ) = (4, 8, 8);
    let device = Device::flex();
    let _guard = seed_exclusively(&device, 1);
    let network = config.init(&device).unwrap();
    let record = serde_json::Value::Null;
    Weights::from_bytes(save(&network, &config, &record, Precision::Full).unwrap()).unwrap()
}

/// A folder of images of one or two digits, with a label file.
fn labelled_digits(folder: &Path, count: u64) {
    let texts = TextSource::characters("0-1", 1..=2).unwrap();
    let generator = Generator::of_look(
        Look::named("digits-plain").unwrap(),
        FontSet::Train,
        Split::Export,
        1,
    )
    .with_texts(texts);
    fs::create_dir_all(folder).unwrap();
    let mut labels = String::from("file,label\n");
    for index in 0..count {
        let sample = generator.sample(index);
        let image = RgbImage::from_raw(sample.width, sample.height, sample.rgb).unwrap();
        image.save(folder.join(format!("{index}.png"))).unwrap();
        labels += &format!("{index}.png,{}\n", sample.text);
    }
    fs::write(folder.join("labels.csv"), labels).unwrap();
}

fn request(folder: &Path, steps: usize) -> FinetuneRequest {
    let mut recipe = FinetuneRecipe::standard().unwrap();
    (recipe.steps, recipe.batch, recipe.validate_every) = (steps, 4, 4);
    FinetuneRequest {
        folder: folder.join("data"),
        out: folder.join("out"),
        from: initial_weights(),
        recipe,
        ignore_case: false,
        device: DeviceChoice::Cpu,
        seed: 3,
        command: "a test".into(),
    }
}

fn session() -> Session {
    Session {
        time_limit: None,
        stop: Arc::default(),
        progress: Arc::new(Silent),
    }
}

#[test]
fn finetune_writes_weights_for_the_labels_and_a_report() {
    let folder = TempDir::new().unwrap();
    labelled_digits(&folder.path().join("data"), 24);
    let request = request(folder.path(), 12);
    let report = finetune(&request, &session()).unwrap();
    assert_eq!((report.alphabet.as_str(), report.max_length), ("01", 2));
    assert_eq!(report.end, End::Finished);
    assert_eq!(report.training_images + report.validation.images, 24);
    let losses: Vec<f64> = report
        .history
        .iter()
        .map(|one| one.validation_loss)
        .collect();
    let best = losses.iter().copied().fold(f64::INFINITY, f64::min);
    assert!(losses.len() == 4 && best < losses[0], "{losses:?}");
    let kept = report
        .history
        .iter()
        .find(|one| one.step == report.step)
        .unwrap();
    assert!(
        (kept.validation_loss - best).abs() < 1e-9,
        "the best network is kept"
    );
    let weights = read_weights(&request.out.join("weights.safetensors")).unwrap();
    assert_eq!(weights.config.alphabet, "01");
    assert_eq!(weights.training["command"], "a test");
    // The input has the proportions of the images, 2.5 : 1.
    let input = &weights.config.input;
    assert!(input.width > 2 * input.height, "{input:?}");
    Recognizer::new(&weights, &Device::flex()).unwrap();
    let json = fs::read_to_string(request.out.join("finetune.json")).unwrap();
    assert!(json.contains("\"suspect_labels\""));
    assert!(request.out.join("images.csv").exists());
    // Nothing is overwritten.
    let error = finetune(&request, &session()).unwrap_err().to_string();
    assert!(error.contains("out"), "{error}");
}

/// Stops a run at its second report of steps.
struct StopSoon(Arc<AtomicBool>);

impl Progress for StopSoon {
    fn update(&self, done: usize, _metrics: &str) {
        if done >= 8 {
            self.0.store(true, Ordering::Relaxed);
        }
    }
}

#[test]
fn finetune_that_is_stopped_keeps_the_best_network() {
    let folder = TempDir::new().unwrap();
    labelled_digits(&folder.path().join("data"), 12);
    let request = request(folder.path(), 1_000);
    let stop = Arc::new(AtomicBool::new(false));
    let session = Session {
        progress: Arc::new(StopSoon(stop.clone())),
        stop,
        ..session()
    };
    let report = finetune(&request, &session).unwrap();
    assert_eq!(report.end, End::Interrupted);
    assert!(read_weights(&request.out.join("weights.safetensors")).is_ok());
}

#[test]
fn learning_curve_judges_each_number_of_labels_on_the_same_images() {
    let folder = TempDir::new().unwrap();
    labelled_digits(&folder.path().join("data"), 24);
    let request = request(folder.path(), 4);
    fs::create_dir(&request.out).unwrap();
    let error = check_curve(&request, &[8, 1_000]).unwrap_err().to_string();
    assert!(error.contains("1000 labels is not possible"), "{error}");
    assert!(check_curve(&request, &[1]).is_err() && check_curve(&request, &[]).is_ok());
    let curve = learning_curve(&request, &[8, 16], &session()).unwrap();
    let labels: Vec<usize> = curve.points.iter().map(|point| point.labels).collect();
    assert_eq!(labels, [8, 16]);
    assert_eq!(curve.points[0].held_out, curve.points[1].held_out);
    let read = LearningCurve::read(&request.out.join("learning-curve.json")).unwrap();
    assert_eq!(read, curve);
    assert!(request.out.join("learning-curve.svg").exists());
}

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
    TrainingStream::new(files, Some((synthetic, share)), augmentation, [16, 8], 5).unwrap()
}

#[test]
fn stream_draws_each_image_once_before_one_again() {
    let folder = TempDir::new().unwrap();
    let stream = stream(folder.path(), 0.25);
    let drawn: Vec<_> = (0..32).map(|number| stream.draw(number).unwrap()).collect();
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
    let again = stream.draw(17).unwrap();
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
    let same = nothing().apply(&image, [20, 10], &mut random).unwrap();
    assert_eq!(same, image);
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
fn recipe_with_a_mistake_is_an_error() {
    let text = include_str!("../presets/finetune.toml");
    FinetuneRecipe::standard().unwrap();
    for (from, to, word) in [
        ("steps = ", "stepps = ", "stepps"),
        ("parts = 2", "parts = 3", "multiple"),
        ("rotation = ", "rotation = 9", "rotation"),
        (
            "random_look_share = ",
            "random_look_share = 1",
            "random_look_share",
        ),
    ] {
        assert!(text.contains(from), "{from}");
        let error = FinetuneRecipe::parse(&text.replacen(from, to, 1)).unwrap_err();
        assert!(format!("{error:#}").contains(word), "{error:#}");
    }
}
