//! Max-pooling, ReLU and batch norm.

use super::ConvReluPool;
use super::band::Band;
use super::transforms::TILE_OUTPUTS;

/// The pool index of an output that the ReLU has set to zero.
const INACTIVE: u8 = u8::MAX;

impl ConvReluPool {
    /// Pooling and activation of a row of tiles.
    #[inline(always)]
    pub(super) fn pool(
        &self,
        band: &Band,
        [filter, tile_row]: [usize; 2],
        map: &[&mut [f32]; TILE_OUTPUTS],
        activation: Activation,
        output: &mut [f32],
        mut pool_indices: Option<&mut [u8]>,
    ) {
        let ([_, cols], [window_rows, window_cols]) = (self.output(), self.window);
        for (row, to) in self.output_rows(band, filter, tile_row) {
            let output = &mut output[to..to + cols];
            let indices = pool_indices
                .as_deref_mut()
                .map(|indices| &mut indices[to..to + cols]);
            let upper = &map[row][..cols * window_cols];
            let lower = &map[row + window_rows - 1][..cols * window_cols];
            // Of equal values the first in reading order counts, as in burn.
            match (window_rows, window_cols) {
                (1, _) => {
                    let values = upper.iter().map(|map| activation.of(*map, 0));
                    store(output, indices, values);
                }
                (_, 1) => {
                    let maxima = upper.iter().zip(lower).map(|(upper, lower)| {
                        let is_lower = lower > upper;
                        let max = if is_lower { lower } else { upper };
                        activation.of(*max, 2 * u8::from(is_lower))
                    });
                    store(output, indices, maxima);
                }
                _ => {
                    let windows = upper.chunks_exact(2).zip(lower.chunks_exact(2));
                    let maxima = windows.map(|(upper, lower)| {
                        let upper_right = upper[1] > upper[0];
                        let lower_right = lower[1] > lower[0];
                        let upper = if upper_right { upper[1] } else { upper[0] };
                        let lower = if lower_right { lower[1] } else { lower[0] };
                        let is_lower = lower > upper;
                        let max = if is_lower { lower } else { upper };
                        let is_right = if is_lower { lower_right } else { upper_right };
                        activation.of(max, 2 * u8::from(is_lower) + u8::from(is_right))
                    });
                    store(output, indices, maxima);
                }
            }
        }
    }
}

/// Writes values, and their pool indices if asked for.
#[inline(always)]
fn store(output: &mut [f32], indices: Option<&mut [u8]>, values: impl Iterator<Item = (f32, u8)>) {
    let outputs = output.iter_mut();
    match indices {
        Some(indices) => {
            for ((output, index), value) in outputs.zip(indices).zip(values) {
                (*output, *index) = value;
            }
        }
        None => {
            for (output, (value, _)) in outputs.zip(values) {
                *output = value;
            }
        }
    }
}

/// What follows the pooling of a filter's map: bias, ReLU and batch norm.
#[derive(Clone, Copy)]
pub(super) struct Activation {
    pub(super) bias: f32,
    pub(super) factor: f32,
    pub(super) summand: f32,
}

impl Activation {
    /// The activation of a value, with its pool index. The ReLU keeps NaN, so that it is noticed.
    #[inline(always)]
    fn of(self, value: f32, pool_index: u8) -> (f32, u8) {
        let value = value + self.bias;
        let (relu, index) = if value <= 0.0 {
            (0.0, INACTIVE)
        } else {
            (value, pool_index)
        };
        (relu * self.factor + self.summand, index)
    }
}
