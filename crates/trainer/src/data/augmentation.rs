//! Augmentation for fine-tuning on few images: each time an image is used, it is slightly rotated,
//! scaled, sheared, moved, recoloured, blurred, and covered with noise.

use anyhow::{Result, ensure};
use captcha_model::image::{RgbImage, decode_image};
use image::codecs::jpeg::JpegEncoder;
use image::imageops::{FilterType, resize};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// Largest changes; each image gets a random part of each.
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
        let map = self.affine(source, [width, height], random);
        let mut output = map.apply(source, [width, height]);
        self.recolour(&mut output, random);
        if random.random_bool(self.jpeg_share) {
            let quality = random.random_range(30..=95);
            let mut bytes = Vec::new();
            output.write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, quality))?;
            output = decode_image(&bytes)?;
        }
        Ok(output)
    }

    fn affine(
        &self,
        source: &RgbImage,
        [width, height]: [u32; 2],
        random: &mut ChaCha8Rng,
    ) -> Affine {
        let mut up_to = |limit: f32| limit * random.random_range(-1.0..=1.0f32);
        let (sin, cos) = up_to(self.rotation).to_radians().sin_cos();
        let (scale_x, scale_y) = (1.0 + up_to(self.scale), 1.0 + up_to(self.scale));
        let shear = up_to(self.shear);
        let (source_width, source_height) = (source.width() as f32, source.height() as f32);
        // In source pixels, around the centre; output pixels are first scaled to the source.
        let (to_x, to_y) = (source_width / width as f32, source_height / height as f32);
        let (xx, xy) = (scale_x * cos, shear - sin);
        let (yx, yy) = (sin, scale_y * cos);
        let (centre_x, centre_y) = (source_width / 2.0, source_height / 2.0);
        let (move_x, move_y) = (
            up_to(self.shift) * source_width,
            up_to(self.shift) * source_height,
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

    fn recolour(&self, image: &mut RgbImage, random: &mut ChaCha8Rng) {
        let mut up_to = |limit: f32| limit * random.random_range(-1.0..=1.0f32);
        let contrast = 1.0 + up_to(self.contrast);
        let brightness = 255.0 * up_to(self.brightness);
        let channels: [(f32, f32); 3] = std::array::from_fn(|_| {
            (
                contrast * (1.0 + up_to(self.contrast / 3.0)),
                brightness + 255.0 * up_to(self.brightness / 3.0),
            )
        });
        let deviation = 255.0 * self.noise * random.random_range(0.0..=1.0f32);
        // The sum of four bytes is nearly normal, with this standard deviation.
        let unit = deviation / (4.0f32 * (256.0 * 256.0 - 1.0) / 12.0).sqrt();
        for pixel in image.pixels_mut() {
            for (value, (gain, offset)) in pixel.0.iter_mut().zip(channels) {
                let sum: u32 = random
                    .random::<u32>()
                    .to_le_bytes()
                    .map(u32::from)
                    .iter()
                    .sum();
                let noise = unit * (sum as f32 - 510.0);
                *value = (gain * f32::from(*value) + offset + noise) as u8;
            }
        }
    }
}

impl Affine {
    /// Bilinear interpolation; pixels outside repeat the border.
    fn apply(&self, source: &RgbImage, [width, height]: [u32; 2]) -> RgbImage {
        let (last_x, last_y) = (source.width() as usize - 1, source.height() as usize - 1);
        let (bytes, stride) = (source.as_raw(), 3 * source.width() as usize);
        let [
            (row_size, row_frequency, row_phase),
            (col_size, col_frequency, col_phase),
        ] = self.waves;
        let columns: Vec<f32> = (0..width)
            .map(|x| col_size * (x as f32 * col_frequency + col_phase).sin())
            .collect();
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
                let corners = [
                    (
                        top * stride + 3 * left,
                        (1.0 - right_share) * (1.0 - bottom_share),
                    ),
                    (top * stride + 3 * right, right_share * (1.0 - bottom_share)),
                    (
                        bottom * stride + 3 * left,
                        (1.0 - right_share) * bottom_share,
                    ),
                    (bottom * stride + 3 * right, right_share * bottom_share),
                ];
                for (channel, value) in pixel.0.iter_mut().enumerate() {
                    let sum: f32 = corners
                        .iter()
                        .map(|(at, share)| share * f32::from(bytes[at + channel]))
                        .sum();
                    *value = (sum + 0.5) as u8;
                }
            }
        }
        output
    }
}
