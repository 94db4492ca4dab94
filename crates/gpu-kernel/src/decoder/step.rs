//! One step of the decoder, computed by one workgroup.

use cubecl::prelude::*;

use super::Decoder;
use super::reduce::{UNITS, highest, sum};

/// Attention, GRU and logits of one step.
///
/// All arguments after `weights` are of this workgroup: `image` is the place in `features` and `keys`,
/// `state` is replaced, `attention` and `logits` are written. They can be read after it.
#[cube]
#[allow(
    clippy::too_many_arguments,
    reason = "a kernel has no structs of buffers"
)]
pub(crate) fn take_step(
    features: &[f32],
    keys: &[f32],
    weights: &[f32],
    image: usize,
    token: u32,
    state: &mut Shared<[f32]>,
    attention: &mut Shared<[f32]>,
    logits: &mut Shared<[f32]>,
    #[comptime] op: Decoder,
) {
    let unit = UNIT_POS as usize;
    let at = comptime!(op.layout());
    let mut partial = Shared::<[f32]>::new_slice(UNITS);
    let mut query = Shared::<[f32]>::new_slice(op.attention);
    let mut context = Shared::<[f32]>::new_slice(op.features);

    product(
        state.inner_ref(),
        weights,
        at.query,
        query.inner_mut(),
        partial.inner_mut(),
        op.units,
        op.attention,
    );
    scores(
        query.inner_ref(),
        keys,
        weights,
        image,
        attention.inner_mut(),
        partial.inner_mut(),
        op,
    );
    softmax(attention, op.positions);
    let of_image = image * (op.positions * op.features);
    product(
        attention.inner_ref(),
        features,
        of_image,
        context.inner_mut(),
        partial.inner_mut(),
        op.positions,
        op.features,
    );
    gru(context.inner_ref(), weights, token, state.inner_mut(), op);
    product(
        state.inner_ref(),
        weights,
        at.output,
        logits.inner_mut(),
        partial.inner_mut(),
        op.units,
        op.vocabulary,
    );
    let mut i = unit;
    while i < op.vocabulary {
        logits[i] += weights[at.bias + i];
        i += UNITS;
    }
    sync_cube();
}

/// Writes logits and attention from `at` on.
#[cube]
pub(crate) fn write_step(
    logits: &mut Shared<[f32]>,
    attention: &mut Shared<[f32]>,
    output: &mut [f32],
    at: usize,
    #[comptime] op: Decoder,
) {
    let mut i = UNIT_POS as usize;
    while i < op.vocabulary {
        output[at + i] = logits[i];
        i += UNITS;
    }
    let mut i = UNIT_POS as usize;
    while i < op.positions {
        output[at + op.vocabulary + i] = attention[i];
        i += UNITS;
    }
}

/// `out = vector M`, with the matrix M, `[rows, cols]`, from `at` on. If it has few columns, the
/// invocations share the rows of a column.
#[cube]
fn product(
    vector: &[f32],
    matrix: &[f32],
    at: usize,
    out: &mut [f32],
    partial: &mut [f32],
    #[comptime] rows: usize,
    #[comptime] cols: usize,
) {
    let unit = UNIT_POS as usize;
    let parts = comptime!((UNITS / cols).max(1));
    if comptime!(parts == 1) {
        let mut col = unit;
        while col < cols {
            let mut sum = 0.0f32;
            for row in 0..rows {
                sum += vector[row] * matrix[at + row * cols + col];
            }
            out[col] = sum;
            col += UNITS;
        }
    } else {
        let length = comptime!(rows.div_ceil(parts));
        let col = unit % cols;
        let first = min(unit / cols * length, rows);
        let mut sum = 0.0f32;
        for row in first..min(first + length, rows) {
            sum += vector[row] * matrix[at + row * cols + col];
        }
        partial[unit] = sum;
        sync_cube();
        if unit < cols {
            out[unit] = total(partial, unit, cols, parts);
        }
    }
    sync_cube();
}

/// The scores of additive attention, `tanh(keys + query) v` (Bahdanau et al. 2015). If there are few
/// positions, the invocations share the dimensions of one.
#[cube]
fn scores(
    query: &[f32],
    keys: &[f32],
    weights: &[f32],
    image: usize,
    out: &mut [f32],
    partial: &mut [f32],
    #[comptime] op: Decoder,
) {
    let unit = UNIT_POS as usize;
    let v = comptime!(op.layout().score);
    let keys_at = image * (op.attention * op.positions);
    let parts = comptime!((UNITS / op.positions).max(1));
    if comptime!(parts == 1) {
        let mut position = unit;
        while position < op.positions {
            let mut sum = 0.0f32;
            for i in 0..op.attention {
                sum +=
                    weights[v + i] * tanh(keys[keys_at + i * op.positions + position] + query[i]);
            }
            out[position] = sum;
            position += UNITS;
        }
    } else {
        let length = comptime!(op.attention.div_ceil(parts));
        let position = unit % op.positions;
        let first = min(unit / op.positions * length, op.attention);
        let mut sum = 0.0f32;
        for i in first..min(first + length, op.attention) {
            sum += weights[v + i] * tanh(keys[keys_at + i * op.positions + position] + query[i]);
        }
        partial[unit] = sum;
        sync_cube();
        if unit < op.positions {
            out[unit] = total(partial, unit, op.positions, parts);
        }
    }
    sync_cube();
}

/// The sum of the parts that invocations have computed of one column.
#[cube]
fn total(
    partial: &mut [f32],
    col: usize,
    #[comptime] cols: usize,
    #[comptime] parts: usize,
) -> f32 {
    let mut sum = 0.0f32;
    for part in 0..parts {
        sum += partial[part * cols + col];
    }
    sum
}

/// Softmax in place.
#[cube]
fn softmax(values: &mut Shared<[f32]>, #[comptime] count: usize) {
    let peak = highest(values.inner_ref(), count);
    sync_cube();
    let mut i = UNIT_POS as usize;
    while i < count {
        values[i] = (values[i] - peak).exp();
        i += UNITS;
    }
    sync_cube();
    let total = sum(values.inner_ref(), count);
    sync_cube();
    let mut i = UNIT_POS as usize;
    while i < count {
        values[i] /= total;
        i += UNITS;
    }
    sync_cube();
}

/// The GRU's next state, in place (Cho et al. 2014; the reset gate after the recurrent product, as in
/// Keras).
#[cube]
fn gru(context: &[f32], weights: &[f32], token: u32, state: &mut [f32], #[comptime] op: Decoder) {
    let at = comptime!(op.layout());
    let (units, gates) = comptime!((op.units, 3 * op.units));
    let rounds = comptime!(op.units.div_ceil(UNITS));
    let mut next = Array::<f32>::new(rounds);
    #[unroll]
    for round in 0..rounds {
        let unit = UNIT_POS as usize + round * UNITS;
        if unit < units {
            let tokens = at.tokens + token as usize * gates + unit;
            let mut update = weights[tokens];
            let mut reset = weights[tokens + units];
            let mut candidate = weights[tokens + 2 * units];
            for i in 0..op.features {
                let value = context[i];
                let row = at.context + i * gates + unit;
                update += value * weights[row];
                reset += value * weights[row + units];
                candidate += value * weights[row + 2 * units];
            }
            let mut recurrent = weights[at.reset + unit];
            let mut previous = 0.0f32;
            if op.carry_state {
                for i in 0..units {
                    let value = state[i];
                    let row = at.state + i * gates + unit;
                    update += value * weights[row];
                    reset += value * weights[row + units];
                    recurrent += value * weights[row + 2 * units];
                }
                previous = state[unit];
            }
            let update = sigmoid(update);
            let candidate = tanh(candidate + sigmoid(reset) * recurrent);
            next[round] = candidate + update * (previous - candidate);
        }
    }
    sync_cube();
    #[unroll]
    for round in 0..rounds {
        let unit = UNIT_POS as usize + round * UNITS;
        if unit < units {
            state[unit] = next[round];
        }
    }
    sync_cube();
}

/// tanh; WGSL's own may give NaN for large values.
#[cube]
fn tanh(x: f32) -> f32 {
    // From here on it is exactly 1.
    let x = clamp(x, -10.0, 10.0);
    1.0 - 2.0 / ((2.0 * x).exp() + 1.0)
}

#[cube]
fn sigmoid(x: f32) -> f32 {
    // The exponential stays finite.
    1.0 / ((-clamp(x, -80.0, 80.0)).exp() + 1.0)
}
