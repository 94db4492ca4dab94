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
    /// Groups of four outputs.
    fn groups(&self) -> usize {
        self.outputs.div_ceil(4)
    }

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
        let tiles = images * self.groups() * self.positions.div_ceil(TILE);
        let workgroup = CubeDim::new_1d(WORKGROUP);
        let count = calculate_cube_count_elemwise(client, tiles, workgroup);
        compute::launch(
            client, count, workgroup, x, weights, places, output, tiles, *self,
        );
    }
}

#[cube(launch)]
fn compute(
    x: &[f32],
    weights: &[Four],
    places: &[f32],
    output: &mut [f32],
    tiles: usize,
    #[comptime] op: Dense,
) {
    if ABSOLUTE_POS >= tiles {
        terminate!();
    }
    let groups = comptime!(op.groups());
    let across = comptime!(op.positions.div_ceil(TILE));
    let group = ABSOLUTE_POS % groups;
    let rest = ABSOLUTE_POS / groups;
    let first = rest % across * TILE;
    let image = rest / across;

    let [input_step, position_step] = comptime!(match op.planes_in {
        true => [op.positions, 1],
        false => [1, op.inputs],
    });
    let mut at = Array::<usize>::new(TILE);
    let mut sums = Array::<Four>::new(TILE);
    #[unroll]
    for i in 0..TILE {
        let last = comptime!(op.positions - 1);
        at[i] = image * (op.positions * op.inputs) + min(first + i, last) * position_step;
        sums[i] = weights[op.inputs * groups + group];
    }
    for input in 0..op.inputs {
        let weight = weights[input * groups + group];
        #[unroll]
        for i in 0..TILE {
            sums[i] += Four::new(x[at[i] + input * input_step]) * weight;
        }
    }

    let [output_step, position_step] = comptime!(match op.planes_out {
        true => [op.positions, 1],
        false => [1, op.outputs],
    });
    #[unroll]
    for i in 0..TILE {
        let position = first + i;
        if position < op.positions {
            let mut sum = sums[i];
            if comptime!(op.relu) {
                sum = max(sum, Four::new(0.0));
            }
            #[unroll]
            for part in 0..4usize {
                let column = group * 4 + part;
                if column < op.outputs {
                    let mut value = sum.extract(part);
                    if comptime!(op.places) {
                        value += places[position * op.outputs + column];
                    }
                    output[image * (op.positions * op.outputs)
                        + position * position_step
                        + column * output_step] = value;
                }
            }
        }
    }
}
