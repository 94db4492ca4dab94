//! One image to order.

/// What an image is to be like where it should not be left to chance. The rest stays as its index
/// has it, so that one thing can be changed at a time; another text is laid out anew, and what
/// comes after it with it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wishes {
    /// What it says: 1 to 5 letters a to z.
    pub text: Option<String>,
    /// How many characters, where the text is left to chance.
    pub length: Option<usize>,
    /// Name of the face, of either set.
    pub face: Option<String>,
    /// Whether the face is bent out of its shape.
    pub bent: Option<bool>,
    /// How many lines, arcs and dashes, at most [`Wishes::MOST_STROKES`].
    pub strokes: Option<usize>,
    /// Share of the pixels that are speckled, 0 to [`Wishes::MOST_SPECKLE`].
    pub speckle: Option<f32>,
}

impl Wishes {
    /// More strokes than any image of a series has.
    pub const MOST_STROKES: usize = 100;
    /// More speckle than any image of a series has.
    pub const MOST_SPECKLE: f32 = 0.2;
}
