//! `captcha-lens evaluate`: how many images are read whole.

pub mod attention_alignment;

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::time::{Duration, Instant};

use anyhow::Result;
use captcha_model::{Inputs, Prediction, Recognizer};
use rayon::prelude::*;
use serde::Serialize;

use crate::data::{Drawn, Example, PlacedCharacter, Source};
use crate::evaluation::attention_alignment::Looks;
use crate::training::progress::progress_bar;

/// Images read at once.
const BATCH: usize = 64;
/// Answers among which a lexicon chooses.
const LEXICON_ALTERNATIVES: usize = 10;

/// Groups of equal width that confidence is sorted into.
const RELIABILITY_BINS: usize = 15;

/// What was counted.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Score {
    /// Images read whose label the network can write.
    pub images: usize,
    /// Images left out, as they could not be read.
    #[serde(skip_serializing_if = "is_zero")]
    pub unreadable: usize,
    /// Images left out, as the network cannot write their label: it is too long, or holds a
    /// character that the alphabet lacks. The score says nothing of such images.
    pub unsupported: usize,
    /// Images whose every character is right.
    pub exact: usize,
    /// `exact / images`; none without an image.
    pub accuracy: Option<f64>,
    /// Where the accuracy on all such images lies, with a certainty of 95 %.
    pub interval: Option<(f64, f64)>,
    /// Share of label characters answered right at their place.
    pub character_accuracy: Option<f64>,
    /// The commonest answer, where it is so common that the network hardly looks at the image:
    /// labels differ much more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repeated_answer: Option<RepeatedAnswer>,
    /// Share of characters, in images that were read right, at which the grid's column with the most
    /// attention lay nearer to the character read than to any other; rows are not counted. None where
    /// it is not known where characters stand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attention_on_character: Option<f64>,
    /// Share of the same characters at which the grid's cell with the most attention touched the box of
    /// the character's ink.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attention_in_box: Option<f64>,
    /// Images whose answer is right once a lexicon has chosen, if one was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lexicon_exact: Option<usize>,
    /// `lexicon_exact / images`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lexicon_accuracy: Option<f64>,
    /// Images by the number of characters in their label.
    pub by_length: BTreeMap<usize, Tally>,
    /// Images by the name of their face, where that is known.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub by_font: BTreeMap<&'static str, Tally>,
    /// Images by their number of lines, arcs and dashes, where that is known.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub by_strokes: BTreeMap<u32, Tally>,
    /// How often each character was read as which, in answers of the label's length.
    pub read_as: BTreeMap<char, BTreeMap<char, usize>>,
    /// Expected calibration error: how far confidence lies from accuracy on average, over the
    /// groups of `reliability` (Naeini et al. 2015).
    pub calibration_error: Option<f64>,
    /// Images grouped by the confidence of their answer, groups without an image left out.
    pub reliability: Vec<ReliabilityBin>,
    /// Images read in a second of the network's time; decoding and scaling are not counted.
    pub images_per_second: f64,
    /// What the network can write, in words.
    #[serde(skip)]
    writes: String,
    #[serde(skip)]
    characters: usize,
    #[serde(skip)]
    characters_right: usize,
    #[serde(skip)]
    answers: BTreeMap<String, usize>,
    #[serde(skip)]
    labels: BTreeMap<String, usize>,
    #[serde(skip)]
    looks: Looks,
}

/// An answer that many images got.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RepeatedAnswer {
    /// The answer.
    pub text: String,
    /// Images that got it.
    pub images: usize,
    /// Their share of all images.
    pub share: f64,
}

/// Fewest images among which an answer counts as repeated.
const REPEATED_IMAGES: usize = 20;
/// Least share of the images that get a repeated answer, and how many times as common as the
/// commonest label it is.
const REPEATED: (f64, usize) = (0.1, 4);

/// Answers of about the same confidence.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ReliabilityBin {
    /// Answers.
    pub images: usize,
    /// Of these, right.
    pub exact: usize,
    /// Their mean confidence.
    pub confidence: f64,
}

/// Count of some of the images.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Tally {
    /// Images.
    pub images: usize,
    /// Of these, read right.
    pub exact: usize,
}

impl Tally {
    /// `exact / images`
    pub fn accuracy(self) -> f64 {
        share(self.exact, self.images)
    }

    /// Where the accuracy on all such images lies, with a certainty of 95 % (Wilson 1927).
    pub fn interval(self) -> (f64, f64) {
        const Z: f64 = 1.96;
        let (n, p) = (self.images.max(1) as f64, self.accuracy());
        let scale = 1.0 + Z * Z / n;
        let centre = (p + Z * Z / (2.0 * n)) / scale;
        let reach = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt() / scale;
        ((centre - reach).max(0.0), (centre + reach).min(1.0))
    }

    /// Counts another group's images too.
    pub fn add(&mut self, other: Self) {
        self.images += other.images;
        self.exact += other.exact;
    }

    fn count(&mut self, right: bool) {
        self.images += 1;
        self.exact += usize::from(right);
    }
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole.max(1) as f64
}

/// [`share`], or none of nothing.
fn some_share(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| share(part, whole))
}

/// Reads every example of a source's first epoch. One that cannot be read is named and left out, and
/// one whose label the network cannot write is counted apart. A lexicon's score is counted beside
/// the plain one: the likeliest of ten answers that the lexicon holds, or the likeliest if it holds
/// none.
pub fn evaluate(
    recognizer: &Recognizer,
    source: &dyn Source,
    lexicon: Option<&HashSet<String>>,
) -> Result<Score> {
    let config = recognizer.config();
    let vocabulary = config.vocabulary()?;
    let can_write = |label: &str| vocabulary.target(label, config.max_length).is_ok();
    let mut score = Score {
        writes: format!(
            "the characters {:?}, at most {} in a text",
            config.alphabet, config.max_length
        ),
        ..Score::default()
    };
    let mut time = Duration::ZERO;
    let bar = progress_bar(source.len() as u64);
    let alternatives = if lexicon.is_some() {
        LEXICON_ALTERNATIVES
    } else {
        0
    };
    for start in (0..source.len()).step_by(BATCH) {
        let indices = start..(start + BATCH).min(source.len());
        // A photo at its full size is let go before the next one.
        let examples: Vec<Result<Option<_>>> = indices
            .into_par_iter()
            .map(|index| {
                let Example {
                    image,
                    text,
                    characters,
                    drawn,
                } = source.example(0, index)?;
                if !can_write(&text) {
                    return Ok(None);
                }
                let truth = Truth {
                    text,
                    characters,
                    drawn,
                };
                Ok(Some((recognizer.preprocess(&[image])?, truth)))
            })
            .collect();
        bar.inc(examples.len() as u64);
        let mut prepared = Vec::with_capacity(examples.len());
        for example in examples {
            match example {
                Ok(Some(example)) => prepared.push(example),
                Ok(None) => score.unsupported += 1,
                // One bad file of thousands does not cost the reading of all others.
                Err(error) if score.unreadable + 1 == source.len() => return Err(error),
                Err(error) => {
                    bar.suspend(|| eprintln!("left out: {error:#}"));
                    score.unreadable += 1;
                }
            }
        }
        let (inputs, truths): (Vec<_>, Vec<_>) = prepared.into_iter().unzip();
        let Some(inputs) = Inputs::cat(inputs) else {
            continue;
        };
        let started = Instant::now();
        let encoded = recognizer.encode(inputs)?;
        let predictions = pollster::block_on(recognizer.decode(encoded, alternatives))?;
        time += started.elapsed();
        for (truth, prediction) in truths.iter().zip(&predictions) {
            score.count(truth, prediction, lexicon);
        }
    }
    bar.finish_and_clear();
    score.finish(time);
    Ok(score)
}

/// What is known of an image.
struct Truth {
    text: String,
    characters: Option<Vec<PlacedCharacter>>,
    drawn: Option<Drawn>,
}

impl Score {
    fn count(&mut self, truth: &Truth, prediction: &Prediction, lexicon: Option<&HashSet<String>>) {
        let label = &truth.text;
        let right = prediction.text == *label;
        if let (true, Some(placed)) = (right, &truth.characters) {
            self.looks.count(prediction, placed);
        }
        self.images += 1;
        self.exact += usize::from(right);
        *self.answers.entry(prediction.text.clone()).or_default() += 1;
        *self.labels.entry(label.clone()).or_default() += 1;
        self.characters += label.chars().count();
        self.characters_right += label
            .chars()
            .zip(prediction.text.chars())
            .filter(|(a, b)| a == b)
            .count();
        if let Some(lexicon) = lexicon {
            let listed = prediction
                .alternatives
                .iter()
                .find(|answer| lexicon.contains(&answer.text));
            let answer = listed.map_or(&prediction.text, |answer| &answer.text);
            *self.lexicon_exact.get_or_insert(0) += usize::from(answer == label);
        }
        self.reliability
            .resize_with(RELIABILITY_BINS, ReliabilityBin::default);
        let confidence = f64::from(prediction.confidence);
        let bin = (confidence * RELIABILITY_BINS as f64) as usize;
        let bin = &mut self.reliability[bin.min(RELIABILITY_BINS - 1)];
        bin.images += 1;
        bin.exact += usize::from(right);
        bin.confidence += confidence; // the sum until all are counted
        let length = label.chars().count();
        self.by_length.entry(length).or_default().count(right);
        if let Some(Drawn { font, strokes }) = truth.drawn {
            self.by_font.entry(font).or_default().count(right);
            self.by_strokes.entry(strokes).or_default().count(right);
        }
        if prediction.characters.len() == length {
            for (character, read) in label.chars().zip(prediction.text.chars()) {
                *self
                    .read_as
                    .entry(character)
                    .or_default()
                    .entry(read)
                    .or_default() += 1;
            }
        }
    }

    fn finish(&mut self, time: Duration) {
        let all = Tally {
            images: self.images,
            exact: self.exact,
        };
        self.accuracy = some_share(self.exact, self.images);
        self.interval = self.accuracy.map(|_| all.interval());
        self.character_accuracy = some_share(self.characters_right, self.characters);
        self.repeated_answer = self.repeated_answer();
        if self.looks.characters > 0 {
            self.attention_on_character = Some(share(self.looks.nearest, self.looks.characters));
            self.attention_in_box = Some(share(self.looks.touched, self.looks.characters));
        }
        self.lexicon_accuracy = self.lexicon_exact.map(|exact| share(exact, self.images));
        self.reliability.retain(|bin| bin.images > 0);
        for bin in &mut self.reliability {
            bin.confidence /= bin.images as f64;
        }
        let gap =
            |bin: &ReliabilityBin| (bin.confidence * bin.images as f64 - bin.exact as f64).abs();
        self.calibration_error = self
            .accuracy
            .map(|_| self.reliability.iter().map(gap).sum::<f64>() / self.images as f64);
        self.images_per_second = self.images as f64 / time.as_secs_f64().max(1e-9);
    }

    fn repeated_answer(&self) -> Option<RepeatedAnswer> {
        let (least_share, times) = REPEATED;
        let (text, &images) = self.answers.iter().max_by_key(|(_, images)| **images)?;
        let label = self.labels.values().max()?;
        let share = share(images, self.images);
        (self.images >= REPEATED_IMAGES && share >= least_share && images >= times * label).then(
            || RepeatedAnswer {
                text: text.clone(),
                images,
                share,
            },
        )
    }
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "images            {}", self.images)?;
        if self.unreadable > 0 {
            writeln!(f, "left out          {}", self.unreadable)?;
        }
        if self.unsupported > 0 {
            let all = self.images + self.unsupported;
            writeln!(f, "unsupported       {} of {all} labels", self.unsupported)?;
        }
        let (Some(accuracy), Some((low, high))) = (self.accuracy, self.interval) else {
            return write!(
                f,
                "There is no result: this network writes {}, and no label is such a text. Use \
                 weights that were trained on such images.",
                self.writes
            );
        };
        writeln!(
            f,
            "read whole        {} ({:.3} %; 95 % interval {:.2} to {:.2} %)",
            self.exact,
            100.0 * accuracy,
            100.0 * low,
            100.0 * high
        )?;
        if let Some(share) = self.character_accuracy {
            writeln!(f, "characters right     {:.3} %", 100.0 * share)?;
        }
        if let Some(share) = self.attention_on_character {
            writeln!(f, "looked at character  {:.3} %", 100.0 * share)?;
        }
        if let Some(share) = self.attention_in_box {
            writeln!(f, "looked into box   {:.3} %", 100.0 * share)?;
        }
        if let Some(accuracy) = self.lexicon_accuracy {
            writeln!(f, "with the lexicon  {:.3} %", 100.0 * accuracy)?;
        }
        if let Some(error) = self.calibration_error {
            writeln!(f, "calibration error {:.3} %", 100.0 * error)?;
        }
        for (characters, tally) in &self.by_length {
            let (share, images) = (100.0 * tally.accuracy(), tally.images);
            writeln!(
                f,
                "of {characters} characters      {share:.3} % of {images}"
            )?;
        }
        write!(f, "images a second   {:.1}", self.images_per_second)?;
        if self.unsupported > 0 {
            write!(
                f,
                "\nnote: the network writes {}. The result says nothing of the {} images with \
                 other labels.",
                self.writes, self.unsupported
            )?;
        }
        if let Some(RepeatedAnswer { text, share, .. }) = &self.repeated_answer {
            write!(
                f,
                "\nwarning: {:.0} % of the answers are {text:?}, though the labels differ: the \
                 network hardly looks at the images. Train it longer, or on more images.",
                100.0 * share
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use captcha_model::{Alternative, Character, Grid};

    use super::*;

    fn answer(text: &str, confidence: f32, others: &[&str]) -> Prediction {
        Prediction {
            text: text.into(),
            confidence,
            characters: text
                .chars()
                .map(|character| Character {
                    character,
                    confidence: 1.0,
                    attention: Vec::new(),
                    alternatives: Vec::new(),
                })
                .collect(),
            grid: Grid { rows: 1, cols: 1 },
            blank: false,
            alternatives: [&[text], others]
                .concat()
                .into_iter()
                .map(|text| Alternative {
                    text: text.into(),
                    confidence: 0.0,
                })
                .collect(),
        }
    }

    fn truth(text: &str) -> Truth {
        Truth {
            text: text.into(),
            characters: None,
            drawn: None,
        }
    }

    #[test]
    fn an_answer_that_many_images_get_is_told() {
        let score = |answers: &[&str], label: fn(usize) -> String| {
            let mut score = Score::default();
            for (index, text) in answers.iter().cycle().take(40).enumerate() {
                let label = label(index);
                score.count(&truth(&label), &answer(text, 0.5, &[]), None);
            }
            score.finish(Duration::from_secs(1));
            score
        };
        let characters = |index: usize| char::from(b'a' + (index % 26) as u8).to_string();
        let stuck = score(&["aa", "ab", "aa", "ac", "ad"], characters);
        let repeated = RepeatedAnswer {
            text: "aa".into(),
            images: 16,
            share: 0.4,
        };
        assert_eq!(stuck.repeated_answer, Some(repeated));
        assert!(
            stuck
                .to_string()
                .contains("warning: 40 % of the answers are \"aa\"")
        );
        // Where the labels are as alike as the answers, the network is right to repeat itself.
        let alike = score(&["aa"], |_| "aa".into());
        assert_eq!(alike.repeated_answer, None);
        let mixed: Vec<String> = (0..26).map(characters).collect();
        let mixed: Vec<&str> = mixed.iter().map(String::as_str).collect();
        assert_eq!(score(&mixed, characters).repeated_answer, None);
    }

    #[test]
    fn nothing_measured_is_no_percentage() {
        let mut score = Score {
            unsupported: 3,
            ..Score::default()
        };
        score.finish(Duration::from_secs(1));
        let json = serde_json::to_value(&score).expect("a score is JSON");
        assert_eq!(json["unsupported"], 3);
        for key in [
            "accuracy",
            "interval",
            "character_accuracy",
            "calibration_error",
        ] {
            assert!(json[key].is_null(), "{key} in {json}");
        }
        let text = score.to_string();
        assert!(text.contains("no result") && !text.contains('%'), "{text}");
    }

    #[test]
    fn what_is_counted_is_what_was_read() {
        let lexicon = HashSet::from(["thus".to_owned(), "line".to_owned()]);
        let mut score = Score::default();
        for (label, prediction) in [
            ("thus", answer("thus", 0.99, &[])),
            ("thus", answer("thes", 0.97, &["thus"])),
            ("line", answer("lin", 0.5, &["limb", "line"])),
            ("zqx", answer("zqx", 0.51, &["thus"])),
        ] {
            score.count(&truth(label), &prediction, Some(&lexicon));
        }
        score.finish(Duration::from_secs(2));
        assert_eq!((score.images, score.exact), (4, 2));
        // 4 of 4, 3 of 4, 3 of 4 and 3 of 3 characters at their place.
        assert_eq!(score.character_accuracy, Some(13.0 / 15.0));
        // The list mends the second and the third, and spoils the last.
        assert_eq!(score.lexicon_exact, Some(3));
        // Of answers as long as their label only.
        assert_eq!(score.read_as[&'u'], BTreeMap::from([('u', 1), ('e', 1)]));
        assert!(!score.read_as.contains_key(&'l'));
        // Two groups of two: |1.96 - 1| and |1.01 - 1| of four.
        assert!((score.calibration_error.unwrap_or_default() - 0.97 / 4.0).abs() < 1e-6);
        assert_eq!(score.images_per_second, 2.0);
    }

    #[test]
    fn the_interval_is_wilsons() {
        // Newcombe 1998, table I: 81 of 263.
        let (low, high) = Tally {
            images: 263,
            exact: 81,
        }
        .interval();
        assert!((low - 0.2553).abs() < 1e-4 && (high - 0.3662).abs() < 1e-4);
    }
}
