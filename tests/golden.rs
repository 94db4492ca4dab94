//! Holds the network to PyTorch's results on the same weights; see `golden/make.py`.

#![allow(clippy::unwrap_used)]

use burn::tensor::{Device, Int, Tensor, TensorData, Tolerance};
use captcha_model::decoder::Decoded;
use captcha_model::{Network, Weights};
use safetensors::SafeTensors;

const WEIGHTS: &[u8] = include_bytes!("golden/weights.safetensors");
const VECTORS: &[u8] = include_bytes!("golden/vectors.safetensors");
const TOLERANCE: f32 = 1e-4;

fn network(carry_state: bool) -> Network {
    let mut weights = Weights::from_bytes(WEIGHTS.to_vec()).unwrap();
    weights.config.decoder.carry_state = carry_state;
    weights.network(&Device::flex()).unwrap()
}

/// An input or expected output by its name.
fn vector(name: &str) -> TensorData {
    let vectors = SafeTensors::deserialize(VECTORS).unwrap();
    let vector = vectors.tensor(name).unwrap();
    let numbers: Vec<f32> = vector
        .data()
        .as_chunks()
        .0
        .iter()
        .map(|bytes| f32::from_le_bytes(*bytes))
        .collect();
    TensorData::new(numbers, vector.shape())
}

fn input<const D: usize>(name: &str) -> Tensor<D> {
    Tensor::from_data(vector(name), &Device::flex())
}

fn assert_golden<const D: usize>(actual: Tensor<D>, name: &str) {
    actual
        .to_data()
        .assert_approx_eq::<f32>(&vector(name), Tolerance::absolute(TOLERANCE));
}

#[test]
fn encoder_block() {
    let block = &network(true).encoder.blocks[0];
    assert_golden(block.forward(input("images")), "block");
}

#[test]
fn encoder() {
    assert_golden(network(true).encoder.forward(input("images")), "features");
}

#[test]
fn encoder_that_pools_first() {
    let mut weights = Weights::from_bytes(WEIGHTS.to_vec()).unwrap();
    weights.config.encoder.pool_first = true;
    let network = weights.network(&Device::flex()).unwrap();
    assert_golden(
        network.encoder.forward(input("images")),
        "features_pooled_first",
    );
}

#[test]
fn attention_step() {
    let attention = network(true).decoder.attention;
    let memory = attention.project_keys(input("features"));
    let output = attention.forward(&memory, input("state"));
    assert_golden(output.context, "context");
    assert_golden(output.weights, "attention");
}

#[test]
fn gru_step() {
    let gru = network(true).decoder.gru;
    assert_golden(gru.forward(input("x"), input("state")), "next_state");
}

#[test]
fn greedy_decode() {
    assert_decodes(network(true), "carried");
}

#[test]
fn greedy_decode_as_in_the_papers_notebook() {
    assert_decodes(network(false), "restarted");
}

fn assert_decodes(network: Network, name: &str) {
    let [_, steps] = tokens(name).dims();
    let Decoded { logits, attention } = network.read(input("images"), steps);
    let [images, steps, _] = logits.dims();
    let answers = logits.clone().argmax(2).reshape([images, steps]);
    answers.to_data().assert_eq(&tokens(name).to_data(), false);
    assert_golden(logits, &format!("{name}.logits"));
    assert_golden(attention, &format!("{name}.attention"));
}

/// Expected token ids, `[images, steps]`.
fn tokens(name: &str) -> Tensor<2, Int> {
    let vectors = SafeTensors::deserialize(VECTORS).unwrap();
    let tokens = vectors.tensor(&format!("{name}.tokens")).unwrap();
    let ids: Vec<i64> = tokens
        .data()
        .as_chunks()
        .0
        .iter()
        .map(|bytes| i64::from_le_bytes(*bytes))
        .collect();
    Tensor::from_data(TensorData::new(ids, tokens.shape()), &Device::flex())
}
