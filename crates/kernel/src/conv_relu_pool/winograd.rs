//! Winograd's way to convolve, F(2x2, 3x3): four neighbouring outputs from 16 products instead of
//! 36 (Lavin and Gray 2016, "Fast Algorithms for Convolutional Neural Networks").
//!
//! With `d` a patch of 4x4 inputs, `g` a filter and `y` the 2x2 outputs that they make,
//! `y = A' [(G g G') . (B' d B)] A`. Summed over the channels, each of the 16 places in the brackets
//! is a matrix product of its own. The way back takes the same products, and the transforms
//! transposed.

use super::{Layer, Tile, resized};

/// Places in the brackets: 4x4.
pub(super) const PLACES: usize = 16;

/// Channels and filters from which it pays.
const WIDE: usize = 12;

/// Kernels whose transforms are computed side by side, for the machine's vectors.
const LANES: usize = 16;
type Lanes = [f32; LANES];

/// `G g G'`: `[places, filters, channels]`, of `[filters, channels, 3, 3]`.
pub(super) fn transform(weight: &[f32]) -> Vec<f32> {
    let (kernels, _) = weight.as_chunks::<9>();
    let mut transformed = vec![0.0; PLACES * kernels.len()];
    for (first, kernels) in (0..).step_by(LANES).zip(kernels.chunks(LANES)) {
        let mut taps = [[0.0; LANES]; 9];
        for (lane, kernel) in kernels.iter().enumerate() {
            for (tap, value) in taps.iter_mut().zip(kernel) {
                tap[lane] = *value;
            }
        }
        let [a, b, c] = [0, 3, 6].map(|row| g([taps[row], taps[row + 1], taps[row + 2]]));
        let columns = [0, 1, 2, 3].map(|col| g([a[col], b[col], c[col]]));
        for (place, values) in transformed.chunks_exact_mut(weight.len() / 9).enumerate() {
            let values = &mut values[first..first + kernels.len()];
            values.copy_from_slice(&columns[place % 4][place / 4][..kernels.len()]);
        }
    }
    transformed
}

/// The other way: the gradient of the weights from that of the transformed ones.
#[cfg(feature = "threads")]
pub(super) fn transform_back(transformed: &[f32]) -> Vec<f32> {
    let count = transformed.len() / PLACES;
    let mut weight = vec![0.0; 9 * count];
    let (kernels, _) = weight.as_chunks_mut::<9>();
    for (first, kernels) in (0..).step_by(LANES).zip(kernels.chunks_mut(LANES)) {
        let mut places = [[0.0; LANES]; PLACES];
        for (place, values) in places.iter_mut().zip(transformed.chunks_exact(count)) {
            place[..kernels.len()].copy_from_slice(&values[first..first + kernels.len()]);
        }
        let rows = [0, 4, 8, 12].map(|row| {
            g_back([
                places[row],
                places[row + 1],
                places[row + 2],
                places[row + 3],
            ])
        });
        let columns = [0, 1, 2].map(|col| g_back(rows.map(|row| row[col])));
        for (lane, kernel) in kernels.iter_mut().enumerate() {
            for (tap, value) in kernel.iter_mut().enumerate() {
                *value = columns[tap % 3][tap / 3][lane];
            }
        }
    }
    weight
}

/// `G`
fn g([a, b, c]: [Lanes; 3]) -> [Lanes; 4] {
    let outer = lanes(|lane| 0.5 * (a[lane] + c[lane]));
    let plus = lanes(|lane| outer[lane] + 0.5 * b[lane]);
    let minus = lanes(|lane| outer[lane] - 0.5 * b[lane]);
    [a, plus, minus, c]
}

/// `G'`
#[cfg(feature = "threads")]
fn g_back([a, b, c, d]: [Lanes; 4]) -> [Lanes; 3] {
    let upper = lanes(|lane| a[lane] + 0.5 * (b[lane] + c[lane]));
    let middle = lanes(|lane| 0.5 * (b[lane] - c[lane]));
    let lower = lanes(|lane| 0.5 * (b[lane] + c[lane]) + d[lane]);
    [upper, middle, lower]
}

fn lanes(of: impl Fn(usize) -> f32) -> Lanes {
    std::array::from_fn(of)
}

impl Layer {
    /// Whether outputs come in fours, and the products are large enough to be worth the transforms.
    pub(super) fn by_winograd(&self) -> bool {
        let [rows, cols] = self.convolved();
        self.channels.min(self.filters) >= WIDE && rows % 2 == 0 && cols % 2 == 0
    }

    /// `B' d B`: `[places, channels, patches]`.
    pub(super) fn spread(&self, tile: &Tile, x: &[f32], lines: &mut Vec<f32>, spread: &mut [f32]) {
        let (length, place) = (tile.cols + 2, spread.len() / PLACES);
        let (inputs, sums) = resized(lines, 8 * length).split_at_mut(4 * length);
        for channel in 0..self.channels {
            for (pair, first) in (tile.start..tile.end).step_by(2).enumerate() {
                for (row, line) in inputs.chunks_exact_mut(length).enumerate() {
                    self.read(x, self.input_row(tile, channel, first, row), line);
                }
                let [d0, d1, d2, d3] = quarters(inputs);
                let [s0, s1, s2, s3] = quarters_mut(sums);
                combine(s0, d0, d2, |a, b| a - b);
                combine(s1, d1, d2, |a, b| a + b);
                combine(s2, d2, d1, |a, b| a - b);
                combine(s3, d1, d3, |a, b| a - b);
                let at = (channel * tile.pairs() + pair) * tile.cols / 2;
                let rows = spread.chunks_exact_mut(4 * place);
                for (sums, places) in sums.chunks_exact(length).zip(rows) {
                    let [p0, p1, p2, p3] =
                        quarters_mut(places).map(|place| &mut place[at..at + tile.cols / 2]);
                    let (sums, _) = sums.as_chunks::<2>();
                    let sums = sums.iter().zip(&sums[1..]);
                    let places = p0.iter_mut().zip(p1).zip(p2.iter_mut().zip(p3));
                    for (((p0, p1), (p2, p3)), ([d0, d1], [d2, d3])) in places.zip(sums) {
                        (*p0, *p1, *p2, *p3) = (d0 - d2, d1 + d2, d2 - d1, d1 - d3);
                    }
                }
            }
        }
    }

    /// The other way: adds the gradient of what was spread to the input's.
    #[cfg(feature = "threads")]
    pub(super) fn spread_back(
        &self,
        tile: &Tile,
        spread: &[f32],
        lines: &mut Vec<f32>,
        x: &mut [f32],
    ) {
        let (length, place) = (tile.cols + 2, spread.len() / PLACES);
        let sums = resized(lines, 4 * length);
        for channel in 0..self.channels {
            for (pair, first) in (tile.start..tile.end).step_by(2).enumerate() {
                let at = (channel * tile.pairs() + pair) * tile.cols / 2;
                let rows = spread.chunks_exact(4 * place);
                for (sums, places) in sums.chunks_exact_mut(length).zip(rows) {
                    let [p0, p1, p2, p3] =
                        quarters(places).map(|place| &place[at..at + tile.cols / 2]);
                    let places = || p0.iter().zip(p1).zip(p2.iter().zip(p3));
                    let (sums, _) = sums.as_chunks_mut::<2>();
                    for ([d0, d1], ((p0, p1), (p2, p3))) in sums.iter_mut().zip(places()) {
                        (*d0, *d1) = (*p0, p1 - p2 + p3);
                    }
                    if let Some(last) = sums.last_mut() {
                        *last = [0.0; 2];
                    }
                    for ([d2, d3], ((p0, p1), (p2, p3))) in sums[1..].iter_mut().zip(places()) {
                        *d2 += p1 + p2 - p0;
                        *d3 -= p3;
                    }
                }
                self.add(
                    x,
                    self.input_row(tile, channel, first, 0),
                    sums,
                    |[s0, ..]| s0,
                );
                self.add(
                    x,
                    self.input_row(tile, channel, first, 1),
                    sums,
                    |[_, s1, s2, s3]| s1 - s2 + s3,
                );
                self.add(
                    x,
                    self.input_row(tile, channel, first, 2),
                    sums,
                    |[s0, s1, s2, _]| s1 + s2 - s0,
                );
                self.add(
                    x,
                    self.input_row(tile, channel, first, 3),
                    sums,
                    |[.., s3]| -s3,
                );
            }
        }
    }

    /// `A' m A`, the convolved maps, `[filters, positions]`, of the products,
    /// `[places, filters, patches]`.
    pub(super) fn fold(tile: &Tile, products: &[f32], lines: &mut Vec<f32>, maps: &mut [f32]) {
        let place = products.len() / PLACES;
        let sums = resized(lines, 4 * tile.cols);
        for (pair, maps) in maps.chunks_exact_mut(2 * tile.cols).enumerate() {
            let at = pair * tile.cols / 2;
            let rows = products.chunks_exact(4 * place);
            for (sums, places) in sums.chunks_exact_mut(tile.cols).zip(rows) {
                let [p0, p1, p2, p3] = quarters(places).map(|place| &place[at..at + tile.cols / 2]);
                let places = p0.iter().zip(p1).zip(p2.iter().zip(p3));
                let (sums, _) = sums.as_chunks_mut::<2>();
                for ([left, right], ((p0, p1), (p2, p3))) in sums.iter_mut().zip(places) {
                    (*left, *right) = (p0 + p1 + p2, p1 - p2 - p3);
                }
            }
            let [s0, s1, s2, s3] = quarters(sums);
            let (upper, lower) = maps.split_at_mut(tile.cols);
            let sums = s0.iter().zip(s1).zip(s2.iter().zip(s3));
            for ((upper, lower), ((s0, s1), (s2, s3))) in upper.iter_mut().zip(lower).zip(sums) {
                (*upper, *lower) = (s0 + s1 + s2, s1 - s2 - s3);
            }
        }
    }

    /// The other way: the products' gradient from the maps'.
    #[cfg(feature = "threads")]
    pub(super) fn fold_back(tile: &Tile, maps: &[f32], lines: &mut Vec<f32>, products: &mut [f32]) {
        let place = products.len() / PLACES;
        let sums = resized(lines, 4 * tile.cols);
        for (pair, maps) in maps.chunks_exact(2 * tile.cols).enumerate() {
            let at = pair * tile.cols / 2;
            let (upper, lower) = maps.split_at(tile.cols);
            let [s0, s1, s2, s3] = quarters_mut(sums);
            s0.copy_from_slice(upper);
            combine(s1, upper, lower, |upper, lower| upper + lower);
            combine(s2, upper, lower, |upper, lower| upper - lower);
            combine(s3, lower, lower, |lower, _| -lower);
            let rows = products.chunks_exact_mut(4 * place);
            for (sums, places) in sums.chunks_exact(tile.cols).zip(rows) {
                let [p0, p1, p2, p3] =
                    quarters_mut(places).map(|place| &mut place[at..at + tile.cols / 2]);
                let places = p0.iter_mut().zip(p1).zip(p2.iter_mut().zip(p3));
                let (sums, _) = sums.as_chunks::<2>();
                for (((p0, p1), (p2, p3)), [left, right]) in places.zip(sums) {
                    (*p0, *p1, *p2, *p3) = (*left, left + right, left - right, -right);
                }
            }
        }
    }

    /// A row of the input, with what the patches see beyond its ends.
    fn read(&self, x: &[f32], row: Option<usize>, line: &mut [f32]) {
        let (first, last) = self.inside(line.len());
        let Some(row) = row else {
            line.fill(0.0);
            return;
        };
        line[..first].fill(0.0);
        line[first..last].copy_from_slice(&x[row..row + last - first]);
        line[last..].fill(0.0);
    }

    /// The other way: adds what `of` makes of four lines to a row of the input's gradient.
    #[cfg(feature = "threads")]
    fn add(&self, x: &mut [f32], row: Option<usize>, lines: &[f32], of: impl Fn([f32; 4]) -> f32) {
        let Some(row) = row else {
            return;
        };
        let (first, last) = self.inside(lines.len() / 4);
        let [l0, l1, l2, l3] = quarters(lines).map(|line| &line[first..last]);
        let x = &mut x[row..row + last - first];
        let lines = l0.iter().zip(l1).zip(l2.iter().zip(l3));
        for (x, ((l0, l1), (l2, l3))) in x.iter_mut().zip(lines) {
            *x += of([*l0, *l1, *l2, *l3]);
        }
    }

    /// Where the input begins and ends in a line of this length, which starts with the padding.
    fn inside(&self, length: usize) -> (usize, usize) {
        (self.padding, length.min(self.width + self.padding))
    }
}

fn combine(line: &mut [f32], a: &[f32], b: &[f32], of: impl Fn(f32, f32) -> f32) {
    for (value, (a, b)) in line.iter_mut().zip(a.iter().zip(b)) {
        *value = of(*a, *b);
    }
}

fn quarters(values: &[f32]) -> [&[f32]; 4] {
    let (upper, lower) = values.split_at(values.len() / 2);
    let ((a, b), (c, d)) = (
        upper.split_at(upper.len() / 2),
        lower.split_at(lower.len() / 2),
    );
    [a, b, c, d]
}

fn quarters_mut(values: &mut [f32]) -> [&mut [f32]; 4] {
    let (upper, lower) = values.split_at_mut(values.len() / 2);
    let half = upper.len() / 2;
    let ((a, b), (c, d)) = (upper.split_at_mut(half), lower.split_at_mut(half));
    [a, b, c, d]
}
