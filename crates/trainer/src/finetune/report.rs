//! What a run tells its user.

use std::fmt;

use captcha_evaluation::score::Tally;
use captcha_evaluation::wording::plural;
use captcha_learning::finetune::{End, Fitted, LabelledImages, Progress};
use captcha_model::Weights;
use serde::Serialize;

use crate::finetune::FinetuneRequest;
use crate::finetune::review::{Readings, SuspectLabel};

/// Suspect labels that the printed report lists; the JSON report has all.
const MAX_LISTED: usize = 10;
/// Training images count as memorized from this share on, if the share of the validation images is
/// at most half of it.
const MEMORIZED: f64 = 0.8;
/// One answer to this share of the validation images, and to three times as many as have the most
/// frequent label, does not depend on the image.
const CONSTANT_ANSWER: f64 = 0.2;

/// The record of a run, as `finetune.json` holds it.
#[derive(Clone, Debug, Serialize)]
pub struct FinetuneReport {
    /// The characters of the labels.
    pub alphabet: String,
    /// Length of the longest label.
    pub max_length: usize,
    /// Whether letters of both cases count as the same.
    pub ignore_case: bool,
    /// Height and width of the network's input, in pixels.
    pub input: [usize; 2],
    /// Number of training images.
    pub training_images: usize,
    /// Exact matches of the kept network on the training images that were read again.
    pub training: Option<Tally>,
    /// Exact matches of the kept network on the validation images, which chose it.
    pub validation: Tally,
    /// Step of the kept network.
    pub step: usize,
    /// Share of the initial weights that was mixed into it, 0 to 1.
    pub initial_share: f64,
    /// Why the run ended.
    pub end: End,
    /// Seconds of training.
    pub seconds: f64,
    /// Images per second, validation included.
    pub images_per_second: f64,
    /// The temperature of the confidence; `None` if there were too few images to fit it.
    pub temperature: Option<f64>,
    /// The validations.
    pub history: Vec<Progress>,
    /// Notes on the images.
    pub notes: Vec<String>,
    /// Problems of the run.
    pub warnings: Vec<String>,
    /// Labels that look wrong, surest first.
    pub suspect_labels: Vec<SuspectLabel>,
    /// Seed.
    pub seed: u64,
    /// The command.
    pub command: String,
}

impl FinetuneReport {
    pub(super) fn new(
        request: &FinetuneRequest,
        images: &LabelledImages,
        fitted: &Fitted,
        weights: &Weights,
        readings: Readings,
    ) -> Self {
        let best = fitted.best();
        let seconds = fitted.history.last().map_or(0.0, |last| last.seconds);
        let validation = Tally {
            images: images.parts.validation.len(),
            exact_matches: fitted.exact_matches,
        };
        Self {
            alphabet: images.alphabet.clone(),
            max_length: images.max_length,
            ignore_case: request.ignore_case,
            input: [weights.config.input.height, weights.config.input.width],
            training_images: images.parts.train.len(),
            training: readings.training,
            validation,
            step: best.step,
            initial_share: fitted.initial_share,
            end: fitted.end,
            seconds,
            images_per_second: fitted.images as f64 / seconds.max(1e-9),
            temperature: readings.is_calibrated.then_some(weights.temperature),
            history: fitted.history.clone(),
            notes: images.notes.clone(),
            warnings: warnings(validation, &readings, fitted),
            suspect_labels: readings.suspects,
            seed: request.seed,
            command: request.command.clone(),
        }
    }
}

/// The problems of a run, each with what to do.
fn warnings(validation: Tally, readings: &Readings, fitted: &Fitted) -> Vec<String> {
    let mut warnings = Vec::new();
    let share = validation.accuracy();
    if let Some((answer, answers, labels)) = &readings.most_frequent
        && *answers as f64 >= CONSTANT_ANSWER * validation.images as f64
        && *answers >= 3 * labels
        && validation.images >= 10
    {
        warnings.push(format!(
            "{answers} of {} validation images got the same answer {answer:?}: the network ignores \
             its input. Allow more --minutes, or add images",
            validation.images
        ));
    } else if let Some(training) = readings.training
        && training.accuracy() >= MEMORIZED
        && share <= 0.5 * training.accuracy()
    {
        warnings.push(format!(
            "the network memorizes its images: it reads {:.1}% of the training images, but {:.1}% \
             of the validation images. More labelled images help most",
            100.0 * training.accuracy(),
            100.0 * share
        ));
    } else if validation.exact_matches == 0 {
        let more = match fitted.end {
            End::TimeLimit | End::Interrupted => "Allow more --minutes, or add images",
            End::Finished | End::NoImprovement => {
                "Check that the labels are the texts of the images, and add images"
            }
        };
        warnings.push(format!("no validation image is read correctly. {more}"));
    }
    warnings
}

impl fmt::Display for FinetuneReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (low, high) = self.validation.interval();
        writeln!(
            f,
            "{} of {} validation images are exact matches: {:.1}% (95% interval {:.1}% to {:.1}%). \
             The validation images chose the network, so new images may be read slightly less well.",
            self.validation.exact_matches,
            self.validation.images,
            100.0 * self.validation.accuracy(),
            100.0 * low,
            100.0 * high
        )?;
        let end = match self.end {
            End::Finished => "The run is finished",
            End::NoImprovement => "The run ended because the validation loss did not improve",
            End::TimeLimit => "The time limit ended the run",
            End::Interrupted => "The run was interrupted",
        };
        writeln!(
            f,
            "{end} after {:.0} s at {:.1} images/s; the network of step {} is kept{}.",
            self.seconds,
            self.images_per_second,
            self.step,
            if self.initial_share > 0.0 {
                let percent = 100.0 * self.initial_share;
                format!(", mixed with {percent:.0}% of the initial weights")
            } else {
                String::new()
            }
        )?;
        if self.temperature.is_none() {
            writeln!(
                f,
                "The confidence is not calibrated: the validation images do not suffice for it."
            )?;
        }
        if !self.suspect_labels.is_empty() {
            let count = self.suspect_labels.len();
            writeln!(
                f,
                "{count} {} be wrong:",
                plural(count, "label may", "labels may")
            )?;
        }
        for suspect in self.suspect_labels.iter().take(MAX_LISTED) {
            writeln!(f, "  {suspect}")?;
        }
        if self.suspect_labels.len() > MAX_LISTED {
            let more = self.suspect_labels.len() - MAX_LISTED;
            writeln!(f, "  and {more} more in finetune.json")?;
        }
        Ok(())
    }
}

impl fmt::Display for SuspectLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: the label is {:?}", self.file, self.label)?;
        if self.answer == self.label {
            write!(f, ", which was hard to learn")
        } else {
            let percent = 100.0 * self.confidence;
            write!(f, ", the network reads {:?} ({percent:.1}%)", self.answer)
        }
    }
}
