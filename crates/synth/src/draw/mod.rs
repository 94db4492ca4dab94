//! Draws the images of a look: ground, marks behind the text, the text, marks over it, and what is
//! done to the finished picture.

mod canvas;
mod colors;
mod displacement;
mod finish;
mod jpeg;
mod layout;
mod marks;

use crate::fonts::{Font, FontPool};
use crate::look::{Look, Mark};
use crate::random::{Random, Stream};
use crate::sample::Sample;
use canvas::Picture;
use colors::Colors;
use layout::Glyph;

/// What to draw.
pub(crate) struct LookRequest {
    /// The text; empty for a blank image.
    pub(crate) text: String,
    /// The characters of the texts.
    pub(crate) alphabet: String,
    /// The font of the image.
    pub(crate) font: &'static Font,
    /// The fonts of the characters, for looks in which each has its own; `None` if the font is given.
    pub(crate) pool: Option<FontPool>,
    /// Whether the font is distorted; `None` leaves it to the look.
    pub(crate) distorted: Option<bool>,
    /// Number of strokes; `None` leaves it to the look.
    pub(crate) strokes: Option<usize>,
    /// Share of the pixels that are specks; `None` leaves it to the look.
    pub(crate) noise: Option<f32>,
}

/// Draws one image. Every part has a substream of its own, so that a change of one part leaves the
/// others as they were.
pub(crate) fn draw(look: &Look, request: LookRequest, random: &Random) -> Sample {
    let mut frame = random.substream(Stream::Frame);
    let count = request.text.chars().count();
    let width = look.image.width.draw(&mut frame) + look.image.width_per_character * count as f32;
    let height = look.image.height.draw(&mut frame);
    let smooth = frame.bernoulli(look.image.smooth);
    let border = frame.bernoulli(look.image.border);
    let size = [width, height].map(|length| (length + 0.5) as usize);

    let colors = Colors::draw(look, random);
    let glyphs = layout::lay_out(look, &request, size, random);
    let layers = marks::plan(look, &request, &glyphs, size, &colors, random);

    let mut picture = Picture::new(size, smooth);
    picture.fill_ground(&colors.ground);
    for mark in layers.iter().filter(|mark| !mark.over) {
        mark.draw(&mut picture);
    }
    draw_text(&glyphs, &colors, &mut picture);
    for mark in layers.iter().filter(|mark| mark.over) {
        mark.draw(&mut picture);
    }
    if border {
        picture.draw_border(colors.ink(0).color);
    }
    let mut rgb = picture.into_rgb();
    let finish = random.substream(Stream::Finish);
    finish::apply(&look.finish, &mut rgb, size, finish);
    Sample {
        width: size[0] as u32,
        height: size[1] as u32,
        rgb,
        characters: glyphs.iter().map(Glyph::place).collect(),
        text: request.text,
        font: request.font.name(),
        strokes: layers.iter().filter(|mark| mark.kind.is_stroke()).count() as u32,
    }
}

fn draw_text(glyphs: &[Glyph], colors: &Colors, picture: &mut Picture) {
    if let Some((offset, shadow)) = colors.shadow {
        for glyph in glyphs {
            let shift = offset * glyph.cap_height;
            picture.fill(
                &glyph.path.map(|[x, y]| [x + shift, y + shift]),
                shadow,
                1.0,
            );
        }
    }
    for (number, glyph) in glyphs.iter().enumerate() {
        let ink = colors.ink(number);
        let width = (colors.outline_width * glyph.cap_height).max(1.0);
        if colors.hollow {
            picture.stroke_closed(&glyph.path, width, ink.color, ink.opacity);
            continue;
        }
        if let Some(edge) = colors.edge {
            // Half of the line is outside, and the character covers the other half.
            picture.stroke_closed(&glyph.path, 2.0 * width, edge, ink.opacity);
        }
        picture.fill(&glyph.path, ink.color, ink.opacity);
    }
}

/// The layers of a look, with one of strokes or specks added if an override needs it.
fn has_layer(look: &Look, specks: bool) -> bool {
    look.clutter.iter().any(|layer| match layer.kind {
        Mark::Specks => specks,
        kind => !specks && kind.is_stroke(),
    })
}
