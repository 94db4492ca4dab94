//! The colours of an image.

use crate::geometry::Point;
use crate::look::{Look, Palette, Rgb};
use crate::random::{Random, Stream};

/// Number of draws for an ink that differs enough from the ground.
const TRIES: usize = 40;

/// Colours of the ground.
pub(super) struct GroundColors {
    pub(super) first: Rgb,
    /// The colour that the ground fades into, and the direction.
    pub(super) fade: Option<(Rgb, Point)>,
}

/// Colour of a character.
#[derive(Clone, Copy)]
pub(super) struct InkColor {
    pub(super) color: Rgb,
    pub(super) opacity: f32,
}

/// Colours of an image.
pub(super) struct Colors {
    pub(super) ground: GroundColors,
    /// One ink for all characters, or one for each of the longest text.
    inks: Vec<InkColor>,
    /// Whether characters are outlines only.
    pub(super) hollow: bool,
    /// Width of an outline, in heights of a capital.
    pub(super) outline_width: f32,
    /// Colour of the characters' outline.
    pub(super) edge: Option<Rgb>,
    /// Offset in heights of a capital, and colour of the shadow.
    pub(super) shadow: Option<(f32, Rgb)>,
}

impl Colors {
    pub(super) fn draw(look: &Look, random: &Random) -> Self {
        let ground = draw_ground(look, random.substream(Stream::Ground));
        let mut random = random.substream(Stream::Ink);
        let hollow = random.bernoulli(look.outline.hollow);
        let edged = random.bernoulli(look.outline.edged);
        let edge = look.outline.palette.draw(&mut random);
        let outline_width = look.outline.width.draw(&mut random);
        let cast = random.bernoulli(look.shadow.share);
        let offset = look.shadow.offset.draw(&mut random);
        let shadow = look.shadow.palette.draw(&mut random);
        let opacity = look.ink.opacity.draw(&mut random);
        let count = if random.bernoulli(look.ink.per_character) {
            crate::alphabet::LONGEST_TEXT
        } else {
            1
        };
        let inks = (0..count).map(|_| InkColor {
            color: readable(&look.ink.palette, look.ink.contrast, &ground, &mut random),
            opacity,
        });
        Self {
            inks: inks.collect(),
            ground,
            hollow,
            outline_width,
            edge: edged.then_some(edge),
            shadow: cast.then_some((offset, shadow)),
        }
    }

    /// The ink of a character by its number.
    pub(super) fn ink(&self, number: usize) -> InkColor {
        self.inks[number % self.inks.len()]
    }
}

fn draw_ground(look: &Look, mut random: Random) -> GroundColors {
    let first = look.ground.palette.draw(&mut random);
    let second = look.ground.palette.draw(&mut random);
    let fades = random.bernoulli(look.ground.gradient);
    let across = random.unit();
    GroundColors {
        first,
        fade: fades.then_some((second, [across, 1.0 - across])),
    }
}

/// A colour of a palette that differs enough from the ground in brightness; black or white if none is
/// found.
fn readable(palette: &Palette, contrast: f32, ground: &GroundColors, random: &mut Random) -> Rgb {
    let lumas = [
        ground.first.luma(),
        ground.fade.map_or(ground.first, |(to, _)| to).luma(),
    ];
    let distance = |color: Rgb| {
        let [a, b] = lumas.map(|luma| (color.luma() - luma).abs());
        a.min(b)
    };
    let found = (0..TRIES)
        .map(|_| palette.draw(random))
        .find(|&color| distance(color) >= contrast);
    found.unwrap_or_else(|| {
        let [black, white] = [Rgb([0; 3]), Rgb([255; 3])];
        if distance(black) > distance(white) {
            black
        } else {
            white
        }
    })
}
