//! The score of an evaluation.

mod comparison;
mod display;
mod tally;

use std::collections::BTreeMap;
use std::time::Duration;

use captcha_model::vocabulary::fold_case;
use captcha_model::{ModelConfig, Prediction};
use serde::Serialize;

use crate::attention_alignment::AttentionAlignment;
use crate::data::{PlacedCharacter, RenderInfo};

pub use comparison::Comparison;
pub use tally::{PlaceTally, Tally};

use tally::share;

/// Number of equally wide confidence intervals in a reliability diagram.
const RELIABILITY_BINS: usize = 15;

/// Counts and accuracies of an evaluation.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Score {
    /// Images that were recognized.
    pub images: usize,
    /// Images left out because they could not be read.
    #[serde(skip_serializing_if = "is_zero")]
    pub unreadable: usize,
    /// Images left out because the network cannot write their label: it is too long or contains a
    /// character outside of the alphabet.
    pub unsupported: usize,
    /// Images whose answer equals the label.
    pub exact_matches: usize,
    /// Whether an answer also counts as equal if it differs from the label only in case.
    pub ignore_case: bool,
    /// Images whose answer equals the label with its case.
    pub matches_with_case: usize,
    /// Images whose answer equals the label or differs from it only in case.
    pub matches_ignoring_case: usize,
    /// `exact_matches / images`; `None` without images.
    pub accuracy: Option<f64>,
    /// 95% confidence interval of the accuracy.
    pub interval: Option<(f64, f64)>,
    /// Share of the labels' characters that the answer has at the same position.
    pub character_accuracy: Option<f64>,
    /// The most frequent answer, if it is much more frequent than any label: the network then
    /// hardly uses the image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repeated_answer: Option<RepeatedAnswer>,
    /// Share of the characters in exact matches for which the grid column with the most attention
    /// is nearer to this character than to any other. `None` if the characters' positions are
    /// unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attention_on_character: Option<f64>,
    /// Share of the same characters for which the grid cell with the most attention overlaps the
    /// character's bounding box.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attention_in_box: Option<f64>,
    /// Mean share of the same characters' attention in the grid cells that the bounding box overlaps
    /// and the cells next to these.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attention_near_box: Option<f64>,
    /// Median number of grid cells over which the same characters' attention is spread (perplexity).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attention_spread: Option<f64>,
    /// Exact matches after correction by the lexicon, if one was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lexicon_exact_matches: Option<usize>,
    /// `lexicon_exact_matches / images`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lexicon_accuracy: Option<f64>,
    /// Counts by the number of characters in the label.
    pub by_length: BTreeMap<usize, Tally>,
    /// Counts by place in the label: the first character, the second, and so on.
    pub by_place: Vec<PlaceTally>,
    /// Counts by font, if known.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub by_font: BTreeMap<&'static str, Tally>,
    /// Counts by the number of lines, arcs and dashes, if known.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub by_strokes: BTreeMap<u32, Tally>,
    /// Confusion matrix of the characters in answers with the label's length: counts by label
    /// character, then by answer character.
    pub confusions: BTreeMap<char, BTreeMap<char, usize>>,
    /// Expected calibration error: the mean difference of confidence and accuracy over the
    /// intervals of `reliability` (Naeini et al. 2015).
    pub calibration_error: Option<f64>,
    /// Counts by confidence interval, without the empty ones.
    pub reliability: Vec<ReliabilityBin>,
    /// Images per second of the network's time, without decoding and scaling of the images.
    pub images_per_second: f64,
    /// Describes the texts that the network can write.
    #[serde(skip)]
    writes: String,
    #[serde(skip)]
    characters: usize,
    #[serde(skip)]
    correct_characters: usize,
    #[serde(skip)]
    answers: BTreeMap<String, usize>,
    #[serde(skip)]
    labels: BTreeMap<String, usize>,
    #[serde(skip)]
    alignment: AttentionAlignment,
}

/// An answer to many images.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RepeatedAnswer {
    /// The answer.
    pub text: String,
    /// Images with this answer.
    pub images: usize,
    /// Their share of all images.
    pub share: f64,
}

/// Fewest images for a repeated answer.
const REPEATED_MIN_IMAGES: usize = 20;
/// Smallest share of the images that have the repeated answer.
const REPEATED_MIN_SHARE: f64 = 0.1;
/// How many times as frequent as the most frequent label a repeated answer is at least.
const REPEATED_LABEL_RATIO: usize = 4;

/// Answers with confidence in one interval.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ReliabilityBin {
    /// Number of answers.
    pub images: usize,
    /// Exact matches among them.
    pub exact_matches: usize,
    /// Mean confidence.
    pub confidence: f64,
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// [`share`], or `None` if `whole` is zero.
fn share_of_some(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| share(part, whole))
}

/// The label of an image, and how it was drawn.
#[derive(Clone, Debug)]
pub struct GroundTruth {
    /// The label.
    pub text: String,
    /// The position of each character, if known.
    pub characters: Option<Vec<PlacedCharacter>>,
    /// How the image was drawn, if it is synthetic.
    pub rendering: Option<RenderInfo>,
}

impl Score {
    /// An empty score of a network.
    pub fn new(config: &ModelConfig) -> Self {
        Self {
            writes: format!(
                "the characters {:?}, up to {} in a text",
                config.alphabet, config.max_length
            ),
            ..Self::default()
        }
    }

    /// Counts an answer.
    pub fn count(
        &mut self,
        truth: &GroundTruth,
        prediction: &Prediction,
        comparison: &Comparison<'_>,
    ) {
        let label = &truth.text;
        let correct = comparison.equal(&prediction.text, label);
        self.ignore_case = comparison.ignore_case;
        self.matches_with_case += usize::from(prediction.text == *label);
        self.matches_ignoring_case += usize::from(fold_case(&prediction.text) == fold_case(label));
        if let (true, Some(placed)) = (correct, &truth.characters) {
            self.alignment.count(prediction, placed);
        }
        self.images += 1;
        self.exact_matches += usize::from(correct);
        *self.answers.entry(prediction.text.clone()).or_default() += 1;
        *self.labels.entry(label.clone()).or_default() += 1;
        self.count_places(label, prediction, comparison);
        if let Some(answer) = comparison.in_lexicon(prediction) {
            *self.lexicon_exact_matches.get_or_insert(0) +=
                usize::from(comparison.equal(answer, label));
        }
        self.reliability
            .resize_with(RELIABILITY_BINS, ReliabilityBin::default);
        let confidence = f64::from(prediction.confidence);
        let bin = (confidence * RELIABILITY_BINS as f64) as usize;
        let bin = &mut self.reliability[bin.min(RELIABILITY_BINS - 1)];
        bin.images += 1;
        bin.exact_matches += usize::from(correct);
        bin.confidence += confidence; // the sum; `finish` divides it
        let length = label.chars().count();
        self.by_length.entry(length).or_default().count(correct);
        if let Some(RenderInfo { font, strokes }) = truth.rendering {
            self.by_font.entry(font).or_default().count(correct);
            self.by_strokes.entry(strokes).or_default().count(correct);
        }
        if prediction.characters.len() == length {
            for (expected, actual) in label.chars().zip(prediction.text.chars()) {
                // Another case is no confusion where case is ignored.
                let same = comparison.same_character(expected, actual);
                let row = self.confusions.entry(expected).or_default();
                *row.entry(if same { expected } else { actual }).or_default() += 1;
            }
        }
    }

    /// Counts the characters of a label at their places.
    fn count_places(&mut self, label: &str, prediction: &Prediction, comparison: &Comparison<'_>) {
        let mut answer = prediction.text.chars();
        for (index, expected) in label.chars().enumerate() {
            let read = answer.next();
            let correct = read.is_some_and(|read| comparison.same_character(expected, read));
            if index == self.by_place.len() {
                self.by_place.push(PlaceTally::new(index + 1));
            }
            self.by_place[index].count(correct);
            self.characters += 1;
            self.correct_characters += usize::from(correct);
        }
    }

    /// Computes shares and means once all answers are counted; `time` is the network's.
    pub fn finish(&mut self, time: Duration) {
        let all = Tally {
            images: self.images,
            exact_matches: self.exact_matches,
        };
        self.accuracy = share_of_some(self.exact_matches, self.images);
        self.interval = self.accuracy.map(|_| all.interval());
        self.character_accuracy = share_of_some(self.correct_characters, self.characters);
        self.repeated_answer = self.repeated_answer();
        let alignment = &self.alignment;
        self.attention_on_character = share_of_some(alignment.on_character, alignment.characters);
        self.attention_in_box = share_of_some(alignment.in_box, alignment.characters);
        self.attention_near_box = alignment.near_box_share();
        self.attention_spread = alignment.median_spread();
        self.lexicon_accuracy = self
            .lexicon_exact_matches
            .map(|matches| share(matches, self.images));
        self.reliability.retain(|bin| bin.images > 0);
        for bin in &mut self.reliability {
            bin.confidence /= bin.images as f64;
        }
        let gap = |bin: &ReliabilityBin| {
            (bin.confidence * bin.images as f64 - bin.exact_matches as f64).abs()
        };
        self.calibration_error = self
            .accuracy
            .map(|_| self.reliability.iter().map(gap).sum::<f64>() / self.images as f64);
        self.images_per_second = self.images as f64 / time.as_secs_f64().max(1e-9);
    }

    fn repeated_answer(&self) -> Option<RepeatedAnswer> {
        let (text, &images) = self.answers.iter().max_by_key(|(_, images)| **images)?;
        let label = self.labels.values().max()?;
        let share = share(images, self.images);
        let is_repeated = self.images >= REPEATED_MIN_IMAGES
            && share >= REPEATED_MIN_SHARE
            && images >= REPEATED_LABEL_RATIO * label;
        is_repeated.then(|| RepeatedAnswer {
            text: text.clone(),
            images,
            share,
        })
    }
}

#[cfg(test)]
mod tests;
