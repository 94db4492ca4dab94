//! The output of the generator.

/// One generated image with its ground truth.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Red, green and blue bytes, row by row from the top left: `3 * width * height` of them.
    pub rgb: Vec<u8>,
    /// The text.
    pub text: String,
    /// Name of the font; `fonts/README.md` lists its family.
    pub font: &'static str,
    /// The bounding box of each character of `text`, in order.
    pub characters: Vec<CharacterBox>,
    /// Number of lines, arcs and dashes.
    pub strokes: u32,
}

/// Bounding box of the ink of one character, in pixels from the image's top left corner. It extends
/// beyond the image if the character does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CharacterBox {
    /// The character.
    pub character: char,
    /// Left edge.
    pub x: f32,
    /// Top edge.
    pub y: f32,
    /// Width.
    pub width: f32,
    /// Height.
    pub height: f32,
}
