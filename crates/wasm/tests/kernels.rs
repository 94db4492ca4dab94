//! The GPU kernels against the layers on the CPU. The test fails in a browser without WebGPU, so
//! that it never passes because it was skipped.

#![cfg(target_arch = "wasm32")]

use burn::module::Param;
use burn::tensor::{Device, Distribution, Tensor};
use captcha_model::config::{
    BlockConfig, DecoderConfig, EncoderConfig, InputConfig, Proportions, Resampling,
};
use captcha_model::image::{RgbImage, decode_image};
use captcha_model::weights::{Precision, save};
use captcha_model::{Inputs, ModelConfig, Network, Prediction, Recognizer, Weights};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_dedicated_worker);

const TOLERANCE: f32 = 1e-3;
/// Dimensions of attention that a workgroup has no memory for.
const TOO_LARGE: usize = 4000;
const IMAGE: &[u8] = include_bytes!("../../model/src/golden.png");
/// The weights that the page ships.
const SHIPPED: [&[u8]; 2] = [
    include_bytes!("../../../web/models/compact.safetensors"),
    include_bytes!("../../../web/models/general.safetensors"),
];

// One test, because a module can open the device once.
#[wasm_bindgen_test]
async fn kernels_give_the_results_of_the_layers() {
    let gpu = Device::wgpu_options().init_async().await;
    let gpu = gpu.expect("there is a WebGPU adapter");
    let random = configs().into_iter().zip(1..).map(random_weights);
    for weights in random.chain(SHIPPED.map(<[u8]>::to_vec)) {
        let weights = Weights::from_bytes(weights).expect("the weights are valid");
        let on_cpu = Recognizer::new(&weights, &Device::flex()).expect("they fit the network");
        let on_gpu = Recognizer::new(&weights, &gpu).expect("they fit the network");
        let text = decode_image(IMAGE).expect("the image is good");
        // What the device does when the network is loaded is not counted.
        read(&on_gpu, std::slice::from_ref(&text)).await;
        let mut characters = 0;
        for images in [
            vec![text, blots(100, 50, 1)],
            vec![blots(45, 45, 2), blots(45, 45, 3)],
        ] {
            let (cpu_features, cpu) = read(&on_cpu, &images).await;
            start_count();
            let (gpu_features, gpu) = read(&on_gpu, &images).await;
            // One for each block, the dense layer, the keys and the decoder; with alternatives again
            // the keys, the decoder, and one for each step; and two to stack the images.
            let (blocks, steps) = (weights.config.encoder.blocks.len(), weights.config.steps());
            let most = blocks + 3 + 2 + steps + 2;
            let range = blocks + 3..=most;
            let fits = weights.config.decoder.attention < TOO_LARGE;
            assert!(
                !fits || range.contains(&dispatches()),
                "{} dispatches",
                dispatches()
            );
            assert_close(&gpu_features, &cpu_features);
            assert_same(&gpu, &cpu);
            characters += cpu.iter().map(|read| read.characters.len()).sum::<usize>();
        }
        assert!(characters > 3, "the comparison needs characters");
    }
}

/// The features of images of one size, and their predictions without and with alternatives.
async fn read(recognizer: &Recognizer, images: &[RgbImage]) -> (Vec<f32>, Vec<Prediction>) {
    let inputs = images
        .iter()
        .map(|image| recognizer.preprocess(image).expect("it has pixels"))
        .collect();
    let [batch] = <[_; 1]>::try_from(Inputs::batches(inputs)).expect("they have one size");
    let encoded = recognizer.encode(batch.inputs).expect("the shape is right");
    let features = encoded.features().clone();
    let mut read = Vec::new();
    for alternatives in [0, 4] {
        let predictions = recognizer.decode(encoded.clone(), alternatives).await;
        read.extend(predictions.expect("the device works"));
    }
    let features = features.into_data_async().await.expect("the device works");
    (
        features.try_into_vec().expect("they are single precision"),
        read,
    )
}

fn assert_same(found: &[Prediction], expected: &[Prediction]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert_eq!(found.text, expected.text);
        assert_close(&[found.confidence], &[expected.confidence]);
        assert_eq!(found.alternatives.len(), expected.alternatives.len());
        for (found, expected) in found.alternatives.iter().zip(&expected.alternatives) {
            assert_eq!(found.text, expected.text);
            assert_close(&[found.confidence], &[expected.confidence]);
        }
        assert_eq!(found.characters.len(), expected.characters.len());
        for (found, expected) in found.characters.iter().zip(&expected.characters) {
            assert_close(&found.attention, &expected.attention);
        }
    }
}

/// Compares relative to the largest value, or absolutely if that is below 1.
fn assert_close(found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len());
    let largest = expected
        .iter()
        .fold(1.0, |largest: f32, value| largest.max(value.abs()));
    for (a, b) in found.iter().zip(expected) {
        assert!((a - b).abs() <= TOLERANCE * largest, "{a} differs from {b}");
    }
}

/// Networks of odd sizes, with every kind of layer.
fn configs() -> Vec<ModelConfig> {
    // In the paper's order, without a carried state; more attention than positions.
    let paper = ModelConfig {
        input: InputConfig::new(29, 58, Resampling::Bilinear),
        encoder: EncoderConfig::new(
            vec![
                BlockConfig::new(6, false, true, true),
                BlockConfig::new(5, true, true, true).with_pool_cols(false),
                BlockConfig::new(7, true, false, false),
                BlockConfig::new(9, true, true, true),
            ],
            0.5,
            13,
            0.01,
        ),
        decoder: DecoderConfig {
            embedding: 7,
            units: 18,
            attention: 70,
            carry_state: false,
        },
        alphabet: "abc".into(),
        max_length: 6,
    };
    // Pooling first, carried state, places; more of everything than a workgroup has invocations.
    let mut wide = paper.clone();
    wide.input = InputConfig::new(48, 96, Resampling::Area)
        .with_inverted(true)
        .with_proportions(Proportions::Image);
    wide.encoder = wide
        .encoder
        .with_pool_first(true)
        .with_unshuffle(2)
        .with_positions(true);
    wide.encoder.blocks.truncate(1);
    wide.encoder.features = 260;
    wide.decoder = DecoderConfig {
        embedding: 3,
        units: 300,
        attention: 5,
        carry_state: true,
    };
    wide.alphabet = ('\u{4e00}'..).take(300).collect();
    wide.max_length = 3;
    // Burn's layers decode what does not fit.
    let mut too_large = paper.clone();
    too_large.decoder.attention = TOO_LARGE;
    too_large.alphabet = ('a'..='z').collect();
    too_large.max_length = 2;
    vec![paper, wide, too_large]
}

/// A file of random weights whose texts depend on the image.
fn random_weights((config, seed): (ModelConfig, u64)) -> Vec<u8> {
    let device = Device::flex();
    device.seed(seed);
    let mut network = config.init(&device).expect("the configuration is valid");
    randomize(&mut network);
    save(&network, &config, &serde_json::json!({}), Precision::Full).expect("they can be saved")
}

/// Replaces what a new network has of zeros and ones, and makes the decoder more decided.
fn randomize(network: &mut Network) {
    let random = |like: Tensor<1>, low, high| {
        Tensor::random(
            like.dims(),
            Distribution::Uniform(low, high),
            &like.device(),
        )
    };
    for block in &mut network.encoder.blocks {
        if let Some(norm) = &mut block.norm {
            // Also negative, for which the order of norm and pooling matters.
            norm.gamma = norm.gamma.clone().map(|gamma| random(gamma, -1.5, 1.5));
            norm.beta = norm.beta.clone().map(|beta| random(beta, -0.5, 0.5));
            norm.running_mean
                .update(random(norm.running_mean.value(), -0.3, 0.3));
            norm.running_var
                .update(random(norm.running_var.value(), 0.3, 1.0));
        }
        block.conv.bias = block
            .conv
            .bias
            .clone()
            .map(|bias| bias.map(|bias| random(bias, -0.3, 0.3)));
    }
    if let Some(places) = &mut network.encoder.positions {
        places.weight = places
            .weight
            .clone()
            .map(|weight| weight.random_like(Distribution::Normal(0.0, 0.1)));
    }
    let decoder = &mut network.decoder;
    for layer in [
        &mut decoder.gru.input,
        &mut decoder.gru.recurrent,
        &mut decoder.output,
    ] {
        layer.weight = layer.weight.clone().map(|weight| weight.mul_scalar(4.0));
        layer.bias = layer
            .bias
            .clone()
            .map(|bias| bias.map(|bias| random(bias, -0.5, 0.5)));
    }
    // Ends no text at once.
    let bias = decoder.output.bias.as_ref().expect("it has a bias").val();
    let rest = bias.clone().narrow(0, 3, bias.dims()[0] - 3);
    let ends = Tensor::full([3], -2.0, &bias.device());
    decoder.output.bias = Some(Param::from_tensor(Tensor::cat(vec![ends, rest], 0)));
    decoder.embedding.weight = decoder
        .embedding
        .weight
        .clone()
        .map(|weight| weight.mul_scalar(20.0));
}

/// An image of random rectangles.
fn blots(width: u32, height: u32, seed: u32) -> RgbImage {
    let mut state = seed * 97 + width;
    let mut next = move |below: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) % below
    };
    let mut image = RgbImage::from_pixel(width, height, [255; 3].into());
    for _ in 0..12 {
        let (left, top) = (next(width), next(height));
        let colour = [next(256) as u8, next(256) as u8, next(256) as u8];
        for y in top..(top + 2 + next(12)).min(height) {
            for x in left..(left + 2 + next(12)).min(width) {
                image.put_pixel(x, y, colour.into());
            }
        }
    }
    image
}

// ---- Dispatches

fn start_count() {
    js_sys::eval(
        "globalThis.dispatches = 0;
         if (!globalThis.counted) {
           globalThis.counted = true;
           const { prototype } = GPUComputePassEncoder;
           for (const name of ['dispatchWorkgroups', 'dispatchWorkgroupsIndirect']) {
             const dispatch = prototype[name];
             prototype[name] = function (...args) {
               globalThis.dispatches++;
               return dispatch.apply(this, args);
             };
           }
         }",
    )
    .expect("the prototype can be changed");
}

fn dispatches() -> usize {
    let count = js_sys::eval("globalThis.dispatches").expect("it is counted");
    count.as_f64().expect("it is a number") as usize
}
