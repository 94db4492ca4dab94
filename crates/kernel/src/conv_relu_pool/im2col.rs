//! Convolution as one matrix product of the filters and all patches, the 3x3 inputs of each
//! channel.

use super::{Band, ConvReluPool};

/// A row of the patches: the values that one tap takes of one row of the input.
struct PatchRow {
    /// Column of the tap.
    tap_col: usize,
    /// Start of the row in the patches.
    at: usize,
    /// Start of the row of the input; `None` in the padding.
    source: Option<usize>,
}

impl ConvReluPool {
    /// A band's patches of the input: `[taps, positions]`.
    #[inline(always)]
    pub(super) fn im2col(&self, band: &Band, x: &[f32], patches: &mut [f32]) {
        for PatchRow {
            tap_col,
            at,
            source,
        } in self.patch_rows(band)
        {
            let row = &mut patches[at..at + band.cols];
            let Some(source) = source else {
                row.fill(0.0);
                continue;
            };
            let (first, last) = self.columns_inside(tap_col, band.cols);
            let from = source + first + tap_col - self.padding;
            row[..first].fill(0.0);
            row[first..last].copy_from_slice(&x[from..from + last - first]);
            row[last..].fill(0.0);
        }
    }

    /// The backward pass of [`Self::im2col`]: adds the patches' gradient to the input's.
    #[cfg(feature = "threads")]
    #[inline(always)]
    pub(super) fn col2im(&self, band: &Band, patches: &[f32], x: &mut [f32]) {
        for PatchRow {
            tap_col,
            at,
            source,
        } in self.patch_rows(band)
        {
            if let Some(source) = source {
                let (first, last) = self.columns_inside(tap_col, band.cols);
                let from = source + first + tap_col - self.padding;
                let inputs = x[from..from + last - first].iter_mut();
                for (input, value) in inputs.zip(&patches[at + first..at + last]) {
                    *input += value;
                }
            }
        }
    }

    /// The rows of the patches.
    #[inline(always)]
    fn patch_rows(&self, band: &Band) -> impl Iterator<Item = PatchRow> {
        let taps = (0..self.channels).flat_map(|channel| (0..9).map(move |tap| (channel, tap)));
        let rows = taps.flat_map(move |(channel, tap)| {
            (band.start..band.end).map(move |row| (channel, tap, row))
        });
        let starts = (0..).step_by(band.cols);
        rows.zip(starts)
            .map(move |((channel, tap, row), at)| PatchRow {
                tap_col: tap % 3,
                at,
                source: self.input_row(band, channel, row, tap / 3),
            })
    }

    /// The columns of a row of patches that lie inside the input, for a tap of this column.
    #[inline(always)]
    fn columns_inside(&self, tap_col: usize, cols: usize) -> (usize, usize) {
        let first = self.padding.saturating_sub(tap_col);
        let last = (self.width + self.padding - tap_col).min(cols);
        (first, last)
    }
}
