//! The kernel against burn's operations: the same scores, the same gradients.

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::{Device, Distribution, Tensor, Tolerance};
use captcha_model::attention::{Attention, Memory};

use crate::seeded;

type Scores = fn(&Attention, &Memory, Tensor<2>) -> Tensor<2>;

/// Batch, positions, size: one of each, sizes that are not a multiple of the SIMD width, and those
/// of `compact`.
const SIZES: [[usize; 3]; 4] = [[1, 1, 1], [3, 5, 7], [2, 18, 50], [4, 144, 64]];

fn random<const D: usize>(shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::random(shape, Distribution::Normal(0.0, 2.0), device)
}

/// A random tensor that takes part in training.
fn recorded<const D: usize>(shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::from_inner(random(shape, &device.clone().inner()))
}

/// The scores, and the gradients of keys, queries, V and its bias.
fn run(
    attention: &Attention,
    [keys, query]: [Tensor<1>; 2],
    [batch, positions, size]: [usize; 3],
    scores: Scores,
) -> [Tensor<1>; 5] {
    let keys = keys.reshape([batch, positions, size]).require_grad();
    let query = query.reshape([batch, size]).require_grad();
    let memory = Memory {
        features: keys.clone(),
        keys: keys.clone(),
    };
    // One memory serves two steps, whose gradients add up, as in a decoder.
    let first = scores(attention, &memory, query.clone());
    let scores = scores(attention, &memory, query.clone().mul_scalar(0.5)) + first;
    // Squares, so that each position's gradient differs.
    let mut gradients = scores.clone().powi_scalar(2).sum().backward();
    let of_keys = keys.grad_remove(&mut gradients).expect("a gradient");
    let of_query = query.grad_remove(&mut gradients).expect("a gradient");
    let gradients = GradientsParams::from_grads(gradients, attention);
    let of_v: Tensor<2> = gradients
        .get(attention.score.weight.id)
        .expect("a gradient");
    let bias = attention.score.bias.as_ref().expect("a bias");
    let of_bias: Tensor<1> = gradients.get(bias.id).expect("a gradient");
    [
        scores.inner().flatten(0, 1),
        of_keys.flatten(0, 2),
        of_query.flatten(0, 1),
        of_v.flatten(0, 1),
        of_bias,
    ]
}

fn assert_close(actual: Tensor<1>, expected: Tensor<1>) {
    let scale = expected.clone().abs().max().into_scalar::<f32>().max(1e-6);
    (actual / scale)
        .into_data()
        .assert_approx_eq::<f32>(&(expected / scale).into_data(), Tolerance::absolute(1e-5));
}

#[test]
fn scores_in_training_have_the_values_and_gradients_of_burn() {
    let device = Device::flex().autodiff();
    let _numbers = seeded::alone(&device, 4);
    for sizes @ [batch, positions, size] in SIZES {
        let mut attention = Attention::new(3, 3, size, &device);
        attention.score.bias = attention
            .score
            .bias
            .map(|bias| bias.map(|bias| (bias + 0.5).detach().require_grad()));
        let inputs = [
            recorded([batch * positions * size], &device),
            recorded([batch * size], &device),
        ];
        let reference = run(
            &attention,
            inputs.clone(),
            sizes,
            Attention::scores_reference,
        );
        let kernel = run(&attention, inputs, sizes, Attention::scores);
        for (expected, actual) in reference.into_iter().zip(kernel) {
            assert_close(actual, expected);
        }
    }
}

#[test]
fn scores_in_inference_accept_keys_of_each_image_or_of_one_for_all() {
    let device = Device::flex();
    let _numbers = seeded::alone(&device, 5);
    for [batch, positions, size] in SIZES {
        let attention = Attention::new(3, 3, size, &device).no_grad();
        for images in [batch, 1] {
            let keys: Tensor<3> = random([images, positions, size], &device);
            let memory = Memory {
                features: keys.clone(),
                keys,
            };
            let query: Tensor<2> = random([batch, size], &device);
            let expected = attention.scores_reference(&memory, query.clone());
            let actual = attention.scores(&memory, query);
            assert_close(actual.flatten(0, 1), expected.flatten(0, 1));
        }
    }
}
