//! Reductions of values in a workgroup's memory, for each of its invocations.

use cubecl::prelude::*;

/// Values that an invocation reduces before the others read its result.
const LANES: usize = 16;
/// Invocations of the workgroup.
pub(super) const UNITS: usize = LANES * LANES;

/// The highest value. The values were written before a barrier, and may be changed after another one.
#[cube]
pub(super) fn highest(values: &[f32], #[comptime] count: usize) -> f32 {
    let unit = UNIT_POS as usize;
    let lanes = comptime!(LANES.min(count));
    let mut partial = Shared::<[f32]>::new_slice(lanes);
    if unit < lanes {
        let mut found = values[unit];
        let mut i = unit + lanes;
        while i < count {
            found = max(found, values[i]);
            i += lanes;
        }
        partial[unit] = found;
    }
    sync_cube();
    let mut found = partial[0];
    for i in 1..lanes {
        found = max(found, partial[i]);
    }
    found
}

/// The sum, as [`highest`].
#[cube]
pub(super) fn sum(values: &[f32], #[comptime] count: usize) -> f32 {
    let unit = UNIT_POS as usize;
    let lanes = comptime!(LANES.min(count));
    let mut partial = Shared::<[f32]>::new_slice(lanes);
    if unit < lanes {
        let mut found = 0.0f32;
        let mut i = unit;
        while i < count {
            found += values[i];
            i += lanes;
        }
        partial[unit] = found;
    }
    sync_cube();
    let mut found = 0.0f32;
    for i in 0..lanes {
        found += partial[i];
    }
    found
}

/// Moves the highest of each invocation's values to the first place, with its number; of equal values
/// that with the lowest number. Ends with a barrier.
#[cube]
pub(super) fn first_highest(values: &mut Shared<[f32]>, numbers: &mut Shared<[u32]>) {
    let unit = UNIT_POS as usize;
    #[unroll]
    for level in 0..2usize {
        // First one of 16 neighbours, then one of the 16 that are left.
        let step = comptime!(if level == 0 { 1usize } else { LANES });
        if unit * step * LANES < UNITS {
            let at = unit * step * LANES;
            let mut found = values[at];
            let mut number = numbers[at];
            for i in 1..LANES {
                let value = values[at + i * step];
                let other = numbers[at + i * step];
                if value > found || (value == found && other < number) {
                    found = value;
                    number = other;
                }
            }
            values[at] = found;
            numbers[at] = number;
        }
        sync_cube();
    }
}
