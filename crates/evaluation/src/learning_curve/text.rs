//! A learning curve as a table and as sentences.

use std::fmt;

use super::{LabelCount, LabelsNeeded, LearningCurve};
use crate::wording::plural;

/// The tries that sentences tell, and their words.
const TOLD: [(usize, &str); 3] = [
    (2, "one try in two"),
    (10, "one in ten"),
    (100, "one in a hundred"),
];

impl LearningCurve {
    /// The labels needed to solve one try in two, one in ten and one in a hundred.
    pub(super) fn told(&self) -> impl Iterator<Item = (LabelsNeeded, &'static str)> {
        let needed = |(one_in, words)| Some((self.labels_needed(one_in)?, words));
        TOLD.into_iter().filter_map(needed)
    }

    /// How many labelled images an attacker needs to pass one try in two, one in ten and one in a
    /// hundred, and what these numbers do not say. Empty without points.
    pub fn sentences(&self) -> Vec<String> {
        // Shares with the same answer are told together.
        let mut answers: Vec<(String, Vec<&str>)> = Vec::new();
        for (needed, words) in self.told() {
            let answer = answer(&needed);
            match answers.iter_mut().find(|(known, _)| *known == answer) {
                Some((_, tries)) => tries.push(words),
                None => answers.push((answer, vec![words])),
            }
        }
        if answers.is_empty() {
            return Vec::new();
        }
        let mut sentences: Vec<String> = answers
            .iter()
            .map(|(answer, tries)| {
                let mut tries = listed(tries);
                if !tries.contains("try") {
                    tries = tries.replacen("one in", "one try in", 1);
                }
                format!("To pass {tries}, {answer}.")
            })
            .collect();
        if self.ignore_case {
            sentences.push("Capital and small letters counted as the same.".to_owned());
        }
        sentences.push(
            "These are estimates for this network and this training, interpolated between the \
             measured numbers. Another model, or other labelled images, may need fewer or more. \
             The intervals cover only the chance in the choice of the held-out images."
                .to_owned(),
        );
        sentences
    }
}

/// "a, b or c"
fn listed(words: &[&str]) -> String {
    match words {
        [first @ .., last] if !first.is_empty() => format!("{} or {last}", first.join(", ")),
        _ => words.concat(),
    }
}

/// The end of a sentence that begins with the tries.
fn answer(needed: &LabelsNeeded) -> String {
    let (from, to) = needed.interval;
    let interval = match from == to {
        true => String::new(),
        false => format!(" (95% interval: {} to {})", short(from), short(to)),
    };
    match needed.labels {
        LabelCount::AtMost(labels) => format!(
            "an attacker needs {labels} labelled {} or fewer{interval}; {labels} is the smallest \
             number measured",
            images(labels)
        ),
        LabelCount::About(labels) => format!(
            "an attacker needs about {labels} labelled {}{interval}",
            images(labels)
        ),
        LabelCount::MoreThan(labels) => format!(
            "{labels} labelled {} {} not enough{interval}; more than {labels} were not measured",
            images(labels),
            plural(labels, "was", "were")
        ),
    }
}

fn images(count: usize) -> &'static str {
    plural(count, "image", "images")
}

fn short(count: LabelCount) -> String {
    match count {
        LabelCount::AtMost(labels) => format!("{labels} or fewer"),
        LabelCount::About(labels) => labels.to_string(),
        LabelCount::MoreThan(labels) => format!("more than {labels}"),
    }
}

/// A table with a row for each point.
impl fmt::Display for LearningCurve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:>15}   {:<22}   95% interval",
            "labelled images", "solved"
        )?;
        for point in self.sorted() {
            let tally = point.tally();
            let (low, high) = tally.interval();
            let solved = format!(
                "{:.1}% ({} of {})",
                100.0 * tally.accuracy(),
                tally.exact_matches,
                tally.images
            );
            let (labels, low, high) = (point.labels, 100.0 * low, 100.0 * high);
            write!(f, "\n{labels:>15}   {solved:<22}   {low:.1}% to {high:.1}%")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::CurvePoint;
    use super::*;

    fn curve(points: &[(usize, usize)]) -> LearningCurve {
        let point = |&(labels, exact_matches)| CurvePoint {
            labels,
            held_out: 300,
            exact_matches,
        };
        LearningCurve {
            points: points.iter().map(point).collect(),
            ..LearningCurve::default()
        }
    }

    #[test]
    fn sentences_of_a_rising_curve_give_a_number_for_each_share() {
        let curve = curve(&[(25, 0), (50, 12), (100, 60), (200, 200), (400, 270)]);
        let sentences = curve.sentences();
        assert_eq!(sentences.len(), 4);
        assert!(
            sentences[0].starts_with("To pass one try in two, an attacker needs about 1"),
            "{sentences:?}"
        );
        assert!(sentences[0].contains(" labelled images (95% interval: 1"));
        assert!(sentences[1].starts_with("To pass one try in ten, an attacker needs about "));
        assert!(sentences[2].starts_with("To pass one try in a hundred, an attacker needs about "));
        // 0 of 300 does not exclude 1%.
        assert!(
            sentences[2].contains("(95% interval: 25 or fewer to "),
            "{sentences:?}"
        );
        assert!(sentences[3].contains("estimates"));
    }

    #[test]
    fn sentences_outside_of_the_measured_range_say_so() {
        let solved = curve(&[(25, 290), (400, 300)]).sentences();
        assert_eq!(
            solved[0],
            "To pass one try in two, one in ten or one in a hundred, an attacker needs 25 \
             labelled images or fewer; 25 is the smallest number measured."
        );
        let unsolved = curve(&[(25, 0), (400, 40)]).sentences();
        assert_eq!(
            unsolved[0],
            "To pass one try in two, 400 labelled images were not enough; more than 400 were not \
             measured."
        );
        assert!(curve(&[(1, 0)]).sentences()[0].contains("1 labelled image was not enough"));
        assert!(curve(&[]).sentences().is_empty());
    }

    #[test]
    fn sentences_with_case_ignored_say_so() {
        let mut curve = curve(&[(25, 100)]);
        let case = |curve: &LearningCurve| curve.sentences().concat().contains("Capital");
        assert!(!case(&curve));
        curve.ignore_case = true;
        assert!(case(&curve));
    }

    #[test]
    fn display_is_a_table_in_the_order_of_the_numbers() {
        let text = curve(&[(400, 270), (25, 81)]).to_string();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 3);
        assert!(
            lines[1].starts_with("             25   27.0% (81 of 300)"),
            "{text}"
        );
        assert!(lines[1].ends_with("% to 32.3%"), "{text}");
        assert!(lines[2].contains("90.0% (270 of 300)"));
    }
}
