//! Convolution, pooling and ReLU and their gradients against the definition, in double precision.

use captcha_kernel::{BatchNorm, ConvReluPool};

/// Largest error of a value, and of larger ones as a share.
const TOLERANCE: f64 = 1e-4;
/// Difference at which values count as equal, so that rounding may choose between them.
const EQUAL: f64 = 2e-4;

/// Pseudorandom values from -1 to 1.
fn values(count: usize, seed: u32) -> Vec<f32> {
    let next = |state: &u32| Some(state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
    std::iter::successors(Some(seed), next)
        .skip(1)
        .take(count)
        .map(|state| (state >> 8) as f32 / (1 << 23) as f32 - 1.0)
        .collect()
}

/// An operation with its input, weights and bias.
struct Case {
    op: ConvReluPool,
    x: Vec<f32>,
    weight: Vec<f32>,
    bias: Vec<f32>,
}

impl Case {
    fn new(op: ConvReluPool) -> Self {
        Self {
            x: values(op.batch * op.channels * op.height * op.width, 1),
            weight: values(op.filters * op.channels * 9, 2),
            bias: values(op.filters, 3),
            op,
        }
    }

    /// Calls `visit` for each output, with its index, its image and filter, and the row and column
    /// of its window's start.
    fn for_each_output(&self, mut visit: impl FnMut(usize, [usize; 2], [usize; 2])) {
        let ConvReluPool {
            batch,
            filters,
            window,
            ..
        } = self.op;
        let [rows, cols] = self.op.output();
        for index in 0..batch * filters * rows * cols {
            let (map, position) = (index / (rows * cols), index % (rows * cols));
            let start = [position / cols * window[0], position % cols * window[1]];
            visit(index, [map / filters, map % filters], start);
        }
    }

    /// Calls `visit` for each term of the sum at a position of the convolved map, with the index of
    /// its weight and of its input; not for terms in the padding.
    fn for_each_tap(
        &self,
        [image, filter]: [usize; 2],
        [row, col]: [usize; 2],
        mut visit: impl FnMut(usize, usize),
    ) {
        let ConvReluPool {
            channels,
            height,
            width,
            padding,
            ..
        } = self.op;
        for tap in 0..9 * channels {
            let channel = tap / 9;
            let (row, col) = (row + tap % 9 / 3, col + tap % 3);
            if (padding..height + padding).contains(&row)
                && (padding..width + padding).contains(&col)
            {
                let plane = (image * channels + channel) * height;
                let x = (plane + row - padding) * width + col - padding;
                visit(filter * 9 * channels + tap, x);
            }
        }
    }

    /// The outputs by definition.
    fn expected(&self) -> Vec<Output> {
        let [window_rows, window_cols] = self.op.window;
        let mut outputs = Vec::new();
        self.for_each_output(|_, map, [row, col]| {
            let mut sums: Vec<(f64, usize)> = (0..window_rows * window_cols)
                .map(|index| {
                    let at = [row + index / window_cols, col + index % window_cols];
                    let mut sum = f64::from(self.bias[map[1]]);
                    self.for_each_tap(map, at, |weight, x| {
                        sum += f64::from(self.weight[weight]) * f64::from(self.x[x]);
                    });
                    (sum, index)
                })
                .collect();
            sums.sort_by(|a, b| b.0.total_cmp(&a.0));
            let (max, index) = sums[0];
            let is_max = sums.get(1).is_none_or(|second| max - second.0 > EQUAL);
            outputs.push(Output {
                value: max.max(0.0),
                pool_index: (max > 0.0).then_some(index),
                is_certain: max.abs() > EQUAL && (max < 0.0 || is_max),
            });
        });
        outputs
    }

    fn name(&self) -> String {
        format!("{:?}", self.op)
    }
}

/// An output by definition.
struct Output {
    value: f64,
    /// The place in the window that the value comes from; `None` if the ReLU sets it to zero.
    pool_index: Option<usize>,
    /// Whether rounding cannot change the pool index.
    is_certain: bool,
}

/// Every window and padding, maps smaller than a tile, of whole tiles and between, maps of several
/// bands, several images in one task, more filters and channels than a SIMD register has values.
fn cases() -> impl Iterator<Item = Case> {
    let mut ops = Vec::new();
    for (channels, filters) in [(1, 3), (5, 4), (12, 13), (17, 12), (33, 40)] {
        for padding in [0, 1] {
            for window in [[1, 1], [2, 1], [2, 2]] {
                for [batch, height, width] in
                    [[3, 6, 8], [2, 7, 9], [1, 4, 4], [9, 4, 5], [2, 10, 70]]
                {
                    ops.push(ConvReluPool {
                        batch,
                        channels,
                        height,
                        width,
                        filters,
                        padding,
                        window,
                    });
                }
            }
        }
    }
    // 36 x 70 x 18 values in a row of tiles: five rows in a band, so that a task of three images has
    // two bands, and the second starts inside an image.
    for window in [[1, 1], [2, 2]] {
        ops.push(ConvReluPool {
            batch: 4,
            channels: 70,
            height: 10,
            width: 70,
            filters: 12,
            padding: 1,
            window,
        });
    }
    ops.into_iter().map(Case::new)
}

fn assert_close(values: &[f32], expected: &[f64], name: &str) {
    assert_eq!(values.len(), expected.len(), "{name}");
    for (value, expected) in values.iter().zip(expected) {
        let error = (f64::from(*value) - expected).abs();
        let tolerance = TOLERANCE * expected.abs().max(1.0);
        assert!(error < tolerance, "{value}, not {expected}: {name}");
    }
}

#[test]
fn forward_matches_the_definition() {
    for case in cases() {
        let weight = case.op.pack(&case.weight);
        let output = case.op.forward(&case.x, &weight, &case.bias, None);
        let expected: Vec<f64> = case.expected().iter().map(|output| output.value).collect();
        assert_close(&output, &expected, &case.name());
    }
}

#[test]
fn batch_norm_follows_the_relu() {
    for case in cases() {
        let weight = case.op.pack(&case.weight);
        let (factors, summands) = (values(case.op.filters, 5), values(case.op.filters, 6));
        let norm = BatchNorm {
            factors: &factors,
            summands: &summands,
        };
        let output = case.op.forward(&case.x, &weight, &case.bias, Some(norm));
        let [rows, cols] = case.op.output();
        let plain = case.op.forward(&case.x, &weight, &case.bias, None);
        for (index, (value, plain)) in output.iter().zip(plain).enumerate() {
            let filter = index / (rows * cols) % case.op.filters;
            let expected = plain * factors[filter] + summands[filter];
            assert!((value - expected).abs() < 1e-5, "{}", case.name());
        }
    }
}

#[cfg(feature = "threads")]
#[test]
fn backward_is_the_gradient_of_forward() {
    for case in cases() {
        let packed = case.op.pack(&case.weight);
        let (output, pool_indices) = case.op.forward_with_indices(&case.x, &packed, &case.bias);
        let expected = case.expected();
        let expected_values: Vec<f64> = expected.iter().map(|output| output.value).collect();
        assert_close(&output, &expected_values, &case.name());
        // Where rounding may choose another input of the window, the gradient is zero.
        let mut grad = values(output.len(), 4);
        for (grad, output) in grad.iter_mut().zip(&expected) {
            *grad *= f32::from(u8::from(output.is_certain));
        }
        let certain = expected.iter().filter(|output| output.is_certain).count();
        assert!(100 * certain > 99 * expected.len(), "{}", case.name());
        let mut x = vec![0.0; case.x.len()];
        let mut weight = vec![0.0; case.weight.len()];
        let mut bias = vec![0.0; case.bias.len()];
        let [_, window_cols] = case.op.window;
        case.for_each_output(|index, map, [row, col]| {
            let Some(pooled) = expected[index].pool_index else {
                return;
            };
            let at = [row + pooled / window_cols, col + pooled % window_cols];
            let grad = f64::from(grad[index]);
            bias[map[1]] += grad;
            case.for_each_tap(map, at, |of_weight, of_x| {
                weight[of_weight] += grad * f64::from(case.x[of_x]);
                x[of_x] += grad * f64::from(case.weight[of_weight]);
            });
        });
        for needs_input_grad in [false, true] {
            let found = case.op.backward(
                &case.x,
                &case.weight,
                &grad,
                &pool_indices,
                needs_input_grad,
            );
            assert_close(&found.weight, &weight, &format!("weights: {}", case.name()));
            assert_close(&found.bias, &bias, &format!("bias: {}", case.name()));
            assert_eq!(found.x.is_some(), needs_input_grad);
            if let Some(found) = found.x {
                assert_close(&found, &x, &format!("input: {}", case.name()));
            }
        }
    }
}

/// As in burn.
#[cfg(feature = "threads")]
#[test]
fn of_equal_values_the_first_one_counts() {
    for mut case in cases() {
        case.weight.fill(0.0);
        let weight = case.op.pack(&case.weight);
        let (output, pool_indices) = case.op.forward_with_indices(&case.x, &weight, &case.bias);
        let [rows, cols] = case.op.output();
        let maps = output
            .chunks(rows * cols)
            .zip(pool_indices.chunks(rows * cols));
        for ((values, indices), bias) in maps.zip(case.bias.iter().cycle()) {
            let index = if *bias > 0.0 { 0 } else { u8::MAX };
            assert!(values.iter().all(|value| *value == bias.max(0.0)));
            assert!(indices.iter().all(|found| *found == index));
        }
    }
}

#[test]
fn forward_of_nan_is_nan() {
    let mut case = cases().next().expect("a case");
    case.x[0] = f32::NAN;
    let weight = case.op.pack(&case.weight);
    let output = case.op.forward(&case.x, &weight, &case.bias, None);
    assert!(output.iter().any(|value| value.is_nan()));
}
