//! The style of the paper's set, measured from its figures: a short word on white, upright
//! characters of one face, each in its own flat colour and with wide uneven gaps, among straight
//! lines, elliptical arcs, short dashes and single-pixel speckle.
//!
//! Every quantity has a range around what the figures show, and the ranges themselves vary
//! from image to image, so that images drawn by other code in this look fall inside.

mod clutter;
mod layout;

use crate::canvas::{Canvas, Color};
use crate::fonts::Face;
use crate::path::Path;
use crate::random::Random;
use crate::sample::Sample;

use clutter::{draw_speckle, plan_strokes};
use layout::Layout;

/// Size of an image in pixels.
const WIDTH: usize = 600;
const HEIGHT: usize = 320;

/// Share of images whose speckle lies over the word and the strokes instead of under them.
const SPECKLE_OVER: f32 = 0.25;

/// Clutter to order, where it should not be left to chance.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Clutter {
    /// How many strokes.
    pub(crate) strokes: Option<usize>,
    /// Share of the pixels that are speckled.
    pub(crate) speckle: Option<f32>,
}

/// Draws one image that says `text` in `face`, or in that face bent out of its shape.
pub(crate) fn draw(
    text: String,
    face: &'static Face,
    bent: bool,
    clutter: Clutter,
    random: &mut Random,
) -> Sample {
    let mut canvas = Canvas::new(WIDTH, HEIGHT);
    let mut path = Path::default();
    let layout = Layout::plan(&text, face.outlines(), bent, random);
    let strokes = plan_strokes(clutter.strokes, random);
    let speckle_over = random.chance(SPECKLE_OVER);

    if !speckle_over {
        draw_speckle(&mut canvas, clutter.speckle, random);
    }
    let mut draw_strokes = |canvas: &mut Canvas, over: bool| {
        for planned in strokes.iter().filter(|planned| planned.over == over) {
            planned.stroke.outline(&mut path);
            canvas.fill(&path, [0.0, 0.0], planned.color);
        }
    };
    draw_strokes(&mut canvas, false);
    layout.draw(&mut canvas);
    draw_strokes(&mut canvas, true);
    if speckle_over {
        draw_speckle(&mut canvas, clutter.speckle, random);
    }

    Sample {
        width: WIDTH as u32,
        height: HEIGHT as u32,
        rgb: canvas.into_rgb(),
        characters: layout.boxes(),
        text,
        font: face.name(),
        strokes: strokes.len() as u32,
    }
}

/// Any colour not lighter than `lightest`, on a scale from 0 (black) to 1 (white).
fn draw_color(random: &mut Random, lightest: f32) -> Color {
    loop {
        let [r, g, b, _] = random.bits().to_le_bytes();
        // Rec. 601 luma in thousandths of 255.
        let luma = 299 * u32::from(r) + 587 * u32::from(g) + 114 * u32::from(b);
        if luma as f32 <= lightest * 255_000.0 {
            return [r, g, b];
        }
    }
}
