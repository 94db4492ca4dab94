//! Options for one image.

/// Overrides for one image. A field that is `None` keeps the value that the seed and the index give,
/// so that one property can change while the others stay. Another text changes the layout, and with
/// it everything that is drawn after the text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SampleOverrides {
    /// The text: 1 to 5 letters a to z.
    pub text: Option<String>,
    /// Number of characters of a random text.
    pub length: Option<usize>,
    /// Name of the font, of any set.
    pub font: Option<String>,
    /// Whether the font is distorted.
    pub distorted: Option<bool>,
    /// Number of lines, arcs and dashes, at most [`SampleOverrides::MAX_STROKES`].
    pub strokes: Option<usize>,
    /// Share of the pixels that are noise, 0 to [`SampleOverrides::MAX_NOISE`].
    pub noise: Option<f32>,
}

impl SampleOverrides {
    /// Largest number of strokes. Images without overrides have fewer.
    pub const MAX_STROKES: usize = 100;
    /// Largest share of noise. Images without overrides have less.
    pub const MAX_NOISE: f32 = 0.2;
}
