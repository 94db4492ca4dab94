//! A run of fine-tuning on images in memory, natively and in WebAssembly: the same losses, and a saved
//! run that goes on.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::{Context, Result};
use burn::tensor::Device;
use captcha_evaluation::data::labels::LabelledFile;
use captcha_learning::data::read_images::ImageSource;
use captcha_learning::finetune::images::LabelledList;
use captcha_learning::finetune::{
    End, FinetuneRecipe, Generated, Job, LabelledImages, PartTask, Replica, ReplicaSetup, Run,
    Steps,
};
use captcha_model::Weights;
use captcha_model::image::RgbImage;
use captcha_synth::{FontSet, Generator, Look, Split, TextSource, parse_alphabet};
use image::ImageFormat;

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

/// The validation losses of [`job`]'s run before it and after 3 and 6 steps, in nats per text.
const LOSSES: [f64; 3] = [5.389113, 5.256506, 5.135379];

#[derive(Debug)]
struct Memory(BTreeMap<PathBuf, Vec<u8>>);

impl ImageSource for Memory {
    fn bytes(&self, path: &Path) -> Result<Vec<u8>> {
        self.0.get(path).cloned().context("no such image")
    }
}

/// A small network with random weights, without dropout, whose random numbers are those of all tests.
fn initial_weights() -> Weights {
    let mut bytes = include_bytes!("../../../tests/golden/weights.safetensors").to_vec();
    let (with, without) = (br#"dropout\": 0.5"#, br#"dropout\": 0.0"#);
    let place = bytes.windows(with.len()).position(|part| part == with);
    bytes[place.unwrap()..][..with.len()].copy_from_slice(without);
    Weights::from_bytes(bytes).unwrap()
}

/// A small network with random weights adapts to images of two digits. Batch norm's statistics are the
/// mean over the threads of the parts, which divide them differently; one part is the same everywhere.
fn job(seed: u64) -> Arc<Job> {
    job_in_parts(seed, 1, "0-1")
}

fn job_in_parts(seed: u64, parts: usize, characters: &str) -> Arc<Job> {
    let texts = TextSource::characters(&parse_alphabet(characters).unwrap(), 2..=2).unwrap();
    let look = Look::named("digits-plain").unwrap();
    let generator = Generator::of_look(look, FontSet::Train, Split::Export, 1).with_texts(texts);
    let (mut files, mut bytes) = (Vec::new(), BTreeMap::new());
    for index in 0..24 {
        let sample = generator.sample(index);
        let path = PathBuf::from(format!("{index}.png"));
        let image = RgbImage::from_raw(sample.width, sample.height, sample.rgb).unwrap();
        let mut png = Cursor::new(Vec::new());
        image.write_to(&mut png, ImageFormat::Png).unwrap();
        bytes.insert(path.clone(), png.into_inner());
        let text = sample.text;
        files.push(LabelledFile { path, text });
    }
    let list = LabelledList {
        place: "memory".into(),
        files,
        ordered: false,
        notes: Vec::new(),
    };
    let images = LabelledImages::read(list, Arc::new(Memory(bytes))).unwrap();
    let weights = initial_weights();
    let mut recipe = FinetuneRecipe::standard().unwrap();
    (recipe.steps, recipe.batch, recipe.validate_every) = (6, 8, 3);
    recipe.parts = parts;
    let device = Device::flex();
    let job = Job::new(
        &images,
        &weights,
        recipe,
        Generated::default(),
        device,
        seed,
    );
    Arc::new(job.unwrap())
}

/// Takes the next `count` steps. Gives the end of the run, if it is one of them.
fn advance(run: &mut Run, count: usize) -> Option<End> {
    let steps = Steps::new(run.job().clone(), run.step()).unwrap();
    let mut ends = steps
        .take(count)
        .map(|prepared| run.advance(prepared.unwrap()).unwrap());
    let end = ends.by_ref().find_map(|end| end);
    assert!(ends.next().is_none(), "no step follows the end");
    end
}

fn losses(run: &Run) -> Vec<f64> {
    let validations = run.history().iter();
    validations
        .map(|validation| validation.validation_loss)
        .collect()
}

#[test]
fn run_has_the_same_losses_on_every_platform() {
    let mut run = Run::start(job(3), None).unwrap();
    assert_eq!(advance(&mut run, 6), Some(End::Finished));
    let found = losses(&run);
    assert_eq!(found.len(), LOSSES.len());
    for (found, pinned) in found.iter().zip(LOSSES) {
        assert!(
            (found / pinned - 1.0).abs() < 0.01,
            "{found} instead of {pinned}"
        );
    }
}

/// The task of the second part of the first step, and its result.
fn computed(run: &Run) -> (PartTask, Result<captcha_learning::finetune::PartResult>) {
    let mut steps = Steps::new(run.job().clone(), 0).unwrap();
    let parts = steps.next().unwrap().unwrap();
    let task = run.task(parts[1].clone()).unwrap();
    let mut replica = Replica::new(&ReplicaSetup::of(run.job()), &Device::flex()).unwrap();
    (task.clone(), replica.compute(task))
}

/// The losses of a run of two parts, and of one whose second part a replica computes.
fn with_and_without_replica(characters: &str) -> [Vec<f64>; 2] {
    let start = || Run::start(job_in_parts(7, 2, characters), None).unwrap();
    let (mut alone, mut shared) = (start(), start());
    let setup = ReplicaSetup::of(shared.job());
    let mut replica = Replica::new(&setup, &Device::flex()).unwrap();
    for parts in Steps::new(alone.job().clone(), 0).unwrap() {
        let parts = parts.unwrap();
        let task = shared.task(parts[1].clone()).unwrap();
        let result = replica.compute(task).unwrap();
        let mut gradients = shared.gradients(parts[..1].to_vec()).unwrap();
        gradients.extend(shared.received(&parts[1], result).unwrap());
        let end = shared.apply(gradients).unwrap();
        assert_eq!(alone.advance(parts).unwrap(), end);
    }
    [alone, shared].map(|run| losses(&run))
}

#[test]
fn run_with_a_replica_has_the_same_losses() {
    // The initial network knows these characters, so that batch norm's statistics are fixed.
    let [alone, shared] = with_and_without_replica("a-b");
    assert!(alone[2] < alone[0], "it learns: {alone:?}");
    for (alone, shared) in alone.iter().zip(&shared) {
        assert!((alone / shared - 1.0).abs() < 1e-5, "{alone}, {shared}");
    }
}

#[test]
fn replica_learns_the_statistics_of_batch_norm() {
    let [alone, shared] = with_and_without_replica("0-1");
    // Without a replica, two threads compute the parts natively. In WebAssembly one thread computes
    // both, so that its statistics follow the images faster.
    let tolerance = if cfg!(target_family = "wasm") {
        0.05
    } else {
        0.02
    };
    for (alone, shared) in alone.iter().zip(&shared) {
        assert!(
            (alone / shared - 1.0).abs() < tolerance,
            "{alone}, {shared}"
        );
    }
}

#[test]
fn task_or_result_of_another_network_is_an_error() {
    let run = Run::start(job_in_parts(8, 2, "0-1"), None).unwrap();
    let (task, result) = computed(&run);
    let mut replica = Replica::new(&ReplicaSetup::of(run.job()), &Device::flex()).unwrap();
    for change in [
        |task: &mut PartTask| task.weights.truncate(10),
        |task: &mut PartTask| task.images.truncate(10),
        |task: &mut PartTask| task.targets.truncate(1),
        |task: &mut PartTask| task.shape[0] = 0,
    ] {
        let mut changed = task.clone();
        change(&mut changed);
        assert!(replica.compute(changed).is_err());
    }
    let part = Steps::new(run.job().clone(), 0)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .remove(1);
    let result = result.unwrap();
    let mut short = result.clone();
    short.gradients.pop();
    assert!(run.received(&part, short).is_err());
    let mut short = result.clone();
    short.statistics.pop();
    assert!(run.received(&part, short).is_err());
    let mut short = result;
    short.losses.pop();
    assert!(run.received(&part, short).is_err());
}

#[test]
fn saved_run_goes_on_as_if_it_had_not_stopped() {
    let mut whole = Run::start(job(4), None).unwrap();
    advance(&mut whole, 6);
    let mut first = Run::start(job(4), None).unwrap();
    assert_eq!(advance(&mut first, 4), None);
    let saved = first.save().unwrap();
    drop(first);
    let mut second = Run::resume(job(4), None, &saved).unwrap();
    assert_eq!(second.step(), 4);
    assert_eq!(advance(&mut second, 2), Some(End::Finished));
    for (whole, parts) in losses(&whole).iter().zip(losses(&second)) {
        assert!((whole / parts - 1.0).abs() < 1e-4, "{whole}, {parts}");
    }
    let stop = AtomicBool::new(false);
    let [whole, parts] = [whole, second].map(|run| run.finish(End::Finished, &stop).unwrap());
    assert_eq!(whole.images, parts.images);
    assert_eq!(whole.exact_matches, parts.exact_matches);
    assert_eq!(whole.best().step, parts.best().step);
}

#[test]
fn saved_run_of_another_job_or_damaged_is_an_error() {
    let run = Run::start(job(5), None).unwrap();
    let saved = run.save().unwrap();
    let error = |job: Arc<Job>, bytes: &[u8]| match Run::resume(job, None, bytes) {
        Ok(_) => panic!("it goes on"),
        Err(error) => format!("{error:#}"),
    };
    let other = error(job(6), &saved);
    assert!(other.contains("belongs to other images"), "{other}");
    let same = run.job().clone();
    for damaged in [&saved[..saved.len() - 1], &saved[..40], &saved[1..], &[]] {
        let message = error(same.clone(), damaged);
        assert!(message.contains("damaged"), "{message}");
    }
}
