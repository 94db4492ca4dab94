//! Squares of pixels to channels.

/// Pixel unshuffle: of each square of `side` by `side` pixels, the pixel in its row `i` and column
/// `j` goes to channel `side * side * channel + side * i + j`, as burn's `PixelUnshuffle` has it.
///
/// # Shapes
///
/// - `x`: `[batch * channels, height, width]`
/// - output: `[batch * channels * side * side, height / side, width / side]`
///
/// # Panics
///
/// If the slice is not made of such planes, or they are not made of such squares.
pub fn unshuffle(x: &[f32], [height, width]: [usize; 2], side: usize) -> Vec<f32> {
    assert!(height.is_multiple_of(side) && width.is_multiple_of(side));
    assert!(x.len().is_multiple_of(height * width));
    let mut output = Vec::with_capacity(x.len());
    for plane in x.chunks_exact(height * width) {
        for (row, col) in (0..side * side).map(|place| (place / side, place % side)) {
            for line in plane.chunks_exact(width).skip(row).step_by(side) {
                output.extend(line.chunks_exact(side).map(|square| square[col]));
            }
        }
    }
    output
}
