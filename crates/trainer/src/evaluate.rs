//! `captcha-lens evaluate`: how many images are read whole.

use std::collections::HashSet;
use std::fmt;
use std::time::{Duration, Instant};

use anyhow::Result;
use captcha_model::{Prediction, Recognizer};
use rayon::prelude::*;
use serde::Serialize;

use crate::data::{Example, Source};
use crate::progress::progress_bar;

/// Images read at once.
const BATCH: usize = 64;
/// Answers among which a lexicon chooses.
const LEXICON_ALTERNATIVES: usize = 10;

/// What was counted.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Score {
    /// Images read.
    pub images: usize,
    /// Images whose every letter is right.
    pub exact: usize,
    /// `exact / images`
    pub accuracy: f64,
    /// Share of label letters answered right at their place.
    pub letter_accuracy: f64,
    /// Images whose answer is right once a lexicon has chosen, if one was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lexicon_exact: Option<usize>,
    /// `lexicon_exact / images`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lexicon_accuracy: Option<f64>,
    /// Whole-word accuracy by the label's length, from zero letters on.
    pub by_length: Vec<LengthScore>,
    /// Images read in a second of the network's time, decoding of the files not counted.
    pub images_per_second: f64,
    #[serde(skip)]
    letters: usize,
    #[serde(skip)]
    letters_right: usize,
}

/// Count of one label length.
#[derive(Clone, Debug, Default, Serialize)]
pub struct LengthScore {
    /// Letters in the label.
    pub letters: usize,
    /// Images with such a label.
    pub images: usize,
    /// Of these, read whole.
    pub exact: usize,
}

/// Reads every example of a source's first epoch. A lexicon's score is counted beside the plain
/// one: the likeliest of ten answers that the lexicon holds, or the likeliest if it holds none.
pub fn evaluate(
    recognizer: &Recognizer,
    source: &dyn Source,
    lexicon: Option<&HashSet<String>>,
) -> Result<Score> {
    let mut score = Score::default();
    let mut time = Duration::ZERO;
    let bar = progress_bar(source.len() as u64);
    let alternatives = if lexicon.is_some() {
        LEXICON_ALTERNATIVES
    } else {
        0
    };
    for start in (0..source.len()).step_by(BATCH) {
        let indices = start..(start + BATCH).min(source.len());
        let examples: Vec<Example> = indices
            .into_par_iter()
            .map(|index| source.example(0, index))
            .collect::<Result<_>>()?;
        let (labels, images): (Vec<_>, Vec<_>) = examples
            .into_iter()
            .map(|example| (example.text, example.image))
            .unzip();
        let started = Instant::now();
        let predictions = pollster::block_on(recognizer.recognize(&images, alternatives))?;
        time += started.elapsed();
        for (label, prediction) in labels.iter().zip(&predictions) {
            score.count(label, prediction, lexicon);
        }
        bar.inc(images.len() as u64);
    }
    bar.finish_and_clear();
    score.finish(time);
    Ok(score)
}

impl Score {
    fn count(&mut self, label: &str, prediction: &Prediction, lexicon: Option<&HashSet<String>>) {
        let right = prediction.text == label;
        self.images += 1;
        self.exact += usize::from(right);
        self.letters += label.chars().count();
        self.letters_right += label
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
        let length = label.chars().count();
        while self.by_length.len() <= length {
            self.by_length.push(LengthScore {
                letters: self.by_length.len(),
                ..LengthScore::default()
            });
        }
        self.by_length[length].images += 1;
        self.by_length[length].exact += usize::from(right);
    }

    fn finish(&mut self, time: Duration) {
        let share = |part: usize, whole: usize| part as f64 / whole.max(1) as f64;
        self.accuracy = share(self.exact, self.images);
        self.letter_accuracy = share(self.letters_right, self.letters);
        self.lexicon_accuracy = self.lexicon_exact.map(|exact| share(exact, self.images));
        self.images_per_second = self.images as f64 / time.as_secs_f64().max(1e-9);
        self.by_length.retain(|length| length.images > 0);
    }
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "images            {}", self.images)?;
        writeln!(
            f,
            "read whole        {} ({:.3} %)",
            self.exact,
            100.0 * self.accuracy
        )?;
        writeln!(f, "letters right     {:.3} %", 100.0 * self.letter_accuracy)?;
        if let Some(accuracy) = self.lexicon_accuracy {
            writeln!(f, "with the lexicon  {:.3} %", 100.0 * accuracy)?;
        }
        for length in &self.by_length {
            let share = 100.0 * length.exact as f64 / length.images as f64;
            writeln!(
                f,
                "of {} letters      {share:.3} % of {}",
                length.letters, length.images
            )?;
        }
        write!(f, "images a second   {:.1}", self.images_per_second)
    }
}
