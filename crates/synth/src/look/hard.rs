//! Hard random looks: random looks with a few of the things by which CAPTCHAs resist recognition, as
//! strong as people can just read them.

use super::palette::Palette;
use super::sections::{Mark, MarkColor, Place};
use super::{Layer, Look, Span};
use crate::random::Random;
use crate::split::Split;

/// The hard looks' part of a random stream's key.
const TAG: u32 = 4;
/// Fewest and most changes that are tried. A small image has no hollow characters, and a change can
/// replace a part of an earlier one.
const CHANGES: (usize, usize) = (2, 4);

/// A change of a look that makes its texts harder to recognize.
type Change = fn(&mut Look, &mut Random);

const ALL: [Change; 13] = [
    waves,
    warp,
    touching_characters,
    stretched_characters,
    turned_characters,
    hollow_characters,
    dark_shadows,
    strokes_through_the_text,
    lines_over_the_text,
    cuts,
    faint_ink,
    dark_gradient,
    blur_and_compression,
];

impl Look {
    /// A hard random look. No hard look of a split is one of another, as with [`Look::random`].
    pub fn random_hard(split: Split, seed: u64) -> Self {
        Self::random_hard_of_series(split, seed, 0)
    }

    /// The hard look with a number of the series of a seed.
    pub(crate) fn random_hard_of_series(split: Split, seed: u64, number: u64) -> Self {
        let mut random = Random::keyed(split.tag(), TAG, seed, number);
        let random = &mut random;
        let mut look = Self::draw_random(random);
        look.name = "random-hard".into();
        look.title = "A hard random look".into();
        let mut changes = ALL.to_vec();
        for _ in 0..random.count(CHANGES.0, CHANGES.1) {
            let change = changes.swap_remove(random.below(changes.len()));
            change(&mut look, random);
        }
        look
    }
}

fn waves(look: &mut Look, random: &mut Random) {
    let (vertical, horizontal) = (random.range(0.05, 0.13), random.range(0.03, 0.09));
    let wavelength = random.range(0.7, 1.5);
    look.distortion.wave_vertical = Span::new(0.5 * vertical, vertical);
    look.distortion.wave_horizontal = Span::new(0.5 * horizontal, horizontal);
    look.distortion.wavelength = Span::new(wavelength, wavelength + random.range(0.3, 1.5));
}

fn warp(look: &mut Look, random: &mut Random) {
    let warp = random.range(0.04, 0.08);
    look.distortion.warp = Span::new(0.5 * warp, warp);
    let turn = 12.0 * random.unit();
    look.distortion.turn = Span::new(-turn, turn);
}

fn touching_characters(look: &mut Look, random: &mut Random) {
    let spacing = random.range(-0.3, -0.12);
    look.layout.spacing = Span::new(spacing, spacing + 0.1);
    look.layout.place = [Place::Center, Place::Left, Place::Random][random.below(3)];
}

fn stretched_characters(look: &mut Look, random: &mut Random) {
    let stretch = if random.bernoulli(0.7) {
        random.range(0.5, 0.75)
    } else {
        random.range(1.2, 1.5)
    };
    look.layout.stretch = Span::new(stretch, stretch + 0.15);
    let size = random.range(0.5, 0.7);
    look.layout.size = Span::new(size, size + 0.15);
}

fn turned_characters(look: &mut Look, random: &mut Random) {
    let (turn, scale) = (random.range(20.0, 40.0), 0.25 * random.unit());
    look.layout.rotation = Span::new(-turn, turn);
    look.layout.scale = Span::new(1.0 - scale, 1.0 + scale);
    look.layout.baseline = Span::new(0.0, random.range(0.05, 0.15));
    look.font.per_character = f32::from(u8::from(random.bernoulli(0.4)));
}

/// Outlines only, some of them with a dark shadow, which makes them look engraved.
fn hollow_characters(look: &mut Look, random: &mut Random) {
    // The lines of small outlines would touch.
    if look.image.height.low < 40.0 {
        return;
    }
    look.outline.hollow = 1.0;
    let width = random.range(0.03, 0.05);
    look.outline.width = Span::new(width, width + 0.02);
    let size = random.range(0.5, 0.65);
    look.layout.size = Span::new(size, size + 0.1);
    if random.bernoulli(0.5) {
        dark_shadows(look, random);
    }
}

/// Shadows as dark as the text.
fn dark_shadows(look: &mut Look, random: &mut Random) {
    let offset = random.range(0.03, 0.09);
    look.shadow.share = 1.0;
    look.shadow.offset = Span::new(offset, offset + 0.03);
    look.shadow.palette = look.ink.palette.clone();
}

fn strokes_through_the_text(look: &mut Look, random: &mut Random) {
    let count = random.range(1.0, 2.5);
    let kind = [Mark::Strike, Mark::Curve, Mark::Across][random.below(3)];
    add(look, kind, count, random.range(0.04, 0.075), MarkColor::Ink);
}

fn lines_over_the_text(look: &mut Look, random: &mut Random) {
    let count = random.range(3.0, 7.0);
    let kind = [Mark::Line, Mark::Curve, Mark::Arc, Mark::Across][random.below(4)];
    add(look, kind, count, random.range(0.02, 0.035), MarkColor::Ink);
    if random.bernoulli(0.4) {
        add(
            look,
            Mark::Dot,
            60.0,
            random.range(0.015, 0.03),
            MarkColor::Ink,
        );
    }
}

/// Lines in the colour of the ground, which cut the characters.
fn cuts(look: &mut Look, random: &mut Random) {
    let count = random.range(1.0, 4.0);
    let kind = [Mark::Line, Mark::Across, Mark::Curve][random.below(3)];
    add(
        look,
        kind,
        count,
        random.range(0.02, 0.045),
        MarkColor::Ground,
    );
}

/// Ink of little contrast.
fn faint_ink(look: &mut Look, random: &mut Random) {
    let lightness = if is_dark(look) {
        Span::new(0.3, 0.6)
    } else {
        Span::new(0.4, 0.75)
    };
    look.ink.palette = Palette::of(Span::new(0.0, 1.0), lightness);
    look.ink.contrast = random.range(0.15, 0.25);
}

/// A ground that goes from dark to light under dark text.
fn dark_gradient(look: &mut Look, random: &mut Random) {
    let darkest = random.range(0.3, 0.6);
    let saturation = Span::new(0.0, 0.6 * random.unit());
    look.ground.palette = Palette::of(saturation, Span::new(darkest, 1.0));
    look.ground.gradient = 1.0;
    look.ink.palette = Palette::of(Span::new(0.0, 1.0), Span::new(0.0, 0.12));
    look.ink.contrast = 0.25;
    look.finish.invert = f32::from(u8::from(random.bernoulli(0.2)));
}

fn blur_and_compression(look: &mut Look, random: &mut Random) {
    let blur = look.image.height.low * random.range(0.012, 0.026);
    look.finish.blur = Span::new(0.5 * blur, blur);
    look.finish.grain = Span::new(0.0, 0.2 * random.unit());
    let quality = random.range(15.0, 40.0);
    look.finish.jpeg = 1.0;
    look.finish.quality = Span::new(quality, quality + 15.0);
}

/// Adds marks over the text. `width` is a share of the image's height.
fn add(look: &mut Look, kind: Mark, count: f32, width: f32, color: MarkColor) {
    let width = (look.image.height.low * width).max(0.8);
    look.clutter.push(Layer {
        kind,
        count: Span::new((0.6 * count).max(1.0), count.max(1.0)),
        width: Span::new(0.7 * width, width),
        size: Span::new(0.3, 1.5),
        over: 1.0,
        color,
        palette: Palette::default(),
        opacity: Span::of(1.0),
    });
}

/// Whether the ground is dark.
fn is_dark(look: &Look) -> bool {
    look.ground.palette.lightness.high < 0.5
}
