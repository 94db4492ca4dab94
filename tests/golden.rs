//! Compares the network with PyTorch on the same weights; see `golden/make.py`.

#![allow(clippy::unwrap_used)]

use burn::tensor::activation::softmax;
use burn::tensor::{Device, Int, Tensor, TensorData, Tolerance};
use captcha_model::decoder::Decoded;
use captcha_model::{Network, Recognizer, Weights};
use safetensors::SafeTensors;

const WEIGHTS: &[u8] = include_bytes!("golden/weights.safetensors");
const VECTORS: &[u8] = include_bytes!("golden/vectors.safetensors");
const TOLERANCE: f32 = 1e-4;

fn network(carry_state: bool) -> Network {
    let mut weights = Weights::from_bytes(WEIGHTS.to_vec()).unwrap();
    weights.config.decoder.carry_state = carry_state;
    weights.network(&Device::flex()).unwrap()
}

/// An input or expected output.
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
fn conv_block_gives_the_output_of_pytorch() {
    let block = &network(true).encoder.blocks[0];
    assert_golden(block.forward(input("images")), "block");
}

#[test]
fn encoder_gives_the_features_of_pytorch() {
    assert_golden(network(true).encoder.forward(input("images")), "features");
}

#[test]
fn encoder_that_pools_first_gives_the_features_of_pytorch() {
    let mut weights = Weights::from_bytes(WEIGHTS.to_vec()).unwrap();
    weights.config.encoder.pool_first = true;
    let network = weights.network(&Device::flex()).unwrap();
    assert_golden(
        network.encoder.forward(input("images")),
        "features_pooled_first",
    );
}

#[test]
fn attention_gives_the_output_of_pytorch() {
    let attention = network(true).decoder.attention;
    let memory = attention.project_keys(input("features"));
    let output = attention.forward(&memory, input("state"));
    assert_golden(output.context, "context");
    assert_golden(output.weights, "attention");
}

#[test]
fn gru_gives_the_state_of_pytorch() {
    let gru = network(true).decoder.gru;
    assert_golden(gru.forward(input("x"), input("state")), "next_state");
}

#[test]
fn greedy_decoding_gives_the_steps_of_pytorch() {
    assert_decodes(network(true), "carried");
}

#[test]
fn greedy_decoding_without_carried_state_gives_the_steps_of_pytorch() {
    assert_decodes(network(false), "restarted");
}

fn assert_decodes(network: Network, name: &str) {
    let [_, steps] = tokens(name).dims();
    let Decoded { logits, attention } = network.forward(input("images"), steps);
    let [images, steps, _] = logits.dims();
    let answers = logits.clone().argmax(2).reshape([images, steps]);
    answers.to_data().assert_eq(&tokens(name).to_data(), false);
    assert_golden(logits, &format!("{name}.logits"));
    assert_golden(attention, &format!("{name}.attention"));
}

#[test]
fn recognizer_gives_the_answers_of_pytorch() {
    let weights = Weights::from_bytes(WEIGHTS.to_vec()).unwrap();
    let recognizer = Recognizer::new(&weights, &Device::flex()).unwrap();
    let vocabulary = weights.config.vocabulary().unwrap();
    let predictions =
        pollster::block_on(recognizer.recognize_inputs(vec![input("images").into()], 0)).unwrap();
    let tokens = tokens("carried").into_data().convert::<i64>();
    let tokens: Vec<i64> = tokens.try_into_vec().unwrap();
    let logits = Tensor::<3>::from_data(vector("carried.logits"), &Device::flex());
    let [images, steps, classes] = logits.dims();
    let probabilities: Vec<f32> = softmax(logits, 2).into_data().try_into_vec().unwrap();
    let attention: Vec<f32> = vector("carried.attention").try_into_vec().unwrap();
    let positions = attention.len() / (images * steps);
    assert_eq!(predictions.len(), images);
    for (image, prediction) in predictions.iter().enumerate() {
        let tokens = &tokens[image * steps..][..steps];
        let text: String = tokens
            .iter()
            .map_while(|token| vocabulary.character(*token as usize))
            .take(steps - 1)
            .collect();
        assert_eq!(prediction.text, text);
        for (step, character) in prediction.characters.iter().enumerate() {
            let row = image * steps + step;
            let probability = probabilities[row * classes + tokens[step] as usize];
            assert!((character.confidence - probability).abs() < TOLERANCE);
            let expected = &attention[row * positions..][..positions];
            for (weight, expected) in character.attention.iter().zip(expected) {
                assert!((weight - expected).abs() < TOLERANCE);
            }
        }
    }
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
