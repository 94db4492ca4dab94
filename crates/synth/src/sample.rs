//! What the generator hands out.

/// One generated image with everything known about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Red, green and blue bytes, row by row from the top left: `3 * width * height` of them.
    pub rgb: Vec<u8>,
    /// What the image says.
    pub text: String,
    /// Name of the face it is set in; `fonts/README.md` tells which family that is.
    pub font: &'static str,
    /// Where each character of `text` stands, in order.
    pub characters: Vec<CharacterBox>,
    /// How many lines, arcs and dashes are drawn.
    pub strokes: u32,
}

/// The box around the ink of one character, in pixels from the image's top left corner. It can
/// reach past the image's edge, as the character does.
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
