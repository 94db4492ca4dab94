//! The losses of JPEG: the image is transformed and quantised as an encoder does it, and
//! transformed back. The bytes between are not needed, and the result is the same on every platform.

use std::f32::consts::{PI, SQRT_2};
use std::sync::LazyLock;

/// Side of a block.
const SIDE: usize = 8;

type Block = [f32; SIDE * SIDE];

/// Quantisation of brightness and of colour, ITU-T T.81, annex K.
const BRIGHTNESS: [u8; 64] = [
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56,
    14, 17, 22, 29, 51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113,
    92, 49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
];
const COLOR: [u8; 64] = [
    17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99, 99,
    47, 66, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
    99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
];

/// Compresses with a quality of 1 to 100 and colour at half the resolution, and expands again.
pub(super) fn compress(rgb: &mut [u8], size: [usize; 2], quality: f32) {
    let [width, height] = size;
    let pixels = rgb.as_chunks::<3>().0;
    let plane = |weights: [f32; 3], offset: f32| -> Plane {
        let values = pixels.iter().map(|rgb| {
            let [r, g, b] = rgb.map(f32::from);
            weights[0] * r + weights[1] * g + weights[2] * b + offset
        });
        Plane {
            values: values.collect(),
            size,
        }
    };
    // JFIF.
    let y = plane([0.299, 0.587, 0.114], -128.0).quantised(&BRIGHTNESS, quality);
    let cb = plane([-0.168_736, -0.331_264, 0.5], 0.0);
    let cr = plane([0.5, -0.418_688, -0.081_312], 0.0);
    let [cb, cr] = [cb, cr].map(|plane| plane.halved().quantised(&COLOR, quality));
    for row in 0..height {
        for column in 0..width {
            let y = y.at(column, row) + 128.0;
            let [cb, cr] = [&cb, &cr].map(|plane| plane.at(column / 2, row / 2));
            let pixel = [
                y + 1.402 * cr,
                y - 0.344_136 * cb - 0.714_136 * cr,
                y + 1.772 * cb,
            ];
            let place = 3 * (row * width + column);
            for (byte, value) in rgb[place..place + 3].iter_mut().zip(pixel) {
                *byte = (value + 0.5).clamp(0.0, 255.0) as u8;
            }
        }
    }
}

/// One channel of the image.
struct Plane {
    values: Vec<f32>,
    size: [usize; 2],
}

impl Plane {
    /// A value; beyond the edges, the one at the edge.
    fn at(&self, x: usize, y: usize) -> f32 {
        let [width, height] = self.size;
        self.values[y.min(height - 1) * width + x.min(width - 1)]
    }

    /// The means of squares of 2 by 2.
    fn halved(&self) -> Self {
        let size = self.size.map(|length| length.div_ceil(2));
        let values = (0..size[0] * size[1]).map(|place| {
            let [x, y] = [2 * (place % size[0]), 2 * (place / size[0])];
            let pairs = [
                self.at(x, y) + self.at(x + 1, y),
                self.at(x, y + 1) + self.at(x + 1, y + 1),
            ];
            0.25 * (pairs[0] + pairs[1])
        });
        Self {
            values: values.collect(),
            size,
        }
    }

    fn quantised(mut self, table: &[u8; 64], quality: f32) -> Self {
        let steps = steps(table, quality);
        let [width, height] = self.size;
        for top in (0..height).step_by(SIDE) {
            for left in (0..width).step_by(SIDE) {
                let mut block: Block =
                    std::array::from_fn(|place| self.at(left + place % SIDE, top + place / SIDE));
                quantise(&mut block, &steps);
                for (place, value) in block.into_iter().enumerate() {
                    let [x, y] = [left + place % SIDE, top + place / SIDE];
                    if x < width && y < height {
                        self.values[y * width + x] = value;
                    }
                }
            }
        }
        self
    }
}

/// The table of a quality, as the Independent JPEG Group scales it.
fn steps(table: &[u8; 64], quality: f32) -> Block {
    let quality = quality.clamp(1.0, 100.0);
    let percent = if quality < 50.0 {
        5000.0 / quality
    } else {
        200.0 - 2.0 * quality
    };
    table.map(|step| {
        ((f32::from(step) * percent + 50.0) / 100.0)
            .floor()
            .clamp(1.0, 255.0)
    })
}

fn quantise(block: &mut Block, steps: &Block) {
    /// The cosine transform, a row for each frequency, and its transpose.
    static COSINES: LazyLock<[Block; 2]> = LazyLock::new(|| {
        let cosine = |frequency: usize, at: usize| {
            let norm = if frequency == 0 { 0.5 / SQRT_2 } else { 0.5 };
            norm * libm::cosf((2.0 * at as f32 + 1.0) * frequency as f32 * PI / 16.0)
        };
        [
            std::array::from_fn(|place| cosine(place / SIDE, place % SIDE)),
            std::array::from_fn(|place| cosine(place % SIDE, place / SIDE)),
        ]
    });
    let [cosines, transposed] = &*COSINES;
    let mut frequencies = product(cosines, &product(block, transposed));
    for (value, step) in frequencies.iter_mut().zip(steps) {
        *value = (*value / step + 0.5).floor() * step;
    }
    *block = product(transposed, &product(&frequencies, cosines));
}

/// Matrix product.
fn product(left: &Block, right: &Block) -> Block {
    let mut product = [0.0; SIDE * SIDE];
    let (left, right) = (left.as_chunks::<SIDE>().0, right.as_chunks::<SIDE>().0);
    // Rows of sums, which the compiler computes at once.
    for (row, factors) in product.as_chunks_mut::<SIDE>().0.iter_mut().zip(left) {
        for (factor, right) in factors.iter().zip(right) {
            for (sum, value) in row.iter_mut().zip(right) {
                *sum += factor * value;
            }
        }
    }
    product
}

#[cfg(test)]
mod tests {
    use super::*;

    fn difference(a: &[u8], b: &[u8]) -> f32 {
        let sum: u32 = a
            .iter()
            .zip(b)
            .map(|(&a, &b)| u32::from(a.abs_diff(b)))
            .sum();
        sum as f32 / a.len() as f32
    }

    /// A slope with an edge, of an odd size.
    fn picture() -> Vec<u8> {
        let bytes = (0..3 * 19 * 13).map(|i| {
            let (x, y) = (i / 3 % 19, i / 3 / 19);
            if x > 9 { 230 } else { (7 * x + 5 * y) as u8 }
        });
        bytes.collect()
    }

    #[test]
    fn compress_at_the_best_quality_changes_almost_nothing() {
        let (mut rgb, original) = (picture(), picture());
        compress(&mut rgb, [19, 13], 100.0);
        assert!(difference(&rgb, &original) < 1.0);
    }

    #[test]
    fn compress_loses_more_at_lower_quality() {
        let original = picture();
        let losses = [90.0, 50.0, 10.0].map(|quality| {
            let mut rgb = picture();
            compress(&mut rgb, [19, 13], quality);
            difference(&rgb, &original)
        });
        assert!(losses.is_sorted_by(|a, b| a < b), "{losses:?}");
        assert!(losses[2] < 25.0, "{losses:?}");
    }
}
