//! Where the characters stand.

use std::f32::consts::TAU;

use super::LookRequest;
use super::displacement::Displacement;
use crate::fonts::{Font, Outlines};
use crate::geometry::{Bounds, Path, Point};
use crate::look::{Look, Place};
use crate::random::{Random, Stream};
use crate::sample::CharacterBox;
use crate::style::GlyphDistortion;

/// Most of a character that its neighbour may cover, as a share of the narrower one's width.
const MOST_COVERED: f32 = 0.3;
/// Longest straight edge of an outline before a displacement, in pixels.
const LONGEST_EDGE: f32 = 3.0;

/// A character in its place.
pub(super) struct Glyph {
    character: char,
    /// Its outline in pixels.
    pub(super) path: Path,
    pub(super) bounds: Bounds,
    /// Height of a capital of the text, in pixels.
    pub(super) cap_height: f32,
}

impl Glyph {
    /// Its bounding box.
    pub(super) fn place(&self) -> CharacterBox {
        CharacterBox {
            character: self.character,
            x: self.bounds.min[0],
            y: self.bounds.min[1],
            width: self.bounds.width(),
            height: self.bounds.height(),
        }
    }
}

/// Lays out a text on an image of a size in pixels. All characters are inside, whatever the look.
pub(super) fn lay_out(
    look: &Look,
    request: &LookRequest,
    size: [usize; 2],
    image: &Random,
) -> Vec<Glyph> {
    let size = size.map(|length| length as f32);
    let mut random = image.substream(Stream::Layout);
    let mut cap_height = look.layout.size.draw(&mut random) * size[1];
    let mut shaper = Shaper::draw(look, request, cap_height, image, &mut random);
    let shapes: Vec<Path> = request
        .text
        .chars()
        .map(|character| shaper.shape(character, &mut random))
        .collect();
    if shapes.is_empty() {
        return Vec::new();
    }
    let room = room(look, size);
    let mut paths = set_down(look, shapes, room[0], [cap_height, size[1]], &mut random);
    let width = joint_bounds(&paths).width() / size[1];
    if let Some(displacement) = Displacement::draw(look, width, image) {
        for path in &mut paths {
            *path = path.subdivided(LONGEST_EDGE).map(|[x, y]| {
                let [x, y] = displacement.apply([x / size[1], y / size[1]]);
                [x * size[1], y * size[1]]
            });
        }
    }
    cap_height *= fit(look.layout.place, &mut paths, size, room, &mut random);
    let glyphs = request.text.chars().zip(paths);
    let glyphs = glyphs.filter_map(|(character, path)| {
        Some(Glyph {
            character,
            bounds: path.bounds()?,
            path,
            cap_height,
        })
    });
    glyphs.collect()
}

/// Width and height that a text may take. Outlines and shadows need some of it.
fn room(look: &Look, size: Point) -> Point {
    let drawn_around = if look.outline.edged > 0.0 || look.outline.hollow > 0.0 {
        look.outline.width.high
    } else {
        0.0
    };
    let shadow = if look.shadow.share > 0.0 {
        look.shadow
            .offset
            .low
            .abs()
            .max(look.shadow.offset.high.abs())
    } else {
        0.0
    };
    let around = drawn_around.max(shadow) * look.layout.size.high * size[1];
    let margin = look.layout.margin * size[1] + around + 1.0;
    size.map(|length| (length - 2.0 * margin).max(0.3 * length))
}

/// Makes the shapes of the characters.
struct Shaper<'a> {
    look: &'a Look,
    request: &'a LookRequest,
    cap_height: f32,
    stretch: f32,
    slant: f32,
    weight: f32,
    distortion: Option<GlyphDistortion>,
    /// Draws the font of each character, where each has its own.
    fonts: Option<Random>,
}

impl<'a> Shaper<'a> {
    fn draw(
        look: &'a Look,
        request: &'a LookRequest,
        cap_height: f32,
        image: &Random,
        random: &mut Random,
    ) -> Self {
        let stretch = look.layout.stretch.draw(random);
        let slant = look.layout.slant.draw(random);
        let weight = look.font.weight.draw(random);
        let own_fonts = random.bernoulli(look.font.per_character);
        let distorted = image
            .substream(Stream::Distorted)
            .bernoulli(look.font.distorted);
        let distorted = request.distorted.unwrap_or(distorted);
        Self {
            look,
            request,
            cap_height,
            stretch,
            slant,
            weight,
            distortion: distorted.then(|| GlyphDistortion::draw(image)),
            fonts: own_fonts.then(|| image.substream(Stream::Fonts)),
        }
    }

    fn font(&mut self) -> &'static Font {
        match (&mut self.fonts, &self.request.pool) {
            (Some(random), Some(pool)) => pool.draw(random),
            _ => self.request.font,
        }
    }

    /// The outline of a character in pixels, turned about its middle, the baseline at 0.
    fn shape(&mut self, character: char, random: &mut Random) -> Path {
        let layout = &self.look.layout;
        let turn = layout.rotation.draw(random) * (TAU / 360.0);
        let scale = layout.scale.draw(random);
        let outlines: &Outlines = self.font().outlines();
        let outline = outlines.character(character);
        let distorted = self
            .distortion
            .as_mut()
            .map(|distortion| distortion.apply(outline, outlines.x_height));
        let outline = distorted.as_ref().unwrap_or(outline);
        let outline = match self.weight {
            0.0 => outline.clone(),
            weight => outline.grown(weight * outlines.x_height),
        };
        let scale = scale * self.cap_height / outlines.cap_height;
        let (stretch, slant) = (self.stretch, self.slant);
        let upright = outline.map(|[x, y]| [scale * (stretch * x + slant * y), -scale * y]);
        let Some(bounds) = upright.bounds() else {
            return upright;
        };
        let middle = bounds.middle();
        let (sine, cosine) = libm::sincosf(turn);
        upright.map(|[x, y]| {
            let [x, y] = [x - middle[0], y - middle[1]];
            [
                cosine * x - sine * y + middle[0],
                sine * x + cosine * y + middle[1],
            ]
        })
    }
}

/// Sets down the characters from left to right. The origin is the middle of the text.
fn set_down(
    look: &Look,
    shapes: Vec<Path>,
    room: f32,
    [cap_height, height]: [f32; 2],
    random: &mut Random,
) -> Vec<Path> {
    let layout = &look.layout;
    let count = shapes.len() as f32;
    let (mut right, mut last_width) = (0.0, 0.0);
    let placed = shapes.iter().enumerate().map(|(number, shape)| {
        let gap = layout.spacing.draw(random) * cap_height;
        let jitter = layout.baseline.draw(random) * height * random.range(-1.0, 1.0);
        let bounds = shape.bounds().unwrap_or(Bounds {
            min: [0.0; 2],
            max: [0.0; 2],
        });
        let left = match layout.place {
            Place::Cells => room * (number as f32 + 0.5) / count - 0.5 * bounds.width(),
            _ if number == 0 => 0.0,
            _ => right + gap.max(-MOST_COVERED * bounds.width().min(last_width)),
        };
        right = left + bounds.width();
        last_width = bounds.width();
        shape.map(|[x, y]| [x + left - bounds.min[0], y + jitter])
    });
    let mut placed: Vec<Path> = placed.collect();
    if layout.place == Place::Spread && placed.len() > 1 {
        let more = (room - joint_bounds(&placed).width()).max(0.0) / (count - 1.0);
        for (number, path) in placed.iter_mut().enumerate() {
            *path = path.map(|[x, y]| [x + number as f32 * more, y]);
        }
    }
    let bounds = joint_bounds(&placed);
    let across = match layout.place {
        Place::Cells => 0.5 * room,
        _ => bounds.middle()[0],
    };
    let down = bounds.middle()[1];
    placed
        .iter()
        .map(|path| path.map(|[x, y]| [x - across, y - down]))
        .collect()
}

/// Makes a text smaller that does not fit, and puts it into its place; gives the factor.
fn fit(place: Place, paths: &mut [Path], size: Point, room: Point, random: &mut Random) -> f32 {
    let bounds = joint_bounds(paths);
    let extent = [bounds.width(), bounds.height()];
    let factor = (room[0] / extent[0]).min(room[1] / extent[1]).min(1.0);
    let [across, down] = [random.unit(), random.unit()];
    let middle = bounds.middle();
    let shift = [0, 1].map(|axis| {
        let free = room[axis] - factor * extent[axis];
        let centered = 0.5 * size[axis] - factor * middle[axis];
        match (place, axis) {
            (Place::Random, _) => centered + ([across, down][axis] - 0.5) * free,
            (Place::Left, 0) => centered - 0.5 * free,
            // The cells have their places; a character may only not leave the image.
            (Place::Cells, 0) => {
                // Rounding can make the free space of a text that fills the width negative.
                let half = (0.5 * free).max(0.0);
                centered + (factor * middle[0]).clamp(-half, half)
            }
            _ => centered,
        }
    });
    for path in paths {
        *path = path.map(|[x, y]| [factor * x + shift[0], factor * y + shift[1]]);
    }
    factor
}

/// The bounding box of all paths.
fn joint_bounds(paths: &[Path]) -> Bounds {
    let bounds = paths.iter().filter_map(Path::bounds);
    let joint = bounds.reduce(|a, b| Bounds {
        min: [a.min[0].min(b.min[0]), a.min[1].min(b.min[1])],
        max: [a.max[0].max(b.max[0]), a.max[1].max(b.max[1])],
    });
    joint.unwrap_or(Bounds {
        min: [0.0; 2],
        max: [1.0; 2],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rounding made the free space negative for one such width in ten, which was a panic.
    #[test]
    fn text_in_cells_that_fills_the_width_is_fitted() {
        let size = [200.0, 60.0];
        let room = [190.0, 50.0];
        for step in 1..2000 {
            let width = room[0] + 0.37 * step as f32;
            let mut path = Path::default();
            for point in [[0.0, 0.0], [width, 0.0], [width, 10.0]] {
                path.push(point);
            }
            path.close();
            let (mut paths, mut random) = ([path], Random::keyed(0, 0, 1, 0));
            fit(Place::Cells, &mut paths, size, room, &mut random);
            let bounds = joint_bounds(&paths);
            assert!((bounds.width() - room[0]).abs() < 1e-2, "{bounds:?}");
            assert!((bounds.middle()[0] - 100.0).abs() < 1e-2, "{bounds:?}");
        }
    }
}
