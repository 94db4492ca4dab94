//! Finds problems of a run in its metrics.

use captcha_evaluation::score::Tally;

use crate::training::history::{Epoch, TrainingHistory};
use crate::training::plan::FEW_STEPS;

/// Training images count as memorized from this training accuracy on, if the validation accuracy is
/// at most this share of it.
const MEMORIZED_ACCURACY: f64 = 80.0;
const MEMORIZED_VALIDATION_SHARE: f64 = 0.5;
/// Factor by which a loss must have risen to be reported, and over how many epochs.
const RISE_FACTOR: f64 = 1.15;
const RISE_EPOCHS: usize = 3;
/// Smallest share of the images with one answer, and its smallest ratio to the share of the most
/// frequent label, at which a network does not depend on its input.
const CONSTANT_ANSWER_SHARE: f64 = 0.2;
const CONSTANT_ANSWER_RATIO: f64 = 3.0;
const CONSTANT_ANSWER_MIN_IMAGES: usize = 10;

/// A problem of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// The loss rises or is not a number.
    Diverges,
    /// Training images are recognized, others are not.
    Memorizes,
    /// The validation loss rises while the training loss falls.
    Overfits,
    /// No answer to a validation image is correct.
    NoExactMatch,
    /// Many images get the same answer.
    ConstantAnswer,
}

/// The problems of a run, each with a sentence that says what to do. Some problems are normal at
/// the start of a run; they are reported only if it is `finished`.
pub fn diagnose(history: &TrainingHistory, finished: bool) -> Vec<(Problem, String)> {
    let mut found = Vec::new();
    let (Some(first), Some(last)) = (history.epochs.first(), history.epochs.last()) else {
        return found;
    };
    let lower_rate = format!(
        "try a tenth of the learning rate ({})",
        history.learning_rate / 10.0
    );
    let losses = [last.train_loss, last.valid_loss];
    if losses.iter().any(|loss| !loss.is_finite()) {
        found.push((
            Problem::Diverges,
            format!("the loss is not a number any more: {lower_rate}"),
        ));
        return found;
    }
    let least = lowest(history, |epoch| epoch.train_loss);
    if last.train_loss > RISE_FACTOR * least.train_loss && last.train_loss > first.train_loss {
        found.push((
            Problem::Diverges,
            format!(
                "the training loss rises, from {:.2} in epoch {} to {:.2}: {lower_rate}",
                least.train_loss, least.number, last.train_loss
            ),
        ));
    }
    let images = "more images help most, or a start from trained weights (--from)";
    let best = lowest(history, |epoch| epoch.valid_loss);
    if history.is_folder
        && last.train_accuracy >= MEMORIZED_ACCURACY
        && last.valid_accuracy <= MEMORIZED_VALIDATION_SHARE * last.train_accuracy
    {
        found.push((
            Problem::Memorizes,
            format!(
                "the network memorizes the training images: it recognizes {:.1}% of {}, but {:.1}% of \
                 the {} validation images; {images}",
                last.train_accuracy, history.train_images, last.valid_accuracy, history.valid_images
            ),
        ));
    } else if history.is_folder
        && last.number >= best.number + RISE_EPOCHS
        && last.valid_loss > RISE_FACTOR * best.valid_loss
        && last.train_loss < best.train_loss
    {
        found.push((
            Problem::Overfits,
            format!(
                "since epoch {} the validation loss has risen from {:.2} to {:.2} while the \
                 training loss fell: the network begins to memorize its images; {images}",
                best.number, best.valid_loss, last.valid_loss
            ),
        ));
    }
    if !finished {
        return found;
    }
    if history
        .epochs
        .iter()
        .all(|epoch| epoch.valid_accuracy <= 0.0)
    {
        let mut text =
            "no answer to a validation image was correct in any epoch, so the weights are \
                        not useful yet: use more epochs or images, or start from trained weights \
                        (--from)"
                .to_owned();
        if last.train_accuracy > 0.0 && history.steps < FEW_STEPS {
            text += "; in so short a run, batch norm's statistics lag behind, so that the validation \
                     accuracy is below the training accuracy";
        }
        found.push((Problem::NoExactMatch, text));
    }
    if let Some(answers) = history.answers {
        let share = answers.same_answer as f64 / answers.images.max(1) as f64;
        let label = answers.same_label as f64 / answers.images.max(1) as f64;
        if answers.images >= CONSTANT_ANSWER_MIN_IMAGES
            && share >= CONSTANT_ANSWER_SHARE
            && share >= CONSTANT_ANSWER_RATIO * label
        {
            found.push((
                Problem::ConstantAnswer,
                format!(
                    "{} of the {} validation images got the same answer: the network ignores its \
                     input; it needs more epochs or more images",
                    answers.same_answer, answers.images
                ),
            ));
        }
    }
    found
}

fn lowest(history: &TrainingHistory, loss: impl Fn(&Epoch) -> f64) -> Epoch {
    let epochs = history.epochs.iter().copied();
    epochs
        .min_by(|a, b| loss(a).total_cmp(&loss(b)))
        .unwrap_or_default()
}

/// Describes the epoch whose weights are written.
pub fn describe_best(
    epoch: usize,
    epochs: usize,
    valid_accuracy: f64,
    valid_images: usize,
) -> String {
    let exact_matches = (valid_accuracy / 100.0 * valid_images as f64).round() as usize;
    let tally = Tally {
        images: valid_images,
        exact_matches,
    };
    let (low, high) = tally.interval();
    format!(
        "saved epoch {epoch} of {epochs}, which has the best validation accuracy: \
         {valid_accuracy:.1}% of {valid_images} images are exact matches (95% interval {:.1}% to \
         {:.1}%)",
        100.0 * low,
        100.0 * high
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::history::Answers;

    /// Epochs as (training loss, training accuracy, validation loss, validation accuracy).
    fn history(epochs: &[[f64; 4]]) -> TrainingHistory {
        let epochs = epochs.iter().zip(1..).map(|(epoch, number)| Epoch {
            number,
            train_loss: epoch[0],
            train_accuracy: epoch[1],
            valid_loss: epoch[2],
            valid_accuracy: epoch[3],
        });
        TrainingHistory {
            epochs: epochs.collect(),
            train_images: 115,
            valid_images: 22,
            answers: None,
            steps: 400,
            is_folder: true,
            learning_rate: 1e-3,
        }
    }

    fn problems(history: &TrainingHistory, finished: bool) -> Vec<Problem> {
        let found = diagnose(history, finished).into_iter();
        found.map(|(problem, _)| problem).collect()
    }

    /// A name, epochs, and the problems that are reported during the run and after it.
    type Case<'a> = (&'a str, &'a [[f64; 4]], &'a [Problem], &'a [Problem]);

    #[test]
    fn diagnose_reports_each_problem_and_none_of_a_good_run() {
        use Problem::{Diverges, Memorizes, NoExactMatch, Overfits};
        let cases: &[Case] = &[
            ("nothing yet", &[], &[], &[]),
            (
                "good",
                &[
                    [9.0, 5.0, 8.0, 54.0],
                    [2.0, 60.0, 2.0, 74.0],
                    [1.0, 80.0, 1.0, 80.0],
                ],
                &[],
                &[],
            ),
            (
                "memorizes",
                &[
                    [12.0, 0.0, 11.2, 0.0],
                    [1.0, 90.0, 14.0, 0.0],
                    [0.1, 100.0, 14.3, 0.0],
                ],
                &[Memorizes],
                &[Memorizes, NoExactMatch],
            ),
            (
                "half memorized",
                &[[12.0, 0.0, 11.2, 0.0], [0.1, 100.0, 4.0, 45.0]],
                &[Memorizes],
                &[Memorizes],
            ),
            (
                "better in training, as always",
                &[[12.0, 0.0, 11.2, 0.0], [0.5, 90.0, 1.0, 85.0]],
                &[],
                &[],
            ),
            (
                "begins to memorize",
                &[
                    [12.0, 0.0, 11.2, 1.0],
                    [9.0, 1.0, 11.9, 1.0],
                    [7.0, 5.0, 12.5, 1.0],
                    [5.0, 9.6, 13.3, 1.0],
                ],
                &[Overfits],
                &[Overfits],
            ),
            (
                "diverged",
                &[
                    [24.0, 0.0, 58.9, 0.0],
                    [30.0, 0.0, 57.0, 0.0],
                    [43.0, 0.0, 52.4, 0.0],
                ],
                &[Diverges],
                &[Diverges, NoExactMatch],
            ),
            (
                "one worse epoch on the way down",
                &[
                    [9.0, 5.0, 8.0, 10.0],
                    [2.0, 60.0, 2.0, 74.0],
                    [2.5, 55.0, 2.4, 70.0],
                ],
                &[],
                &[],
            ),
            (
                "no number",
                &[[9.0, 5.0, 8.0, 1.0], [f64::NAN, 0.0, 2.0, 0.0]],
                &[Diverges],
                &[Diverges],
            ),
            ("early", &[[14.0, 0.0, 13.0, 0.0]], &[], &[NoExactMatch]),
        ];
        for (name, epochs, during, after) in cases {
            assert_eq!(problems(&history(epochs), false), *during, "{name}, during");
            assert_eq!(problems(&history(epochs), true), *after, "{name}, after");
        }
        // Synthetic images are new in each epoch and cannot be memorized.
        let mut synthetic = history(&[[12.0, 0.0, 11.0, 0.0], [0.1, 100.0, 14.0, 10.0]]);
        synthetic.is_folder = false;
        assert_eq!(problems(&synthetic, true), []);
    }

    #[test]
    fn diagnose_sentences_contain_numbers_and_advice() {
        let found = diagnose(
            &history(&[[12.0, 0.0, 11.2, 0.0], [0.1, 100.0, 14.3, 0.0]]),
            true,
        );
        let text = &found[0].1;
        assert!(
            text.contains("100.0% of 115") && text.contains("0.0% of the 22"),
            "{text}"
        );
        assert!(text.contains("--from"), "{text}");
        let found = diagnose(
            &history(&[[24.0, 0.0, 9.0, 0.0], [43.0, 0.0, 9.0, 0.0]]),
            false,
        );
        assert!(
            found[0].1.contains("24.00 in epoch 1 to 43.00"),
            "{found:?}"
        );
        assert!(found[0].1.contains("(0.0001)"), "{found:?}");
        let text = describe_best(3, 14, 80.0, 50);
        assert!(
            text.contains("epoch 3 of 14") && text.contains("80.0% of 50"),
            "{text}"
        );
        assert!(text.contains("67.0% to 88.8%"), "{text}");
    }

    #[test]
    fn diagnose_reports_a_constant_answer_unless_labels_are_constant() {
        let good = &[[9.0, 5.0, 8.0, 10.0], [8.0, 10.0, 7.0, 10.0]];
        for (images, same_answer, same_label, reported) in [
            (100, 24, 1, true),
            (100, 24, 20, false),
            (100, 5, 1, false),
            (4, 4, 1, false),
            (0, 0, 0, false),
        ] {
            let mut history = history(good);
            history.answers = Some(Answers {
                images,
                same_answer,
                same_label,
            });
            let found = problems(&history, true);
            assert_eq!(
                found.contains(&Problem::ConstantAnswer),
                reported,
                "{same_answer}"
            );
            assert!(problems(&history, false).is_empty(), "only when it is done");
        }
    }
}
