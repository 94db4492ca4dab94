//! Fine-tuning through the library, with a tiny network.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod seeded;

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use burn::tensor::Device;
use captcha_evaluation::data::folder::FolderDataset;
use captcha_evaluation::device::DeviceChoice;
use captcha_evaluation::evaluate::evaluate;
use captcha_evaluation::learning_curve::LearningCurve;
use captcha_evaluation::progress::{Progress, Silent};
use captcha_evaluation::score::Comparison;
use captcha_evaluation::weights_file::read_weights;
use captcha_learning::Session;
use captcha_learning::finetune::{End, FinetuneRecipe};
use captcha_model::config::Proportions;
use captcha_model::image::RgbImage;
use captcha_model::weights::{Precision, Weights, save};
use captcha_model::{ModelConfig, Recognizer};
use captcha_synth::{FontSet, Generator, Look, Split, TextSource, parse_alphabet};
use captcha_trainer::finetune::folder::read_folder;
use captcha_trainer::finetune::learning_curve::{check_curve, learning_curve};
use captcha_trainer::finetune::{FinetuneRequest, finetune};
use seeded::seed_exclusively;
use tempfile::TempDir;

/// Random weights of a small network of 20 x 40 pixels for letters.
fn initial_weights() -> Weights {
    weights_of_width(6)
}

fn weights_of_width(filters: usize) -> Weights {
    let mut config = ModelConfig::compact();
    config.encoder.blocks.truncate(2);
    for block in &mut config.encoder.blocks {
        (block.filters, block.pool, block.pool_cols) = (filters, true, true);
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
    labelled_images(folder, count, "0-1");
}

/// A folder of images of one or two characters, with a label file.
fn labelled_images(folder: &Path, count: u64, alphabet: &str) {
    let texts = TextSource::characters(&parse_alphabet(alphabet).unwrap(), 1..=2).unwrap();
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
    recipe.nearest_look_share = 0.0;
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

/// How many of a run's validation images weights read.
fn read_validation(request: &FinetuneRequest, weights: &Weights) -> usize {
    let recognizer = Recognizer::new(weights, &Device::flex()).unwrap();
    let images = read_folder(&request.folder, false).unwrap();
    let files = images
        .parts
        .validation
        .iter()
        .map(|image| image.file.clone());
    let dataset = FolderDataset::new(files.collect(), 0);
    let score = evaluate(&recognizer, &dataset, &Comparison::default(), &Silent).unwrap();
    score.exact_matches
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
    let last = report.history.last().unwrap().step;
    let kept = report.history.iter().find(|one| one.step == report.step);
    let is_best = (kept.unwrap().validation_loss - best).abs() < 1e-9;
    assert!(is_best || report.step == last, "the best or the last");
    let weights = read_weights(&request.out.join("weights.safetensors")).unwrap();
    // The file has half precision.
    let read = read_validation(&request, &weights);
    assert!(
        read.abs_diff(report.validation.exact_matches) <= 1,
        "{read}"
    );
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

#[test]
fn finetune_gives_images_of_mixed_proportions_their_own_inputs() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    labelled_digits(&data, 24);
    for index in (0..24).step_by(2) {
        let path = data.join(format!("{index}.png"));
        let image = image::open(&path).unwrap().to_rgb8();
        let (width, height) = image.dimensions();
        let mut wide = RgbImage::from_pixel(2 * width, height, image::Rgb([255; 3]));
        image::imageops::replace(&mut wide, &image, 0, 0);
        wide.save(&path).unwrap();
    }
    let mut request = request(folder.path(), 8);
    request.from = weights_of_width(12);
    let report = finetune(&request, &session()).unwrap();
    assert_eq!(report.end, End::Finished);
    let weights = read_weights(&request.out.join("weights.safetensors")).unwrap();
    assert_eq!(weights.config.input.proportions, Proportions::Image);
    // The labels were checked, and all images are read.
    assert_eq!(report.training.unwrap().images, report.training_images);
    read_validation(&request, &weights);
}

#[test]
fn finetune_that_does_not_improve_cools_down_and_ends() {
    let folder = TempDir::new().unwrap();
    labelled_digits(&folder.path().join("data"), 12);
    let mut request = request(folder.path(), 1_000);
    // Such a rate improves nothing.
    (request.recipe.learning_rate, request.recipe.patience) = (1e-12, 1);
    (request.recipe.average_decay, request.recipe.validate_every) = (0.0, 50);
    let report = finetune(&request, &session()).unwrap();
    assert_eq!(report.end, End::NoImprovement);
    let last = report.history.last().unwrap().step;
    assert!((360..=500).contains(&last), "{last}");
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

/// The statistics of the first batch norm.
fn norm_mean(weights: &Weights) -> Vec<f32> {
    let network = weights.network(&Device::flex()).unwrap();
    let mut norms = network
        .encoder
        .blocks
        .iter()
        .filter_map(|block| block.norm.as_ref());
    let mean = norms.next().unwrap().running_mean.value();
    mean.into_data().try_to_vec().unwrap()
}

#[test]
fn batch_norm_keeps_its_statistics_if_all_characters_are_known() {
    for (alphabet, keeps) in [("a-b", true), ("0-1", false)] {
        let folder = TempDir::new().unwrap();
        labelled_images(&folder.path().join("data"), 12, alphabet);
        let request = request(folder.path(), 4);
        let report = finetune(&request, &session()).unwrap();
        assert!(report.step > 0, "the initial network was kept");
        let weights = read_weights(&request.out.join("weights.safetensors")).unwrap();
        let (before, after) = (norm_mean(&request.from), norm_mean(&weights));
        let moved = before.iter().zip(&after).any(|(a, b)| (a - b).abs() > 1e-3);
        assert_eq!(moved, !keeps, "{alphabet}: {before:?}, {after:?}");
    }
}

/// Keeps the notes of a run.
#[derive(Default)]
struct Notes(Mutex<Vec<String>>);

impl Progress for Notes {
    fn note(&self, text: &str) {
        self.0.lock().unwrap().push(text.to_owned());
    }
}

#[test]
fn finetune_finds_the_look_of_images_with_new_characters() {
    let folder = TempDir::new().unwrap();
    labelled_digits(&folder.path().join("data"), 24);
    labelled_images(&folder.path().join("letters"), 24, "ab");
    let nearest = |images: &str, looks_below: f64| {
        let mut request = request(folder.path(), 2);
        request.folder = folder.path().join(images);
        request.out = folder.path().join(format!("{images}-{looks_below}"));
        request.recipe.nearest_look_share = 0.5;
        request.recipe.nearest_looks_below = looks_below;
        let notes = Arc::new(Notes::default());
        let session = Session {
            progress: notes.clone(),
            ..session()
        };
        finetune(&request, &session).unwrap();
        let notes = notes.0.lock().unwrap().clone();
        notes
            .into_iter()
            .find(|note| note.contains("most like these"))
    };
    let note = nearest("data", 100.0).unwrap();
    assert!(note.contains("digits-plain"), "{note}");
    // Enough images of each new character; none is new.
    assert_eq!(nearest("data", 5.0), None);
    assert_eq!(nearest("letters", 100.0), None);
}

#[test]
fn recipe_with_a_mistake_is_an_error() {
    let text = include_str!("../../learning/finetune.toml");
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
        (
            "nearest_look_share = ",
            "nearest_look_share = 2",
            "together",
        ),
        ("token_dropout = ", "token_dropout = 2", "token_dropout"),
        (
            "nearest_looks_below = ",
            "nearest_looks_below = -",
            "nearest_looks_below",
        ),
    ] {
        assert!(text.contains(from), "{from}");
        let error = FinetuneRecipe::parse(&text.replacen(from, to, 1)).unwrap_err();
        assert!(format!("{error:#}").contains(word), "{error:#}");
    }
}
