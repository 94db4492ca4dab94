//! The size of the network's input: fixed, or with the proportions of each image.
//!
//! The encoder is convolutional, and attention takes any grid. So the same weights read inputs of any
//! size.

use crate::config::{Grid, ModelConfig, Proportions};

/// Aspect ratios of inputs with the images' proportions: so many for each doubling of the ratio. Few
/// sizes let images share a batch, and a GPU reuse its programs. An image is stretched by about an
/// eighth at most.
const RATIOS_PER_DOUBLING: u32 = 3;
/// The step of the widest input, whose aspect ratio is about 10; that of step 0 is 1. Images beyond
/// these are stretched.
const LAST_STEP: u32 = 10;
/// Most rows or columns of the grids that an input is chosen from.
const MAX_SIDE: usize = 128;

/// Rows of the grids that an input is chosen from. Even ones are preferred, because Winograd's
/// convolution needs maps with even sides.
fn grid_rows() -> impl Iterator<Item = usize> {
    std::iter::once(3).chain(grid_cols())
}

/// Columns of these grids.
fn grid_cols() -> impl Iterator<Item = usize> {
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
        self.with_input(self.size_of_step(step.clamp(0.0, f64::from(LAST_STEP))))
    }

    /// Height and width of every input that an image can be resized to.
    pub fn input_sizes(&self) -> Vec<[usize; 2]> {
        match self.input.proportions {
            Proportions::Fixed => vec![[self.input.height, self.input.width]],
            Proportions::Image => {
                let sizes = (0..=LAST_STEP).map(|step| self.size_of_step(f64::from(step)));
                sizes.collect()
            }
        }
    }

    /// Height and width of the input with about an aspect ratio (width divided by height) and a number
    /// of pixels. Its grid has at least three rows, so that a wide input may have more pixels.
    pub fn input_size(&self, aspect_ratio: f64, pixels: f64) -> [usize; 2] {
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
        let widths: Vec<usize> = grid_cols().map(side(1)).collect();
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
        let sizes = grid_rows().map(side(0)).map(with_width);
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

    /// The input with about the aspect ratio of a step and the pixels of the configured input.
    fn size_of_step(&self, step: f64) -> [usize; 2] {
        let ratio = (step / f64::from(RATIOS_PER_DOUBLING)).exp2();
        self.input_size(ratio, (self.input.height * self.input.width) as f64)
    }
}
