//! The result of an audit in numbers and sentences, for the terminal and for readers without
//! JavaScript.

use captcha_model::vocabulary::fold_case;
use serde::Serialize;

use super::data::{AuditData, AuditEntry};
use crate::score::Tally;
use crate::wording::plural;

/// Counts of an audit; `AuditSummary` in the page's `types.d.ts` has the same names.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditSummary {
    images: usize,
    read: usize,
    failed: usize,
    labelled: usize,
    supported: usize,
    unsupported: usize,
    case_ignored: usize,
    ignore_case: bool,
    matches_with_case: usize,
    matches_ignoring_case: usize,
    exact_matches: usize,
    exact_match_rate: Option<f64>,
    interval: Option<(f64, f64)>,
    #[serde(skip)]
    problems: Vec<(String, usize)>,
    #[serde(skip)]
    network: String,
}

impl AuditSummary {
    /// Counts the images of an audit. Images with labels that the network cannot write do not count
    /// for the result.
    pub fn of(data: &AuditData) -> Self {
        let network = &data.network;
        let rules = data.rules();
        let read: Vec<&AuditEntry> = data
            .items
            .iter()
            .filter(|item| item.text.is_some())
            .collect();
        let labels = read.iter().filter_map(|item| {
            let folded = rules.fold(item.label.as_deref()?);
            Some((item, rules.problems(&folded), folded))
        });
        let (mut labelled, mut case_ignored, mut tally) = (0, 0, Tally::default());
        let (mut with_case, mut ignoring_case) = (0, 0);
        let mut problems: Vec<(String, usize)> = Vec::new();
        for (item, why, label) in labels {
            labelled += 1;
            if why.is_empty() {
                let text = item.text.as_deref().unwrap_or_default();
                case_ignored += usize::from(item.label.as_ref() != Some(&label));
                with_case += usize::from(text == label);
                ignoring_case += usize::from(fold_case(text) == fold_case(&label));
                tally.count(rules.equal(text, &label));
            }
            for problem in why {
                match problems.iter_mut().find(|(known, _)| *known == problem) {
                    Some((_, count)) => *count += 1,
                    None => problems.push((problem, 1)),
                }
            }
        }
        problems.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let comparable = tally.images > 0;
        Self {
            images: data.items.len(),
            read: read.len(),
            failed: data
                .items
                .iter()
                .filter(|item| item.error.is_some())
                .count(),
            labelled,
            supported: tally.images,
            unsupported: labelled - tally.images,
            case_ignored,
            ignore_case: data.ignore_case,
            matches_with_case: with_case,
            matches_ignoring_case: ignoring_case,
            exact_matches: tally.exact_matches,
            exact_match_rate: comparable.then(|| tally.accuracy()),
            interval: comparable.then(|| tally.interval()),
            problems,
            network: network.describe(),
        }
    }

    /// The number of images, and of those that could not be read.
    pub fn counts(&self) -> (usize, usize) {
        (self.images, self.failed)
    }

    /// The result and its limits.
    pub fn sentences(&self) -> Vec<String> {
        if self.labelled == 0 {
            return vec![format!("Read: {} of {} images.", self.read, self.images)];
        }
        let mut sentences = Vec::new();
        if self.unsupported > 0 {
            sentences.push(format!(
                "This model reads {}. {}",
                self.network,
                self.describe_unsupported()
            ));
        }
        if self.ignore_case {
            sentences.push("Capital and small letters count as the same, as chosen.".to_owned());
        } else if self.case_ignored > 0 {
            sentences.push(format!(
                "Capital and small letters count as the same, because this model writes only one \
                 of the two ({} of the {} labels).",
                self.case_ignored, self.supported
            ));
        }
        match (self.exact_match_rate, self.interval) {
            (Some(rate), Some((low, high))) => sentences.push(format!(
                "Solved: {} of {} {} ({:.1}%; 95% interval {:.1}% to {:.1}%).",
                self.exact_matches,
                self.supported,
                plural(self.supported, "image", "images"),
                100.0 * rate,
                100.0 * low,
                100.0 * high
            )),
            _ => sentences.push(
                "There is no result, neither good nor bad: this model cannot write the labels of these \
                 images. To get a result, fine-tune the model on labelled images of this style \
                 (captcha-lens finetune), and run the audit with its weights."
                    .to_owned(),
            ),
        }
        if self.matches_with_case != self.matches_ignoring_case {
            let (count, words) = match self.ignore_case {
                true => (self.matches_with_case, "With case"),
                false => (self.matches_ignoring_case, "With case ignored"),
            };
            sentences.push(format!("{words}, it solved {count} of {}.", self.supported));
        }
        if self.unsupported > 0 && self.supported > 0 {
            sentences.push(format!(
                "This says nothing about the other {} {}.",
                self.unsupported,
                plural(self.unsupported, "image", "images")
            ));
        }
        if self.supported > 0 && self.exact_matches < self.supported {
            sentences.push(
                "Another model may solve more, especially one trained on images of this style."
                    .to_owned(),
            );
        }
        sentences
    }

    fn describe_unsupported(&self) -> String {
        let of = match (self.unsupported < self.labelled, self.labelled) {
            (true, all) => format!("{} of {all} labels", self.unsupported),
            (false, 1) => "The only label".to_owned(),
            (false, all) => format!("All {all} labels"),
        };
        let words = |problem: &str, count: usize| match count {
            1 => problem
                .replacen("contain ", "contains ", 1)
                .replacen("are ", "is ", 1),
            _ => problem.to_owned(),
        };
        let mut problems = self.problems.iter();
        if problems.all(|(_, count)| *count == self.unsupported) {
            let all: Vec<String> = self
                .problems
                .iter()
                .map(|(problem, _)| words(problem, self.unsupported))
                .collect();
            return format!("{of} {}.", all.join(" and "));
        }
        let counts: Vec<String> = self
            .problems
            .iter()
            .map(|(problem, count)| format!("{count} {}", words(problem, *count)))
            .collect();
        format!("{of} do not fit: {}.", counts.join(", "))
    }
}
