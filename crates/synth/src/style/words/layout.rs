//! The layout of the word: size, weight, and the position of each character.

use super::{HEIGHT, WIDTH, draw_color};
use crate::fonts::Outlines;
use crate::geometry::{Bounds, Canvas, Color, Path, Point};
use crate::random::Random;
use crate::sample::CharacterBox;
use crate::style::glyph_distortion::GlyphDistortion;

/// Lightest colour of a character. Pale colours occur, as in the paper's set, but people must be able
/// to read the word.
const LIGHTEST: f32 = 0.88;

/// Room kept free at the image's edges when a word would overflow it, in pixels.
const MARGIN: f32 = 5.0;

/// A word laid out.
pub(super) struct Layout {
    characters: Vec<Character>,
    /// Pixels by which every outline is thickened to the right and downwards.
    bold: f32,
}

/// A character laid out.
struct Character {
    character: char,
    /// Its outline in pixels, the origin on the baseline.
    outline: Path,
    bounds: Bounds,
    /// Where the origin goes.
    at: Point,
    color: Color,
}

impl Layout {
    /// Lays out a word; `distorted` distorts its characters.
    pub(super) fn plan(
        text: &str,
        outlines: &Outlines,
        distorted: bool,
        random: &mut Random,
    ) -> Self {
        let mut distortion = distorted.then(|| GlyphDistortion::draw(random));
        let x_height = if random.bernoulli(0.8) {
            random.range(33.0, 62.0)
        } else {
            random.range(62.0, 77.0)
        };
        let stretch = if random.bernoulli(0.4) {
            random.range(0.85, 1.2)
        } else {
            1.0
        };
        let slant = if random.bernoulli(0.3) {
            random.range(-0.12, 0.12)
        } else {
            0.0
        };
        let uneven_size = if random.bernoulli(0.3) {
            random.range(0.0, 0.12)
        } else {
            0.0
        };
        let uneven_slant = if random.bernoulli(0.2) {
            random.range(0.0, 0.1)
        } else {
            0.0
        };
        let bold = if random.bernoulli(0.3) {
            random.range(0.01, 0.05) * x_height
        } else {
            0.0
        };

        let mut characters: Vec<Character> = text
            .chars()
            .map(|character| {
                let scale =
                    x_height / outlines.x_height * (1.0 + random.range(-1.0, 1.0) * uneven_size);
                let slant = slant + random.range(-1.0, 1.0) * uneven_slant;
                let outline = outlines.character(character);
                let distorted = distortion
                    .as_mut()
                    .map(|distortion| distortion.apply(outline, outlines.x_height));
                let outline = distorted
                    .as_ref()
                    .unwrap_or(outline)
                    .map(|[x, y]| [scale * (stretch * x + slant * y), -scale * y]);
                Character::new(character, outline, draw_color(random, LIGHTEST))
            })
            .collect();
        if !characters.is_empty() {
            shrink_to_fit(&mut characters);
            let gaps = draw_gaps(&characters, random);
            place(&mut characters, &gaps, random);
        }
        Self { characters, bold }
    }

    /// Draws it.
    pub(super) fn draw(&self, canvas: &mut Canvas) {
        for character in &self.characters {
            canvas.fill(&character.outline, character.at, character.color);
            if self.bold > 0.0 {
                let [x, y] = character.at;
                let bold = self.bold;
                for at in [[x + bold, y], [x, y + bold], [x + bold, y + bold]] {
                    canvas.fill(&character.outline, at, character.color);
                }
            }
        }
    }

    /// Where its ink is.
    pub(super) fn boxes(&self) -> Vec<CharacterBox> {
        let boxes = self.characters.iter().map(|character| CharacterBox {
            character: character.character,
            x: character.at[0] + character.bounds.min[0],
            y: character.at[1] + character.bounds.min[1],
            width: character.bounds.width() + self.bold,
            height: character.bounds.height() + self.bold,
        });
        boxes.collect()
    }
}

impl Character {
    fn new(character: char, outline: Path, color: Color) -> Self {
        let bounds = outline
            .bounds()
            .expect("every character of a font has an outline");
        Self {
            character,
            outline,
            bounds,
            at: [0.0, 0.0],
            color,
        }
    }
}

/// Total width of the characters' ink, their highest point above the baseline and their lowest
/// below it, all in pixels.
fn extent(characters: &[Character]) -> (f32, f32, f32) {
    characters.iter().fold(
        (0.0, 0.0, 0.0),
        |(width, above, below), Character { bounds, .. }| {
            (
                width + bounds.width(),
                above.max(-bounds.min[1]),
                below.max(bounds.max[1]),
            )
        },
    )
}

/// Makes characters smaller that would not fit the image even without gaps.
fn shrink_to_fit(characters: &mut [Character]) {
    let (width, above, below) = extent(characters);
    let across = (WIDTH as f32 - 2.0 * MARGIN) / width;
    let down = (HEIGHT as f32 - 2.0 * MARGIN) / (above + below);
    let factor = across.min(down);
    if factor < 1.0 {
        for character in characters {
            let outline = character.outline.map(|[x, y]| [factor * x, factor * y]);
            *character = Character::new(character.character, outline, character.color);
        }
    }
}

/// The gap before each character but the first, between ink and ink: uneven, from touching to two
/// characters wide, as far as the image has room.
fn draw_gaps(characters: &[Character], random: &mut Random) -> Vec<f32> {
    let low = random.range(-4.0, 16.0);
    let high = low + random.range(10.0, 75.0);
    let mut gaps: Vec<f32> = characters[1..]
        .iter()
        .map(|_| random.range(low, high))
        .collect();
    let total: f32 = gaps.iter().sum();
    let room = WIDTH as f32 - 2.0 * MARGIN - extent(characters).0;
    if total > room {
        let factor = room / total;
        gaps.iter_mut().for_each(|gap| *gap *= factor);
    }
    gaps
}

/// Sets down the characters from left to right.
fn place(characters: &mut [Character], gaps: &[f32], random: &mut Random) {
    let (ink, above, below) = extent(characters);
    let free = WIDTH as f32 - ink - gaps.iter().sum::<f32>();
    let first = characters[0].bounds.width();
    let last = characters[characters.len() - 1].bounds.width();
    let mut left = match random.below(100) {
        0..6 => -random.range(0.0, 0.3) * first,
        6..9 => free + random.range(0.0, 0.25) * last,
        _ => random.range(0.0, free.max(0.0)),
    };

    let jitter = random.unit();
    let jitter = 12.0 * jitter * jitter;
    let highest = above + jitter;
    let lowest = (HEIGHT as f32 - below - jitter).max(highest);
    // In the figures the baseline is about four fifths down.
    let baseline = if random.bernoulli(0.5) {
        (random.range(0.7, 0.9) * HEIGHT as f32).clamp(highest, lowest)
    } else {
        random.range(highest, lowest)
    };

    let gaps = std::iter::once(&0.0).chain(gaps);
    for (character, gap) in characters.iter_mut().zip(gaps) {
        left += gap;
        character.at = [
            left - character.bounds.min[0],
            baseline + random.range(-jitter, jitter),
        ];
        left += character.bounds.width();
    }
}
