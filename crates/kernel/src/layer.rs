//! One block's arithmetic on plain slices, a tile of patches at a time.

#[cfg(feature = "threads")]
use rayon::prelude::*;

use crate::matrix::{Matrix, multiply};

#[cfg(feature = "threads")]
mod backward;

#[cfg(feature = "threads")]
pub use backward::LayerGradients;

/// Values in the matrix of patches that is worked on at a time: small enough for the cache, large
/// enough for the matrix product to be efficient.
const PATCH_VALUES: usize = 1 << 18;
/// Positions that a task should have at least; where a map has fewer, a task takes several images.
const TASK_POSITIONS: usize = 512;
/// The route of a position whose value the ReLU has cut off.
const CUT: u8 = u8::MAX;

/// One block's sizes for one batch.
#[derive(Clone, Copy, Debug)]
pub struct Layer {
    /// Images.
    pub batch: usize,
    /// Channels of the input.
    pub channels: usize,
    /// Rows of the input.
    pub height: usize,
    /// Columns of the input.
    pub width: usize,
    /// Filters, which are the output's channels.
    pub filters: usize,
    /// Zeros on each side: 0 or 1.
    pub padding: usize,
    /// Rows and columns of the pooling window: 1x1, 2x1 or 2x2.
    pub window: [usize; 2],
}

impl Layer {
    /// Rows and columns of the output.
    pub fn output(&self) -> [usize; 2] {
        let [rows, cols] = self.window;
        [
            (self.height + 2 * self.padding - 2) / rows,
            (self.width + 2 * self.padding - 2) / cols,
        ]
    }

    /// Rows and columns of the convolved map that matter: pooling drops an odd last one.
    fn convolved(&self) -> [usize; 2] {
        let ([rows, cols], [window_rows, window_cols]) = (self.output(), self.window);
        [rows * window_rows, cols * window_cols]
    }

    /// Taps of one filter.
    fn taps(&self) -> usize {
        9 * self.channels
    }

    /// Images that a task works on.
    fn images_per_task(&self) -> usize {
        let [rows, cols] = self.convolved();
        TASK_POSITIONS.div_ceil(rows * cols).min(self.batch)
    }

    /// Values of one image: of the input, of the output.
    fn image_values(&self) -> (usize, usize) {
        let [rows, cols] = self.output();
        (
            self.channels * self.height * self.width,
            self.filters * rows * cols,
        )
    }

    /// The stretches of rows, over all images of a task one after the other, whose patches are
    /// worked on at a time.
    fn tiles(&self, images: usize) -> impl Iterator<Item = Tile> {
        let [rows, cols] = self.convolved();
        let fitting = PATCH_VALUES / (self.taps() * cols);
        let [window_rows, _] = self.window;
        let step = (fitting / window_rows).max(1) * window_rows;
        (0..images * rows).step_by(step).map(move |start| Tile {
            start,
            end: (start + step).min(images * rows),
            rows,
            cols,
        })
    }

    /// The output, `[batch, filters, rows, cols]`, and for each of its values where in the window
    /// it came from, which the way back asks for.
    ///
    /// # Shapes
    ///
    /// - `x`: `[batch, channels, height, width]`
    /// - `weight`: `[filters, channels, 3, 3]`
    /// - `bias`: `[filters]`
    ///
    /// # Panics
    ///
    /// If the slices have not these sizes.
    pub fn forward(&self, x: &[f32], weight: &[f32], bias: &[f32]) -> (Vec<f32>, Vec<u8>) {
        let (x_values, out_values) = self.image_values();
        assert_eq!(x.len(), self.batch * x_values);
        assert_eq!(weight.len(), self.filters * self.taps());
        assert_eq!(bias.len(), self.filters);
        let images = self.images_per_task();
        let mut output = vec![0.0; self.batch * out_values];
        let mut routes = vec![0; output.len()];
        let task = |scratch: &mut Scratch, output: &mut [f32], routes: &mut [u8], x: &[f32]| {
            for tile in self.tiles(x.len() / x_values) {
                let positions = tile.positions();
                let patches = resized(&mut scratch.patches, self.taps() * positions);
                self.gather(&tile, x, patches);
                let maps = resized(&mut scratch.maps, self.filters * positions);
                multiply(
                    [positions, self.filters, self.taps()],
                    Matrix(patches, 1, positions),
                    Matrix(weight, 1, self.taps()),
                    maps,
                    false,
                );
                self.pool(&tile, maps, bias, output, routes);
            }
        };
        #[cfg(feature = "threads")]
        output
            .par_chunks_mut(images * out_values)
            .zip(routes.par_chunks_mut(images * out_values))
            .zip(x.par_chunks(images * x_values))
            .for_each_init(Scratch::default, |scratch, ((output, routes), x)| {
                task(scratch, output, routes, x);
            });
        #[cfg(not(feature = "threads"))]
        {
            let mut scratch = Scratch::default();
            for ((output, routes), x) in output
                .chunks_mut(images * out_values)
                .zip(routes.chunks_mut(images * out_values))
                .zip(x.chunks(images * x_values))
            {
                task(&mut scratch, output, routes, x);
            }
        }
        (output, routes)
    }

    /// Calls `visit` with each stretch of the patches that lies in one row of one plane of the
    /// input: where it is in the patches and in the input; without an input row outside of it.
    fn stretches(&self, tile: &Tile, mut visit: impl FnMut(usize, usize, Option<usize>)) {
        for channel in 0..self.channels {
            for tap_row in 0..3 {
                for tap_col in 0..3 {
                    let tap = (channel * 3 + tap_row) * 3 + tap_col;
                    let mut at = tap * tile.positions();
                    for row in tile.start..tile.end {
                        let (image, row) = (row / tile.rows, row % tile.rows);
                        let source = (row + tap_row)
                            .checked_sub(self.padding)
                            .filter(|row| *row < self.height)
                            .map(|row| {
                                ((image * self.channels + channel) * self.height + row) * self.width
                            });
                        visit(tap_col, at, source);
                        at += tile.cols;
                    }
                }
            }
        }
    }

    /// The columns of a row of patches that lie in the input, for a tap of this column.
    fn inside(&self, tap_col: usize, cols: usize) -> (usize, usize) {
        let first = self.padding.saturating_sub(tap_col);
        let last = (self.width + self.padding - tap_col).min(cols);
        (first, last)
    }

    /// Patches of the input: `[taps, positions]`.
    fn gather(&self, tile: &Tile, x: &[f32], patches: &mut [f32]) {
        self.stretches(tile, |tap_col, at, source| {
            let row = &mut patches[at..at + tile.cols];
            let Some(source) = source else {
                row.fill(0.0);
                return;
            };
            let (first, last) = self.inside(tap_col, tile.cols);
            let from = source + first + tap_col - self.padding;
            row[..first].fill(0.0);
            row[first..last].copy_from_slice(&x[from..from + last - first]);
            row[last..].fill(0.0);
        });
    }

    /// Calls `visit` for each row of the output that a tile makes: its filter, where it starts in
    /// the output, where its window starts in the tile's maps.
    fn output_rows(&self, tile: &Tile, mut visit: impl FnMut(usize, usize, usize)) {
        let [rows, cols] = self.output();
        let [window, _] = self.window;
        for filter in 0..self.filters {
            for row in (tile.start..tile.end).step_by(window) {
                let (image, out_row) = (row / tile.rows, row % tile.rows / window);
                let to = ((image * self.filters + filter) * rows + out_row) * cols;
                let from = filter * tile.positions() + (row - tile.start) * tile.cols;
                visit(filter, to, from);
            }
        }
    }

    fn pool(&self, tile: &Tile, maps: &[f32], bias: &[f32], output: &mut [f32], routes: &mut [u8]) {
        let [_, cols] = self.output();
        self.output_rows(tile, |filter, to, from| {
            let output = &mut output[to..to + cols];
            let routes = &mut routes[to..to + cols];
            let bias = bias[filter];
            let places = output.iter_mut().zip(routes);
            let [window_rows, window_cols] = self.window;
            // One row of windows: the rows under it, one or two.
            let maps = &maps[from..from + window_rows * tile.cols];
            let (upper, lower) = maps.split_at(tile.cols);
            // The first of equal values in reading order, as burn has it.
            match (window_rows, window_cols) {
                (1, _) => {
                    for ((value, route), map) in places.zip(upper) {
                        (*value, *route) = rectified(map + bias, 0);
                    }
                }
                (_, 1) => {
                    for ((value, route), (upper, lower)) in places.zip(upper.iter().zip(lower)) {
                        let is_lower = lower > upper;
                        let best = if is_lower { lower } else { upper } + bias;
                        (*value, *route) = rectified(best, 2 * u8::from(is_lower));
                    }
                }
                _ => {
                    let windows = upper.chunks_exact(2).zip(lower.chunks_exact(2));
                    for ((value, route), (upper, lower)) in places.zip(windows) {
                        let upper_right = upper[1] > upper[0];
                        let lower_right = lower[1] > lower[0];
                        let upper = if upper_right { upper[1] } else { upper[0] };
                        let lower = if lower_right { lower[1] } else { lower[0] };
                        let is_lower = lower > upper;
                        let best = if is_lower { lower } else { upper } + bias;
                        let is_right = if is_lower { lower_right } else { upper_right };
                        let place = 2 * u8::from(is_lower) + u8::from(is_right);
                        (*value, *route) = rectified(best, place);
                    }
                }
            }
        });
    }
}

/// A stretch of rows of the convolved map, counted over the images of a task.
struct Tile {
    start: usize,
    end: usize,
    /// Rows of one image.
    rows: usize,
    cols: usize,
}

impl Tile {
    fn positions(&self) -> usize {
        (self.end - self.start) * self.cols
    }
}

/// Memory that a task uses again for each tile.
#[derive(Default)]
struct Scratch {
    /// `[taps, positions]`
    patches: Vec<f32>,
    /// `[filters, positions]`
    maps: Vec<f32>,
}

/// ReLU of a value and its route. What is not a number stays so, to be seen.
fn rectified(value: f32, route: u8) -> (f32, u8) {
    if value <= 0.0 {
        (0.0, CUT)
    } else {
        (value, route)
    }
}

fn resized(values: &mut Vec<f32>, len: usize) -> &mut [f32] {
    values.resize(len, 0.0);
    values
}
