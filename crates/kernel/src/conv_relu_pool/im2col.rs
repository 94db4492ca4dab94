//! Convolution as one matrix product of the filters and all patches, the 3x3 inputs of each
//! channel.

use super::{Band, ConvReluPool};

impl ConvReluPool {
    /// A band's patches of the input: `[taps, positions]`.
    pub(super) fn im2col(&self, band: &Band, x: &[f32], patches: &mut [f32]) {
        self.for_each_row(band, |tap_col, at, source| {
            let row = &mut patches[at..at + band.cols];
            let Some(source) = source else {
                row.fill(0.0);
                return;
            };
            let (first, last) = self.columns_inside(tap_col, band.cols);
            let from = source + first + tap_col - self.padding;
            row[..first].fill(0.0);
            row[first..last].copy_from_slice(&x[from..from + last - first]);
            row[last..].fill(0.0);
        });
    }

    /// The backward pass of [`Self::im2col`]: adds the patches' gradient to the input's.
    #[cfg(feature = "threads")]
    pub(super) fn col2im(&self, band: &Band, patches: &[f32], x: &mut [f32]) {
        self.for_each_row(band, |tap_col, at, source| {
            if let Some(source) = source {
                let (first, last) = self.columns_inside(tap_col, band.cols);
                let from = source + first + tap_col - self.padding;
                let inputs = x[from..from + last - first].iter_mut();
                for (input, value) in inputs.zip(&patches[at + first..at + last]) {
                    *input += value;
                }
            }
        });
    }

    /// Calls `visit` for each row of the patches, which holds the values that one tap takes of one
    /// row of the input: the tap's column, the row's start in the patches, and the start of the
    /// input row, which is `None` in the padding.
    fn for_each_row(&self, band: &Band, mut visit: impl FnMut(usize, usize, Option<usize>)) {
        let mut at = 0;
        for channel in 0..self.channels {
            for (tap_row, tap_col) in (0..9).map(|tap| (tap / 3, tap % 3)) {
                for row in band.start..band.end {
                    visit(tap_col, at, self.input_row(band, channel, row, tap_row));
                    at += band.cols;
                }
            }
        }
    }

    /// The columns of a row of patches that lie inside the input, for a tap of this column.
    fn columns_inside(&self, tap_col: usize, cols: usize) -> (usize, usize) {
        let first = self.padding.saturating_sub(tap_col);
        let last = (self.width + self.padding - tap_col).min(cols);
        (first, last)
    }
}
