//! The style of the paper's set, measured from its figures: a short word on white. The characters are
//! upright, of one font, each in its own flat colour, with wide uneven gaps. Straight lines,
//! elliptical arcs, short dashes and single-pixel noise surround and cross them.
//!
//! Every quantity has a range around the value in the figures. The ranges vary from image to image,
//! so that they cover images that other code draws in this style.

mod layout;
mod noise;
mod strokes;

use super::DrawRequest;
use crate::geometry::{Canvas, Color, Path};
use crate::random::Random;
use crate::sample::Sample;

use layout::Layout;
use noise::draw_noise;
use strokes::plan_strokes;

/// Size of an image in pixels.
const WIDTH: usize = 600;
const HEIGHT: usize = 320;

/// Share of images whose noise lies over the word and the strokes; else it lies under them.
const NOISE_OVER: f32 = 0.25;

/// Draws one image.
pub(super) fn draw(request: DrawRequest, random: &mut Random) -> Sample {
    let DrawRequest {
        text,
        font,
        distorted,
        clutter,
    } = request;
    let mut canvas = Canvas::new(WIDTH, HEIGHT);
    let mut path = Path::default();
    let layout = Layout::plan(&text, font.outlines(), distorted, random);
    let strokes = plan_strokes(clutter.strokes, random);
    let noise_over = random.bernoulli(NOISE_OVER);

    if !noise_over {
        draw_noise(&mut canvas, clutter.noise, random);
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
    if noise_over {
        draw_noise(&mut canvas, clutter.noise, random);
    }

    Sample {
        width: WIDTH as u32,
        height: HEIGHT as u32,
        rgb: canvas.into_rgb(),
        characters: layout.boxes(),
        text,
        font: font.name(),
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
