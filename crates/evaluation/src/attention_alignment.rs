//! How well attention agrees with the positions of the characters.

use captcha_model::{Character, Prediction};

use crate::data::PlacedCharacter;

/// Counts of recognized characters by the position of their attention.
#[derive(Clone, Copy, Debug, Default)]
pub struct AttentionAlignment {
    /// All characters.
    pub characters: usize,
    /// Characters that are the nearest to the grid column with the most attention.
    pub on_character: usize,
    /// Characters whose bounding box overlaps the grid cell with the most attention.
    pub in_box: usize,
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
            self.in_box += usize::from(
                overlap(cell % cols, cols, character.x, character.width)
                    && overlap(cell / cols, rows, character.y, character.height),
            );
        }
    }
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
