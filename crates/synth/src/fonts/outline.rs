//! The outlines of a font's characters, as polygons.

use ttf_parser::{Face, OutlineBuilder};

use crate::geometry::{Path, Point};

/// Maximum distance between a polygon and its curve, in ems: a tenth of a pixel at the largest size.
const TOLERANCE: f32 = 0.001;

/// The characters of one font, in ems, y upwards from the baseline: a to z, and A to Z and the digits
/// if the font has them.
#[derive(Debug)]
pub(crate) struct Outlines {
    /// In the order of [`CHARACTERS`].
    characters: Vec<Path>,
    /// Height of the character x, in ems.
    pub(crate) x_height: f32,
    /// Height of a capital, in ems.
    pub(crate) cap_height: f32,
}

/// All characters that a font can have. Those that every font has come first.
pub(super) const CHARACTERS: &str =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
/// Number of characters that every font has.
const IN_EVERY_FONT: usize = 26;

impl Outlines {
    /// Parses an embedded file.
    ///
    /// # Panics
    /// If it is not a TrueType font with a to z, and with all other characters or none of them. Every
    /// embedded one is tested.
    pub(super) fn parse(data: &[u8]) -> Self {
        let face = Face::parse(data, 0).expect("an embedded font is a TrueType font");
        let scale = 1.0 / f32::from(face.units_per_em());
        let glyphs = CHARACTERS
            .chars()
            .map_while(|character| face.glyph_index(character));
        let characters: Vec<Path> = glyphs
            .map(|glyph| {
                let mut flattener = Flattener {
                    path: Path::default(),
                    scale,
                };
                face.outline_glyph(glyph, &mut flattener);
                flattener.path
            })
            .collect();
        assert!(
            [IN_EVERY_FONT, CHARACTERS.len()].contains(&characters.len()),
            "an embedded font has a to z, and all other characters or none"
        );
        let top = |character: char| {
            let outline = characters.get(place(character)?)?;
            outline.bounds().map(|bounds| bounds.max[1])
        };
        Self {
            x_height: top('x').expect("the character x has an outline"),
            // The letter l is about as high as a capital.
            cap_height: top('H')
                .or(top('l'))
                .expect("the character l has an outline"),
            characters,
        }
    }

    /// The outline of a character.
    ///
    /// # Panics
    /// If the font lacks it, see [`Outlines::has`].
    pub(crate) fn character(&self, character: char) -> &Path {
        let found = place(character).and_then(|place| self.characters.get(place));
        found.expect("the font has the character")
    }

    /// Whether the font has a character.
    #[cfg(test)]
    pub(super) fn has(&self, character: char) -> bool {
        place(character).is_some_and(|place| place < self.characters.len())
    }
}

/// Where a character is in [`CHARACTERS`].
fn place(character: char) -> Option<usize> {
    let from = |first: char| character as usize - first as usize;
    match character {
        'a'..='z' => Some(from('a')),
        'A'..='Z' => Some(26 + from('A')),
        '0'..='9' => Some(52 + from('0')),
        _ => None,
    }
}

/// Turns the curves of one glyph into short straight edges.
struct Flattener {
    path: Path,
    /// Ems in a font unit.
    scale: f32,
}

impl Flattener {
    fn point(&self, x: f32, y: f32) -> Point {
        [x * self.scale, y * self.scale]
    }

    fn last(&self) -> Point {
        self.path.last().expect("a contour begins with move_to")
    }
}

impl OutlineBuilder for Flattener {
    fn move_to(&mut self, x: f32, y: f32) {
        self.path.push(self.point(x, y));
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.path.push(self.point(x, y));
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let (p0, p1, p2) = (self.last(), self.point(x1, y1), self.point(x, y));
        // A parabola strays from its chord by a quarter of its second difference, and from n
        // chords by that over n squared.
        let (dx, dy) = (p0[0] - 2.0 * p1[0] + p2[0], p0[1] - 2.0 * p1[1] + p2[1]);
        let stray = 0.25 * (dx * dx + dy * dy).sqrt();
        let steps = ((stray / TOLERANCE).sqrt().ceil()).max(1.0);
        for step in 1..=steps as usize {
            let t = step as f32 / steps;
            let u = 1.0 - t;
            let at = |i: usize| u * u * p0[i] + 2.0 * u * t * p1[i] + t * t * p2[i];
            self.path.push([at(0), at(1)]);
        }
    }

    fn curve_to(&mut self, _: f32, _: f32, _: f32, _: f32, _: f32, _: f32) {
        unreachable!("TrueType outlines have no cubic curves")
    }

    fn close(&mut self) {
        self.path.close();
    }
}

#[cfg(test)]
mod tests {
    use super::{CHARACTERS, IN_EVERY_FONT};
    use crate::fonts::{FontSet, fonts};

    #[test]
    fn characters_of_every_font_are_distinct_and_of_valid_size() {
        for font in FontSet::ALL.iter().copied().flat_map(fonts) {
            let outlines = font.outlines();
            // Two of the extra fonts have small characters nearly as high as capitals.
            let tested = [FontSet::Train, FontSet::HeldOut].contains(&font.set);
            let highest = if tested { 0.7 } else { 0.85 };
            assert!(
                (0.15..highest).contains(&outlines.x_height),
                "{}",
                font.name()
            );
            assert!(outlines.cap_height > outlines.x_height, "{}", font.name());
            let characters = CHARACTERS.chars().filter(|&c| outlines.has(c));
            for (place, a) in characters.clone().enumerate() {
                let bounds = outlines.character(a).bounds().expect("has an outline");
                assert!(
                    bounds.width() > 0.02 && bounds.height() > 0.1,
                    "{} {a}",
                    font.name()
                );
                // `fonts/confusable.txt` has the capitals and digits that are like another character.
                for b in characters.clone().take(place) {
                    if place >= IN_EVERY_FONT {
                        break;
                    }
                    assert_ne!(
                        outlines.character(a),
                        outlines.character(b),
                        "{} {a} {b}",
                        font.name()
                    );
                }
            }
        }
    }
}
