//! The outlines of a font's characters, as polygons.

use ttf_parser::{Face, OutlineBuilder};

use crate::geometry::{Path, Point};

/// Maximum distance between a polygon and its curve, in ems: a tenth of a pixel at the largest size.
const TOLERANCE: f32 = 0.001;

/// The characters a to z of one font, in ems, y upwards from the baseline.
#[derive(Debug)]
pub(crate) struct Outlines {
    characters: Vec<Path>,
    /// Height of the character x, in ems.
    pub(crate) x_height: f32,
}

impl Outlines {
    /// Parses an embedded file.
    ///
    /// # Panics
    /// If it is not a TrueType font with the characters a to z. Every embedded one is tested.
    pub(super) fn parse(data: &[u8]) -> Self {
        let face = Face::parse(data, 0).expect("an embedded font is a TrueType font");
        let scale = 1.0 / f32::from(face.units_per_em());
        let characters: Vec<Path> = ('a'..='z')
            .map(|character| {
                let glyph = face
                    .glyph_index(character)
                    .expect("an embedded font has a to z");
                let mut flattener = Flattener {
                    path: Path::default(),
                    scale,
                };
                face.outline_glyph(glyph, &mut flattener);
                flattener.path
            })
            .collect();
        let x = characters[usize::from(b'x' - b'a')]
            .bounds()
            .expect("the character x has an outline");
        Self {
            characters,
            x_height: x.max[1],
        }
    }

    /// The outline of a character a to z.
    pub(crate) fn character(&self, character: char) -> &Path {
        &self.characters[character as usize - usize::from(b'a')]
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
    use crate::fonts::{FontSet, fonts};

    #[test]
    fn every_font_has_26_distinct_characters_of_valid_size() {
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
            for a in 'a'..='z' {
                let bounds = outlines.character(a).bounds().expect("has an outline");
                assert!(
                    bounds.width() > 0.02 && bounds.height() > 0.1,
                    "{} {a}",
                    font.name()
                );
                for b in 'a'..a {
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
