//! A learning curve as an option: the file of one, or the numbers of labelled images to measure.

use std::path::PathBuf;

use anyhow::{Result, bail};
use captcha_evaluation::learning_curve::LearningCurve;

/// The value of `audit --learning-curve`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CurveSource {
    /// A JSON file that `finetune --learning-curve` wrote.
    File(PathBuf),
    /// Numbers of labelled images, ascending.
    Counts(Vec<usize>),
}

/// Parses a path, or numbers separated by commas. `./25` is a path.
pub(crate) fn parse_curve_source(text: &str) -> Result<CurveSource, String> {
    let is_list = text
        .chars()
        .all(|character| character.is_ascii_digit() || matches!(character, ',' | ' '));
    match is_list {
        true => Ok(CurveSource::Counts(parse_counts(text)?)),
        false => Ok(CurveSource::File(text.into())),
    }
}

/// Parses numbers of labelled images such as `25,50,100`, and sorts them.
pub(crate) fn parse_counts(text: &str) -> Result<Vec<usize>, String> {
    let mut counts = text
        .split(',')
        .map(|count| match count.trim().parse() {
            Ok(0) | Err(_) => Err(format!(
                "{count:?} is not a number of labelled images: give numbers like 25,50,100"
            )),
            Ok(count) => Ok(count),
        })
        .collect::<Result<Vec<usize>, String>>()?;
    counts.sort_unstable();
    counts.dedup();
    Ok(counts)
}

impl CurveSource {
    /// Reads the curve.
    ///
    /// # Errors
    ///
    /// If the file is not a learning curve, or if there are only numbers.
    pub(crate) fn read(&self) -> Result<LearningCurve> {
        match self {
            Self::File(path) => LearningCurve::read(path),
            Self::Counts(counts) => {
                let counts: Vec<String> = counts.iter().map(ToString::to_string).collect();
                let program = match cfg!(feature = "train") {
                    true => "captcha-lens",
                    false => "a captcha-lens with training",
                };
                bail!(
                    "audit does not train: run {program} finetune FOLDER --learning-curve {} \
                     first, and name the JSON file that it writes",
                    counts.join(",")
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parse_curve_source_tells_numbers_from_files() {
        let counts = parse_curve_source("400, 25,100,25");
        assert_eq!(counts, Ok(CurveSource::Counts(vec![25, 100, 400])));
        for path in ["curve.json", "./25", "25.json"] {
            assert_eq!(parse_curve_source(path), Ok(CurveSource::File(path.into())));
        }
        for wrong in ["25,,50", "0", ",", "25,99999999999999999999999"] {
            let error = parse_curve_source(wrong).expect_err("not a list");
            assert!(error.contains("like 25,50,100"), "{error}");
        }
    }
}
