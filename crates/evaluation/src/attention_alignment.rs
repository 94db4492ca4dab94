//! How well attention agrees with the positions of the characters.

use captcha_model::{Character, Prediction};

use crate::data::PlacedCharacter;

/// Recognized characters by the position and the spread of their attention.
#[derive(Clone, Debug, Default)]
pub struct AttentionAlignment {
    /// All characters.
    pub characters: usize,
    /// Characters that are the nearest to the grid column with the most attention.
    pub on_character: usize,
    /// Characters whose bounding box overlaps the grid cell with the most attention.
    pub in_box: usize,
    /// Sum over the characters of the attention in the grid cells that the bounding box overlaps, and
    /// in the cells next to these.
    pub near_box: f64,
    /// For each character, the number of grid cells over which attention is spread: its perplexity,
    /// the exponential of its entropy.
    pub spreads: Vec<f32>,
}

impl AttentionAlignment {
    /// Counts the characters of an exact match; `placed` has the same order.
    pub fn count(&mut self, prediction: &Prediction, placed: &[PlacedCharacter]) {
        let [rows, cols] = [prediction.grid.rows, prediction.grid.cols];
        for (index, Character { attention, .. }) in prediction.characters.iter().enumerate() {
            self.characters += 1;
            let in_column = |col: usize| attention.iter().skip(col).step_by(cols).sum();
            let column = argmax((0..cols).map(in_column));
            let x = (column as f32 + 0.5) / cols as f32;
            let distances = placed.iter().map(|character| -(character.x - x).abs());
            self.on_character += usize::from(argmax(distances) == index);
            let cell = argmax(attention.iter().copied());
            let character = placed[index];
            // How far from the box, in cells of each side, a cell still counts.
            let overlaps = |cell: usize, around: f32| {
                let length = |length: f32, cells: usize| length + 2.0 * around / cells as f32;
                overlap(
                    cell % cols,
                    cols,
                    character.x,
                    length(character.width, cols),
                ) && overlap(
                    cell / cols,
                    rows,
                    character.y,
                    length(character.height, rows),
                )
            };
            self.in_box += usize::from(overlaps(cell, 0.0));
            let near = attention.iter().enumerate();
            let near = near.filter_map(|(cell, &weight)| overlaps(cell, 1.0).then_some(weight));
            self.near_box += f64::from(near.sum::<f32>());
            self.spreads.push(perplexity(attention));
        }
    }

    /// Mean share of the attention in and next to the bounding box; `None` without characters.
    pub fn near_box_share(&self) -> Option<f64> {
        (self.characters > 0).then(|| self.near_box / self.characters as f64)
    }

    /// Median number of grid cells over which the attention of a character is spread; `None` without
    /// characters.
    pub fn median_spread(&self) -> Option<f64> {
        let mut spreads = self.spreads.clone();
        spreads.sort_unstable_by(f32::total_cmp);
        let (low, high) = (spreads.len().checked_sub(1)? / 2, spreads.len() / 2);
        Some(f64::from(spreads[low] + spreads[high]) / 2.0)
    }
}

/// The exponential of the entropy of weights that sum to one.
fn perplexity(weights: &[f32]) -> f32 {
    let positive = weights.iter().filter(|&&weight| weight > 0.0);
    let entropy: f32 = positive.map(|weight| -weight * weight.ln()).sum();
    entropy.exp()
}

/// The index of the largest value; zero if there are no values.
fn argmax(values: impl Iterator<Item = f32>) -> usize {
    let all = values.enumerate();
    all.max_by(|a, b| a.1.total_cmp(&b.1))
        .map_or(0, |(index, _)| index)
}

/// Whether the `cell`-th of `cells` equal parts of a side overlaps an interval on this side.
fn overlap(cell: usize, cells: usize, centre: f32, length: f32) -> bool {
    let distance = ((cell as f32 + 0.5) / cells as f32 - centre).abs();
    distance < (1.0 / cells as f32 + length) / 2.0
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use captcha_model::Grid;

    use super::*;

    #[test]
    fn alignment_counts_nearest_characters_and_overlapping_boxes() {
        let character = |attention: [f32; 8]| Character {
            character: 'a',
            confidence: 1.0,
            attention: attention.into(),
            alternatives: Vec::new(),
        };
        let prediction = Prediction {
            text: "aaa".into(),
            confidence: 1.0,
            // Two rows of four columns; the last character attends to the second one.
            characters: vec![
                character([0.3, 0.1, 0.0, 0.0, 0.2, 0.0, 0.0, 0.4]),
                character([0.0, 0.3, 0.4, 0.0, 0.0, 0.3, 0.0, 0.0]),
                character([0.0, 0.3, 0.0, 0.4, 0.0, 0.3, 0.0, 0.0]),
            ],
            grid: Grid { rows: 2, cols: 4 },
            blank: false,
            alternatives: Vec::new(),
        };
        // The first character's maximal cell is far off, the second's just overlaps the box, the
        // third's lies in it.
        let placed = [0.1, 0.4, 0.9].map(|x| PlacedCharacter {
            character: 'a',
            x,
            y: 0.4,
            width: 0.22,
            height: 0.1,
        });
        let mut alignment = AttentionAlignment::default();
        alignment.count(&prediction, &placed);
        assert_eq!(
            (
                alignment.characters,
                alignment.on_character,
                alignment.in_box
            ),
            (3, 2, 2)
        );
        // With the cells next to the box, the first two columns count for the first character, all
        // for the second, and the last two for the third.
        assert!((alignment.near_box_share().unwrap() - (0.6 + 1.0 + 0.4) / 3.0).abs() < 1e-6);
        assert_eq!(alignment.spreads.len(), 3);
        let of = |weights: &[f32]| -weights.iter().map(|p| p * p.ln()).sum::<f32>();
        let median = f64::from(of(&[0.3, 0.4, 0.3]).exp());
        assert!((alignment.median_spread().unwrap() - median).abs() < 1e-5);
        assert_eq!(AttentionAlignment::default().median_spread(), None);
        assert_eq!(AttentionAlignment::default().near_box_share(), None);
        // Boxes further down do not overlap.
        let below = placed.map(|character| PlacedCharacter {
            y: 0.9,
            ..character
        });
        alignment = AttentionAlignment::default();
        alignment.count(&prediction, &below);
        assert_eq!((alignment.on_character, alignment.in_box), (2, 0));
    }
}
