//! Finds the characters that a font draws alike, and compares them with the list.

use crate::fonts::outline::CHARACTERS;
use crate::fonts::{Font, FontSet, fonts};
use crate::geometry::{Canvas, Path};

/// Side of the square in which two characters are compared, in pixels.
const SIDE: usize = 48;
/// Pixels of the square to an em, at the size of the text.
const EM: f32 = 32.0;
/// Two characters are alike if this share of their ink is the same.
const ALIKE: f32 = 0.93;
/// Letters whose small form has another shape than the capital; of the others, such as O and o, only
/// the size differs in any font.
const OTHER_SHAPES: &str = "abdefghijlmnqrt";

type Bitmap = [u64; SIDE];

/// The ink of an outline that was moved and scaled into the square.
fn bitmap(outline: &Path) -> Bitmap {
    let mut canvas = Canvas::new(SIDE, SIDE);
    canvas.fill(outline, [0.0, 0.0], [0; 3]);
    let pixels = canvas.into_rgb();
    let mut rows = [0; SIDE];
    for (row, bits) in rows.iter_mut().enumerate() {
        for x in 0..SIDE {
            *bits |= u64::from(pixels[3 * (row * SIDE + x)] == 0) << x;
        }
    }
    rows
}

/// As in a text: at one size, on one baseline, the left edge at the left.
fn on_the_line(outline: &Path) -> Bitmap {
    let left = outline.bounds().expect("has an outline").min[0];
    bitmap(&outline.map(|[x, y]| [EM * (x - left) + 2.0, 36.0 - EM * y]))
}

/// As large as the square.
fn by_shape(outline: &Path) -> Bitmap {
    let bounds = outline.bounds().expect("has an outline");
    let scale = SIDE as f32 / bounds.width().max(bounds.height());
    bitmap(&outline.map(|[x, y]| [scale * (x - bounds.min[0]), scale * (bounds.max[1] - y)]))
}

fn alike(a: &Bitmap, b: &Bitmap) -> bool {
    let count = |f: fn(u64, u64) -> u64| -> u32 {
        a.iter().zip(b).map(|(&a, &b)| f(a, b).count_ones()).sum()
    };
    count(|a, b| a & b) as f32 > ALIKE * count(|a, b| a | b) as f32
}

fn found(font: &Font) -> Vec<String> {
    let outlines = font.outlines();
    let characters: Vec<char> = CHARACTERS.chars().filter(|&c| outlines.has(c)).collect();
    let drawn = |f: fn(&Path) -> Bitmap| -> Vec<Bitmap> {
        characters
            .iter()
            .map(|&c| f(outlines.character(c)))
            .collect()
    };
    let (lines, shapes) = (drawn(on_the_line), drawn(by_shape));
    let mut pairs = Vec::new();
    for (i, a) in characters.iter().enumerate() {
        for (j, b) in characters.iter().enumerate().skip(i + 1) {
            let capital_of_a = a.to_ascii_uppercase() == *b && OTHER_SHAPES.contains(*a);
            if alike(&lines[i], &lines[j]) || capital_of_a && alike(&shapes[i], &shapes[j]) {
                pairs.push(format!("{a}{b}"));
            }
        }
    }
    pairs
}

/// After a change of the fonts, write what this test prints to `fonts/confusable.txt`.
#[test]
fn list_of_confusable_characters_is_what_the_fonts_draw() {
    let all = FontSet::ALL.iter().copied().flat_map(fonts);
    let found: Vec<(&Font, Vec<String>)> = all.map(|font| (font, found(font))).collect();
    let is_listed = |(font, pairs): &(&Font, Vec<String>)| {
        *pairs == font.confusable().map(String::from_iter).collect::<Vec<_>>()
    };
    if !found.iter().all(is_listed) {
        for (font, pairs) in found.iter().filter(|(_, pairs)| !pairs.is_empty()) {
            println!("{} {}", font.name(), pairs.join(" "));
        }
        panic!("the list is not what the fonts draw");
    }
}
