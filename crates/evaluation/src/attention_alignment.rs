//! Whether the network looks at what it reads: attention against where characters stand.

use captcha_model::{Character, Prediction};

use crate::data::PlacedCharacter;

/// Characters that were read, and at how many of them the network looked.
#[derive(Clone, Copy, Debug, Default)]
pub struct Looks {
    /// Characters.
    pub characters: usize,
    /// Of these, nearer than any other character to the grid's column with the most attention.
    pub nearest: usize,
    /// Of these, with a box of ink that the grid's cell with the most attention touches.
    pub touched: usize,
}

impl Looks {
    /// Counts the characters of an image that was read right, `placed` in the same order.
    pub fn count(&mut self, prediction: &Prediction, placed: &[PlacedCharacter]) {
        let [rows, cols] = [prediction.grid.rows, prediction.grid.cols];
        for (index, Character { attention, .. }) in prediction.characters.iter().enumerate() {
            self.characters += 1;
            let in_column = |col: usize| attention.iter().skip(col).step_by(cols).sum();
            let column = heaviest((0..cols).map(in_column));
            let x = (column as f32 + 0.5) / cols as f32;
            let distances = placed.iter().map(|character| -(character.x - x).abs());
            self.nearest += usize::from(heaviest(distances) == index);
            let cell = heaviest(attention.iter().copied());
            let character = placed[index];
            self.touched += usize::from(
                overlap(cell % cols, cols, character.x, character.width)
                    && overlap(cell / cols, rows, character.y, character.height),
            );
        }
    }
}

/// The index of the largest; zero if there is none.
fn heaviest(values: impl Iterator<Item = f32>) -> usize {
    let all = values.enumerate();
    all.max_by(|a, b| a.1.total_cmp(&b.1))
        .map_or(0, |(index, _)| index)
}

/// Whether one of `cells` equal parts of a side and a stretch of it, by its middle and its length,
/// overlap.
fn overlap(cell: usize, cells: usize, middle: f32, length: f32) -> bool {
    let distance = ((cell as f32 + 0.5) / cells as f32 - middle).abs();
    distance < (1.0 / cells as f32 + length) / 2.0
}

#[cfg(test)]
mod tests {
    use captcha_model::Grid;

    use super::*;

    #[test]
    fn a_character_is_looked_at_where_no_other_is_nearer_and_into_where_its_ink_is() {
        let character = |attention: [f32; 8]| Character {
            character: 'a',
            confidence: 1.0,
            attention: attention.into(),
            alternatives: Vec::new(),
        };
        let prediction = Prediction {
            text: "aaa".into(),
            confidence: 1.0,
            // Two rows of four columns; the last character's looks back at the second.
            characters: vec![
                character([0.3, 0.1, 0.0, 0.0, 0.2, 0.0, 0.0, 0.4]),
                character([0.0, 0.3, 0.4, 0.0, 0.0, 0.3, 0.0, 0.0]),
                character([0.0, 0.3, 0.0, 0.4, 0.0, 0.3, 0.0, 0.0]),
            ],
            grid: Grid { rows: 2, cols: 4 },
            blank: false,
            alternatives: Vec::new(),
        };
        // The first character's heaviest cell is far off, the second's just reaches it, the third's is
        // in its place.
        let placed = [0.1, 0.4, 0.9].map(|x| PlacedCharacter {
            character: 'a',
            x,
            y: 0.4,
            width: 0.22,
            height: 0.1,
        });
        let mut looks = Looks::default();
        looks.count(&prediction, &placed);
        assert_eq!((looks.characters, looks.nearest, looks.touched), (3, 2, 2));
        // Below its ink is not in it.
        let below = placed.map(|character| PlacedCharacter {
            y: 0.9,
            ..character
        });
        looks = Looks::default();
        looks.count(&prediction, &below);
        assert_eq!((looks.nearest, looks.touched), (2, 0));
    }
}
