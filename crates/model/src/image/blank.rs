//! Images whose pixels hardly differ.

use image::RgbImage;

/// Largest difference between the values of a colour, 0 to 255, in a blank image.
const BLANK_CONTRAST: u8 = 5;

/// Whether a preprocessed image is blank: its pixels hardly differ, so the right answer is no text.
///
/// # Shapes
///
/// - `values`: the values of one colour after those of another, as
///   [`preprocess`](super::preprocess()) gives them
pub fn is_blank(values: &[f32]) -> bool {
    const LIMIT: f32 = (BLANK_CONTRAST as f32 + 0.5) / 255.0; // between two steps of eight bits
    values
        .chunks_exact((values.len() / 3).max(1))
        .all(|colour| {
            let (mut low, mut high) = (f32::MAX, f32::MIN);
            // Ends at the first contrast: most images have one in their first rows.
            colour.iter().all(|value| {
                low = low.min(*value);
                high = high.max(*value);
                high - low <= LIMIT
            })
        })
}

/// Whether an image is blank at its own size.
pub(super) fn is_blank_image(image: &RgbImage) -> bool {
    contrast(image.pixels().map(|pixel| pixel.0)) <= BLANK_CONTRAST
}

/// Largest difference between the values of a colour.
pub(super) fn contrast(pixels: impl Iterator<Item = [u8; 3]>) -> u8 {
    let (mut low, mut high) = ([u8::MAX; 3], [u8::MIN; 3]);
    for pixel in pixels {
        for (c, value) in pixel.into_iter().enumerate() {
            low[c] = low[c].min(value);
            high[c] = high[c].max(value);
        }
    }
    let spans = low
        .iter()
        .zip(high)
        .map(|(low, high)| high.saturating_sub(*low));
    spans.max().unwrap_or(0)
}
