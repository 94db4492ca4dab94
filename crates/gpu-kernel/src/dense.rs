//! A dense layer at each position of the grid, in one dispatch.

use cubecl::calculate_cube_count_elemwise;
use cubecl::client::Client;
use cubecl::prelude::*;

use crate::four::Four;

/// Invocations of a workgroup.
const WORKGROUP: u32 = 64;
/// Positions that an invocation computes, for four outputs.
const TILE: usize = 4;

/// `y = x W + b` at each position; with `relu` also ReLU, and with `places` the sum with a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Dense {
    /// Positions of the grid.
    pub positions: usize,
    /// Values of a position before the layer.
    pub inputs: usize,
    /// Values of a position after the layer.
    pub outputs: usize,
    /// Whether the input is `[inputs, positions]` and not `[positions, inputs]`.
    pub planes_in: bool,
    /// Whether the output is `[outputs, positions]` and not `[positions, outputs]`.
    pub planes_out: bool,
    /// Whether ReLU follows.
    pub relu: bool,
    /// Whether a value of each position and output is added after that.
    pub places: bool,
}

impl Dense {
    /// Computes the layer.
    ///
    /// # Shapes
    ///
    /// - `x`: `[images, positions, inputs]`, or `[images, inputs, positions]`
    /// - `weights`: `[inputs + 1, outputs]`, filled up to a multiple of four columns: the weights, then
    ///   the bias
    /// - `places`: `[positions, outputs]`; not read without [`Dense::places`]
    /// - `output`: `[images, positions, outputs]`, or `[images, outputs, positions]`
    pub fn launch(
        &self,
        client: &Client,
        images: usize,
        [x, weights, places, output]: [BufferArg; 4],
    ) {
        let tiles = images * self.outputs.div_ceil(4) * self.positions.div_ceil(TILE);
        let workgroup = CubeDim::new_1d(WORKGROUP);
        compute::launch(
            client,
            calculate_cube_count_elemwise(client, tiles, workgroup),
            workgroup,
            x,
            weights,
            places,
            output,
            SizesLaunch::new(tiles, self.positions, self.inputs, self.outputs),
            Variant {
                planes_in: self.planes_in,
                planes_out: self.planes_out,
                relu: self.relu,
                places: self.places,
            },
        );
    }
}

/// What a shader is compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Variant {
    planes_in: bool,
    planes_out: bool,
    relu: bool,
    places: bool,
}

#[derive(CubeType, CubeLaunch)]
struct Sizes {
    /// Tiles of all images.
    tiles: usize,
    positions: usize,
    inputs: usize,
    outputs: usize,
}

#[cube(launch)]
fn compute(
    x: &[f32],
    weights: &[Four],
    places: &[f32],
    output: &mut [f32],
    sizes: Sizes,
    #[comptime] op: Variant,
) {
    if ABSOLUTE_POS >= sizes.tiles {
        terminate!();
    }
    let (positions, inputs, outputs) = (sizes.positions, sizes.inputs, sizes.outputs);
    let groups = outputs.div_ceil(4);
    let across = positions.div_ceil(TILE);
    let group = ABSOLUTE_POS % groups;
    let rest = ABSOLUTE_POS / groups;
    let first = rest % across * TILE;
    let image = rest / across;

    let mut input_step = 1usize.runtime();
    let mut position_step = inputs;
    if comptime!(op.planes_in) {
        input_step = positions;
        position_step = 1usize.runtime();
    }
    let mut at = Array::<usize>::new(TILE);
    let mut sums = Array::<Four>::new(TILE);
    #[unroll]
    for i in 0..TILE {
        at[i] = image * (positions * inputs) + min(first + i, positions - 1) * position_step;
        sums[i] = weights[inputs * groups + group];
    }
    for input in 0..inputs {
        let weight = weights[input * groups + group];
        #[unroll]
        for i in 0..TILE {
            sums[i] += Four::new(x[at[i] + input * input_step]) * weight;
        }
    }

    let mut output_step = 1usize.runtime();
    let mut position_step = outputs;
    if comptime!(op.planes_out) {
        output_step = positions;
        position_step = 1usize.runtime();
    }
    #[unroll]
    for i in 0..TILE {
        let position = first + i;
        if position < positions {
            let mut sum = sums[i];
            if comptime!(op.relu) {
                sum = max(sum, Four::new(0.0));
            }
            #[unroll]
            for part in 0..4usize {
                let column = group * 4 + part;
                if column < outputs {
                    let mut value = sum.extract(part);
                    if comptime!(op.places) {
                        value += places[position * outputs + column];
                    }
                    output[image * (positions * outputs)
                        + position * position_step
                        + column * output_step] = value;
                }
            }
        }
    }
}
