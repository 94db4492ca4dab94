//! Evaluation on a labelled data set.

use std::time::Duration;

use anyhow::Result;
use captcha_model::Recognizer;

use crate::batches::read_batches;
use crate::data::{Dataset, Example};
use crate::progress::Progress;
use crate::score::{Comparison, GroundTruth, Score};

/// Alternatives that a lexicon chooses from.
const LEXICON_ALTERNATIVES: usize = 10;

/// Recognizes the first epoch of a data set and counts correct answers.
///
/// An image that cannot be read is reported and left out. An image whose label the network cannot
/// write is counted as unsupported. With a lexicon, the score also counts the answers that the
/// lexicon corrects: the most likely of ten alternatives that the lexicon contains, or the most
/// likely one if it contains no alternative.
///
/// # Errors
///
/// If no image can be read, or the device fails.
pub fn evaluate(
    recognizer: &Recognizer,
    dataset: &dyn Dataset,
    comparison: &Comparison<'_>,
    progress: &dyn Progress,
) -> Result<Score> {
    let config = recognizer.config();
    let vocabulary = config.vocabulary()?;
    let can_write = |label: &str| vocabulary.target(label, config.max_length).is_ok();
    let mut score = Score::new(config);
    let mut time = Duration::ZERO;
    let alternatives = match comparison.lexicon {
        Some(_) => LEXICON_ALTERNATIVES,
        None => 0,
    };
    let load = |index| {
        let Example {
            image,
            text,
            characters,
            rendering,
        } = dataset.example(0, index)?;
        let truth = GroundTruth {
            text,
            characters,
            rendering,
        };
        Ok(can_write(&truth.text).then_some((image, truth)))
    };
    progress.start_stage("", dataset.len());
    let mut done = 0;
    for batch in read_batches(recognizer, dataset.len(), alternatives, load) {
        let batch = batch?;
        time += batch.time;
        done += batch.results.len();
        progress.update(done, "");
        for result in batch.results {
            match result {
                Ok(Some((truth, prediction))) => score.count(&truth, &prediction, comparison),
                Ok(None) => score.unsupported += 1,
                // One unreadable file of many is no reason to stop.
                Err(error) if score.unreadable + 1 == dataset.len() => return Err(error),
                Err(error) => {
                    progress.message(&format!("left out: {error:#}"));
                    score.unreadable += 1;
                }
            }
        }
    }
    progress.end_stage();
    score.finish(time);
    Ok(score)
}
