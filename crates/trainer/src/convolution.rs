//! The blocks' arithmetic in training on the CPU: 3x3 convolution, max-pooling and ReLU in one
//! pass forward and one pass back.
//!
//! The values are those of [`ConvBlock::activate`]; a test holds the two together. What is gained:
//! the map between convolution and pooling, the largest in a block, never leaves the cache, and
//! the gradient of the weights is a product of the matrices it is one of. (burn's own takes that
//! gradient by a convolution whose kernel is the whole image, twice the time of the forward pass.)

use std::sync::Arc;

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::autodiff::{NodeId, checkpoint::strategy::NoCheckpointing};
use burn::backend::flex::FlexTensor;
use burn::backend::{Autodiff, Flex};
use burn::tensor::{Tensor, TensorData};
use captcha_model::encoder::ConvBlock;
use rayon::prelude::*;

/// Values in the matrix of patches that is worked on at a time: small enough for the cache, large
/// enough for the matrix product to be efficient.
const PATCH_VALUES: usize = 1 << 18;
/// Positions that a task should have at least; where a map has fewer, a task takes several images.
const TASK_POSITIONS: usize = 512;
/// The route of a position whose value the ReLU has cut off.
const CUT: u8 = u8::MAX;

/// As [`ConvBlock::activate`], by this module's kernel where the tensor is in training on the CPU.
pub fn activate(block: &ConvBlock, x: Tensor<4>) -> Tensor<4> {
    type Training = Autodiff<Flex, NoCheckpointing>;
    let (Some(bias), Ok(input)) = (
        block.conv.bias.as_ref(),
        x.clone().try_into_primitive::<Training>(),
    ) else {
        return block.activate(x);
    };
    let (Ok(weight), Ok(bias)) = (
        block.conv.weight.val().try_into_primitive::<Training>(),
        bias.val().try_into_primitive::<Training>(),
    ) else {
        return block.activate(x);
    };
    let [batch, channels, height, width] = x.dims();
    let [filters, ..] = block.conv.weight.dims();
    let layer = Layer {
        batch,
        channels,
        height,
        width,
        filters,
        padding: usize::from(block.padded()),
        pool: block.pools_first(),
    };
    let (output, routes) =
        layer.forward_tensor(input.primitive(), weight.primitive(), bias.primitive());
    let output = match Activate
        .prepare::<NoCheckpointing>([input.node(), weight.node(), bias.node()])
        .compute_bound()
        .stateful()
    {
        OpsKind::Tracked(mut prep) => {
            let (input_state, weight_state) = (prep.checkpoint(&input), prep.checkpoint(&weight));
            prep.finish((layer, input_state, weight_state, Arc::new(routes)), output)
        }
        OpsKind::UnTracked(prep) => prep.finish(output),
    };
    Tensor::from_primitive::<Training>(output)
}

/// The operation, for burn's autodiff.
#[derive(Debug)]
struct Activate;

impl Backward<Flex, 3> for Activate {
    type State = (Layer, NodeId, NodeId, Arc<Vec<u8>>);

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let [node_x, node_weight, node_bias] = ops.parents;
        let grad = grads.consume::<Flex>(&ops.node).to_contiguous();
        let (layer, x, weight, routes) = ops.state;
        let x: FlexTensor = checkpointer.retrieve_node_output(x);
        let weight: FlexTensor = checkpointer.retrieve_node_output(weight);
        let (x, weight) = (x.to_contiguous(), weight.to_contiguous());
        let gradients = layer.backward(
            x.storage(),
            weight.storage(),
            grad.storage(),
            &routes,
            node_x.is_some(),
        );
        let Layer {
            batch,
            channels,
            height,
            width,
            filters,
            ..
        } = layer;
        if let (Some(node), Some(values)) = (node_x, gradients.x) {
            let grad = tensor(values, [batch, channels, height, width]);
            grads.register::<Flex>(node.id, grad);
        }
        if let Some(node) = node_weight {
            let grad = tensor(gradients.weight, [filters, channels, 3, 3]);
            grads.register::<Flex>(node.id, grad);
        }
        if let Some(node) = node_bias {
            grads.register::<Flex>(node.id, tensor(gradients.bias, [filters]));
        }
    }
}

fn tensor<const D: usize>(values: Vec<f32>, shape: [usize; D]) -> FlexTensor {
    FlexTensor::from_data(TensorData::new(values, shape))
}

/// One block's sizes for one batch.
#[derive(Clone, Copy, Debug)]
struct Layer {
    batch: usize,
    channels: usize,
    height: usize,
    width: usize,
    filters: usize,
    padding: usize,
    pool: bool,
}

/// Gradients of the objective.
struct LayerGradients {
    /// `[batch, channels, height, width]`, if asked for.
    x: Option<Vec<f32>>,
    /// `[filters, channels, 3, 3]`
    weight: Vec<f32>,
    /// `[filters]`
    bias: Vec<f32>,
}

impl Layer {
    /// Side of a pooling window, one without pooling.
    fn window(&self) -> usize {
        if self.pool { 2 } else { 1 }
    }

    /// Rows and columns of the output.
    fn output(&self) -> [usize; 2] {
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

    fn forward_tensor(
        &self,
        x: &FlexTensor,
        weight: &FlexTensor,
        bias: &FlexTensor,
    ) -> (FlexTensor, Vec<u8>) {
        let (x, weight, bias) = (
            x.to_contiguous(),
            weight.to_contiguous(),
            bias.to_contiguous(),
        );
        let (values, routes) = self.forward(x.storage(), weight.storage(), bias.storage());
        let [rows, cols] = self.output();
        let shape = [self.batch, self.filters, rows, cols];
        (tensor(values, shape), routes)
    }

    /// The output, and for each of its values where in the window it came from or [`CUT`].
    fn forward(&self, x: &[f32], weight: &[f32], bias: &[f32]) -> (Vec<f32>, Vec<u8>) {
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

    fn backward(
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
                    let left_low = lower[0] > upper[0];
                    let right_low = lower[1] > upper[1];
                    let left = if left_low { lower[0] } else { upper[0] };
                    let right = if right_low { lower[1] } else { upper[1] };
                    let is_right = right > left;
                    let best = if is_right { right } else { left } + bias;
                    let low = if is_right { right_low } else { left_low };
                    let place = 2 * u8::from(low) + u8::from(is_right);
                    *route = if best > 0.0 { place } else { CUT };
                    *value = best.max(0.0);
                }
            } else {
                for ((value, route), map) in places.zip(&maps[from..from + cols]) {
                    let sum = map + bias;
                    *route = if sum > 0.0 { 0 } else { CUT };
                    *value = sum.max(0.0);
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

fn resized(values: &mut Vec<f32>, len: usize) -> &mut [f32] {
    values.resize(len, 0.0);
    values
}

fn add(sums: &mut [f32], values: &[f32]) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum += value;
    }
}

/// Values with the distance from row to row and from column to column.
struct Matrix<'a>(&'a [f32], usize, usize);

impl Matrix<'_> {
    fn holds(&self, rows: usize, cols: usize) -> bool {
        (rows - 1) * self.1 + (cols - 1) * self.2 < self.0.len()
    }
}

/// `product (+)= a b`, of `[m, k]` and `[k, n]`; the product column by column.
#[expect(
    unsafe_code,
    reason = "gemm has no safe interface; what it needs is asserted"
)]
fn multiply([m, n, k]: [usize; 3], a: Matrix, b: Matrix, product: &mut [f32], accumulate: bool) {
    assert!(m > 0 && n > 0 && k > 0 && a.holds(m, k) && b.holds(k, n));
    assert_eq!(product.len(), m * n);
    // SAFETY: every row and column of the three matrices lies in its slice, and the product, a
    // mutable slice, overlaps neither of the others.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            product.as_mut_ptr(),
            m as isize,
            1,
            accumulate,
            a.0.as_ptr(),
            a.2 as isize,
            a.1 as isize,
            b.0.as_ptr(),
            b.2 as isize,
            b.1 as isize,
            1.0,
            1.0,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}
