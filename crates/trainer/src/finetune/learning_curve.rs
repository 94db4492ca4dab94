//! The learning curve: the same fine-tuning with fewer labels, each time judged on the same held-out
//! images.

use anyhow::{Result, ensure};
use burn::tensor::Device;
use captcha_evaluation::data::folder::FolderDataset;
use captcha_evaluation::evaluate::evaluate;
use captcha_evaluation::learning_curve::{CurvePoint, LearningCurve};
use captcha_evaluation::output::write_file;
use captcha_evaluation::progress::Silent;
use captcha_evaluation::score::Comparison;
use captcha_learning::Session;
use captcha_learning::finetune::images::MIN_LABELS;
use captcha_learning::finetune::{End, LabelledImages, fit};
use captcha_model::Recognizer;

use crate::finetune::folder::read_folder;
use crate::finetune::{FinetuneRequest, files, folder_name, job, open_device, weights_of};

/// Fine-tunes with each number of labels, and writes `learning-curve.json` and `learning-curve.svg`
/// to the folder of the results after each of them.
///
/// The folder's validation part is held out: no run trains or chooses a network on it. A run with
/// `n` labels takes `n` images of the training part and keeps a sixth of them for its own
/// validation. Alphabet and length come from these labels alone, as an attacker knows no others.
///
/// # Errors
///
/// If a number is too small, or larger than the training part, or a run fails.
pub fn learning_curve(
    request: &FinetuneRequest,
    sizes: &[usize],
    session: &Session,
) -> Result<LearningCurve> {
    let images = read_folder(&request.folder, request.ignore_case)?;
    check_sizes(sizes, images.parts.train.len())?;
    let device = open_device(request, &images, session)?;
    let mut curve = LearningCurve {
        name: folder_name(&request.folder),
        weights: String::new(),
        ignore_case: request.ignore_case,
        seed: request.seed,
        points: Vec::new(),
    };
    for &labels in sizes {
        session
            .progress
            .note(&format!("learning curve: {labels} labels"));
        let (point, end) = measure(request, &images, labels, &device, session)?;
        if end == End::Interrupted {
            break;
        }
        curve.points.push(point);
        write_file(
            &request.out.join("learning-curve.json"),
            curve.to_json()?.as_bytes(),
        )?;
        write_file(
            &request.out.join("learning-curve.svg"),
            curve.svg().as_bytes(),
        )?;
    }
    Ok(curve)
}

/// Checks before the first run that a curve with these numbers of labels is possible. No number is
/// no curve.
///
/// # Errors
///
/// If a number is too small, or larger than the training part, or the folder cannot be used.
pub fn check_curve(request: &FinetuneRequest, sizes: &[usize]) -> Result<()> {
    if sizes.is_empty() {
        return Ok(());
    }
    let images = read_folder(&request.folder, request.ignore_case)?;
    check_sizes(sizes, images.parts.train.len())
}

/// Checks the numbers of labels of a curve.
fn check_sizes(sizes: &[usize], available: usize) -> Result<()> {
    ensure!(
        !sizes.is_empty(),
        "a learning curve takes at least one number of labels"
    );
    for size in sizes {
        ensure!(
            (MIN_LABELS..=available).contains(size),
            "a learning curve with {size} labels is not possible: the numbers must be between \
             {MIN_LABELS} and {available}, the folder's training images; the others are held out"
        );
    }
    Ok(())
}

/// Fine-tunes with so many labels, and reads the held-out images.
fn measure(
    request: &FinetuneRequest,
    images: &LabelledImages,
    labels: usize,
    device: &Device,
    session: &Session,
) -> Result<(CurvePoint, End)> {
    let few = images.with_labels(labels);
    let job = job(request, &few, device, session)?;
    let fitted = fit(&job, session)?;
    let weights = weights_of(request, job.config(), &few.parts, &fitted)?;
    let recognizer = Recognizer::new(&weights, device)?;
    let held_out = FolderDataset::new(files(&images.parts.validation), 0);
    // A label that the network cannot write is not solved.
    let score = evaluate(&recognizer, &held_out, &Comparison::default(), &Silent)?;
    let point = CurvePoint {
        labels,
        held_out: images.parts.validation.len(),
        exact_matches: score.exact_matches,
    };
    session.progress.message(&format!(
        "{labels} labels: {} of {} held-out images read",
        point.exact_matches, point.held_out
    ));
    Ok((point, fitted.end))
}
