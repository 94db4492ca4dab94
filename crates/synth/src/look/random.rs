//! Random looks: any look of the whole space, so that training never sees the same one for long and
//! tests have looks that no training had. The ranges below keep the text readable for people.

use super::palette::Palette;
use super::sections::{Distortion, Finish, Frame, Ground, Ink, Layer, Mark, MarkColor, Pen};
use super::sections::{Layout, Outline, Place, Shadow, Texts, Typeface};
use super::{Look, Span};
use crate::alphabet::LONGEST_TEXT;
use crate::fonts::FontCategory;
use crate::random::Random;
use crate::split::Split;

/// The random looks' part of a random stream's key.
const TAG: u32 = 3;

/// Alphabets with their frequencies in percent.
const ALPHABETS: [(&str, usize); 7] = [
    ("0-9", 20),
    ("a-z", 18),
    ("A-Z", 14),
    ("a-z0-9", 14),
    ("A-Z0-9", 14),
    ("A-Za-z", 6),
    ("0-9A-Za-z", 14),
];

/// Characters that many fonts draw alike.
const AMBIGUOUS: &str = "0Oo1lI";

impl Look {
    /// A random look. The split is part of the key of its random stream, as with images: no test
    /// look is a training look, whatever the seeds.
    pub fn random(split: Split, seed: u64) -> Self {
        Self::random_of_series(split, seed, 0)
    }

    /// The look with a number of the series of a seed.
    pub(crate) fn random_of_series(split: Split, seed: u64, number: u64) -> Self {
        Self::draw_random(&mut Random::keyed(split.tag(), TAG, seed, number))
    }

    /// Draws all values of a look.
    pub(super) fn draw_random(random: &mut Random) -> Self {
        let text = draw_texts(random);
        // Large images are rarer.
        let height = random.range(26.0, 64.0) + 40.0 * random.unit() * random.unit();
        let dark = random.bernoulli(0.2);
        let layout = draw_layout(height, random);
        let distortion = draw_distortion(random);
        let outline = draw_outline(height, random);
        Self {
            name: "random".into(),
            title: "A random look".into(),
            pen: Pen::Outline,
            image: draw_frame(height, random),
            ground: draw_ground(dark, random),
            ink: draw_ink(dark, random),
            font: draw_typeface(random),
            clutter: draw_clutter(height, dark, random),
            shadow: draw_shadow(dark, random),
            finish: draw_finish(height, random),
            text,
            layout,
            distortion,
            outline,
        }
    }
}

/// A range from `low` upwards, `extent` wide at most.
fn upwards(low: f32, extent: f32, random: &mut Random) -> Span {
    Span::new(low, low + extent * random.unit())
}

/// A range about 0, up to `most` to either side, in a share of the looks.
fn about_zero(share: f32, most: f32, random: &mut Random) -> Span {
    let reach = most * random.unit();
    if random.bernoulli(share) {
        Span::new(-reach, reach)
    } else {
        Span::of(0.0)
    }
}

/// A range from 0 up to at most `most`, in a share of the looks.
fn from_zero(share: f32, most: f32, random: &mut Random) -> Span {
    let reach = most * random.unit();
    if random.bernoulli(share) {
        Span::new(0.3 * reach, reach)
    } else {
        Span::of(0.0)
    }
}

/// 1 in a share of the looks, else 0.
fn always_or_never(share: f32, random: &mut Random) -> f32 {
    f32::from(u8::from(random.bernoulli(share)))
}

fn draw_texts(random: &mut Random) -> Texts {
    let mut ticket = random.below(100);
    let (alphabet, _) = ALPHABETS
        .iter()
        .find(|&&(_, weight)| {
            let found = ticket < weight;
            ticket = ticket.wrapping_sub(weight);
            found
        })
        .unwrap_or(&ALPHABETS[0]);
    let all = crate::alphabet::expand_alphabet(alphabet).unwrap_or_default();
    let one_kind = all.len() <= 26;
    let clear = random.bernoulli(0.85) && !one_kind;
    let kept = all
        .chars()
        .filter(|&one| !(clear && AMBIGUOUS.contains(one)));
    let long = random.bernoulli(0.07);
    let low = if long {
        random.count(8, LONGEST_TEXT - 2)
    } else {
        random.count(3, 6)
    };
    let more = random.count(0, 2);
    let fixed = random.bernoulli(0.5);
    Texts {
        alphabet: kept.collect(),
        length: Span::new(low as f32, (low + if fixed { 0 } else { more }) as f32),
        words: false,
    }
}

fn draw_frame(height: f32, random: &mut Random) -> Frame {
    let width_per_character = (height * random.range(0.4, 0.75)).max(14.0);
    let margin = height * random.range(0.3, 1.2);
    Frame {
        width: Span::of(margin.max(12.0)),
        height: Span::of(height),
        width_per_character,
        smooth: always_or_never(0.85, random),
        border: always_or_never(0.15, random),
    }
}

fn draw_ground(dark: bool, random: &mut Random) -> Ground {
    let white = random.bernoulli(0.3);
    let saturation = upwards(0.0, 0.9, random);
    let lightness = match (dark, white) {
        (true, _) => Span::new(0.02, random.range(0.05, 0.3)),
        (false, true) => Span::of(1.0),
        (false, false) => Span::new(random.range(0.75, 0.95), 1.0),
    };
    Ground {
        palette: Palette::of(saturation, lightness),
        gradient: always_or_never(0.2, random) * random.range(0.3, 1.0),
    }
}

fn draw_ink(dark: bool, random: &mut Random) -> Ink {
    let saturation = upwards(0.0, 1.0, random);
    let lightness = if dark {
        Span::new(random.range(0.65, 0.9), 1.0)
    } else {
        Span::new(0.0, random.range(0.1, 0.5))
    };
    Ink {
        palette: Palette::of(saturation, lightness),
        per_character: always_or_never(0.35, random),
        contrast: random.range(0.36, 0.5),
        opacity: Span::of(1.0),
    }
}

fn draw_typeface(random: &mut Random) -> Typeface {
    use FontCategory::{Brush, Marker, Mono, Pen, Sans, Serif};
    let of_many = [Brush, Marker, Pen, Sans, Serif, Mono]
        .into_iter()
        .filter(|category| {
            let print = matches!(category, Sans | Serif | Mono);
            random.bernoulli(if print { 0.5 } else { 0.25 })
        });
    let categories: Vec<_> = of_many.collect();
    let weight = random.range(-0.01, 0.05);
    Typeface {
        categories,
        per_character: always_or_never(0.15, random),
        weight: upwards(weight, 0.04, random),
        distorted: always_or_never(0.3, random) * random.range(0.3, 1.0),
    }
}

fn draw_layout(height: f32, random: &mut Random) -> Layout {
    // A small image has no room for small characters.
    let least = if height < 36.0 { 0.5 } else { 0.38 };
    let low = random.range(least, 0.6);
    let spacing = random.range(-0.09, 0.15);
    let places = [
        Place::Center,
        Place::Left,
        Place::Random,
        Place::Spread,
        Place::Cells,
    ];
    let evenness = 0.15 * random.unit() * random.unit();
    Layout {
        size: upwards(low, 0.15, random),
        stretch: Span::new(random.range(0.85, 1.0), random.range(1.0, 1.2)),
        slant: about_zero(0.3, 0.2, random),
        rotation: about_zero(0.7, 28.0, random),
        scale: Span::new(1.0 - evenness, 1.0 + evenness),
        baseline: from_zero(0.6, 0.12, random),
        spacing: upwards(spacing, 0.2, random),
        place: places[random.below(places.len())],
        margin: random.range(0.04, 0.1),
    }
}

fn draw_distortion(random: &mut Random) -> Distortion {
    let wave_vertical = from_zero(0.35, 0.09, random);
    let wave_horizontal = from_zero(0.3, 0.06, random);
    let calm = wave_vertical.is_zero() && wave_horizontal.is_zero();
    let wavelength = random.range(0.8, 1.6);
    Distortion {
        wave_vertical,
        wave_horizontal,
        wavelength: upwards(wavelength, 2.0, random),
        shear: about_zero(0.25, 0.25, random),
        turn: about_zero(0.2, 8.0, random),
        arch: about_zero(0.2, 0.15, random),
        taper: about_zero(0.2, 0.3, random),
        warp: from_zero(if calm { 0.4 } else { 0.1 }, 0.05, random),
    }
}

fn draw_outline(height: f32, random: &mut Random) -> Outline {
    let lightness = upwards(0.0, 1.0, random);
    let width = random.range(0.03, 0.05);
    Outline {
        // The lines of small outlines would touch.
        hollow: always_or_never(if height < 44.0 { 0.0 } else { 0.12 }, random),
        edged: always_or_never(0.1, random),
        width: upwards(width, 0.03, random),
        palette: Palette::of(Span::new(0.0, 1.0), lightness),
    }
}

fn draw_shadow(dark: bool, random: &mut Random) -> Shadow {
    let offset = random.range(0.03, 0.06);
    Shadow {
        share: always_or_never(0.15, random) * random.range(0.5, 1.0),
        offset: upwards(offset, 0.04, random),
        palette: Palette::of(Span::new(0.0, 0.5), near_ground(dark)),
    }
}

/// Lightness of marks that must not hide the text.
fn near_ground(dark: bool) -> Span {
    if dark {
        Span::new(0.2, 0.4)
    } else {
        Span::new(0.62, 0.85)
    }
}

fn draw_clutter(height: f32, dark: bool, random: &mut Random) -> Vec<Layer> {
    let count = random.below(5);
    (0..count)
        .map(|_| draw_layer(height, dark, random))
        .collect()
}

/// Marks of one kind: as many, as wide and as dark as the text bears.
fn draw_layer(height: f32, dark: bool, random: &mut Random) -> Layer {
    // Kind, most marks, widest mark as a share of the height, and largest size.
    const KINDS: [(Mark, f32, f32, f32); 11] = [
        (Mark::Line, 6.0, 0.035, 2.5),
        (Mark::Across, 3.0, 0.035, 1.0),
        (Mark::Curve, 3.0, 0.04, 1.3),
        (Mark::Strike, 1.0, 0.045, 0.8),
        (Mark::Arc, 4.0, 0.035, 1.3),
        (Mark::Circle, 5.0, 0.03, 0.6),
        (Mark::Dot, 40.0, 0.035, 1.0),
        (Mark::Specks, 0.04, 0.02, 1.0),
        (Mark::Grid, 1.0, 0.02, 0.4),
        (Mark::Triangle, 10.0, 0.02, 0.6),
        (Mark::Character, 20.0, 0.02, 0.2),
    ];
    let (kind, most, widest, largest) = KINDS[random.below(KINDS.len())];
    let count = most * random.range(0.3, 1.0);
    let width = (height * widest * random.range(0.4, 1.0)).max(0.8);
    let behind_only = matches!(kind, Mark::Triangle | Mark::Character | Mark::Grid);
    let over = if behind_only { 0.0 } else { random.unit() };
    let like_text = random.bernoulli(0.4) && !behind_only;
    let color = match random.below(4) {
        0 if !behind_only => MarkColor::Ground,
        _ if like_text => MarkColor::Ink,
        _ => MarkColor::Own,
    };
    let size = largest * random.range(0.4, 0.7);
    Layer {
        kind,
        count: Span::new(0.6 * count, count),
        width: upwards(width, 0.5 * width, random),
        size: upwards(size, largest - size, random),
        over,
        color,
        palette: Palette::of(Span::new(0.0, 1.0), near_ground(dark)),
        opacity: Span::of(random.range(0.5, 1.0)),
    }
}

fn draw_finish(height: f32, random: &mut Random) -> Finish {
    let quality = random.range(35.0, 80.0);
    Finish {
        blur: from_zero(0.4, 0.014 * height, random),
        grain: from_zero(0.3, 0.12, random),
        jpeg: always_or_never(0.35, random),
        quality: upwards(quality, 20.0, random),
        invert: 0.0,
    }
}
