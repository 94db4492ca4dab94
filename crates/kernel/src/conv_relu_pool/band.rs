//! Parts of a batch that are computed together, and their memory.

use std::cell::RefCell;

use pulp::Simd;

use super::rows::resized;
use super::transforms::{TILE_ELEMENTS, TILE_OUTPUTS};

/// Values after the last row of a plane, which whole vectors may read and write.
const SLACK: usize = 16;

/// Some rows of tiles that are computed together, counted over the images of a task.
pub(super) struct Band {
    pub(super) start: usize,
    pub(super) end: usize,
    /// Rows of tiles of one image.
    pub(super) rows: usize,
    /// Columns of tiles.
    pub(super) cols: usize,
}

impl Band {
    pub(super) fn tiles(&self) -> usize {
        (self.end - self.start) * self.cols
    }

    /// The first tile of a row of tiles in a plane, for a channel or filter.
    pub(super) fn tile(&self, channel: usize, index: usize) -> usize {
        channel * self.tiles() + index * self.cols
    }

    /// Values of a plane: an odd number of cache lines, since planes whose distance is a power of two
    /// would compete for the same lines of the cache.
    pub(super) fn plane(&self, channels: usize) -> usize {
        16 * ((channels * self.tiles() + SLACK).div_ceil(16) | 1)
    }

    /// A plane for each element of a tile.
    pub(super) fn planes<'a>(&self, values: &'a mut Vec<f32>, channels: usize) -> &'a mut [f32] {
        resized(values, TILE_ELEMENTS * self.plane(channels))
    }

    /// Tiles of a row in whole vectors; columns of a row of the map, for these tiles and one more
    /// vector; and values of a plane.
    #[inline(always)]
    pub(super) fn lengths<S: Simd>(&self, planes: &[f32]) -> (usize, usize, usize) {
        const { assert!(S::F32_LANES <= SLACK) };
        let cols = self.cols.next_multiple_of(S::F32_LANES);
        let length = TILE_OUTPUTS * (cols + S::F32_LANES);
        (cols, length, planes.len() / TILE_ELEMENTS)
    }
}

thread_local! {
    /// Kept from one batch to the next, since clearing fresh memory takes longer than using it. The
    /// transformed inputs of a band are bounded (`BAND_VALUES`, or one row of tiles); its products are
    /// filters / channels times as many.
    pub(super) static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// Memory that a thread uses again for each band.
#[derive(Default)]
pub(super) struct Scratch {
    /// The transformed inputs: planes of `[channels, tiles]`.
    pub(super) inputs: Vec<f32>,
    /// Planes of `[filters, tiles]`.
    pub(super) products: Vec<f32>,
    /// A few rows on their way through a transform.
    pub(super) rows: Vec<f32>,
    /// The convolved map of a row of tiles.
    #[cfg(feature = "threads")]
    pub(super) map: Vec<f32>,
    /// The gradient of the transformed weights.
    #[cfg(feature = "threads")]
    pub(super) weight_grad: Vec<f32>,
}
