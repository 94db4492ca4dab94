//! A step of beam search in one dispatch, a workgroup for each text of an image's beam.

use cubecl::prelude::*;

use super::Decoder;
use super::reduce::{UNITS, first_highest, highest, sum};
use super::step::{take_step, write_step};

/// Values of a row after logits and attention: the text that it continues, its last token, the
/// logarithm of its probability, and the logarithm of the sum of its exponentials.
pub(super) const EXTRA: usize = 4;

/// Below every logarithm of a probability.
const LOWEST: f32 = -3e38;

/// Takes a step with one text. First finds which text this is: of all texts of the step before, each
/// with one more character, that with the row's place in the order of probability.
#[cube(launch)]
pub(super) fn beam_step(
    features: &[f32],
    keys: &[f32],
    weights: &[f32],
    states: &mut [f32],
    record: &mut [f32],
    // Where the beams are in the record.
    start: usize,
    steps: usize,
    number: usize,
    width: usize,
    // Texts of the step before.
    open: usize,
    temperature: f32,
    #[comptime] op: Decoder,
) {
    let (row, rows) = (CUBE_POS_X as usize, CUBE_COUNT_X as usize);
    let (image, images) = (CUBE_POS_Y as usize, CUBE_COUNT_Y as usize);
    let unit = UNIT_POS as usize;
    let length = comptime!(op.row() + EXTRA);
    let mut state = Shared::<[f32]>::new_slice(op.units);
    let mut attention = Shared::<[f32]>::new_slice(op.positions);
    let mut logits = Shared::<[f32]>::new_slice(op.vocabulary);
    let mut partial = Shared::<[f32]>::new_slice(UNITS);
    let mut places = Shared::<[u32]>::new_slice(UNITS);

    let mut parent = 0usize;
    let mut token = op.start.runtime();
    let mut score = 0.0f32;
    let step_at = start + (image * steps + number) * width * length;
    if number > 0 {
        let before = step_at - width * length;
        let characters = comptime!(op.vocabulary - op.first_character as usize);
        let count = open * characters;
        // One after the other, as the order is not stored.
        let mut place = 0usize;
        for round in 0..row + 1 {
            let mut best = LOWEST.runtime();
            let mut best_at = count;
            let mut i = unit;
            while i < count {
                let from = before + i / characters * length;
                let id = i % characters + op.first_character as usize;
                let value = record[from + op.row() + 2] + record[from + id] / temperature
                    - record[from + op.row() + 3];
                let is_next = round == 0 || value < score || (value == score && i > place);
                if is_next && value > best {
                    best = value;
                    best_at = i;
                }
                i += UNITS;
            }
            partial[unit] = best;
            places[unit] = best_at as u32;
            sync_cube();
            first_highest(&mut partial, &mut places);
            score = partial[0];
            place = places[0] as usize;
            sync_cube();
        }
        parent = place / characters;
        token = (place % characters) as u32 + op.first_character;
    }

    let slot = number % 2;
    let parent_at = (((1 - slot) * images + image) * width + parent) * op.units;
    let mut i = unit;
    while i < op.units {
        let mut value = 0.0f32;
        if number > 0 {
            value = states[parent_at + i];
        }
        state[i] = value;
        i += UNITS;
    }
    sync_cube();
    take_step(
        features,
        keys,
        weights,
        image,
        token,
        &mut state,
        &mut attention,
        &mut logits,
        op,
    );

    let state_at = ((slot * images + image) * width + row) * op.units;
    let mut i = unit;
    while i < op.units {
        states[state_at + i] = state[i];
        i += UNITS;
    }
    let out = step_at + row * length;
    write_step(&mut logits, &mut attention, record, out, op);
    let peak = highest(logits.inner_ref(), op.vocabulary);
    sync_cube();
    let mut i = unit;
    while i < op.vocabulary {
        logits[i] = ((logits[i] - peak) / temperature).exp();
        i += UNITS;
    }
    sync_cube();
    let total = sum(logits.inner_ref(), op.vocabulary);
    if unit == 0 {
        record[out + op.row()] = parent as f32;
        record[out + op.row() + 1] = token as f32;
        record[out + op.row() + 2] = score;
        record[out + op.row() + 3] = peak / temperature + total.ln();
    }
    // Rows that no text has yet.
    if row == rows - 1 {
        let end = step_at + width * length;
        let mut i = out + length + unit;
        while i < end {
            record[i] = 0.0;
            i += UNITS;
        }
    }
}
