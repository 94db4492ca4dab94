//! The noise of the image.

use super::{HEIGHT, WIDTH, draw_color};
use crate::geometry::Canvas;
use crate::random::Random;

/// Scatters single pixels of random colours over `share` of the image (by default about 0.8%), and a
/// few larger specks.
pub(super) fn draw_noise(canvas: &mut Canvas, share: Option<f32>, random: &mut Random) {
    let drawn = random.range(0.0055, 0.0105);
    let share = share.unwrap_or(drawn);
    if share == 0.0 {
        return;
    }
    for _ in 0..(share * (WIDTH * HEIGHT) as f32) as usize {
        let place = random.below(WIDTH * HEIGHT);
        let [r, g, b, _] = random.bits().to_le_bytes();
        canvas.fill_square(place % WIDTH, place / WIDTH, 1, [r, g, b]);
    }
    for _ in 0..random.count(0, 10) {
        let place = random.below(WIDTH * HEIGHT);
        let size = random.count(2, 4);
        let color = draw_color(random, 1.0);
        canvas.fill_square(place % WIDTH, place / WIDTH, size, color);
    }
}
