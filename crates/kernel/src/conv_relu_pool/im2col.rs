//! The plain way to convolve: one product of all patches, 3x3 inputs of each channel, and filters.

use super::{Layer, Tile};

impl Layer {
    /// A tile's patches of the input: `[taps, positions]`.
    pub(super) fn copy(&self, tile: &Tile, x: &[f32], patches: &mut [f32]) {
        self.stretches(tile, |tap_col, at, source| {
            let row = &mut patches[at..at + tile.cols];
            let Some(source) = source else {
                row.fill(0.0);
                return;
            };
            let (first, last) = self.columns_inside(tap_col, tile.cols);
            let from = source + first + tap_col - self.padding;
            row[..first].fill(0.0);
            row[first..last].copy_from_slice(&x[from..from + last - first]);
            row[last..].fill(0.0);
        });
    }

    /// The other way: adds the patches' gradient to the input's.
    #[cfg(feature = "threads")]
    pub(super) fn copy_back(&self, tile: &Tile, patches: &[f32], x: &mut [f32]) {
        self.stretches(tile, |tap_col, at, source| {
            if let Some(source) = source {
                let (first, last) = self.columns_inside(tap_col, tile.cols);
                let from = source + first + tap_col - self.padding;
                let places = x[from..from + last - first].iter_mut();
                for (place, value) in places.zip(&patches[at + first..at + last]) {
                    *place += value;
                }
            }
        });
    }

    /// Calls `visit` with each stretch of the patches that lies in one row of one plane of the
    /// input: where it is in the patches and in the input; without an input row outside of it.
    fn stretches(&self, tile: &Tile, mut visit: impl FnMut(usize, usize, Option<usize>)) {
        let mut at = 0;
        for channel in 0..self.channels {
            for (tap_row, tap_col) in (0..9).map(|tap| (tap / 3, tap % 3)) {
                for row in tile.start..tile.end {
                    visit(tap_col, at, self.input_row(tile, channel, row, tap_row));
                    at += tile.cols;
                }
            }
        }
    }

    /// The columns of a row of patches that lie in the input, for a tap of this column.
    fn columns_inside(&self, tap_col: usize, cols: usize) -> (usize, usize) {
        let first = self.padding.saturating_sub(tap_col);
        let last = (self.width + self.padding - tap_col).min(cols);
        (first, last)
    }
}
