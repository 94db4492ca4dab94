//! Weights in the layouts of the kernels.

use burn::nn::Linear;
use burn::tensor::Tensor;
use captcha_gpu_kernel::{ConvBlock, Decoder};

use crate::config::Grid;
use crate::decoder;
use crate::encoder;
use crate::position::encoding;
use crate::vocabulary::Vocabulary;

/// A block and its weights; see [`ConvBlock::launch`]. The sizes of the images are zero.
pub(super) fn block(block: &encoder::ConvBlock) -> (ConvBlock, Tensor<2>) {
    let weight = block.conv.weight.val();
    let [filters, channels, ..] = weight.dims();
    let op = ConvBlock {
        channels,
        height: 0,
        width: 0,
        filters,
        padding: usize::from(block.padded()),
        window: block.window(),
        pool_first: block.pools_first(),
    };
    let device = weight.device();
    let bias = match &block.conv.bias {
        Some(bias) => bias.val(),
        None => Tensor::zeros([filters], &device),
    };
    let [factors, summands] = block.norm_factors().unwrap_or_else(|| {
        [
            Tensor::ones([filters], &device),
            Tensor::zeros([filters], &device),
        ]
    });
    let taps = weight
        .permute([1, 2, 3, 0])
        .reshape([9 * channels, filters]);
    let rows = [bias, factors, summands].map(|row| row.reshape([1, filters]));
    let rows = std::iter::once(taps).chain(rows).collect();
    (op, with_full_columns(Tensor::cat(rows, 0)))
}

/// The weights and the bias of a layer; see [`captcha_gpu_kernel::Dense::launch`].
pub(super) fn dense(layer: &Linear) -> Tensor<2> {
    let weight = layer.weight.val();
    let [_, outputs] = weight.dims();
    let bias = bias(layer, outputs).reshape([1, outputs]);
    with_full_columns(Tensor::cat(vec![weight, bias], 0))
}

/// The projection of the places of a grid's cells: `[positions, features]`.
pub(super) fn places(projection: &Linear, grid: Grid) -> Tensor<2> {
    projection.forward(encoding(grid, &projection.weight.device()))
}

/// The decoder's sizes, without the number of positions, and its weights; see [`Decoder::launch`].
pub(super) fn decoder(decoder: &decoder::Decoder) -> (Decoder, Tensor<1>) {
    let input = decoder.gru.input.weight.val();
    let [units, gates] = decoder.gru.recurrent.weight.dims();
    let [vocabulary, embedding] = decoder.embedding.weight.dims();
    let features = input.dims()[0] - embedding;
    let [_, attention] = decoder.attention.query.weight.dims();
    let op = Decoder {
        positions: 0,
        features,
        attention,
        units,
        vocabulary,
        carry_state: decoder.carry_state,
        start: Vocabulary::START as u32,
        first_character: Vocabulary::FIRST_CHARACTER as u32,
    };

    let recurrent = bias(&decoder.gru.recurrent, gates);
    let zeros = recurrent.clone().narrow(0, 0, units).zeros_like();
    let added = Tensor::cat(vec![recurrent.clone().narrow(0, 0, 2 * units), zeros], 0);
    let added = added + bias(&decoder.gru.input, gates);
    let tokens = decoder.embedding.weight.val();
    let tokens = tokens.matmul(input.clone().narrow(0, features, embedding)) + added.unsqueeze();

    let flat = |matrix: Tensor<2>| {
        let [rows, cols] = matrix.dims();
        matrix.reshape([rows * cols])
    };
    let weights = vec![
        flat(decoder.attention.query.weight.val()),
        flat(decoder.attention.score.weight.val()),
        flat(input.narrow(0, 0, features)),
        flat(decoder.gru.recurrent.weight.val()),
        flat(tokens),
        recurrent.narrow(0, 2 * units, units),
        flat(decoder.output.weight.val()),
        bias(&decoder.output, vocabulary),
    ];
    (op, Tensor::cat(weights, 0))
}

fn bias(layer: &Linear, outputs: usize) -> Tensor<1> {
    match &layer.bias {
        Some(bias) => bias.val(),
        None => Tensor::zeros([outputs], &layer.weight.device()),
    }
}

/// Fills up to a multiple of four columns with zeros.
fn with_full_columns(matrix: Tensor<2>) -> Tensor<2> {
    let [rows, cols] = matrix.dims();
    let missing = cols.next_multiple_of(4) - cols;
    if missing == 0 {
        return matrix;
    }
    let zeros = Tensor::zeros([rows, missing], &matrix.device());
    Tensor::cat(vec![matrix, zeros], 1)
}
