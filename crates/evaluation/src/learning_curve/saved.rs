//! A learning curve in a file.

use std::collections::HashSet;
use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize, Serializer};

use super::{CurvePoint, LabelsNeeded, LearningCurve};
use crate::files::read_text;

/// What is read from a file: the rest of it follows from this.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Saved {
    #[serde(default)]
    name: String,
    #[serde(default)]
    weights: String,
    #[serde(default)]
    ignore_case: bool,
    #[serde(default)]
    seed: u64,
    points: Vec<CurvePoint>,
}

/// What is written; `LearningCurve` in the page's `types.d.ts`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written<'a> {
    name: &'a str,
    weights: &'a str,
    ignore_case: bool,
    seed: u64,
    points: Vec<WrittenPoint>,
    labels_needed: Vec<LabelsNeeded>,
    sentences: Vec<String>,
    svg: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WrittenPoint {
    labels: usize,
    held_out: usize,
    exact_matches: usize,
    exact_match_rate: f64,
    interval: (f64, f64),
}

impl TryFrom<Saved> for LearningCurve {
    type Error = String;

    fn try_from(saved: Saved) -> Result<Self, String> {
        if saved.points.is_empty() {
            return Err("it has no points".to_owned());
        }
        let mut known = HashSet::new();
        for point in &saved.points {
            let labels = point.labels;
            if !known.insert(labels) {
                return Err(format!("it has two points with {labels} labels"));
            }
            if point.held_out == 0 || point.exact_matches > point.held_out {
                return Err(format!(
                    "the point with {labels} labels has {} exact matches in {} held-out images",
                    point.exact_matches, point.held_out
                ));
            }
        }
        Ok(Self {
            name: saved.name,
            weights: saved.weights,
            ignore_case: saved.ignore_case,
            seed: saved.seed,
            points: saved.points,
        })
    }
}

impl Serialize for LearningCurve {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let point = |point: CurvePoint| WrittenPoint {
            labels: point.labels,
            held_out: point.held_out,
            exact_matches: point.exact_matches,
            exact_match_rate: point.tally().accuracy(),
            interval: point.tally().interval(),
        };
        let written = Written {
            name: &self.name,
            weights: &self.weights,
            ignore_case: self.ignore_case,
            seed: self.seed,
            points: self.sorted().into_iter().map(point).collect(),
            labels_needed: self.told().map(|(needed, _)| needed).collect(),
            sentences: self.sentences(),
            svg: self.svg(),
        };
        written.serialize(serializer)
    }
}

impl LearningCurve {
    /// Reads a curve from the JSON file that [`Self::to_json`] made.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or is not a learning curve.
    pub fn read(path: &Path) -> Result<Self> {
        serde_json::from_str(&read_text(path)?).with_context(|| {
            format!(
                "{} is not a learning curve: name the JSON file that captcha-lens finetune \
                 --learning-curve wrote",
                path.display()
            )
        })
    }

    /// The curve as JSON.
    ///
    /// # Errors
    ///
    /// If it cannot be written as JSON.
    pub fn to_json(&self) -> Result<String> {
        Ok(serde_json::to_string_pretty(self)?)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use serde_json::Value;

    use super::*;

    fn parse(text: &str) -> Result<LearningCurve, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn to_json_is_read_again_and_has_what_follows_from_the_points() {
        let points = [(100, 200), (25, 3)].map(|(labels, exact_matches)| CurvePoint {
            labels,
            held_out: 300,
            exact_matches,
        });
        let mut curve = LearningCurve {
            name: "set".into(),
            weights: "compact".into(),
            ignore_case: true,
            seed: 7,
            points: points.to_vec(),
        };
        let text = curve.to_json().unwrap();
        let json: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(json["points"][0]["exactMatchRate"], 0.01);
        assert_eq!(json["labelsNeeded"][2]["oneIn"], 100);
        assert_eq!(json["labelsNeeded"][2]["labels"]["atMost"], 25);
        assert_eq!(json["sentences"][0], *curve.sentences()[0]);
        assert!(json["svg"].as_str().unwrap().starts_with("<svg"));
        curve.points.reverse();
        assert_eq!(parse(&text).unwrap(), curve);
    }

    #[test]
    fn read_of_impossible_points_is_an_error() {
        let point =
            |exact: i64| format!(r#"{{"labels": 25, "heldOut": 9, "exactMatches": {exact}}}"#);
        let of = |points: &str| parse(&format!(r#"{{"points": [{points}]}}"#));
        assert!(of(&point(9)).is_ok());
        assert!(of("").unwrap_err().contains("no points"));
        assert!(
            of(&point(10))
                .unwrap_err()
                .contains("10 exact matches in 9")
        );
        assert!(of(&point(-1)).is_err());
        let twice = [point(1), point(2)].join(",");
        assert!(
            of(&twice)
                .unwrap_err()
                .contains("two points with 25 labels")
        );
        assert!(of(r#"{"labels": 25, "heldOut": 0, "exactMatches": 0}"#).is_err());
        assert!(parse("{}").is_err() && parse("[]").is_err());
    }
}
