//! The learning curve: the same fine-tuning with fewer labels, each time judged on the same held-out
//! images.

use anyhow::{Result, ensure};
use burn::tensor::Device;
use captcha_evaluation::data::folder::FolderDataset;
use captcha_evaluation::data::splits::{HashedFile, Parts};
use captcha_evaluation::evaluate::evaluate;
use captcha_evaluation::files::write_file;
use captcha_evaluation::learning_curve::{CurvePoint, LearningCurve};
use captcha_evaluation::progress::Silent;
use captcha_evaluation::score::Comparison;
use captcha_model::Recognizer;

use crate::finetune::fit::End;
use crate::finetune::images::LabelledImages;
use crate::finetune::{FinetuneRequest, adapt, files, folder_name, open_device, weights_of};
use crate::training::train::Session;

/// One of so many labelled images validates a run.
const VALIDATION_ONE_IN: usize = 6;
/// Fewer labels cannot be split.
const MIN_LABELS: usize = 6;

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
    let images = LabelledImages::read(&request.folder, request.ignore_case)?;
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
    let images = LabelledImages::read(&request.folder, request.ignore_case)?;
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
    let few = images.with_parts(subset(&images.parts.train, labels));
    let config = few.network(&request.from.config, request.recipe.input_pixel_share);
    let fitted = adapt(request, &config, &few, device, session)?;
    let weights = weights_of(request, &config, &few.parts, &fitted)?;
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

/// A random part of the training images, split for a run. The hash decides, so that a larger part
/// contains a smaller one.
fn subset(train: &[HashedFile], labels: usize) -> Parts {
    let mut images = train.to_vec();
    // The first bytes divide the folder; these are independent of them.
    images.sort_by_key(|image| image.hash[8..16].to_vec());
    images.truncate(labels);
    images.sort_by_key(|image| image.hash[16..24].to_vec());
    let validation = images.split_off(labels - (labels / VALIDATION_ONE_IN).max(1));
    Parts {
        train: images,
        validation,
    }
}
