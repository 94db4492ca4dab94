//! A learning curve: the share of held-out images that a network solves after fine-tuning on more
//! and more labelled images, and how many labelled images an attacker needs by that.

mod labels_needed;
mod saved;
mod svg;
mod text;

use serde::Deserialize;

use crate::score::Tally;

pub use labels_needed::{LabelCount, LabelsNeeded};

/// The curve of one set of images. Its JSON form also contains what follows from the points:
/// shares, intervals, labels needed, sentences and the SVG figure.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "saved::Saved")]
pub struct LearningCurve {
    /// Name of the folder with the images.
    pub name: String,
    /// The weights that every training started from; empty if unknown.
    pub weights: String,
    /// Whether capital and small letters counted as the same.
    pub ignore_case: bool,
    /// Seed that chose the images and started the trainings.
    pub seed: u64,
    /// What was measured, one point for each number of labelled images, in any order.
    pub points: Vec<CurvePoint>,
}

/// The result of one training.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CurvePoint {
    /// Labelled images that training and validation used.
    pub labels: usize,
    /// Held-out images that were read afterwards.
    pub held_out: usize,
    /// Held-out images whose whole text was read correctly.
    pub exact_matches: usize,
}

impl CurvePoint {
    /// The result as counts, which give the share and its 95% interval.
    pub fn tally(self) -> Tally {
        Tally {
            images: self.held_out,
            exact_matches: self.exact_matches.min(self.held_out),
        }
    }
}

impl LearningCurve {
    /// The points by ascending number of labelled images.
    fn sorted(&self) -> Vec<CurvePoint> {
        let mut points = self.points.clone();
        points.sort_by_key(|point| point.labels);
        points
    }
}
