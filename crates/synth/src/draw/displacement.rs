//! The displacement of a whole text: waves, shear, arch and warp.

use std::f32::consts::TAU;

use crate::geometry::Point;
use crate::look::Look;
use crate::random::{Random, Stream};

/// The displacement of one image. Lengths are in heights of the image.
pub(super) struct Displacement {
    /// Half the width of the text.
    reach: f32,
    /// Amplitude and radians in a height, up and down along the text, and left and right down it.
    vertical: [f32; 2],
    horizontal: [f32; 2],
    phases: Point,
    shear: f32,
    /// Sine and cosine of the turn.
    turn: Point,
    arch: f32,
    taper: f32,
    warps: [Warp; 3],
}

/// A sine wave in any direction that moves points in any other.
struct Warp {
    frequency: Point,
    amplitude: Point,
    phase: f32,
}

impl Displacement {
    /// The displacement of a text that is `width` wide; `None` if it moves nothing.
    pub(super) fn draw(look: &Look, width: f32, image: &Random) -> Option<Self> {
        let values = &look.distortion;
        let moving = [
            values.wave_vertical,
            values.wave_horizontal,
            values.shear,
            values.turn,
            values.arch,
            values.taper,
            values.warp,
        ];
        if moving.iter().all(|span| span.is_zero()) {
            return None;
        }
        let mut random = image.substream(Stream::Displacement);
        let vertical = values.wave_vertical.draw(&mut random);
        let horizontal = values.wave_horizontal.draw(&mut random);
        let lengths = [(); 2].map(|()| values.wavelength.draw(&mut random));
        let phases = [(); 2].map(|()| random.range(0.0, TAU));
        let shear = values.shear.draw(&mut random);
        let turn = libm::sincosf(values.turn.draw(&mut random) * (TAU / 360.0));
        let arch = values.arch.draw(&mut random);
        let taper = values.taper.draw(&mut random);
        let warp = values.warp.draw(&mut random);
        Some(Self {
            reach: (0.5 * width).max(0.1),
            vertical: [vertical, TAU / lengths[0]],
            horizontal: [horizontal, TAU / lengths[1]],
            phases,
            shear,
            turn: turn.into(),
            arch,
            taper,
            warps: [(); 3].map(|()| Warp::draw(warp, &mut random)),
        })
    }

    /// Moves a point; the origin is the middle of the text, y points downwards.
    pub(super) fn apply(&self, [x, y]: Point) -> Point {
        let along = x / self.reach;
        let growth = 1.0 + 0.5 * self.taper * (along + 1.0);
        let y = growth * y + self.arch * (along * along - 0.5);
        let x = x - self.shear * y;
        let [sine, cosine] = self.turn;
        let [x, y] = [cosine * x - sine * y, sine * x + cosine * y];
        let mut point = [x, y];
        for Warp {
            frequency,
            amplitude,
            phase,
        } in &self.warps
        {
            let sway = libm::sinf(frequency[0] * x + frequency[1] * y + phase);
            point[0] += amplitude[0] * sway;
            point[1] += amplitude[1] * sway;
        }
        [
            point[0] + self.horizontal[0] * libm::sinf(self.horizontal[1] * y + self.phases[0]),
            point[1] + self.vertical[0] * libm::sinf(self.vertical[1] * x + self.phases[1]),
        ]
    }
}

impl Warp {
    fn draw(most: f32, random: &mut Random) -> Self {
        let mut pair = |most: f32| [random.range(-most, most), random.range(-most, most)];
        Self {
            frequency: pair(TAU * 0.8),
            amplitude: pair(0.6 * most),
            phase: random.range(0.0, TAU),
        }
    }
}
