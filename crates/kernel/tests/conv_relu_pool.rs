//! A block's convolution, pooling and ReLU against their definition, forward and back. All values
//! have few binary digits, so that every sum is exact, in whatever order and by whichever transform:
//! results are equal, and so is the place that a pool takes among equal values.

use captcha_kernel::{Layer, unshuffle};

/// Multiples of a quarter from -1 to 1 that look random.
fn quarters(count: usize, seed: u32) -> Vec<f32> {
    let next = |state: &u32| Some(state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
    std::iter::successors(Some(seed), next)
        .skip(1)
        .take(count)
        .map(|state| ((state >> 16) % 9) as f32 / 4.0 - 1.0)
        .collect()
}

/// A layer with its input, weights and bias.
struct Case {
    layer: Layer,
    x: Vec<f32>,
    weight: Vec<f32>,
    bias: Vec<f32>,
}

impl Case {
    fn new(layer: Layer) -> Self {
        Self {
            x: quarters(layer.batch * layer.channels * layer.height * layer.width, 1),
            weight: quarters(layer.filters * layer.channels * 9, 2),
            bias: quarters(layer.filters, 3),
            layer,
        }
    }

    /// Calls `visit` for each output, with its index, its image and filter, and the row and column
    /// where its window starts.
    fn for_each_output(&self, mut visit: impl FnMut(usize, [usize; 2], [usize; 2])) {
        let Layer {
            batch,
            filters,
            window,
            ..
        } = self.layer;
        let [rows, cols] = self.layer.output();
        for index in 0..batch * filters * rows * cols {
            let (map, place) = (index / (rows * cols), index % (rows * cols));
            let start = [place / cols * window[0], place % cols * window[1]];
            visit(index, [map / filters, map % filters], start);
        }
    }

    /// Calls `visit` for each weight that a position of the convolved map is a sum of, with its
    /// index and that of the input's value, where there is one.
    fn for_each_tap(
        &self,
        [image, filter]: [usize; 2],
        [row, col]: [usize; 2],
        mut visit: impl FnMut(usize, usize),
    ) {
        let Layer {
            channels,
            height,
            width,
            padding,
            ..
        } = self.layer;
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

    /// The output, and the place in its window where each value came from, by definition.
    fn expected(&self) -> (Vec<f32>, Vec<Option<usize>>) {
        let [window_rows, window_cols] = self.layer.window;
        let (mut output, mut places) = (Vec::new(), Vec::new());
        self.for_each_output(|_, map, [row, col]| {
            let mut best = (f32::NEG_INFINITY, 0);
            for place in 0..window_rows * window_cols {
                let at = [row + place / window_cols, col + place % window_cols];
                let mut sum = self.bias[map[1]];
                self.for_each_tap(map, at, |weight, x| sum += self.weight[weight] * self.x[x]);
                if sum > best.0 {
                    best = (sum, place);
                }
            }
            output.push(best.0.max(0.0));
            places.push((best.0 > 0.0).then_some(best.1));
        });
        (output, places)
    }

    fn name(&self) -> String {
        format!("{:?}", self.layer)
    }
}

/// Every window and padding, even and odd sizes, filters too few for Winograd's way and enough,
/// maps of several tiles and several images in one task.
fn cases() -> impl Iterator<Item = Case> {
    let mut layers = Vec::new();
    for (channels, filters) in [(1, 3), (5, 4), (12, 13), (17, 12)] {
        for padding in [0, 1] {
            for window in [[1, 1], [2, 1], [2, 2]] {
                for [batch, height, width] in [[3, 6, 8], [2, 7, 9], [1, 4, 4]] {
                    layers.push(Layer {
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
        layers.push(Layer {
            batch: 2,
            channels,
            height: 90,
            width: 64,
            filters: 12,
            padding: 1,
            window: [2, 2],
        });
    }
    layers.into_iter().map(Case::new)
}

#[test]
fn forward_is_convolution_pooling_and_relu() {
    for case in cases() {
        let (output, _) =
            case.layer
                .forward(&case.x, &case.layer.prepare(&case.weight), &case.bias);
        assert!(output == case.expected().0, "{}", case.name());
    }
}

#[test]
fn some_layers_are_convolved_by_winograd_and_some_are_not() {
    let by_winograd = |case: &Case| case.layer.prepare(&case.weight).len() > case.weight.len();
    let count = cases().filter(by_winograd).count();
    assert!(0 < count && count < cases().count(), "{count}");
}

#[cfg(feature = "threads")]
#[test]
fn backward_is_the_gradient_of_forward() {
    for case in cases() {
        let (output, routes) =
            case.layer
                .forward(&case.x, &case.layer.prepare(&case.weight), &case.bias);
        let grad = quarters(output.len(), 4);
        let (_, places) = case.expected();
        let mut x = vec![0.0; case.x.len()];
        let mut weight = vec![0.0; case.weight.len()];
        let mut bias = vec![0.0; case.bias.len()];
        let [_, window_cols] = case.layer.window;
        case.for_each_output(|index, map, [row, col]| {
            let Some(place) = places[index] else { return };
            let at = [row + place / window_cols, col + place % window_cols];
            bias[map[1]] += grad[index];
            case.for_each_tap(map, at, |of_weight, of_x| {
                weight[of_weight] += grad[index] * case.x[of_x];
                x[of_x] += grad[index] * case.weight[of_weight];
            });
        });
        for wants_x in [false, true] {
            let found = case
                .layer
                .backward(&case.x, &case.weight, &grad, &routes, wants_x);
            assert!(found.weight == weight, "weights: {}", case.name());
            assert!(found.bias == bias, "bias: {}", case.name());
            assert!(
                found.x == wants_x.then(|| x.clone()),
                "input: {}",
                case.name()
            );
        }
    }
}

#[test]
fn what_is_not_a_number_is_not_hidden() {
    let mut case = cases().next().expect("a case");
    case.x[0] = f32::NAN;
    let weight = case.layer.prepare(&case.weight);
    let (output, _) = case.layer.forward(&case.x, &weight, &case.bias);
    assert!(output.iter().any(|value| value.is_nan()));
}

#[test]
fn unshuffle_moves_each_square_to_channels() {
    // Two planes of 4 x 6; their values say where they are: plane, row, column.
    let x: Vec<f32> = (0..2 * 4 * 6)
        .map(|i| (100 * (i / 24) + 10 * (i / 6 % 4) + i % 6) as f32)
        .collect();
    let output = unshuffle(&x, [4, 6], 2);
    let first = [0.0, 2.0, 4.0, 20.0, 22.0, 24.0];
    let expected: Vec<f32> = [0.0, 1.0, 10.0, 11.0, 100.0, 101.0, 110.0, 111.0]
        .iter()
        .flat_map(|corner| first.map(|value| value + corner))
        .collect();
    assert_eq!(output, expected);
    assert_eq!(unshuffle(&x, [4, 6], 1), x);
}
