//! The picture, drawn with tiny-skia. Only its fills and strokes of one flat colour are used: they
//! work with whole numbers, so that the bytes are the same on every platform.

use tiny_skia::{
    Color, FillRule, LineCap, LineJoin, Paint, PathBuilder, Pixmap, Stroke, Transform,
};

use super::colors::GroundColors;
use crate::geometry::{Path, Point};
use crate::look::Rgb;

/// An image in the making.
pub(super) struct Picture {
    pixels: Pixmap,
    smooth: bool,
}

impl Picture {
    /// A black image of a size in pixels; `smooth` draws anti-aliased edges.
    pub(super) fn new([width, height]: [usize; 2], smooth: bool) -> Self {
        Self {
            pixels: Pixmap::new(width as u32, height as u32)
                .expect("the size of a look that was checked is positive"),
            smooth,
        }
    }

    /// Width and height in pixels.
    pub(super) fn size(&self) -> [usize; 2] {
        [self.pixels.width(), self.pixels.height()].map(|length| length as usize)
    }

    /// Red, green and blue bytes.
    pub(super) fn into_rgb(self) -> Vec<u8> {
        let pixels = self.pixels.data().as_chunks::<4>().0;
        pixels.iter().flat_map(|&[r, g, b, _]| [r, g, b]).collect()
    }

    /// Fills everything: one colour, or a fade from one to another.
    pub(super) fn fill_ground(&mut self, ground: &GroundColors) {
        let [width, height] = self.size();
        let Some((second, direction)) = ground.fade else {
            let [r, g, b] = ground.first.0;
            self.pixels.fill(Color::from_rgba8(r, g, b, u8::MAX));
            return;
        };
        let length = direction[0] * width as f32 + direction[1] * height as f32;
        for y in 0..height {
            for x in 0..width {
                let along = direction[0] * x as f32 + direction[1] * y as f32;
                let color = ground.first.toward(second, along / length);
                self.set(x, y, color);
            }
        }
    }

    /// Sets one pixel.
    fn set(&mut self, x: usize, y: usize, Rgb([r, g, b]): Rgb) {
        let place = 4 * (y * self.pixels.width() as usize + x);
        self.pixels.data_mut()[place..place + 4].copy_from_slice(&[r, g, b, u8::MAX]);
    }

    /// Sets a square of pixels, as far as it is inside.
    pub(super) fn fill_square(&mut self, [left, top]: [usize; 2], side: usize, color: Rgb) {
        let [width, height] = self.size();
        for y in top..(top + side).min(height) {
            for x in left..(left + side).min(width) {
                self.set(x, y, color);
            }
        }
    }

    /// Draws a line of one pixel along the edges.
    pub(super) fn draw_border(&mut self, color: Rgb) {
        let [width, height] = self.size();
        for x in 0..width {
            self.set(x, 0, color);
            self.set(x, height - 1, color);
        }
        for y in 0..height {
            self.set(0, y, color);
            self.set(width - 1, y, color);
        }
    }

    /// Fills closed contours.
    pub(super) fn fill(&mut self, path: &Path, color: Rgb, opacity: f32) {
        let mut builder = PathBuilder::new();
        path.contours()
            .for_each(|contour| push(&mut builder, contour, true));
        if let Some(path) = builder.finish() {
            let paint = self.paint(color, opacity);
            let identity = Transform::identity();
            self.pixels
                .fill_path(&path, &paint, FillRule::Winding, identity, None);
        }
    }

    /// Draws the lines of closed contours.
    pub(super) fn stroke_closed(&mut self, path: &Path, width: f32, color: Rgb, opacity: f32) {
        let mut builder = PathBuilder::new();
        path.contours()
            .for_each(|contour| push(&mut builder, contour, true));
        self.stroke(builder, width, color, opacity);
    }

    /// Draws a line through points.
    pub(super) fn stroke_line(&mut self, points: &[Point], width: f32, color: Rgb, opacity: f32) {
        let mut builder = PathBuilder::new();
        push(&mut builder, points, false);
        self.stroke(builder, width, color, opacity);
    }

    fn stroke(&mut self, builder: PathBuilder, width: f32, color: Rgb, opacity: f32) {
        let stroke = Stroke {
            width,
            line_cap: LineCap::Round,
            line_join: LineJoin::Round,
            ..Stroke::default()
        };
        if let Some(path) = builder.finish() {
            let paint = self.paint(color, opacity);
            let identity = Transform::identity();
            self.pixels
                .stroke_path(&path, &paint, &stroke, identity, None);
        }
    }

    fn paint(&self, Rgb([r, g, b]): Rgb, opacity: f32) -> Paint<'static> {
        let mut paint = Paint {
            anti_alias: self.smooth,
            ..Paint::default()
        };
        paint.set_color_rgba8(r, g, b, (255.0 * opacity + 0.5) as u8);
        paint
    }
}

fn push(builder: &mut PathBuilder, points: &[Point], close: bool) {
    let Some((&[x, y], rest)) = points.split_first() else {
        return;
    };
    builder.move_to(x, y);
    rest.iter().for_each(|&[x, y]| builder.line_to(x, y));
    if close {
        builder.close();
    }
}
