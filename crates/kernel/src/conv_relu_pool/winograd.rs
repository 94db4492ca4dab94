//! Winograd's convolution F(2x2, 3x3): four neighbouring outputs from 16 products instead of 36
//! (Lavin and Gray 2016, "Fast Algorithms for Convolutional Neural Networks").
//!
//! `y = A' [(G g G') . (B' d B)] A`, with `d` a tile of 4x4 inputs, `g` a filter and `y` its 2x2
//! outputs. Summed over the channels, each of the 16 elements in the brackets is a matrix product of
//! its own. The backward pass takes the same products, and the transposed transforms.

use super::{Band, ConvReluPool, resized};

/// Elements of a tile of 4x4 inputs.
pub(super) const TILE_ELEMENTS: usize = 16;

/// Fewest channels and filters with which Winograd's convolution is faster than a direct one.
const MIN_CHANNELS: usize = 12;

/// Filters whose transforms are computed side by side, to fill SIMD registers.
const LANES: usize = 16;
type Lanes = [f32; LANES];

/// `G g G'`: `[elements, filters, channels]`, of `[filters, channels, 3, 3]`.
pub(super) fn weight_transform(weight: &[f32]) -> Vec<f32> {
    let (kernels, _) = weight.as_chunks::<9>();
    let mut transformed = vec![0.0; TILE_ELEMENTS * kernels.len()];
    for (first, kernels) in (0..).step_by(LANES).zip(kernels.chunks(LANES)) {
        let mut taps = [[0.0; LANES]; 9];
        for (lane, kernel) in kernels.iter().enumerate() {
            for (tap, value) in taps.iter_mut().zip(kernel) {
                tap[lane] = *value;
            }
        }
        let [a, b, c] = [0, 3, 6].map(|row| g([taps[row], taps[row + 1], taps[row + 2]]));
        let columns = [0, 1, 2, 3].map(|col| g([a[col], b[col], c[col]]));
        for (element, values) in transformed.chunks_exact_mut(weight.len() / 9).enumerate() {
            let values = &mut values[first..first + kernels.len()];
            values.copy_from_slice(&columns[element % 4][element / 4][..kernels.len()]);
        }
    }
    transformed
}

/// The backward pass of [`weight_transform`]: the gradient of the weights from that of the
/// transformed ones.
#[cfg(feature = "threads")]
pub(super) fn weight_transform_grad(transformed: &[f32]) -> Vec<f32> {
    let count = transformed.len() / TILE_ELEMENTS;
    let mut weight = vec![0.0; 9 * count];
    let (kernels, _) = weight.as_chunks_mut::<9>();
    for (first, kernels) in (0..).step_by(LANES).zip(kernels.chunks_mut(LANES)) {
        let mut elements = [[0.0; LANES]; TILE_ELEMENTS];
        for (element, values) in elements.iter_mut().zip(transformed.chunks_exact(count)) {
            element[..kernels.len()].copy_from_slice(&values[first..first + kernels.len()]);
        }
        let rows = [0, 4, 8, 12].map(|row| {
            g_transposed([
                elements[row],
                elements[row + 1],
                elements[row + 2],
                elements[row + 3],
            ])
        });
        let columns = [0, 1, 2].map(|col| g_transposed(rows.map(|row| row[col])));
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
fn g_transposed([a, b, c, d]: [Lanes; 4]) -> [Lanes; 3] {
    let upper = lanes(|lane| a[lane] + 0.5 * (b[lane] + c[lane]));
    let middle = lanes(|lane| 0.5 * (b[lane] - c[lane]));
    let lower = lanes(|lane| 0.5 * (b[lane] + c[lane]) + d[lane]);
    [upper, middle, lower]
}

fn lanes(of: impl Fn(usize) -> f32) -> Lanes {
    std::array::from_fn(of)
}

impl ConvReluPool {
    /// Whether the convolution is Winograd's: the outputs must come in fours, and the products must
    /// be large enough to be worth the transforms.
    pub(super) fn uses_winograd(&self) -> bool {
        let [rows, cols] = self.convolved();
        self.channels.min(self.filters) >= MIN_CHANNELS && rows % 2 == 0 && cols % 2 == 0
    }

    /// `B' d B`: `[elements, channels, tiles]`.
    #[inline(always)]
    pub(super) fn input_transform(
        &self,
        band: &Band,
        x: &[f32],
        rows: &mut Vec<f32>,
        transformed: &mut [f32],
    ) {
        let (length, plane) = (band.cols + 2, transformed.len() / TILE_ELEMENTS);
        let (inputs, sums) = resized(rows, 8 * length).split_at_mut(4 * length);
        for channel in 0..self.channels {
            for (pair, first) in (band.start..band.end).step_by(2).enumerate() {
                for (step, row) in inputs.chunks_exact_mut(length).enumerate() {
                    self.copy_row(x, self.input_row(band, channel, first, step), row);
                }
                let [d0, d1, d2, d3] = quarters(inputs);
                let [s0, s1, s2, s3] = quarters_mut(sums);
                combine(s0, d0, d2, |a, b| a - b);
                combine(s1, d1, d2, |a, b| a + b);
                combine(s2, d2, d1, |a, b| a - b);
                combine(s3, d1, d3, |a, b| a - b);
                let at = (channel * band.pairs() + pair) * band.cols / 2;
                let element_rows = transformed.chunks_exact_mut(4 * plane);
                for (sums, elements) in sums.chunks_exact(length).zip(element_rows) {
                    let [p0, p1, p2, p3] =
                        quarters_mut(elements).map(|element| &mut element[at..at + band.cols / 2]);
                    let (sums, _) = sums.as_chunks::<2>();
                    let sums = sums.iter().zip(&sums[1..]);
                    let elements = p0.iter_mut().zip(p1).zip(p2.iter_mut().zip(p3));
                    for (((p0, p1), (p2, p3)), ([d0, d1], [d2, d3])) in elements.zip(sums) {
                        (*p0, *p1, *p2, *p3) = (d0 - d2, d1 + d2, d2 - d1, d1 - d3);
                    }
                }
            }
        }
    }

    /// The backward pass of [`Self::input_transform`]: adds the gradient of the transformed tiles
    /// to the input's.
    #[cfg(feature = "threads")]
    #[inline(always)]
    pub(super) fn input_transform_grad(
        &self,
        band: &Band,
        transformed: &[f32],
        rows: &mut Vec<f32>,
        x: &mut [f32],
    ) {
        let (length, plane) = (band.cols + 2, transformed.len() / TILE_ELEMENTS);
        let sums = resized(rows, 4 * length);
        for channel in 0..self.channels {
            for (pair, first) in (band.start..band.end).step_by(2).enumerate() {
                let at = (channel * band.pairs() + pair) * band.cols / 2;
                let element_rows = transformed.chunks_exact(4 * plane);
                for (sums, elements) in sums.chunks_exact_mut(length).zip(element_rows) {
                    let [p0, p1, p2, p3] =
                        quarters(elements).map(|element| &element[at..at + band.cols / 2]);
                    let elements = || p0.iter().zip(p1).zip(p2.iter().zip(p3));
                    let (sums, _) = sums.as_chunks_mut::<2>();
                    for ([d0, d1], ((p0, p1), (p2, p3))) in sums.iter_mut().zip(elements()) {
                        (*d0, *d1) = (*p0, p1 - p2 + p3);
                    }
                    if let Some(last) = sums.last_mut() {
                        *last = [0.0; 2];
                    }
                    for ([d2, d3], ((p0, p1), (p2, p3))) in sums[1..].iter_mut().zip(elements()) {
                        *d2 += p1 + p2 - p0;
                        *d3 -= p3;
                    }
                }
                self.add_row(
                    x,
                    self.input_row(band, channel, first, 0),
                    sums,
                    |[s0, ..]| s0,
                );
                self.add_row(
                    x,
                    self.input_row(band, channel, first, 1),
                    sums,
                    |[_, s1, s2, s3]| s1 - s2 + s3,
                );
                self.add_row(
                    x,
                    self.input_row(band, channel, first, 2),
                    sums,
                    |[s0, s1, s2, _]| s1 + s2 - s0,
                );
                self.add_row(
                    x,
                    self.input_row(band, channel, first, 3),
                    sums,
                    |[.., s3]| -s3,
                );
            }
        }
    }

    /// `A' m A`, the convolved maps, `[filters, positions]`, of the products,
    /// `[elements, filters, tiles]`.
    #[inline(always)]
    pub(super) fn output_transform(
        band: &Band,
        products: &[f32],
        rows: &mut Vec<f32>,
        maps: &mut [f32],
    ) {
        let plane = products.len() / TILE_ELEMENTS;
        let sums = resized(rows, 4 * band.cols);
        for (pair, maps) in maps.chunks_exact_mut(2 * band.cols).enumerate() {
            let at = pair * band.cols / 2;
            let element_rows = products.chunks_exact(4 * plane);
            for (sums, elements) in sums.chunks_exact_mut(band.cols).zip(element_rows) {
                let [p0, p1, p2, p3] =
                    quarters(elements).map(|element| &element[at..at + band.cols / 2]);
                let elements = p0.iter().zip(p1).zip(p2.iter().zip(p3));
                let (sums, _) = sums.as_chunks_mut::<2>();
                for ([left, right], ((p0, p1), (p2, p3))) in sums.iter_mut().zip(elements) {
                    (*left, *right) = (p0 + p1 + p2, p1 - p2 - p3);
                }
            }
            let [s0, s1, s2, s3] = quarters(sums);
            let (upper, lower) = maps.split_at_mut(band.cols);
            let sums = s0.iter().zip(s1).zip(s2.iter().zip(s3));
            for ((upper, lower), ((s0, s1), (s2, s3))) in upper.iter_mut().zip(lower).zip(sums) {
                (*upper, *lower) = (s0 + s1 + s2, s1 - s2 - s3);
            }
        }
    }

    /// The backward pass of [`Self::output_transform`]: the products' gradient from the maps'.
    #[cfg(feature = "threads")]
    #[inline(always)]
    pub(super) fn output_transform_grad(
        band: &Band,
        maps: &[f32],
        rows: &mut Vec<f32>,
        products: &mut [f32],
    ) {
        let plane = products.len() / TILE_ELEMENTS;
        let sums = resized(rows, 4 * band.cols);
        for (pair, maps) in maps.chunks_exact(2 * band.cols).enumerate() {
            let at = pair * band.cols / 2;
            let (upper, lower) = maps.split_at(band.cols);
            let [s0, s1, s2, s3] = quarters_mut(sums);
            s0.copy_from_slice(upper);
            combine(s1, upper, lower, |upper, lower| upper + lower);
            combine(s2, upper, lower, |upper, lower| upper - lower);
            combine(s3, lower, lower, |lower, _| -lower);
            let element_rows = products.chunks_exact_mut(4 * plane);
            for (sums, elements) in sums.chunks_exact(band.cols).zip(element_rows) {
                let [p0, p1, p2, p3] =
                    quarters_mut(elements).map(|element| &mut element[at..at + band.cols / 2]);
                let elements = p0.iter_mut().zip(p1).zip(p2.iter_mut().zip(p3));
                let (sums, _) = sums.as_chunks::<2>();
                for (((p0, p1), (p2, p3)), [left, right]) in elements.zip(sums) {
                    (*p0, *p1, *p2, *p3) = (*left, left + right, left - right, -right);
                }
            }
        }
    }

    /// Copies a row of the input, with zeros in the padding and beyond its end.
    #[inline(always)]
    fn copy_row(&self, x: &[f32], start: Option<usize>, row: &mut [f32]) {
        let (first, last) = self.columns_of_row(row.len());
        let Some(start) = start else {
            row.fill(0.0);
            return;
        };
        row[..first].fill(0.0);
        row[first..last].copy_from_slice(&x[start..start + last - first]);
        row[last..].fill(0.0);
    }

    /// The backward pass of [`Self::copy_row`] and the first sums: adds what `of` makes of four
    /// rows to a row of the input's gradient.
    #[cfg(feature = "threads")]
    #[inline(always)]
    fn add_row(
        &self,
        x: &mut [f32],
        start: Option<usize>,
        rows: &[f32],
        of: impl Fn([f32; 4]) -> f32,
    ) {
        let Some(start) = start else {
            return;
        };
        let (first, last) = self.columns_of_row(rows.len() / 4);
        let [r0, r1, r2, r3] = quarters(rows).map(|row| &row[first..last]);
        let x = &mut x[start..start + last - first];
        let rows = r0.iter().zip(r1).zip(r2.iter().zip(r3));
        for (x, ((r0, r1), (r2, r3))) in x.iter_mut().zip(rows) {
            *x += of([*r0, *r1, *r2, *r3]);
        }
    }

    /// The first and last column of the input in a row of this length, which starts with the
    /// padding.
    #[inline(always)]
    fn columns_of_row(&self, length: usize) -> (usize, usize) {
        (self.padding, length.min(self.width + self.padding))
    }
}

#[inline(always)]
fn combine(row: &mut [f32], a: &[f32], b: &[f32], of: impl Fn(f32, f32) -> f32) {
    for (value, (a, b)) in row.iter_mut().zip(a.iter().zip(b)) {
        *value = of(*a, *b);
    }
}

#[inline(always)]
fn quarters(values: &[f32]) -> [&[f32]; 4] {
    let (upper, lower) = values.split_at(values.len() / 2);
    let ((a, b), (c, d)) = (
        upper.split_at(upper.len() / 2),
        lower.split_at(lower.len() / 2),
    );
    [a, b, c, d]
}

#[inline(always)]
fn quarters_mut(values: &mut [f32]) -> [&mut [f32]; 4] {
    let (upper, lower) = values.split_at_mut(values.len() / 2);
    let half = upper.len() / 2;
    let ((a, b), (c, d)) = (upper.split_at_mut(half), lower.split_at_mut(half));
    [a, b, c, d]
}
