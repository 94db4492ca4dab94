//! Convolution, pooling and ReLU and their gradients against the definition. All values have few
//! binary digits, so that every sum is exact, in any order and by any transform: results are equal,
//! and so is the pool index among equal values.

use captcha_kernel::ConvReluPool;

/// Pseudorandom multiples of a quarter from -1 to 1.
fn quarters(count: usize, seed: u32) -> Vec<f32> {
    let next = |state: &u32| Some(state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
    std::iter::successors(Some(seed), next)
        .skip(1)
        .take(count)
        .map(|state| ((state >> 16) % 9) as f32 / 4.0 - 1.0)
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
            x: quarters(op.batch * op.channels * op.height * op.width, 1),
            weight: quarters(op.filters * op.channels * 9, 2),
            bias: quarters(op.filters, 3),
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

    /// The output, and the pool index of each value, by definition.
    fn expected(&self) -> (Vec<f32>, Vec<Option<usize>>) {
        let [window_rows, window_cols] = self.op.window;
        let (mut output, mut indices) = (Vec::new(), Vec::new());
        self.for_each_output(|_, map, [row, col]| {
            let mut best = (f32::NEG_INFINITY, 0);
            for index in 0..window_rows * window_cols {
                let at = [row + index / window_cols, col + index % window_cols];
                let mut sum = self.bias[map[1]];
                self.for_each_tap(map, at, |weight, x| sum += self.weight[weight] * self.x[x]);
                if sum > best.0 {
                    best = (sum, index);
                }
            }
            output.push(best.0.max(0.0));
            indices.push((best.0 > 0.0).then_some(best.1));
        });
        (output, indices)
    }

    fn name(&self) -> String {
        format!("{:?}", self.op)
    }
}

/// Every window and padding, even and odd sizes, filters too few and enough for Winograd's
/// convolution, maps of several bands, several images in one task.
fn cases() -> impl Iterator<Item = Case> {
    let mut ops = Vec::new();
    for (channels, filters) in [(1, 3), (5, 4), (12, 13), (17, 12)] {
        for padding in [0, 1] {
            for window in [[1, 1], [2, 1], [2, 2]] {
                for [batch, height, width] in [[3, 6, 8], [2, 7, 9], [1, 4, 4]] {
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
    for channels in [12, 4] {
        ops.push(ConvReluPool {
            batch: 2,
            channels,
            height: 90,
            width: 64,
            filters: 12,
            padding: 1,
            window: [2, 2],
        });
    }
    ops.into_iter().map(Case::new)
}

#[test]
fn forward_matches_the_definition() {
    for case in cases() {
        let output = case
            .op
            .forward(&case.x, &case.op.pack(&case.weight), &case.bias);
        assert!(output == case.expected().0, "{}", case.name());
    }
}

#[test]
fn cases_cover_winograd_and_im2col() {
    let uses_winograd = |case: &Case| case.op.pack(&case.weight).len() > case.weight.len();
    let count = cases().filter(uses_winograd).count();
    assert!(0 < count && count < cases().count(), "{count}");
}

#[cfg(feature = "threads")]
#[test]
fn backward_is_the_gradient_of_forward() {
    for case in cases() {
        let packed = case.op.pack(&case.weight);
        let (output, pool_indices) = case.op.forward_with_indices(&case.x, &packed, &case.bias);
        let grad = quarters(output.len(), 4);
        let (expected, indices) = case.expected();
        assert!(output == expected, "{}", case.name());
        let mut x = vec![0.0; case.x.len()];
        let mut weight = vec![0.0; case.weight.len()];
        let mut bias = vec![0.0; case.bias.len()];
        let [_, window_cols] = case.op.window;
        case.for_each_output(|index, map, [row, col]| {
            let Some(pooled) = indices[index] else { return };
            let at = [row + pooled / window_cols, col + pooled % window_cols];
            bias[map[1]] += grad[index];
            case.for_each_tap(map, at, |of_weight, of_x| {
                weight[of_weight] += grad[index] * case.x[of_x];
                x[of_x] += grad[index] * case.weight[of_weight];
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
            assert!(found.weight == weight, "weights: {}", case.name());
            assert!(found.bias == bias, "bias: {}", case.name());
            assert!(
                found.x == needs_input_grad.then(|| x.clone()),
                "input: {}",
                case.name()
            );
        }
    }
}

#[test]
fn forward_of_nan_is_nan() {
    let mut case = cases().next().expect("a case");
    case.x[0] = f32::NAN;
    let weight = case.op.pack(&case.weight);
    let output = case.op.forward(&case.x, &weight, &case.bias);
    assert!(output.iter().any(|value| value.is_nan()));
}
