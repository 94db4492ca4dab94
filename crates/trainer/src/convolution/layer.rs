//! One block's arithmetic on plain slices, a tile of patches at a time.

use rayon::prelude::*;

use super::matrix::{Matrix, multiply};

/// Values in the matrix of patches that is worked on at a time: small enough for the cache, large
/// enough for the matrix product to be efficient.
const PATCH_VALUES: usize = 1 << 18;
/// Positions that a task should have at least; where a map has fewer, a task takes several images.
const TASK_POSITIONS: usize = 512;
/// The route of a position whose value the ReLU has cut off.
const CUT: u8 = u8::MAX;

/// One block's sizes for one batch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layer {
    pub(super) batch: usize,
    pub(super) channels: usize,
    pub(super) height: usize,
    pub(super) width: usize,
    pub(super) filters: usize,
    pub(super) padding: usize,
    pub(super) pool: bool,
}

/// Gradients of the objective.
pub(super) struct LayerGradients {
    /// `[batch, channels, height, width]`, if asked for.
    pub(super) x: Option<Vec<f32>>,
    /// `[filters, channels, 3, 3]`
    pub(super) weight: Vec<f32>,
    /// `[filters]`
    pub(super) bias: Vec<f32>,
}

impl Layer {
    /// Side of a pooling window, one without pooling.
    fn window(&self) -> usize {
        if self.pool { 2 } else { 1 }
    }

    /// Rows and columns of the output.
    pub(super) fn output(&self) -> [usize; 2] {
        [self.height, self.width].map(|size| (size + 2 * self.padding - 2) / self.window())
    }

    /// Rows and columns of the convolved map that matter: pooling drops an odd last one.
    fn convolved(&self) -> [usize; 2] {
        self.output().map(|size| size * self.window())
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
        let step = (fitting / self.window()).max(1) * self.window();
        (0..images * rows).step_by(step).map(move |start| Tile {
            start,
            end: (start + step).min(images * rows),
            rows,
            cols,
        })
    }

    /// The output, and for each of its values where in the window it came from or [`CUT`].
    pub(super) fn forward(&self, x: &[f32], weight: &[f32], bias: &[f32]) -> (Vec<f32>, Vec<u8>) {
        let (x_values, out_values) = self.image_values();
        let images = self.images_per_task();
        let mut output = vec![0.0; self.batch * out_values];
        let mut routes = vec![0; output.len()];
        output
            .par_chunks_mut(images * out_values)
            .zip(routes.par_chunks_mut(images * out_values))
            .zip(x.par_chunks(images * x_values))
            .for_each_init(Scratch::default, |scratch, ((output, routes), x)| {
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
            });
        (output, routes)
    }

    pub(super) fn backward(
        &self,
        x: &[f32],
        weight: &[f32],
        grad: &[f32],
        routes: &[u8],
        wants_x: bool,
    ) -> LayerGradients {
        let (x_values, out_values) = self.image_values();
        let images = self.images_per_task();
        let mut x_grad = wants_x.then(|| vec![0.0; x.len()]);
        let mut x_chunks: Vec<Option<&mut [f32]>> = match &mut x_grad {
            Some(values) => values.chunks_mut(images * x_values).map(Some).collect(),
            None => x.chunks(images * x_values).map(|_| None).collect(),
        };
        let zeros = || {
            let weight = vec![0.0; self.filters * self.taps()];
            (Scratch::default(), weight, vec![0.0; self.filters])
        };
        let (_, weight_grad, bias_grad) = x_chunks
            .par_iter_mut()
            .zip(x.par_chunks(images * x_values))
            .zip(grad.par_chunks(images * out_values))
            .zip(routes.par_chunks(images * out_values))
            .fold(zeros, |mut sums, (((x_grad, x), grad), routes)| {
                let (scratch, weight_grad, bias_grad) = &mut sums;
                for tile in self.tiles(x.len() / x_values) {
                    let positions = tile.positions();
                    let maps = resized(&mut scratch.maps, self.filters * positions);
                    self.unpool(&tile, grad, routes, maps, bias_grad);
                    let patches = resized(&mut scratch.patches, self.taps() * positions);
                    self.gather(&tile, x, patches);
                    multiply(
                        [self.taps(), self.filters, positions],
                        Matrix(patches, positions, 1),
                        Matrix(maps, 1, positions),
                        weight_grad,
                        true,
                    );
                    if let Some(x_grad) = x_grad {
                        multiply(
                            [positions, self.taps(), self.filters],
                            Matrix(maps, 1, positions),
                            Matrix(weight, self.taps(), 1),
                            patches,
                            false,
                        );
                        self.scatter(&tile, patches, x_grad);
                    }
                }
                sums
            })
            .reduce(zeros, |mut sums, other| {
                add(&mut sums.1, &other.1);
                add(&mut sums.2, &other.2);
                sums
            });
        LayerGradients {
            x: x_grad,
            weight: weight_grad,
            bias: bias_grad,
        }
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

    /// The other way: adds the patches' gradients to the input's.
    fn scatter(&self, tile: &Tile, patches: &[f32], x: &mut [f32]) {
        self.stretches(tile, |tap_col, at, source| {
            if let Some(source) = source {
                let (first, last) = self.inside(tap_col, tile.cols);
                let from = source + first + tap_col - self.padding;
                add(
                    &mut x[from..from + last - first],
                    &patches[at + first..at + last],
                );
            }
        });
    }

    /// Calls `visit` for each row of the output that a tile makes: its filter, where it starts in
    /// the output, where its window starts in the tile's maps.
    fn output_rows(&self, tile: &Tile, mut visit: impl FnMut(usize, usize, usize)) {
        let [rows, cols] = self.output();
        let window = self.window();
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
            if self.pool {
                let (upper, lower) = maps[from..from + 2 * tile.cols].split_at(tile.cols);
                let windows = upper.chunks_exact(2).zip(lower.chunks_exact(2));
                for ((value, route), (upper, lower)) in places.zip(windows) {
                    // The first of equal values in reading order, as burn has it.
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
            } else {
                for ((value, route), map) in places.zip(&maps[from..from + cols]) {
                    (*value, *route) = rectified(map + bias, 0);
                }
            }
        });
    }

    /// The other way: the gradient of the convolved maps, and the bias's added to its sum.
    fn unpool(&self, tile: &Tile, grad: &[f32], routes: &[u8], maps: &mut [f32], bias: &mut [f32]) {
        let [_, cols] = self.output();
        self.output_rows(tile, |filter, to, from| {
            let places = grad[to..to + cols].iter().zip(&routes[to..to + cols]);
            let mut sum = 0.0;
            if self.pool {
                let rows = &mut maps[from..from + 2 * tile.cols];
                let (upper, lower) = rows.split_at_mut(tile.cols);
                let windows = upper.chunks_exact_mut(2).zip(lower.chunks_exact_mut(2));
                for ((grad, route), (upper, lower)) in places.zip(windows) {
                    let at = |place: u8| if *route == place { *grad } else { 0.0 };
                    upper[0] = at(0);
                    upper[1] = at(1);
                    lower[0] = at(2);
                    lower[1] = at(3);
                    sum += if *route == CUT { 0.0 } else { *grad };
                }
            } else {
                for ((grad, route), map) in places.zip(&mut maps[from..from + cols]) {
                    *map = if *route == CUT { 0.0 } else { *grad };
                    sum += *map;
                }
            }
            bias[filter] += sum;
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

fn add(sums: &mut [f32], values: &[f32]) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum += value;
    }
}
