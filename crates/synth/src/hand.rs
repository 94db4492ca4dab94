//! Hands beyond the embedded faces: a face bent out of its shape, another way for every image.
//!
//! To train on. A reader that has seen fifty faces ten thousand times each knows those faces; one
//! that has never seen the same shape twice has to know characters.

use std::f32::consts::TAU;

use crate::path::{Path, Point};
use crate::random::Random;

/// Longest straight edge of a bent outline, in x-heights; longer ones could not bend.
const LONGEST_EDGE: f32 = 0.15;

/// The stream that hands are drawn from, so that the rest of an image stays as it is without.
const STREAM: u64 = 2;

/// How the characters of one image are bent. Lengths are in x-heights, y upwards.
pub(crate) struct Hand {
    /// By how much outlines grow, thinner if negative.
    weight: f32,
    /// What lies above the x-height and below the baseline, stretched.
    ascenders: f32,
    descenders: f32,
    width: f32,
    slant: f32,
    waves: [Wave; 2],
    /// Largest turn of a character on its own, in radians.
    turn: f32,
    random: Random,
}

/// A wave that runs through a character.
struct Wave {
    /// Radians in an x-height, along x and y.
    frequency: Point,
    amplitude: Point,
}

impl Hand {
    /// Any hand; the same one for the same image.
    pub(crate) fn draw(image: &Random) -> Self {
        let mut random = image.aside(STREAM);
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

    /// One character's outline, in ems, bent.
    pub(crate) fn bend(&mut self, outline: &Path, x_height: f32) -> Path {
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
