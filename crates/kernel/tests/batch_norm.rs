//! Batch norm in training and its gradients against the definition, in double precision.

#![cfg(feature = "threads")]

use captcha_kernel::BatchNormTrain;

const EPSILON: f32 = 1e-3;

/// Pseudorandom values between -1 and 7, whose mean is not zero.
fn values(count: usize, seed: u32) -> Vec<f32> {
    let next = |state: &u32| Some(state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
    std::iter::successors(Some(seed), next)
        .skip(1)
        .take(count)
        .map(|state| (state >> 8) as f32 / (1 << 21) as f32 - 1.0)
        .collect()
}

fn assert_near(found: &[f32], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        let error = (f64::from(*found) - expected).abs();
        assert!(
            error < 1e-4 * expected.abs().max(1.0),
            "{found}, not {expected}"
        );
    }
}

/// Sizes around the SIMD width of 16, one image and several.
fn cases() -> impl Iterator<Item = (BatchNormTrain, [Vec<f32>; 3])> {
    [[1, 1, 2], [1, 3, 15], [2, 1, 16], [3, 5, 17], [4, 2, 100]]
        .into_iter()
        .map(|[batch, channels, size]| {
            let op = BatchNormTrain {
                batch,
                channels,
                size,
                epsilon: EPSILON,
            };
            let x = values(batch * channels * size, 1);
            (op, [x, values(channels, 2), values(channels, 3)])
        })
}

/// Indices of a channel's values.
fn of_channel(op: BatchNormTrain, channel: usize) -> impl Iterator<Item = usize> + Clone {
    (0..op.batch).flat_map(move |image| {
        let map = image * op.channels + channel;
        map * op.size..(map + 1) * op.size
    })
}

/// Mean and variance of a channel.
fn statistics(op: BatchNormTrain, x: &[f32], channel: usize) -> [f64; 2] {
    let values = || of_channel(op, channel).map(|index| f64::from(x[index]));
    let count = (op.batch * op.size) as f64;
    let mean = values().sum::<f64>() / count;
    let squares: f64 = values().map(|x| (x - mean).powi(2)).sum();
    [mean, squares / count]
}

#[test]
fn forward_matches_the_definition() {
    for (op, [x, gamma, beta]) in cases() {
        let found = op.forward(&x, &gamma, &beta);
        let mut expected = vec![0.0; x.len()];
        let mut expected_statistics = [Vec::new(), Vec::new()];
        for channel in 0..op.channels {
            let [mean, variance] = statistics(op, &x, channel);
            let [gamma, beta] = [&gamma, &beta].map(|values| f64::from(values[channel]));
            for index in of_channel(op, channel) {
                let centered = f64::from(x[index]) - mean;
                expected[index] = gamma * centered / (variance + f64::from(EPSILON)).sqrt() + beta;
            }
            expected_statistics[0].push(mean);
            expected_statistics[1].push(variance);
        }
        assert_near(&found.output, &expected);
        assert_near(&found.mean, &expected_statistics[0]);
        assert_near(&found.variance, &expected_statistics[1]);
    }
}

/// The objective, `sum(weight * output)`, in double precision.
fn objective(op: BatchNormTrain, [x, gamma, beta]: [&[f64]; 3], weights: &[f32]) -> f64 {
    let mut sum = 0.0;
    for channel in 0..op.channels {
        let values = || of_channel(op, channel).map(|index| x[index]);
        let count = (op.batch * op.size) as f64;
        let mean = values().sum::<f64>() / count;
        let variance = values().map(|x| (x - mean).powi(2)).sum::<f64>() / count;
        let deviation = (variance + f64::from(EPSILON)).sqrt();
        for index in of_channel(op, channel) {
            let output = gamma[channel] * (x[index] - mean) / deviation + beta[channel];
            sum += f64::from(weights[index]) * output;
        }
    }
    sum
}

#[test]
fn backward_matches_finite_differences() {
    const STEP: f64 = 1e-5;
    for (op, inputs) in cases() {
        let [x, gamma, beta] = &inputs;
        let weights = values(x.len(), 4);
        let forward = op.forward(x, gamma, beta);
        let found = op.backward(x, gamma, &forward.mean, &forward.variance, &weights);
        let inputs = inputs
            .each_ref()
            .map(|values| values.iter().copied().map(f64::from).collect::<Vec<_>>());
        let expected = [0, 1, 2].map(|input: usize| {
            let difference = |index: usize| {
                let at = |step: f64| {
                    let mut inputs = inputs.clone();
                    inputs[input][index] += step;
                    objective(op, inputs.each_ref().map(Vec::as_slice), &weights)
                };
                (at(STEP) - at(-STEP)) / (2.0 * STEP)
            };
            (0..inputs[input].len()).map(difference).collect::<Vec<_>>()
        });
        assert_near(&found.x, &expected[0]);
        assert_near(&found.gamma, &expected[1]);
        assert_near(&found.beta, &expected[2]);
    }
}
