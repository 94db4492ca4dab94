//! Reads the labelled images with the network of a run: calibrates its confidence, and finds labels
//! that look wrong and signs of a run that failed.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::path::Path;

use anyhow::Result;
use burn::tensor::Device;
use captcha_evaluation::batches::read_batches;
use captcha_evaluation::data::image_files::read_image;
use captcha_evaluation::data::splits::{HashedFile, Parts};
use captcha_evaluation::score::Tally;
use captcha_learning::finetune::{Fitted, Job};
use captcha_model::{Recognizer, Weights};
use serde::Serialize;

use captcha_learning::Session;

/// Training images that are read again, at most.
const MAX_TRAINING_IMAGES: usize = 5_000;
/// A label looks wrong if the network contradicts it with at least this confidence, or if it was
/// hard to learn: its mean training loss is at least this many nats, and this multiple of the mean
/// of all images. A network learns wrong labels later than right ones (Pleiss et al. 2020,
/// "Identifying Mislabeled Data using the Area Under the Margin Ranking").
const MIN_CONFIDENCE: f32 = 0.5;
const MIN_LOSS: f32 = 1.0;
const MIN_LOSS_RATIO: f32 = 4.0;
/// Contradictions are told only if so many of the validation images are read.
const MIN_ACCURACY: f64 = 0.5;

/// The calibrated weights and what the readings showed.
pub(super) struct Review {
    pub(super) weights: Weights,
    pub(super) review: Readings,
}

/// What the readings of all labelled images showed.
#[derive(Clone, Debug, Default)]
pub(super) struct Readings {
    /// Exact matches among the training images that were read.
    pub(super) training: Option<Tally>,
    /// Whether the confidence is calibrated.
    pub(super) is_calibrated: bool,
    /// Labels that look wrong, surest first.
    pub(super) suspects: Vec<SuspectLabel>,
    /// The most frequent answer to the validation images and its count, and the count of the most
    /// frequent label.
    pub(super) most_frequent: Option<(String, usize, usize)>,
}

/// A label that looks wrong.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SuspectLabel {
    /// The image's file name.
    pub file: String,
    /// Its label.
    pub label: String,
    /// The network's answer.
    pub answer: String,
    /// The answer's confidence, 0 to 1.
    pub confidence: f32,
    /// Mean loss of the label in training, in nats; `None` for a validation image.
    pub training_loss: Option<f32>,
}

impl Review {
    /// Weights as they are.
    pub(super) fn none(weights: Weights) -> Self {
        Self {
            weights,
            review: Readings::default(),
        }
    }
}

/// Calibrates the weights on the validation images, and reads all images with them.
///
/// # Errors
///
/// If an image cannot be read any more, or the device fails.
pub(super) fn review(
    weights: Weights,
    parts: &Parts,
    job: &Job,
    fitted: &Fitted,
    device: &Device,
    session: &Session,
) -> Result<Review> {
    let temperature = job.temperature(&weights.network(device)?)?;
    let weights = match temperature {
        Some(temperature) => weights.with_temperature(temperature)?,
        None => weights,
    };
    let recognizer = Recognizer::new(&weights, device)?;
    let train = &parts.train[..parts.train.len().min(MAX_TRAINING_IMAGES)];
    session
        .progress
        .start_stage("checking labels", train.len() + parts.validation.len());
    let validation = read(&recognizer, &parts.validation, 0, session)?;
    let training = read(&recognizer, train, parts.validation.len(), session)?;
    session.progress.end_stage();
    let tally = |images: &[HashedFile], readings: &[Reading]| Tally {
        images: images.len(),
        exact_matches: images
            .iter()
            .zip(readings)
            .filter(|(image, reading)| image.file.text == reading.text)
            .count(),
    };
    let mut suspects = Vec::new();
    if tally(&parts.validation, &validation).accuracy() >= MIN_ACCURACY {
        suspects = suspect_labels(&parts.validation, &validation, &[]);
        suspects.extend(suspect_labels(train, &training, &fitted.losses));
        // Contradictions first, the surest at the top, then what was hardest to learn.
        suspects.sort_by(|a, b| b.key().partial_cmp(&a.key()).unwrap_or(Ordering::Equal));
    }
    Ok(Review {
        review: Readings {
            training: Some(tally(train, &training)),
            is_calibrated: temperature.is_some(),
            suspects,
            most_frequent: most_frequent(&parts.validation, &validation),
        },
        weights,
    })
}

struct Reading {
    text: String,
    confidence: f32,
}

fn read(
    recognizer: &Recognizer,
    images: &[HashedFile],
    before: usize,
    session: &Session,
) -> Result<Vec<Reading>> {
    let mut readings = Vec::with_capacity(images.len());
    let load = |index: usize| Ok(Some((read_image(&images[index].file.path)?, ())));
    for batch in read_batches(recognizer, images.len(), 0, load) {
        for result in batch?.results {
            if let Some(((), prediction)) = result? {
                readings.push(Reading {
                    text: prediction.text,
                    confidence: prediction.confidence,
                });
            }
        }
        session.progress.update(before + readings.len(), "");
    }
    Ok(readings)
}

impl SuspectLabel {
    /// Orders suspects.
    fn key(&self) -> (bool, f32) {
        if self.answer == self.label {
            (false, self.training_loss.unwrap_or_default())
        } else {
            (true, self.confidence)
        }
    }
}

/// Images whose label the network contradicts, or learned late. `losses` are the mean training
/// losses of the images, empty for validation images.
fn suspect_labels(
    images: &[HashedFile],
    readings: &[Reading],
    losses: &[Option<f32>],
) -> Vec<SuspectLabel> {
    let known: Vec<f32> = losses.iter().flatten().copied().collect();
    let mean = known.iter().sum::<f32>() / known.len().max(1) as f32;
    let late = |loss: f32| loss >= MIN_LOSS && loss >= MIN_LOSS_RATIO * mean;
    (0..)
        .zip(images.iter().zip(readings))
        .filter_map(|(index, (image, reading)): (usize, _)| {
            let training_loss = losses.get(index).copied().flatten();
            let contradicted =
                image.file.text != reading.text && reading.confidence >= MIN_CONFIDENCE;
            (contradicted || training_loss.is_some_and(late)).then(|| SuspectLabel {
                file: file_name(&image.file.path),
                label: image.file.text.clone(),
                answer: reading.text.clone(),
                confidence: reading.confidence,
                training_loss,
            })
        })
        .collect()
}

fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str());
    name.to_string_lossy().into_owned()
}

fn most_frequent(images: &[HashedFile], readings: &[Reading]) -> Option<(String, usize, usize)> {
    let count = |texts: &mut dyn Iterator<Item = &str>| {
        let mut counts: HashMap<String, usize> = HashMap::new();
        for text in texts {
            *counts.entry(text.to_owned()).or_default() += 1;
        }
        counts.into_iter().max_by_key(|(_, count)| *count)
    };
    let (answer, answers) = count(&mut readings.iter().map(|reading| reading.text.as_str()))?;
    let (_, labels) = count(&mut images.iter().map(|image| image.file.text.as_str()))?;
    Some((answer, answers, labels))
}
