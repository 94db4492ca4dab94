//! All steps of the decoder in one dispatch, a workgroup for each image (paper, "Decoder").

use cubecl::client::Client;
use cubecl::prelude::*;

use beam::{EXTRA, beam_step};
use reduce::UNITS;
use step::{take_step, write_step};

mod beam;
mod reduce;
mod step;

/// Values in a workgroup's memory: 16 KB, less what the compiler may add.
const MAX_SHARED: usize = 4000;

/// The decoder's sizes. They are compiled into its shaders, so each number of positions has shaders of
/// its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Decoder {
    /// Positions of the grid.
    pub positions: usize,
    /// Values of a position.
    pub features: usize,
    /// Dimensions in which attention compares positions with the state.
    pub attention: usize,
    /// Values of the GRU's state.
    pub units: usize,
    /// Tokens.
    pub vocabulary: usize,
    /// Whether the GRU starts a step from the state of the previous step, and not from zeros.
    pub carry_state: bool,
    /// The token before the first character.
    pub start: u32,
    /// The first token that does not end a text.
    pub first_character: u32,
}

/// Where the decoder's weights are in the buffer that the kernel reads: in this order, each row by
/// row. The two dense layers after the GRU are one, and the biases of query and key are in the keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Layout {
    /// State to query: `[units, attention]`
    pub(crate) query: usize,
    /// Query and key to score: `[attention]`
    pub(crate) score: usize,
    /// Context to update, reset and candidate: `[features, 3 * units]`
    pub(crate) context: usize,
    /// State to update, reset and candidate: `[units, 3 * units]`
    pub(crate) state: usize,
    /// Token to update, reset and candidate, with the biases: `[vocabulary, 3 * units]`
    pub(crate) tokens: usize,
    /// Bias of the state's part of the candidate: `[units]`
    pub(crate) reset: usize,
    /// State to logits: `[units, vocabulary]`
    pub(crate) output: usize,
    /// Bias of the logits: `[vocabulary]`
    pub(crate) bias: usize,
}

impl Decoder {
    /// Whether a workgroup's memory is enough.
    pub fn fits(&self) -> bool {
        let vectors =
            self.units + self.attention + self.positions + self.features + self.vocabulary;
        // And those of partial results and of reductions.
        let shared = vectors + 3 * UNITS + 200;
        shared <= MAX_SHARED && self.positions > 0
    }

    /// Values of one step's output.
    pub fn row(&self) -> usize {
        self.vocabulary + self.positions
    }

    pub(crate) fn layout(&self) -> Layout {
        let score = self.units * self.attention;
        let context = score + self.attention;
        let state = context + self.features * 3 * self.units;
        let tokens = state + self.units * 3 * self.units;
        let reset = tokens + self.vocabulary * 3 * self.units;
        let output = reset + self.units;
        Layout {
            query: 0,
            score,
            context,
            state,
            tokens,
            reset,
            output,
            bias: output + self.units * self.vocabulary,
        }
    }

    /// Decodes greedily: the most likely token of a step is the next one's input. With `until_end`, the
    /// steps after the end of a text are zeros.
    ///
    /// # Shapes
    ///
    /// - `features`: `[images, positions, features]`
    /// - `keys`: `[images, attention, positions]`
    /// - `weights`, one after the other: query `[units, attention]`, score `[attention]`; from context,
    ///   state and token to update, reset and candidate `[features, 3 * units]`, `[units, 3 * units]`,
    ///   `[vocabulary, 3 * units]`, the last with the GRU's biases but for the state's of the candidate,
    ///   `[units]`; logits `[units, vocabulary]` and their bias
    /// - `output`: `[images, steps, vocabulary + positions]`: logits, then attention
    pub fn launch(
        &self,
        client: &Client,
        images: usize,
        steps: usize,
        until_end: bool,
        [features, keys, weights]: [BufferArg; 3],
        output: BufferArg,
    ) {
        greedy::launch(
            client,
            CubeCount::Static(images as u32, 1, 1),
            CubeDim::new_1d(UNITS as u32),
            features,
            keys,
            weights,
            output,
            steps,
            u32::from(until_end),
            *self,
        );
    }
}

/// The sizes of a search for the most likely texts.
#[derive(Clone, Copy, Debug)]
pub struct Search {
    /// Images.
    pub images: usize,
    /// Steps of each.
    pub steps: usize,
    /// Most texts that are continued at a step.
    pub width: usize,
    /// What logits are divided by.
    pub temperature: f32,
}

impl Decoder {
    /// Values of one text of a beam in one step: logits, attention, the text of the step before that it
    /// continues, its last token, the logarithm of its probability, and that of the sum of the
    /// exponentials of its logits.
    pub fn beam_row(&self) -> usize {
        self.row() + EXTRA
    }

    /// Texts of a beam after a step with `open` texts.
    pub fn next_open(&self, open: usize, width: usize) -> usize {
        width.min(open * (self.vocabulary - self.first_character as usize))
    }

    /// Searches the most likely texts (beam search), a dispatch for each step.
    ///
    /// # Shapes
    ///
    /// - `features`, `keys`, `weights`: as in [`Decoder::launch`]
    /// - `states`: `[2, images, width, units]`, which may hold anything
    /// - `record`: `[images, steps, width, beam_row]` after `start` other values. The texts of a step
    ///   are in the order of their probabilities; the rest is zeros
    pub fn launch_search(
        &self,
        client: &Client,
        search: Search,
        start: usize,
        buffers: impl Fn() -> [BufferArg; 5],
    ) {
        let mut before = 0;
        let mut open = 1;
        for number in 0..search.steps {
            let [features, keys, weights, states, record] = buffers();
            beam_step::launch(
                client,
                CubeCount::Static(open as u32, search.images as u32, 1),
                CubeDim::new_1d(UNITS as u32),
                features,
                keys,
                weights,
                states,
                record,
                start,
                search.steps,
                number,
                search.width,
                before,
                search.temperature,
                *self,
            );
            before = open;
            open = self.next_open(open, search.width);
        }
    }
}

#[cube(launch)]
fn greedy(
    features: &[f32],
    keys: &[f32],
    weights: &[f32],
    output: &mut [f32],
    steps: usize,
    until_end: u32,
    #[comptime] op: Decoder,
) {
    let image = CUBE_POS_X as usize;
    let unit = UNIT_POS as usize;
    let mut state = Shared::<[f32]>::new_slice(op.units);
    let mut attention = Shared::<[f32]>::new_slice(op.positions);
    let mut logits = Shared::<[f32]>::new_slice(op.vocabulary);
    let mut token = Shared::<u32>::new();
    let mut is_open = Shared::<u32>::new();

    let mut i = unit;
    while i < op.units {
        state[i] = 0.0;
        i += UNITS;
    }
    if unit == 0 {
        *token = op.start;
        *is_open = 1;
    }
    let row = comptime!(op.row());
    for number in 0..steps {
        let out = (image * steps + number) * row;
        // Also a barrier.
        if workgroup_uniform_load(is_open.inner_ref()) == 1 {
            take_step(
                features,
                keys,
                weights,
                image,
                *token,
                &mut state,
                &mut attention,
                &mut logits,
                op,
            );
            write_step(&mut logits, &mut attention, output, out, op);
            if unit == 0 {
                let mut best = 0u32;
                let mut highest = logits[0];
                for id in 1..op.vocabulary {
                    if logits[id] > highest {
                        highest = logits[id];
                        best = id as u32;
                    }
                }
                *token = best;
                if until_end == 1 && best < op.first_character {
                    *is_open = 0;
                }
            }
        } else {
            let mut i = unit;
            while i < row {
                output[out + i] = 0.0;
                i += UNITS;
            }
        }
    }
}
