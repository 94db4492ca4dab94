//! A block of the encoder in one dispatch (paper, "Encoder").

use cubecl::calculate_cube_count_elemwise;
use cubecl::client::Client;
use cubecl::prelude::*;

use crate::four::Four;

/// Invocations of a workgroup.
const WORKGROUP: u32 = 64;
/// Rows and columns of the convolution's output that an invocation computes, for four filters. So it
/// loads a weight once for eight products, and a value of the input for 18 on average.
const TILE: [usize; 2] = [2, 4];

/// 3x3 convolution, ReLU, batch norm with running statistics, and max-pooling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ConvBlock {
    /// Channels of the input.
    pub channels: usize,
    /// Rows of the input.
    pub height: usize,
    /// Columns of the input.
    pub width: usize,
    /// Channels of the output.
    pub filters: usize,
    /// Zeros on each side of the input: 0 or 1.
    pub padding: usize,
    /// Rows and columns of the pooling window, each 1 or 2.
    pub window: [usize; 2],
    /// Whether pooling comes before batch norm, and not after it.
    pub pool_first: bool,
}

impl ConvBlock {
    /// Whether the kernel can compute the block.
    pub fn fits(&self) -> bool {
        let small = |size: usize| size == 1 || size == 2;
        let edge = 2 * self.padding;
        self.padding <= 1
            && small(self.window[0])
            && small(self.window[1])
            && self.height + edge >= 2 + self.window[0]
            && self.width + edge >= 2 + self.window[1]
    }

    /// Rows and columns of the output.
    pub fn output(&self) -> [usize; 2] {
        let edge = 2 * self.padding;
        [
            (self.height + edge - 2) / self.window[0],
            (self.width + edge - 2) / self.window[1],
        ]
    }

    /// Tiles in a column and in a row of the output.
    fn tiles(&self) -> [usize; 2] {
        let [rows, cols] = self.output();
        [
            (rows * self.window[0]).div_ceil(TILE[0]),
            (cols * self.window[1]).div_ceil(TILE[1]),
        ]
    }

    /// Computes the block.
    ///
    /// # Shapes
    ///
    /// - `x`: `[images, channels, height, width]`
    /// - `weights`: `[9 * channels + 3, filters]`, filled up with zeros to a multiple of four columns:
    ///   the weights of each channel's nine taps, row by row, then bias, and scale and shift of batch
    ///   norm
    /// - `output`: `[images, filters, rows, cols]`; see [`ConvBlock::output`]
    pub fn launch(&self, client: &Client, images: usize, [x, weights, output]: [BufferArg; 3]) {
        let [down, across] = self.tiles();
        let [rows, cols] = self.output();
        let groups = self.filters.div_ceil(4);
        let tiles = images * groups * down * across;
        let workgroup = CubeDim::new_1d(WORKGROUP);
        compute::launch(
            client,
            calculate_cube_count_elemwise(client, tiles, workgroup),
            workgroup,
            x,
            weights,
            output,
            SizesLaunch::new(
                tiles,
                down,
                across,
                self.channels,
                self.height,
                self.width,
                self.filters,
                rows,
                cols,
            ),
            Variant {
                padding: self.padding,
                window: self.window,
                pool_first: self.pool_first,
            },
        );
    }
}

/// What a shader is compiled for. The sizes are not part of it, so that blocks share shaders.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Variant {
    padding: usize,
    window: [usize; 2],
    pool_first: bool,
}

#[derive(CubeType, CubeLaunch)]
struct Sizes {
    /// Tiles of all images.
    tiles: usize,
    /// Tiles in a column and in a row.
    down: usize,
    across: usize,
    /// Of the input.
    channels: usize,
    height: usize,
    width: usize,
    /// Of the output.
    filters: usize,
    rows: usize,
    cols: usize,
}

#[cube(launch)]
fn compute(x: &[f32], weights: &[Four], output: &mut [f32], sizes: Sizes, #[comptime] op: Variant) {
    if ABSOLUTE_POS >= sizes.tiles {
        terminate!();
    }
    let (tile_rows, tile_cols) = comptime!((TILE[0], TILE[1]));
    let groups = sizes.filters.div_ceil(4);
    let tile_col = ABSOLUTE_POS % sizes.across;
    let rest = ABSOLUTE_POS / sizes.across;
    let tile_row = rest % sizes.down;
    let rest = rest / sizes.down;
    let group = rest % groups;
    let image = rest / groups;
    let top = tile_row * tile_rows;
    let left = tile_col * tile_cols;

    // Where the rows and columns of the tile's input are; outside of the image they count as zeros.
    let [in_rows, in_cols] = comptime!([TILE[0] + 2, TILE[1] + 2]);
    let mut row_at = Array::<usize>::new(in_rows);
    let mut row_inside = Array::<f32>::new(in_rows);
    #[unroll]
    for row in 0..in_rows {
        let y = top + row;
        let inside = y >= op.padding && y < sizes.height + op.padding;
        row_at[row] = select(inside, (y - op.padding) * sizes.width, 0);
        row_inside[row] = select(inside, 1.0, 0.0);
    }
    let mut col_at = Array::<usize>::new(in_cols);
    let mut col_inside = Array::<f32>::new(in_cols);
    #[unroll]
    for col in 0..in_cols {
        let x = left + col;
        let inside = x >= op.padding && x < sizes.width + op.padding;
        col_at[col] = select(inside, x - op.padding, 0);
        col_inside[col] = select(inside, 1.0, 0.0);
    }

    let outputs = comptime!(TILE[0] * TILE[1]);
    let mut sums = Array::<Four>::new(outputs);
    #[unroll]
    for i in 0..outputs {
        sums[i] = Four::new(0.0);
    }
    for channel in 0..sizes.channels {
        let plane = (image * sizes.channels + channel) * (sizes.height * sizes.width);
        let mut values = Array::<f32>::new(comptime!(in_rows * in_cols));
        #[unroll]
        for row in 0..in_rows {
            #[unroll]
            for col in 0..in_cols {
                values[row * in_cols + col] =
                    x[plane + row_at[row] + col_at[col]] * (row_inside[row] * col_inside[col]);
            }
        }
        #[unroll]
        for tap in 0..9usize {
            let weight = weights[(channel * 9 + tap) * groups + group];
            #[unroll]
            for i in 0..outputs {
                let row = comptime!(i / TILE[1] + tap / 3);
                let col = comptime!(i % TILE[1] + tap % 3);
                sums[i] += Four::new(values[comptime!(row * in_cols + col)]) * weight;
            }
        }
    }

    let after = sizes.channels * 9;
    let bias = weights[after * groups + group];
    let scale = weights[(after + 1) * groups + group];
    let shift = weights[(after + 2) * groups + group];
    let zero = Four::new(0.0);
    let (rows, cols) = (sizes.rows, sizes.cols);
    let [window_rows, window_cols] = comptime!(op.window);
    #[unroll]
    for i in 0..comptime!(TILE[0] / window_rows) {
        #[unroll]
        for j in 0..comptime!(TILE[1] / window_cols) {
            let first = comptime!(i * window_rows * TILE[1] + j * window_cols);
            let mut pooled = sums[first];
            if comptime!(!op.pool_first) {
                pooled = max(pooled + bias, zero) * scale + shift;
            }
            #[unroll]
            for k in 1..comptime!(window_rows * window_cols) {
                let other = comptime!(first + k / window_cols * TILE[1] + k % window_cols);
                let mut value = sums[other];
                if comptime!(!op.pool_first) {
                    value = max(value + bias, zero) * scale + shift;
                }
                pooled = max(pooled, value);
            }
            if comptime!(op.pool_first) {
                pooled = max(pooled + bias, zero) * scale + shift;
            }
            let y = top / window_rows + i;
            let x = left / window_cols + j;
            if y < rows && x < cols {
                #[unroll]
                for part in 0..4usize {
                    let filter = group * 4 + part;
                    if filter < sizes.filters {
                        output[((image * sizes.filters + filter) * rows + y) * cols + x] =
                            pooled.extract(part);
                    }
                }
            }
        }
    }
}
