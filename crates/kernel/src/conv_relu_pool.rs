//! One block's arithmetic on plain slices, a tile of patches at a time.

use std::borrow::Cow;
use std::cell::RefCell;

#[cfg(feature = "threads")]
use rayon::prelude::*;

use crate::matrix::{Matrix, multiply};

#[cfg(feature = "threads")]
mod backward;
mod direct;
mod winograd;

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

    /// How many matrix products the convolution is, and how long their sums are.
    fn products(&self) -> (usize, usize) {
        if self.by_winograd() {
            (winograd::PLACES, self.channels)
        } else {
            (1, 9 * self.channels)
        }
    }

    /// Columns of each product for a tile.
    fn columns(&self, tile: &Tile) -> usize {
        if self.by_winograd() {
            tile.positions() / 4
        } else {
            tile.positions()
        }
    }

    /// The weights, `[filters, channels, 3, 3]`, as [`Layer::forward`] takes them.
    ///
    /// # Panics
    ///
    /// If the slice has not this size.
    pub fn prepare<'a>(&self, weight: &'a [f32]) -> Cow<'a, [f32]> {
        assert_eq!(weight.len(), 9 * self.filters * self.channels);
        if self.by_winograd() {
            Cow::Owned(winograd::transform(weight))
        } else {
            Cow::Borrowed(weight)
        }
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
        let (places, taps) = self.products();
        // Two rows at a time suit every window and Winograd's patches.
        let two_rows = if self.by_winograd() {
            cols / 2
        } else {
            2 * cols
        };
        let step = (PATCH_VALUES / (places * taps * two_rows)).max(1) * 2;
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
    /// - `weight`: `[filters, channels, 3, 3]`, [prepared](Layer::prepare)
    /// - `bias`: `[filters]`
    ///
    /// # Panics
    ///
    /// If the slices have not these sizes.
    pub fn forward(&self, x: &[f32], weight: &[f32], bias: &[f32]) -> (Vec<f32>, Vec<u8>) {
        let (x_values, out_values) = self.image_values();
        assert_eq!(x.len(), self.batch * x_values);
        let (places, taps) = self.products();
        assert_eq!(weight.len(), places * self.filters * taps);
        assert_eq!(bias.len(), self.filters);
        let images = self.images_per_task();
        let mut output = vec![0.0; self.batch * out_values];
        let mut routes = vec![0; output.len()];
        let task = |((output, routes), x): ((&mut [f32], &mut [u8]), &[f32])| {
            SCRATCH.with_borrow_mut(|scratch| {
                for tile in self.tiles(x.len() / x_values) {
                    let maps = self.convolve(&tile, scratch, x, weight);
                    self.pool(&tile, maps, bias, output, routes);
                }
            });
        };
        #[cfg(feature = "threads")]
        output
            .par_chunks_mut(images * out_values)
            .zip(routes.par_chunks_mut(images * out_values))
            .zip(x.par_chunks(images * x_values))
            .for_each(task);
        #[cfg(not(feature = "threads"))]
        output
            .chunks_mut(images * out_values)
            .zip(routes.chunks_mut(images * out_values))
            .zip(x.chunks(images * x_values))
            .for_each(task);
        (output, routes)
    }

    /// The convolved map of a tile: `[filters, positions]`.
    fn convolve<'a>(
        &self,
        tile: &Tile,
        scratch: &'a mut Scratch,
        x: &[f32],
        weight: &[f32],
    ) -> &'a [f32] {
        let ((places, taps), columns) = (self.products(), self.columns(tile));
        let patches = resized(&mut scratch.patches, places * taps * columns);
        self.gather(tile, x, &mut scratch.lines, patches);
        let products = resized(&mut scratch.products, places * self.filters * columns);
        for ((product, patches), weight) in products
            .chunks_exact_mut(self.filters * columns)
            .zip(patches.chunks_exact(taps * columns))
            .zip(weight.chunks_exact(self.filters * taps))
        {
            multiply(
                [columns, self.filters, taps],
                Matrix(patches, 1, columns),
                Matrix(weight, 1, taps),
                product,
                false,
            );
        }
        if !self.by_winograd() {
            return products;
        }
        let maps = resized(&mut scratch.maps, self.filters * tile.positions());
        Self::fold(tile, products, &mut scratch.lines, maps);
        maps
    }

    /// A tile's patches of the input: `[places, taps, columns]`.
    fn gather(&self, tile: &Tile, x: &[f32], lines: &mut Vec<f32>, patches: &mut [f32]) {
        if self.by_winograd() {
            self.spread(tile, x, lines, patches);
        } else {
            self.copy(tile, x, patches);
        }
    }

    /// Where the `step`th row of the input that a row of the convolved map sees starts, if there is
    /// one.
    fn input_row(&self, tile: &Tile, channel: usize, row: usize, step: usize) -> Option<usize> {
        let (image, row) = (row / tile.rows, row % tile.rows);
        (row + step)
            .checked_sub(self.padding)
            .filter(|row| *row < self.height)
            .map(|row| ((image * self.channels + channel) * self.height + row) * self.width)
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

    /// Pairs of rows.
    fn pairs(&self) -> usize {
        (self.end - self.start) / 2
    }
}

thread_local! {
    /// Kept from one batch to the next: to clear fresh memory takes longer than to use it. What a tile
    /// takes is bounded, but for very wide blocks.
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// Memory that a thread uses again for each tile.
#[derive(Default)]
struct Scratch {
    /// `[places, taps, columns]`
    patches: Vec<f32>,
    /// `[places, filters, columns]`
    products: Vec<f32>,
    /// `[filters, positions]`
    maps: Vec<f32>,
    /// A few rows.
    lines: Vec<f32>,
}

/// ReLU of a value and its route. What is not a number stays so, to be seen.
fn rectified(value: f32, route: u8) -> (f32, u8) {
    if value <= 0.0 {
        (0.0, CUT)
    } else {
        (value, route)
    }
}

/// The first `len` values, whatever they are.
fn resized(values: &mut Vec<f32>, len: usize) -> &mut [f32] {
    if values.len() < len {
        values.resize(len, 0.0);
    }
    &mut values[..len]
}
