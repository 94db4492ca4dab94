//! What the numbers of a run mean, in words.

use crate::evaluation::Tally;

/// Fewer training images than this teach little, unless a run starts from weights that read such
/// images already.
const FEW_IMAGES: usize = 300;
const FEW_IMAGES_FROM_SCRATCH: usize = 5_000;
/// A run of fewer steps hardly moves its weights, and batch norm's running statistics lag behind.
const FEW_STEPS: usize = 200;
/// Percent of the training images, and the largest part of that among validation images, from
/// which training images count as learnt by heart.
const BY_HEART: f64 = 80.0;
const BY_HEART_PART: f64 = 0.5;
/// How far a loss must have risen to be worth a word, and over how many epochs.
const RISEN: f64 = 1.15;
const RISING_EPOCHS: usize = 3;
/// Share of the images with one answer, and how many times its true share, from which a network
/// answers without looking.
const SAME_ANSWER: f64 = 0.2;
const SAME_ANSWER_FACTOR: f64 = 3.0;
const SAME_ANSWER_IMAGES: usize = 10;

/// A run that is about to start.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Training images of a labelled folder; none where they are generated.
    pub folder_images: Option<usize>,
    /// Whether it starts from random weights.
    pub from_scratch: bool,
    /// Steps in all.
    pub steps: usize,
    /// The preset's warm-up, in steps.
    pub wanted_warmup: usize,
    /// The warm-up as it will be.
    pub warmup: usize,
    /// Workers on the CPU and its cores; none on a GPU.
    pub cpu: Option<(usize, usize)>,
}

/// What to know before a run starts.
pub fn before(plan: &Plan) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(images) = plan.folder_images {
        if plan.from_scratch && images < FEW_IMAGES_FROM_SCRATCH {
            notes.push(format!(
                "{images} training images are few to learn reading from nothing; that takes \
                 thousands. Start from weights that read already (--from), or add images"
            ));
        } else if images < FEW_IMAGES {
            notes.push(format!(
                "{images} training images are few; a few hundred teach much more"
            ));
        }
    }
    if plan.steps < FEW_STEPS {
        notes.push(format!(
            "this run takes {} steps, which is little: more --epochs, or a preset with a smaller \
             batch or fewer candidates, make it longer",
            plan.steps
        ));
    }
    if plan.warmup < plan.wanted_warmup {
        notes.push(format!(
            "the preset's warm-up of {} steps is too long for this run; it takes {} steps, a fifth \
             of the run",
            plan.wanted_warmup, plan.warmup
        ));
    }
    if let Some((1, cores @ 2..)) = plan.cpu {
        notes.push(format!(
            "one worker uses little more than one of the {cores} cores; --devices {cores} uses all, \
             with a batch for each"
        ));
    }
    notes
}

/// Means of an epoch.
#[derive(Clone, Copy, Debug, Default)]
pub struct Epoch {
    /// Its number, from 1.
    pub number: usize,
    /// Training loss.
    pub train_loss: f64,
    /// Training images read, in percent.
    pub train_accuracy: f64,
    /// Validation loss.
    pub valid_loss: f64,
    /// Validation images read, in percent.
    pub valid_accuracy: f64,
}

/// The most frequent answer to the validation images, and the most frequent label.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    /// Images answered.
    pub images: usize,
    /// Of these, with the most frequent answer.
    pub same_answer: usize,
    /// Of these, with the most frequent label.
    pub same_label: usize,
}

/// What a run did.
#[derive(Clone, Debug, Default)]
pub struct Course {
    /// Its finished epochs, in order.
    pub epochs: Vec<Epoch>,
    /// Training images in an epoch.
    pub train_images: usize,
    /// Validation images.
    pub valid_images: usize,
    /// Answers of the last epoch.
    pub answers: Option<Answers>,
    /// Steps of the whole run.
    pub steps: usize,
    /// Whether the training images are a folder's, the same ones each epoch.
    pub is_folder: bool,
    /// Peak learning rate.
    pub learning_rate: f64,
}

/// A kind of trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The loss rises or is no number.
    Diverges,
    /// Training images are read, others are not.
    ByHeart,
    /// The validation loss rises while the training loss falls.
    Overfits,
    /// No validation image is read.
    ReadsNothing,
    /// One answer for many images.
    SameAnswer,
}

/// Which trouble a run is in, in words that say what to do. `finished`: the run has ended, so that
/// what every run goes through at its start counts, too.
pub fn diagnose(course: &Course, finished: bool) -> Vec<(Trouble, String)> {
    let mut found = Vec::new();
    let (Some(first), Some(last)) = (course.epochs.first(), course.epochs.last()) else {
        return found;
    };
    let lower_rate = format!(
        "try a tenth of the learning rate ({})",
        course.learning_rate / 10.0
    );
    let losses = [last.train_loss, last.valid_loss];
    if losses.iter().any(|loss| !loss.is_finite()) {
        found.push((
            Trouble::Diverges,
            format!("the loss is no number any more: {lower_rate}"),
        ));
        return found;
    }
    let least = lowest(course, |epoch| epoch.train_loss);
    if last.train_loss > RISEN * least.train_loss && last.train_loss > first.train_loss {
        found.push((
            Trouble::Diverges,
            format!(
                "the training loss rises, from {:.2} in epoch {} to {:.2}: {lower_rate}",
                least.train_loss, least.number, last.train_loss
            ),
        ));
    }
    let images = "more images help most, or weights to start from (--from) that read others";
    let turn = lowest(course, |epoch| epoch.valid_loss);
    if course.is_folder
        && last.train_accuracy >= BY_HEART
        && last.valid_accuracy <= BY_HEART_PART * last.train_accuracy
    {
        found.push((
            Trouble::ByHeart,
            format!(
                "the training images are learnt by heart: {:.1} % of {} are read, but {:.1} % of \
                 the {} validation images; {images}",
                last.train_accuracy, course.train_images, last.valid_accuracy, course.valid_images
            ),
        ));
    } else if course.is_folder
        && last.number >= turn.number + RISING_EPOCHS
        && last.valid_loss > RISEN * turn.valid_loss
        && last.train_loss < turn.train_loss
    {
        found.push((
            Trouble::Overfits,
            format!(
                "since epoch {} the validation loss has risen from {:.2} to {:.2} while the \
                 training loss fell: the run begins to learn its images by heart; {images}",
                turn.number, turn.valid_loss, last.valid_loss
            ),
        ));
    }
    if !finished {
        return found;
    }
    if course
        .epochs
        .iter()
        .all(|epoch| epoch.valid_accuracy <= 0.0)
    {
        let mut text = "no validation image was read right in any epoch, so the weights are of no \
                        use yet: take more epochs or images, or start from weights that read \
                        others (--from)"
            .to_owned();
        if last.train_accuracy > 0.0 && course.steps < FEW_STEPS {
            text += "; in so short a run batch norm's statistics lag behind, too, so that less is \
                     read than the training accuracy says";
        }
        found.push((Trouble::ReadsNothing, text));
    }
    if let Some(answers) = course.answers {
        let share = answers.same_answer as f64 / answers.images.max(1) as f64;
        let label = answers.same_label as f64 / answers.images.max(1) as f64;
        if answers.images >= SAME_ANSWER_IMAGES
            && share >= SAME_ANSWER
            && share >= SAME_ANSWER_FACTOR * label
        {
            found.push((
                Trouble::SameAnswer,
                format!(
                    "{} of the {} validation images got the same answer: the network guesses \
                     without looking; it needs more epochs or more images",
                    answers.same_answer, answers.images
                ),
            ));
        }
    }
    found
}

fn lowest(course: &Course, loss: impl Fn(&Epoch) -> f64) -> Epoch {
    let epochs = course.epochs.iter().copied();
    epochs
        .min_by(|a, b| loss(a).total_cmp(&loss(b)))
        .unwrap_or_default()
}

/// Which epoch is written, and what it is worth.
pub fn chosen(epoch: usize, epochs: usize, valid_accuracy: f64, valid_images: usize) -> String {
    let exact = (valid_accuracy / 100.0 * valid_images as f64).round() as usize;
    let tally = Tally {
        images: valid_images,
        exact,
    };
    let (low, high) = tally.interval();
    format!(
        "the weights are those of epoch {epoch} of {epochs}, the best: {valid_accuracy:.1} % of \
         {valid_images} validation images are read right (95 % interval {:.1} to {:.1} %)",
        100.0 * low,
        100.0 * high
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Epochs as (training loss, training accuracy, validation loss, validation accuracy).
    fn course(epochs: &[[f64; 4]]) -> Course {
        let epochs = epochs.iter().zip(1..).map(|(epoch, number)| Epoch {
            number,
            train_loss: epoch[0],
            train_accuracy: epoch[1],
            valid_loss: epoch[2],
            valid_accuracy: epoch[3],
        });
        Course {
            epochs: epochs.collect(),
            train_images: 115,
            valid_images: 22,
            answers: None,
            steps: 400,
            is_folder: true,
            learning_rate: 1e-3,
        }
    }

    fn troubles(course: &Course, finished: bool) -> Vec<Trouble> {
        let found = diagnose(course, finished).into_iter();
        found.map(|(trouble, _)| trouble).collect()
    }

    /// A name, epochs, and what is told while they run and when they are done.
    type Case<'a> = (&'a str, &'a [[f64; 4]], &'a [Trouble], &'a [Trouble]);

    #[test]
    fn each_trouble_is_told_and_a_good_run_has_none() {
        use Trouble::{ByHeart, Diverges, Overfits, ReadsNothing};
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
                "by heart",
                &[
                    [12.0, 0.0, 11.2, 0.0],
                    [1.0, 90.0, 14.0, 0.0],
                    [0.1, 100.0, 14.3, 0.0],
                ],
                &[ByHeart],
                &[ByHeart, ReadsNothing],
            ),
            (
                "half by heart",
                &[[12.0, 0.0, 11.2, 0.0], [0.1, 100.0, 4.0, 45.0]],
                &[ByHeart],
                &[ByHeart],
            ),
            (
                "better in training, as always",
                &[[12.0, 0.0, 11.2, 0.0], [0.5, 90.0, 1.0, 85.0]],
                &[],
                &[],
            ),
            (
                "begins to learn by heart",
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
                &[Diverges, ReadsNothing],
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
            ("early", &[[14.0, 0.0, 13.0, 0.0]], &[], &[ReadsNothing]),
        ];
        for (name, epochs, during, after) in cases {
            assert_eq!(troubles(&course(epochs), false), *during, "{name}, during");
            assert_eq!(troubles(&course(epochs), true), *after, "{name}, after");
        }
        // Generated images are new each epoch: none can be learnt by heart.
        let mut generated = course(&[[12.0, 0.0, 11.0, 0.0], [0.1, 100.0, 14.0, 10.0]]);
        generated.is_folder = false;
        assert_eq!(troubles(&generated, true), []);
    }

    #[test]
    fn sentences_name_the_numbers_and_what_to_do() {
        let found = diagnose(
            &course(&[[12.0, 0.0, 11.2, 0.0], [0.1, 100.0, 14.3, 0.0]]),
            true,
        );
        let text = &found[0].1;
        assert!(
            text.contains("100.0 % of 115") && text.contains("0.0 % of the 22"),
            "{text}"
        );
        assert!(text.contains("--from"), "{text}");
        let found = diagnose(
            &course(&[[24.0, 0.0, 9.0, 0.0], [43.0, 0.0, 9.0, 0.0]]),
            false,
        );
        assert!(
            found[0].1.contains("24.00 in epoch 1 to 43.00"),
            "{found:?}"
        );
        assert!(found[0].1.contains("(0.0001)"), "{found:?}");
        let text = chosen(3, 14, 80.0, 50);
        assert!(
            text.contains("epoch 3 of 14") && text.contains("80.0 % of 50"),
            "{text}"
        );
        assert!(text.contains("67.0 to 88.8 %"), "{text}");
    }

    #[test]
    fn one_answer_for_many_images_is_told_unless_the_labels_are_alike_too() {
        let good = &[[9.0, 5.0, 8.0, 10.0], [8.0, 10.0, 7.0, 10.0]];
        for (images, same_answer, same_label, told) in [
            (100, 24, 1, true),
            (100, 24, 20, false),
            (100, 5, 1, false),
            (4, 4, 1, false),
            (0, 0, 0, false),
        ] {
            let mut course = course(good);
            course.answers = Some(Answers {
                images,
                same_answer,
                same_label,
            });
            let found = troubles(&course, true);
            assert_eq!(found.contains(&Trouble::SameAnswer), told, "{same_answer}");
            assert!(troubles(&course, false).is_empty(), "only when it is done");
        }
    }

    #[test]
    fn what_to_know_before_a_run_is_told() {
        let fine = Plan {
            folder_images: Some(400),
            from_scratch: false,
            steps: 1_000,
            wanted_warmup: 100,
            warmup: 100,
            cpu: Some((2, 2)),
        };
        assert_eq!(before(&fine), [""; 0]);
        for (plan, word) in [
            (
                Plan {
                    folder_images: Some(115),
                    ..fine.clone()
                },
                "115 training images are few",
            ),
            (
                Plan {
                    from_scratch: true,
                    ..fine.clone()
                },
                "--from",
            ),
            (
                Plan {
                    steps: 40,
                    ..fine.clone()
                },
                "40 steps",
            ),
            (
                Plan {
                    wanted_warmup: 300,
                    ..fine.clone()
                },
                "warm-up of 300 steps",
            ),
            (
                Plan {
                    cpu: Some((1, 2)),
                    ..fine.clone()
                },
                "--devices 2",
            ),
        ] {
            let notes = before(&plan);
            assert!(notes.len() == 1 && notes[0].contains(word), "{notes:?}");
        }
        let generated = Plan {
            folder_images: None,
            from_scratch: true,
            ..fine
        };
        assert_eq!(before(&generated), [""; 0]);
    }
}
