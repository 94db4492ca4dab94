//! Exact matches among a group of images.

use serde::Serialize;

/// Counts of a group of images.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Tally {
    /// Number of images.
    pub images: usize,
    /// Exact matches among them.
    pub exact_matches: usize,
}

impl Tally {
    /// `exact_matches / images`
    pub fn accuracy(self) -> f64 {
        share(self.exact_matches, self.images)
    }

    /// 95% confidence interval of the accuracy (Wilson 1927).
    pub fn interval(self) -> (f64, f64) {
        const Z: f64 = 1.96;
        let (n, p) = (self.images.max(1) as f64, self.accuracy());
        let scale = 1.0 + Z * Z / n;
        let centre = (p + Z * Z / (2.0 * n)) / scale;
        let reach = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt() / scale;
        ((centre - reach).max(0.0), (centre + reach).min(1.0))
    }

    /// Adds the counts of another group.
    pub fn add(&mut self, other: Self) {
        self.images += other.images;
        self.exact_matches += other.exact_matches;
    }

    /// Counts an image.
    pub fn count(&mut self, correct: bool) {
        self.images += 1;
        self.exact_matches += usize::from(correct);
    }
}

/// Counts of the characters at one place of the labels.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct PlaceTally {
    /// The place, from 1.
    pub place: usize,
    /// Labels that have a character there.
    pub characters: usize,
    /// Answers that have the same character at the same place. After a character that is missing or
    /// added, all are at another place.
    pub correct: usize,
}

impl PlaceTally {
    /// No characters yet.
    pub(super) fn new(place: usize) -> Self {
        Self {
            place,
            characters: 0,
            correct: 0,
        }
    }

    /// `correct / characters`
    pub fn accuracy(self) -> f64 {
        share(self.correct, self.characters)
    }

    /// Counts a character.
    pub(super) fn count(&mut self, correct: bool) {
        self.characters += 1;
        self.correct += usize::from(correct);
    }
}

pub(super) fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tally_interval_is_wilsons() {
        // Newcombe 1998, table I: 81 of 263.
        let (low, high) = Tally {
            images: 263,
            exact_matches: 81,
        }
        .interval();
        assert!((low - 0.2553).abs() < 1e-4 && (high - 0.3662).abs() < 1e-4);
    }
}
