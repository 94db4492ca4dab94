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
    let blur_along = |from: &[u8], along_rows: bool| -> Vec<u8> {
        let mut to = Vec::with_capacity(from.len());
        for y in 0..height {
            for x in 0..width {
                for channel in 0..3 {
                    let mut total = 0.0;
                    for (place, weight) in weights.iter().enumerate() {
                        let moved = |at: usize, length: usize| {
                            (at + place).saturating_sub(reach).min(length - 1)
                        };
                        let (x, y) = if along_rows {
                            (moved(x, width), y)
                        } else {
                            (x, moved(y, height))
                        };
                        total += weight * f32::from(from[3 * (y * width + x) + channel]);
                    }
                    to.push((total / sum + 0.5) as u8);
                }
            }
        }
        to
    };
    blur_along(&blur_along(rgb, true), false)
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
