//! The size of the network's input: fixed, or with the proportions of each image.
//!
//! The encoder is convolutional, and attention takes any grid. So the same weights read inputs of any
//! size.

use crate::config::{Grid, ModelConfig, Proportions};

/// Aspect ratios of inputs with the images' proportions: so many for each doubling of the ratio. Few
/// sizes let images share a batch, and a GPU reuse its programs. An image is stretched by about an
/// eighth at most.
const RATIOS_PER_DOUBLING: u32 = 3;
/// The step of the widest input, 4:1; step 0 is a square. Images beyond these are stretched: without
/// [`positions`](crate::config::EncoderConfig::positions), a network learns wide grids slowly
/// (docs/training.md).
const LAST_STEP: u32 = 6;
/// Most rows or columns of the grids that an input is chosen from.
const MAX_SIDE: usize = 128;

/// Rows or columns of the grids that an input is chosen from. They are even, as an earlier convolution
/// required; with others, weights would be used with other inputs than they were trained with.
fn grid_sides() -> impl Iterator<Item = usize> {
    (4..=MAX_SIDE).step_by(2)
}

impl ModelConfig {
    /// The configuration with a fixed input for images of this size.
    pub fn for_image(&self, width: u32, height: u32) -> Self {
        if self.input.proportions == Proportions::Fixed {
            return self.clone();
        }
        let ratio = f64::from(width.max(1)) / f64::from(height.max(1));
        let step = (f64::from(RATIOS_PER_DOUBLING) * ratio.log2()).round();
        let step = step.clamp(0.0, f64::from(LAST_STEP));
        let pixels = (self.input.height * self.input.width) as f64;
        self.with_input(self.input_size(ratio_of(step), pixels))
    }

    /// Height and width of every input that an image can be resized to.
    pub fn input_sizes(&self) -> Vec<[usize; 2]> {
        match self.input.proportions {
            Proportions::Fixed => vec![[self.input.height, self.input.width]],
            Proportions::Image => {
                let pixels = (self.input.height * self.input.width) as f64;
                let sizes = (0..=LAST_STEP).map(|step| ratio_of(f64::from(step)));
                sizes.map(|ratio| self.input_size(ratio, pixels)).collect()
            }
        }
    }

    /// Height and width of the input with about an aspect ratio (width divided by height; at most 4)
    /// and a number of pixels.
    pub fn input_size(&self, aspect_ratio: f64, pixels: f64) -> [usize; 2] {
        let aspect_ratio = aspect_ratio.min(ratio_of(f64::from(LAST_STEP)));
        let distance = |value: usize, wanted: f64| (value as f64 / wanted).ln().abs();
        let side = |axis: usize| {
            move |cells| {
                let grid = Grid {
                    rows: cells,
                    cols: cells,
                };
                self.input_of_grid(grid)[axis]
            }
        };
        let widths: Vec<usize> = grid_sides().map(side(1)).collect();
        let with_width = |height: usize| {
            let wanted = height as f64 * aspect_ratio;
            // The first width that is not too small, or the one before it.
            let after = widths.partition_point(|&width| (width as f64) < wanted);
            let near = &widths[after.saturating_sub(1)..(after + 1).min(widths.len())];
            let nearest = near
                .iter()
                .min_by(|a, b| distance(**a, wanted).total_cmp(&distance(**b, wanted)));
            [height, nearest.copied().unwrap_or(self.input.width)]
        };
        let sizes = grid_sides().map(side(0)).map(with_width);
        let off = |size: &[usize; 2]| distance(size[0] * size[1], pixels);
        let best = sizes.min_by(|a, b| off(a).total_cmp(&off(b)));
        best.unwrap_or([self.input.height, self.input.width])
    }

    /// The same configuration with a fixed input of this height and width.
    pub fn with_input(&self, [height, width]: [usize; 2]) -> Self {
        let mut config = self.clone();
        (config.input.height, config.input.width) = (height, width);
        config.input.proportions = Proportions::Fixed;
        config
    }
}

/// The aspect ratio of a step.
fn ratio_of(step: f64) -> f64 {
    (step / f64::from(RATIOS_PER_DOUBLING)).exp2()
}
