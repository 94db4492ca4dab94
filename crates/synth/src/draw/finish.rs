//! What is done to the finished picture: blur, grain, inversion, and the losses of JPEG.

use super::jpeg;
use crate::look::Finish;
use crate::random::Random;

/// Blurs, grains, inverts and compresses, in this order.
pub(super) fn apply(finish: &Finish, rgb: &mut Vec<u8>, size: [usize; 2], mut random: Random) {
    let blur = finish.blur.draw(&mut random);
    let grain = finish.grain.draw(&mut random);
    let inverted = random.bernoulli(finish.invert);
    let compressed = random.bernoulli(finish.jpeg);
    let quality = finish.quality.draw(&mut random);
    // A narrower blur changes no pixel.
    if blur > 0.2 {
        *rgb = blurred(rgb, size, blur);
    }
    if grain > 0.0 {
        for byte in rgb.iter_mut() {
            let change = 255.0 * grain * random.range(-1.0, 1.0);
            *byte = (f32::from(*byte) + change + 0.5).clamp(0.0, 255.0) as u8;
        }
    }
    if inverted {
        rgb.iter_mut().for_each(|byte| *byte = u8::MAX - *byte);
    }
    if compressed {
        jpeg::compress(rgb, size, quality);
    }
}

/// Convolves with a Gaussian, rows first. Pixels beyond the edges are those at the edges.
fn blurred(rgb: &[u8], [width, height]: [usize; 2], deviation: f32) -> Vec<u8> {
    let reach = (3.0 * deviation).ceil() as usize;
    let weights: Vec<f32> = (0..=2 * reach)
        .map(|place| {
            let distance = (place as f32 - reach as f32) / deviation;
            libm::expf(-0.5 * distance * distance)
        })
        .collect();
    let sum: f32 = weights.iter().sum();
    let stride = 3 * width;
    let mut totals = vec![0.0; stride];
    let store = |totals: &mut [f32], to: &mut [u8]| {
        for (byte, total) in to.iter_mut().zip(totals) {
            *byte = (*total / sum + 0.5) as u8;
            *total = 0.0;
        }
    };
    let mut along_rows = vec![0; rgb.len()];
    let mut padded = vec![0.0; stride + 6 * reach];
    for (from, to) in rgb
        .chunks_exact(stride)
        .zip(along_rows.chunks_exact_mut(stride))
    {
        for (x, pixel) in padded.chunks_exact_mut(3).enumerate() {
            let x = x.saturating_sub(reach).min(width - 1);
            pixel.copy_from_slice(&[0, 1, 2].map(|channel| f32::from(from[3 * x + channel])));
        }
        for (place, weight) in weights.iter().enumerate() {
            for (total, value) in totals.iter_mut().zip(&padded[3 * place..]) {
                *total += weight * value;
            }
        }
        store(&mut totals, to);
    }
    let mut blurred = vec![0; rgb.len()];
    for (y, to) in blurred.chunks_exact_mut(stride).enumerate() {
        for (place, weight) in weights.iter().enumerate() {
            let row = (y + place).saturating_sub(reach).min(height - 1);
            for (total, byte) in totals.iter_mut().zip(&along_rows[row * stride..]) {
                *total += weight * f32::from(*byte);
            }
        }
        store(&mut totals, to);
    }
    blurred
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blur_of_a_flat_image_changes_nothing() {
        let flat = vec![77; 3 * 9 * 5];
        assert_eq!(blurred(&flat, [9, 5], 1.3), flat);
    }

    #[test]
    fn blur_spreads_a_dot_to_its_neighbours_evenly() {
        let mut dot = vec![0; 3 * 9 * 9];
        dot[3 * (4 * 9 + 4)] = 255;
        let blurred = blurred(&dot, [9, 9], 1.0);
        let red = |x: usize, y: usize| blurred[3 * (y * 9 + x)];
        assert!(red(4, 4) > red(3, 4) && red(3, 4) > red(2, 4));
        assert_eq!([red(3, 4), red(5, 4), red(4, 3)], [red(4, 5); 3]);
        assert_eq!(blurred[3 * (4 * 9 + 4) + 1], 0);
    }
}
