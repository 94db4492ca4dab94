//! The sections of a look file. Shares are between 0 and 1; a range is a number or
//! `[lowest, highest]`, and a value of it is drawn for each image, or for each character where that
//! is said.

use serde::{Deserialize, Serialize};

use super::palette::Palette;
use super::span::Span;
use crate::fonts::FontCategory;

/// Who draws the characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Pen {
    /// The renderer that all other sections describe.
    #[default]
    Outline,
    /// The code of the look `words`. Networks were trained on exactly its images, so it does not
    /// change, and the look has no other sections than `text`.
    Words,
    /// The code of the look `waves`, likewise.
    Waves,
}

/// Size and edges of the image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Frame {
    /// Width in pixels.
    pub(crate) width: Span,
    /// Height in pixels.
    pub(crate) height: Span,
    /// Pixels of width that each character adds.
    pub(crate) width_per_character: f32,
    /// Share of images with anti-aliased edges; the others have hard ones.
    pub(crate) smooth: f32,
    /// Share of images with a border line of one pixel.
    pub(crate) border: f32,
}

impl Default for Frame {
    fn default() -> Self {
        Self {
            width: Span::of(160.0),
            height: Span::of(60.0),
            width_per_character: 0.0,
            smooth: 1.0,
            border: 0.0,
        }
    }
}

/// The texts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Texts {
    /// The characters; `a-z` stands for all from a to z.
    pub(crate) alphabet: String,
    /// Number of characters of a text, 1 to 16.
    pub(crate) length: Span,
    /// Words of the built-in list instead of random characters.
    #[serde(default)]
    pub(crate) words: bool,
}

/// The ground.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Ground {
    /// Its colour.
    pub(crate) palette: Palette,
    /// Share of images whose ground fades into a second colour of the palette.
    pub(crate) gradient: f32,
}

impl Default for Ground {
    fn default() -> Self {
        Self {
            palette: Palette::of(Span::of(0.0), Span::of(1.0)),
            gradient: 0.0,
        }
    }
}

/// The colour of the characters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Ink {
    /// The colour.
    pub(crate) palette: Palette,
    /// Share of images in which each character has a colour of its own.
    pub(crate) per_character: f32,
    /// Smallest difference in brightness between ground and ink, 0 to 1. Closer colours are drawn
    /// anew, so that people can read the text.
    pub(crate) contrast: f32,
    /// Opacity, 0 to 1.
    pub(crate) opacity: Span,
}

impl Default for Ink {
    fn default() -> Self {
        Self {
            palette: Palette::default(),
            per_character: 0.0,
            contrast: 0.35,
            opacity: Span::of(1.0),
        }
    }
}

/// The fonts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Typeface {
    /// Categories of the fonts; none for all of them.
    pub(crate) categories: Vec<FontCategory>,
    /// Share of images in which each character has a font of its own.
    pub(crate) per_character: f32,
    /// Growth of the outlines, in heights of an x; negative makes them thinner.
    pub(crate) weight: Span,
    /// Share of images whose font is distorted.
    pub(crate) distorted: f32,
}

impl Default for Typeface {
    fn default() -> Self {
        Self {
            categories: Vec::new(),
            per_character: 0.0,
            weight: Span::of(0.0),
            distorted: 0.0,
        }
    }
}

/// Where the characters stand.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Layout {
    /// Height of a capital, as a share of the image's height. A text that would not fit is made
    /// smaller.
    pub(crate) size: Span,
    /// Widening of all characters: 1 is none.
    pub(crate) stretch: Span,
    /// Slant of all characters: 0.2 is about an italic.
    pub(crate) slant: Span,
    /// Rotation of each character, in degrees.
    pub(crate) rotation: Span,
    /// Enlargement of each character: 1 is none.
    pub(crate) scale: Span,
    /// Largest shift of each character up or down, as a share of the image's height.
    pub(crate) baseline: Span,
    /// Gap before each character, as a share of a capital's height. Characters overlap if it is
    /// negative.
    pub(crate) spacing: Span,
    /// Where the text stands.
    pub(crate) place: Place,
    /// Room at the edges, as a share of the image's height.
    pub(crate) margin: f32,
}

impl Default for Layout {
    fn default() -> Self {
        Self {
            size: Span::of(0.5),
            stretch: Span::of(1.0),
            slant: Span::of(0.0),
            rotation: Span::of(0.0),
            scale: Span::of(1.0),
            baseline: Span::of(0.0),
            spacing: Span::of(0.15),
            place: Place::Center,
            margin: 0.05,
        }
    }
}

/// Where a text stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Place {
    /// In the middle.
    Center,
    /// At the left edge.
    Left,
    /// Anywhere.
    Random,
    /// Spread over the image, from edge to edge.
    Spread,
    /// Each character in the middle of a cell; all cells have the same width.
    Cells,
}

/// Displacements of the whole text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Distortion {
    /// Amplitude of a sine wave along the text that moves it up and down, as a share of the image's
    /// height.
    pub(crate) wave_vertical: Span,
    /// Amplitude of a sine wave down the text that moves it left and right.
    pub(crate) wave_horizontal: Span,
    /// Length of the waves, in heights of the image.
    pub(crate) wavelength: Span,
    /// Slant of the whole text: 0.2 is about an italic.
    pub(crate) shear: Span,
    /// Rotation of the whole text, in degrees.
    pub(crate) turn: Span,
    /// Height of the arch that the text follows, as a share of the image's height; negative bends
    /// it downwards.
    pub(crate) arch: Span,
    /// Growth of the text from left to right: 0.5 makes the right end half as large again.
    pub(crate) taper: Span,
    /// Amplitude of an irregular displacement, as a share of the image's height.
    pub(crate) warp: Span,
}

impl Default for Distortion {
    fn default() -> Self {
        let none = Span::of(0.0);
        Self {
            wave_vertical: none,
            wave_horizontal: none,
            wavelength: Span::new(1.0, 3.0),
            shear: none,
            turn: none,
            arch: none,
            taper: none,
            warp: none,
        }
    }
}

/// Lines around the characters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Outline {
    /// Share of images whose characters are drawn as outlines only.
    pub(crate) hollow: f32,
    /// Share of images whose characters have an outline of another colour.
    pub(crate) edged: f32,
    /// Width of the outline, as a share of a capital's height.
    pub(crate) width: Span,
    /// The other colour.
    pub(crate) palette: Palette,
}

impl Default for Outline {
    fn default() -> Self {
        Self {
            hollow: 0.0,
            edged: 0.0,
            width: Span::of(0.05),
            palette: Palette::default(),
        }
    }
}

/// Shadows of the characters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Shadow {
    /// Share of images with a shadow.
    pub(crate) share: f32,
    /// How far it lies to the right of the characters and below them, as a share of a capital's
    /// height.
    pub(crate) offset: Span,
    /// Its colour.
    pub(crate) palette: Palette,
}

impl Default for Shadow {
    fn default() -> Self {
        Self {
            share: 0.0,
            offset: Span::new(0.03, 0.08),
            palette: Palette::of(Span::of(0.0), Span::new(0.5, 0.8)),
        }
    }
}

/// One layer of marks behind or over the text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Layer {
    /// What the marks are.
    pub(crate) kind: Mark,
    /// Number of marks; for `specks` the share of the pixels; a grid has one.
    pub(crate) count: Span,
    /// Width of a line, radius of a dot, or size of a speck, in pixels.
    #[serde(default = "one_pixel")]
    pub(crate) width: Span,
    /// Length, radius, or cell of a mark, as a share of the image's height, where it has one.
    #[serde(default = "half_height")]
    pub(crate) size: Span,
    /// Share of the marks over the text; the others lie behind it.
    #[serde(default)]
    pub(crate) over: f32,
    /// The colour.
    #[serde(default)]
    pub(crate) color: MarkColor,
    /// The colours, if `color` is `own`.
    #[serde(default)]
    pub(crate) palette: Palette,
    /// Opacity, 0 to 1.
    #[serde(default = "opaque")]
    pub(crate) opacity: Span,
}

fn one_pixel() -> Span {
    Span::of(1.0)
}

fn half_height() -> Span {
    Span::of(0.5)
}

fn opaque() -> Span {
    Span::of(1.0)
}

/// Kinds of marks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Mark {
    /// Straight lines between two points.
    Line,
    /// Straight lines from the left edge to the right one.
    Across,
    /// Curves from the left edge to the right one.
    Curve,
    /// Curves through the text.
    Strike,
    /// Parts of ellipses.
    Arc,
    /// Circles.
    Circle,
    /// Filled circles.
    Dot,
    /// Single pixels or small squares.
    Specks,
    /// A net of lines.
    Grid,
    /// Filled triangles.
    Triangle,
    /// Small characters.
    Character,
}

impl Mark {
    /// Whether it counts as a stroke.
    pub(crate) fn is_stroke(self) -> bool {
        matches!(
            self,
            Self::Line | Self::Across | Self::Curve | Self::Strike | Self::Arc | Self::Circle
        )
    }
}

/// The colour of a mark.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum MarkColor {
    /// A colour of the layer's palette, for each mark.
    #[default]
    Own,
    /// The colour of the text.
    Ink,
    /// The colour of the ground: over the text, such marks cut it.
    Ground,
}

/// What is done to the finished picture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Finish {
    /// Standard deviation of the blur, in pixels.
    pub(crate) blur: Span,
    /// Largest change of a pixel by grain, 0 to 1.
    pub(crate) grain: Span,
    /// Share of images with the losses of JPEG.
    pub(crate) jpeg: f32,
    /// Quality of JPEG, 1 to 100.
    pub(crate) quality: Span,
    /// Share of images whose colours are inverted.
    pub(crate) invert: f32,
}

impl Default for Finish {
    fn default() -> Self {
        Self {
            blur: Span::of(0.0),
            grain: Span::of(0.0),
            jpeg: 0.0,
            quality: Span::new(60.0, 95.0),
            invert: 0.0,
        }
    }
}
