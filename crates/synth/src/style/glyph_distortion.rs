//! Distortion of a font, different for every image, for training. A network that sees fifty fonts
//! ten thousand times each learns those fonts. A network that never sees the same shape twice has to
//! learn the characters.

use std::f32::consts::TAU;

use crate::geometry::{Path, Point};
use crate::random::{Random, Stream};

/// Longest straight edge of an outline, in x-heights; longer edges could not bend.
const LONGEST_EDGE: f32 = 0.15;

/// The distortion of one image's characters. Lengths are in x-heights, y upwards.
pub(crate) struct GlyphDistortion {
    /// Growth of the outlines; negative makes them thinner.
    weight: f32,
    /// Stretch of the parts above the x-height and below the baseline.
    ascenders: f32,
    descenders: f32,
    width: f32,
    slant: f32,
    waves: [Wave; 2],
    /// Largest rotation of a single character, in radians.
    turn: f32,
    random: Random,
}

/// A sine wave that displaces the points of a character.
struct Wave {
    /// Radians in an x-height, along x and y.
    frequency: Point,
    amplitude: Point,
}

impl GlyphDistortion {
    /// A random distortion, the same for the same image.
    pub(crate) fn draw(image: &Random) -> Self {
        let mut random = image.substream(Stream::GlyphDistortion);
        Self {
            weight: random.range(-0.02, 0.05),
            ascenders: random.range(0.7, 1.4),
            descenders: random.range(0.7, 1.4),
            width: random.range(0.75, 1.3),
            slant: random.range(-0.15, 0.3),
            waves: [Wave::draw(&mut random), Wave::draw(&mut random)],
            turn: random.range(0.0, 0.15),
            random,
        }
    }

    /// Distorts one character's outline, in ems.
    pub(crate) fn apply(&mut self, outline: &Path, x_height: f32) -> Path {
        let phases = [(); 2].map(|()| self.random.range(0.0, TAU));
        let (sine, cosine) = libm::sincosf(self.random.range(-self.turn, self.turn));
        let character = outline.map(|[x, y]| [x / x_height, y / x_height]);
        character
            .grown(self.weight)
            .subdivided(LONGEST_EDGE)
            .map(|[x, y]| {
                let y = if y > 1.0 {
                    1.0 + (y - 1.0) * self.ascenders
                } else if y < 0.0 {
                    y * self.descenders
                } else {
                    y
                };
                let mut point = [self.width * x + self.slant * y, y];
                for (wave, phase) in self.waves.iter().zip(phases) {
                    let sway = libm::sinf(wave.frequency[0] * x + wave.frequency[1] * y + phase);
                    point[0] += wave.amplitude[0] * sway;
                    point[1] += wave.amplitude[1] * sway;
                }
                let [x, y] = point;
                [
                    x_height * (cosine * x - sine * y),
                    x_height * (sine * x + cosine * y),
                ]
            })
    }
}

impl Wave {
    fn draw(random: &mut Random) -> Self {
        let mut pair = |most: f32| [random.range(-most, most), random.range(-most, most)];
        Self {
            frequency: pair(TAU * 0.8),
            amplitude: pair(0.06),
        }
    }
}
