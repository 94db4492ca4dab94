//! A second style, in the manner of early PHP CAPTCHA scripts: dark characters of one colour on a
//! tinted background, rotated and overlapping, with a sine displacement and strike-through lines of
//! the same colour. Unlike `words`, it has no gaps and no colours that separate the characters.

use std::f32::consts::TAU;

use super::DrawRequest;
use super::glyph_distortion::GlyphDistortion;
use crate::fonts::Outlines;
use crate::geometry::{Canvas, Color, Path, Point};
use crate::random::{Random, Stream};
use crate::sample::{CharacterBox, Sample};

/// Size of an image in pixels.
const WIDTH: usize = 600;
const HEIGHT: usize = 320;

/// Margin around the text before the displacement, in pixels.
const MARGIN: f32 = 35.0;

/// Longest straight edge of an outline before the displacement, in pixels.
const LONGEST_EDGE: f32 = 6.0;

/// Width of a speck, in pixels.
const SPECK: usize = 2;

/// Draws one image.
pub(super) fn draw(request: DrawRequest, random: &mut Random) -> Sample {
    let DrawRequest {
        text,
        font,
        distorted,
        clutter,
    } = request;
    let background = draw_color(random, 190.0, 255.0);
    let ink = draw_color(random, 0.0, 110.0);
    let wave = Wave::draw(random);
    let characters: Vec<Path> = lay_out(&text, font.outlines(), distorted, random)
        .iter()
        .map(|character| {
            character
                .subdivided(LONGEST_EDGE)
                .map(|point| wave.displace(point))
        })
        .collect();
    let strokes = draw_strokes(clutter.strokes, random.substream(Stream::Strokes));

    let mut canvas = Canvas::new(WIDTH, HEIGHT);
    canvas.fill_square(0, 0, WIDTH.max(HEIGHT), background);
    draw_noise(
        &mut canvas,
        clutter.noise,
        ink,
        random.substream(Stream::Noise),
    );
    for path in characters.iter().chain(&strokes) {
        canvas.fill(path, [0.0, 0.0], ink);
    }
    Sample {
        width: WIDTH as u32,
        height: HEIGHT as u32,
        rgb: canvas.into_rgb(),
        characters: text
            .chars()
            .zip(&characters)
            .filter_map(character_box)
            .collect(),
        text,
        font: font.name(),
        strokes: strokes.len() as u32,
    }
}

/// The sine displacement of the image.
struct Wave {
    amplitude: Point,
    /// Radians in a pixel.
    frequency: Point,
    phase: Point,
}

impl Wave {
    fn draw(random: &mut Random) -> Self {
        Self {
            amplitude: [random.range(2.0, 10.0), random.range(5.0, 24.0)],
            frequency: [
                TAU / random.range(120.0, 300.0),
                TAU / random.range(200.0, 600.0),
            ],
            phase: [random.range(0.0, TAU), random.range(0.0, TAU)],
        }
    }

    fn displace(&self, [x, y]: Point) -> Point {
        [
            x + self.amplitude[0] * libm::sinf(self.frequency[0] * y + self.phase[0]),
            y + self.amplitude[1] * libm::sinf(self.frequency[1] * x + self.phase[1]),
        ]
    }
}

/// The characters' outlines, placed from left to right, before the displacement.
fn lay_out(text: &str, outlines: &Outlines, distorted: bool, random: &mut Random) -> Vec<Path> {
    let mut distortion = distorted.then(|| GlyphDistortion::draw(random));
    let scale = random.range(80.0, 130.0) / outlines.x_height;
    let turn = random.range(0.0, 0.45);
    let low = random.range(-10.0, 4.0);
    let mut right = 0.0;
    let characters: Vec<Path> = text
        .chars()
        .map(|character| {
            let (sine, cosine) = libm::sincosf(random.range(-turn, turn));
            let gap = random.range(low, low + 10.0);
            let outline = outlines.character(character);
            let turned = |[x, y]: Point| {
                let [x, y] = [scale * x, -scale * y];
                [cosine * x - sine * y, sine * x + cosine * y]
            };
            let outline = match &mut distortion {
                Some(distortion) => distortion.apply(outline, outlines.x_height).map(turned),
                None => outline.map(turned),
            };
            let Some(bounds) = outline.bounds() else {
                return outline;
            };
            let shift = right + gap - bounds.min[0];
            right = shift + bounds.max[0];
            outline.map(|[x, y]| [x + shift, y])
        })
        .collect();
    fit_into_image(&characters, random)
}

/// Shrinks the text if it does not fit, and places it at random.
fn fit_into_image(characters: &[Path], random: &mut Random) -> Vec<Path> {
    let corners = characters
        .iter()
        .filter_map(Path::bounds)
        .flat_map(|bounds| [bounds.min, bounds.max]);
    let (min, max) = corners.fold(([0.0f32; 2], [0.0f32; 2]), |(min, max), [x, y]| {
        (
            [min[0].min(x), min[1].min(y)],
            [max[0].max(x), max[1].max(y)],
        )
    });
    let room = [WIDTH, HEIGHT].map(|size| size as f32 - 2.0 * MARGIN);
    let size = [max[0] - min[0], max[1] - min[1]];
    let factor = (room[0] / size[0]).min(room[1] / size[1]).min(1.0);
    let at = [0, 1].map(|axis| {
        let free = room[axis] - factor * size[axis];
        MARGIN + random.unit() * free - factor * min[axis]
    });
    characters
        .iter()
        .map(|character| character.map(|[x, y]| [at[0] + factor * x, at[1] + factor * y]))
        .collect()
}

/// Curves from edge to edge; `count` overrides the random number of them.
fn draw_strokes(count: Option<usize>, mut random: Random) -> Vec<Path> {
    let drawn = random.count(1, 3);
    (0..count.unwrap_or(drawn))
        .map(|_| {
            let half = random.range(1.5, 4.0);
            let middle = random.range(0.25, 0.75) * HEIGHT as f32;
            let slope = random.range(-0.15, 0.15);
            let amplitude = random.range(0.0, 45.0);
            let frequency = TAU / random.range(250.0, 900.0);
            let phase = random.range(0.0, TAU);
            let mut path = Path::default();
            let curve = |x: f32| {
                let from_middle = x - WIDTH as f32 / 2.0;
                middle + slope * from_middle + amplitude * libm::sinf(frequency * x + phase)
            };
            let steps = (WIDTH as f32 / LONGEST_EDGE) as usize;
            for step in 0..=steps {
                let x = step as f32 * LONGEST_EDGE;
                path.push([x, curve(x) - half]);
            }
            for step in (0..=steps).rev() {
                let x = step as f32 * LONGEST_EDGE;
                path.push([x, curve(x) + half]);
            }
            path.close();
            path
        })
        .collect()
}

/// Scatters specks of the ink over `share` of the image, by default up to 2%.
fn draw_noise(canvas: &mut Canvas, share: Option<f32>, ink: Color, mut random: Random) {
    let drawn = random.range(0.0, 0.02);
    let specks = share.unwrap_or(drawn) * (WIDTH * HEIGHT) as f32 / (SPECK * SPECK) as f32;
    for _ in 0..specks as usize {
        canvas.fill_square(random.below(WIDTH), random.below(HEIGHT), SPECK, ink);
    }
}

/// A random colour with channels between `low` and `high`.
fn draw_color(random: &mut Random, low: f32, high: f32) -> Color {
    [(); 3].map(|()| random.range(low, high) as u8)
}

fn character_box((character, outline): (char, &Path)) -> Option<CharacterBox> {
    outline.bounds().map(|bounds| CharacterBox {
        character,
        x: bounds.min[0],
        y: bounds.min[1],
        width: bounds.width(),
        height: bounds.height(),
    })
}
