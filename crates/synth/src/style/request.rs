//! The arguments of a style.

use crate::fonts::Font;

/// What a style draws.
pub(crate) struct DrawRequest {
    /// The text; empty for a blank image.
    pub(crate) text: String,
    pub(crate) font: &'static Font,
    /// Whether the font is distorted, see [`super::glyph_distortion`].
    pub(crate) distorted: bool,
    pub(crate) clutter: Clutter,
}

/// Overrides of the clutter; `None` leaves the value to the random stream.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Clutter {
    /// Number of strokes.
    pub(crate) strokes: Option<usize>,
    /// Share of the pixels that are noise.
    pub(crate) noise: Option<f32>,
}
