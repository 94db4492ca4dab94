//! Augmentation for fine-tuning on few images: each time an image is used, it is slightly rotated,
//! scaled, sheared, moved, recoloured, blurred, and covered with noise.

use std::sync::OnceLock;

use anyhow::{Result, ensure};
use captcha_model::image::{RgbImage, decode_image};
use image::codecs::jpeg::JpegEncoder;
use image::imageops::{FilterType, resize};
use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// Proportions of images that get the whole changes. In a longer image, the same rotation, scale or
/// shift would move the characters at its ends out of it.
const PROPORTIONS: f32 = 4.0;

/// Largest changes; each image gets a random part of each. Images longer than 4:1 are rotated, and
/// scaled and moved along their longer side, by less.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Augmentation {
    /// Rotation, in degrees.
    pub rotation: f32,
    /// Change of width and height, as a share.
    pub scale: f32,
    /// Horizontal shear, as a share of the height.
    pub shear: f32,
    /// Displacement, as a share of the width and the height.
    pub shift: f32,
    /// Height of the wave that displaces rows and columns, as a share of the height.
    pub wave: f32,
    /// Change of contrast, as a share.
    pub contrast: f32,
    /// Change of brightness, as a share of the range from black to white.
    pub brightness: f32,
    /// Largest standard deviation of the noise, as a share of the range.
    pub noise: f32,
    /// Share of the images that lose detail: they are reduced to between a half and all of their
    /// size.
    pub blur_share: f64,
    /// Share of the images that are compressed with JPEG of quality 30 to 95.
    pub jpeg_share: f64,
}

/// Coefficients of the map from output to source pixels.
struct Affine {
    xx: f32,
    xy: f32,
    yx: f32,
    yy: f32,
    dx: f32,
    dy: f32,
    /// Amplitude in source pixels, frequency in output pixels, and phase, for each axis.
    waves: [(f32, f32, f32); 2],
}

impl Augmentation {
    /// Checks the ranges.
    ///
    /// # Errors
    ///
    /// If a value is out of its range.
    pub fn check(&self) -> Result<()> {
        let shares = [self.scale, self.shear, self.shift, self.wave, self.contrast];
        let shares = shares.into_iter().chain([self.brightness, self.noise]);
        ensure!(
            shares.into_iter().all(|share| (0.0..=0.5).contains(&share))
                && (0.0..=45.0).contains(&self.rotation),
            "an augmentation must be between 0 and 0.5, and a rotation between 0 and 45 degrees"
        );
        ensure!(
            [self.blur_share, self.jpeg_share]
                .iter()
                .all(|share| (0.0..=1.0).contains(share)),
            "blur_share and jpeg_share must be between 0 and 1"
        );
        Ok(())
    }

    /// The same changes, `strength` times as large or as frequent.
    pub fn scaled(&self, strength: f32) -> Self {
        Self {
            rotation: strength * self.rotation,
            scale: strength * self.scale,
            shear: strength * self.shear,
            shift: strength * self.shift,
            wave: strength * self.wave,
            contrast: strength * self.contrast,
            brightness: strength * self.brightness,
            noise: strength * self.noise,
            blur_share: f64::from(strength) * self.blur_share,
            jpeg_share: f64::from(strength) * self.jpeg_share,
        }
    }

    /// A random variant of an image, `width` x `height` pixels.
    ///
    /// # Errors
    ///
    /// If JPEG compression fails.
    pub fn apply(
        &self,
        image: &RgbImage,
        [width, height]: [u32; 2],
        random: &mut ChaCha8Rng,
    ) -> Result<RgbImage> {
        // The bilinear map takes one source pixel in so many: a larger image is reduced first.
        let reduced;
        let mut source = image;
        if image.width() > 2 * width || image.height() > 2 * height {
            reduced = resize(image, width, height, FilterType::Triangle);
            source = &reduced;
        }
        let blurred;
        if random.random_bool(self.blur_share) {
            let share: f32 = random.random_range(0.5..1.0);
            let side = |pixels: u32| ((pixels as f32 * share) as u32).max(1);
            blurred = resize(
                source,
                side(source.width()),
                side(source.height()),
                FilterType::Triangle,
            );
            source = &blurred;
        }
        let map = self.affine(source, image.dimensions(), [width, height], random);
        let colours = self.colours(random);
        let mut output = map.apply(source, [width, height], &colours, random);
        if random.random_bool(self.jpeg_share) {
            let quality = random.random_range(30..=95);
            let mut bytes = Vec::new();
            output.write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, quality))?;
            output = decode_image(&bytes)?;
        }
        Ok(output)
    }

    /// `original` is the size before the image was reduced, possibly to other proportions.
    fn affine(
        &self,
        source: &RgbImage,
        original: (u32, u32),
        [width, height]: [u32; 2],
        random: &mut ChaCha8Rng,
    ) -> Affine {
        let mut up_to = |limit: f32| limit * random.random_range(-1.0..=1.0f32);
        let (source_width, source_height) = (source.width() as f32, source.height() as f32);
        let proportions = original.0 as f32 / original.1 as f32;
        let along_x = (PROPORTIONS / proportions).min(1.0);
        let along_y = (PROPORTIONS * proportions).min(1.0);
        let rotation = along_x.min(along_y) * self.rotation;
        let (sin, cos) = up_to(rotation).to_radians().sin_cos();
        let scale_x = 1.0 + up_to(along_x * self.scale);
        let scale_y = 1.0 + up_to(along_y * self.scale);
        let shear = up_to(self.shear);
        // In source pixels, around the centre; output pixels are first scaled to the source.
        let (to_x, to_y) = (source_width / width as f32, source_height / height as f32);
        let (xx, xy) = (scale_x * cos, shear - sin);
        let (yx, yy) = (sin, scale_y * cos);
        let (centre_x, centre_y) = (source_width / 2.0, source_height / 2.0);
        let (move_x, move_y) = (
            up_to(along_x * self.shift) * source_width,
            up_to(along_y * self.shift) * source_height,
        );
        let mut wave = |length: u32| {
            let amplitude = up_to(self.wave) * source_height;
            let turns = 1.5 + up_to(1.0);
            let frequency = turns * std::f32::consts::TAU / length as f32;
            (amplitude, frequency, up_to(std::f32::consts::PI))
        };
        Affine {
            xx: xx * to_x,
            xy: xy * to_y,
            yx: yx * to_x,
            yy: yy * to_y,
            dx: centre_x - xx * centre_x - xy * centre_y + move_x,
            dy: centre_y - yx * centre_x - yy * centre_y + move_y,
            waves: [wave(height), wave(width)],
        }
    }

    fn colours(&self, random: &mut ChaCha8Rng) -> Colours {
        let mut up_to = |limit: f32| limit * random.random_range(-1.0..=1.0f32);
        let contrast = 1.0 + up_to(self.contrast);
        let brightness = 255.0 * up_to(self.brightness);
        let (mut gain, mut offset) = ([0.0; LANES], [0.0; LANES]);
        for channel in 0..3 {
            gain[channel] = contrast * (1.0 + up_to(self.contrast / 3.0));
            offset[channel] = brightness + 255.0 * up_to(self.brightness / 3.0);
        }
        Colours {
            gain,
            offset,
            deviation: 255.0 * self.noise * random.random_range(0.0..=1.0f32),
        }
    }
}

/// Values of a pixel: three colours and one unused, so that the compiler vectorizes its arithmetic.
const LANES: usize = 4;

/// A change of colours: `gain * value + offset`, and noise.
struct Colours {
    gain: [f32; LANES],
    offset: [f32; LANES],
    /// Standard deviation of the noise.
    deviation: f32,
}

impl Affine {
    /// Bilinear interpolation, then the change of colours; pixels outside repeat the border.
    fn apply(
        &self,
        source: &RgbImage,
        [width, height]: [u32; 2],
        colours: &Colours,
        random: &mut ChaCha8Rng,
    ) -> RgbImage {
        let (last_x, last_y) = (source.width() as usize - 1, source.height() as usize - 1);
        let (pixels, stride) = (lanes_of(source), source.width() as usize);
        let [
            (row_size, row_frequency, row_phase),
            (col_size, col_frequency, col_phase),
        ] = self.waves;
        let columns: Vec<f32> = (0..width)
            .map(|x| col_size * (x as f32 * col_frequency + col_phase).sin())
            .collect();
        let normal = normal_values();
        let mut output = RgbImage::new(width, height);
        for (y, row) in output.rows_mut().enumerate() {
            let v = y as f32 + 0.5;
            let row_shift = row_size * (v * row_frequency + row_phase).sin();
            for ((x, pixel), col_shift) in row.enumerate().zip(&columns) {
                let u = x as f32 + 0.5;
                let source_x = self.xx * u + self.xy * v + self.dx + row_shift - 0.5;
                let source_y = self.yx * u + self.yy * v + self.dy + col_shift - 0.5;
                let source_x = source_x.clamp(0.0, last_x as f32);
                let source_y = source_y.clamp(0.0, last_y as f32);
                let (left, top) = (source_x as usize, source_y as usize);
                let (right, bottom) = ((left + 1).min(last_x), (top + 1).min(last_y));
                let (right_share, bottom_share) = (source_x - left as f32, source_y - top as f32);
                let corner = |x, y| &pixels[y * stride + x];
                let upper = mix(corner(left, top), corner(right, top), right_share);
                let lower = mix(corner(left, bottom), corner(right, bottom), right_share);
                let value = mix(&upper, &lower, bottom_share);
                let bits = random.next_u64();
                let noise: [f32; LANES] = std::array::from_fn(|lane| {
                    let index = (bits >> (16 * lane)) as usize % NORMAL_VALUES;
                    colours.deviation * normal[index]
                });
                let value: [f32; LANES] = std::array::from_fn(|lane| {
                    colours.gain[lane] * value[lane] + colours.offset[lane] + noise[lane] + 0.5
                });
                pixel.0 = [value[0] as u8, value[1] as u8, value[2] as u8];
            }
        }
        output
    }
}

/// The pixels of an image with a fourth value each.
fn lanes_of(image: &RgbImage) -> Vec<[f32; LANES]> {
    let pixels = image.pixels().map(|pixel| {
        let [red, green, blue] = pixel.0.map(f32::from);
        [red, green, blue, 0.0]
    });
    pixels.collect()
}

/// `(1 - share) * a + share * b`
fn mix(a: &[f32; LANES], b: &[f32; LANES], share: f32) -> [f32; LANES] {
    std::array::from_fn(|lane| a[lane] + share * (b[lane] - a[lane]))
}

/// Number of [`normal_values`], a power of two.
const NORMAL_VALUES: usize = 4096;

/// Values that are normally distributed, in no order: a table is faster than a draw for each pixel.
/// They are the transform of Box and Muller (1958) of an even grid.
fn normal_values() -> &'static [f32] {
    static VALUES: OnceLock<Vec<f32>> = OnceLock::new();
    VALUES.get_or_init(|| {
        let side = 64;
        let place = |index: usize| (index as f32 + 0.5) / side as f32;
        let radii = (0..side).map(|row| (-2.0 * place(row).ln()).sqrt());
        let values = radii.flat_map(|radius| {
            (0..side).map(move |col| radius * (std::f32::consts::TAU * place(col)).cos())
        });
        values.collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_values_have_mean_zero_and_deviation_one() {
        let values = normal_values();
        assert_eq!(values.len(), NORMAL_VALUES);
        let mean = values.iter().sum::<f32>() / NORMAL_VALUES as f32;
        let variance = values.iter().map(|value| value * value).sum::<f32>() / NORMAL_VALUES as f32;
        assert!(mean.abs() < 1e-3, "{mean}");
        assert!((variance - 1.0).abs() < 0.02, "{variance}");
        let within = values.iter().filter(|value| value.abs() < 1.0).count();
        let share = within as f32 / NORMAL_VALUES as f32;
        assert!((share - 0.683).abs() < 0.02, "{share}");
    }
}
