//! The RGB image, and filling polygons with a flat colour.

use crate::geometry::{Path, Point};

/// Red, green, blue.
pub(crate) type Color = [u8; 3];

/// An RGB image, initially white.
pub(crate) struct Canvas {
    width: usize,
    height: usize,
    rgb: Vec<u8>,
    /// Scratch of `fill`: after the counting pass, where each row's crossings end.
    row_ends: Vec<u32>,
    /// Scratch of `fill`: every crossing, row by row.
    crossings: Vec<Crossing>,
}

/// A crossing of an edge and a row's centre line: twice the first pixel right of it, plus one if the
/// edge runs downwards. Packed this way, crossings sort by pixel.
type Crossing = u32;

impl Canvas {
    /// A white image of the given size in pixels.
    pub(crate) fn new(width: usize, height: usize) -> Self {
        Self {
            width,
            height,
            rgb: vec![0xff; 3 * width * height],
            row_ends: Vec::new(),
            crossings: Vec::new(),
        }
    }

    /// The bytes in the layout of [`crate::Sample::rgb`].
    pub(crate) fn into_rgb(self) -> Vec<u8> {
        self.rgb
    }

    /// Fills a square of pixels, clipped to the image.
    pub(crate) fn fill_square(&mut self, x: usize, y: usize, size: usize, color: Color) {
        let right = (x + size).min(self.width);
        for row in y..(y + size).min(self.height) {
            fill_span(
                &mut self.rgb,
                row * self.width + x,
                row * self.width + right,
                color,
            );
        }
    }

    /// Fills a path moved by `offset`, by the non-zero winding rule and without anti-aliasing:
    /// a pixel is coloured if its centre is inside.
    pub(crate) fn fill(&mut self, path: &Path, offset: Point, color: Color) {
        self.count_crossings(path, offset);
        self.place_crossings(path, offset);
        let mut start = 0;
        for (row, &end) in self.row_ends.iter().enumerate() {
            let end = end as usize;
            let crossings = &mut self.crossings[start..end];
            start = end;
            crossings.sort_unstable();
            let mut winding = 0;
            let mut left = 0;
            for &crossing in crossings.iter() {
                let x = (crossing >> 1) as usize;
                if winding == 0 {
                    left = x;
                }
                winding += if crossing & 1 == 1 { 1 } else { -1 };
                if winding == 0 {
                    let first = row * self.width;
                    fill_span(&mut self.rgb, first + left, first + x, color);
                }
            }
        }
    }

    /// Sets `row_ends` to the start of each row's crossings.
    fn count_crossings(&mut self, path: &Path, offset: Point) {
        self.row_ends.clear();
        self.row_ends.resize(self.height, 0);
        for (from, to) in path.edges() {
            let (top, bottom) = self.rows(from, to, offset);
            for count in &mut self.row_ends[top..bottom] {
                *count += 1;
            }
        }
        let mut total = 0;
        for end in &mut self.row_ends {
            total += std::mem::replace(end, total);
        }
        self.crossings.clear();
        self.crossings.resize(total as usize, 0);
    }

    /// Writes every crossing to its row and advances `row_ends` to the row's end.
    fn place_crossings(&mut self, path: &Path, offset: Point) {
        let width = self.width as f32;
        for (from, to) in path.edges() {
            let (top, bottom) = self.rows(from, to, offset);
            if top == bottom {
                continue;
            }
            let downwards = u32::from(to[1] > from[1]);
            let slope = (to[0] - from[0]) / (to[1] - from[1]);
            let base = from[0] + offset[0] + (0.5 - from[1] - offset[1]) * slope;
            for row in top..bottom {
                let x = (base + row as f32 * slope).clamp(0.0, width);
                let end = &mut self.row_ends[row];
                self.crossings[*end as usize] = ((x + 0.5) as u32) << 1 | downwards;
                *end += 1;
            }
        }
    }

    /// The rows whose centre lines an edge crosses, first to past the last.
    fn rows(&self, from: Point, to: Point, offset: Point) -> (usize, usize) {
        let height = self.height as f32;
        // Rounding half up gives the first row whose centre is not above `y`.
        let row = |y: f32| ((y + offset[1]).clamp(0.0, height) + 0.5) as usize;
        let (a, b) = (row(from[1]), row(to[1]));
        (a.min(b), a.max(b))
    }
}

fn fill_span(rgb: &mut [u8], from: usize, to: usize, color: Color) {
    if from < to {
        for pixel in rgb[3 * from..3 * to].as_chunks_mut::<3>().0 {
            *pixel = color;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INK: Color = [1, 2, 3];

    fn rectangle(path: &mut Path, [left, top]: Point, [right, bottom]: Point) {
        for point in [[left, top], [right, top], [right, bottom], [left, bottom]] {
            path.push(point);
        }
        path.close();
    }

    /// The image as text, `#` for ink.
    fn drawn(canvas: Canvas) -> Vec<String> {
        let width = canvas.width;
        let pixels: Vec<char> = canvas
            .into_rgb()
            .chunks(3)
            .map(|pixel| if pixel == INK { '#' } else { '.' })
            .collect();
        pixels
            .chunks(width)
            .map(|row| row.iter().collect())
            .collect()
    }

    #[test]
    fn fill_covers_pixels_with_centre_inside() {
        let mut path = Path::default();
        rectangle(&mut path, [0.6, 0.4], [3.6, 2.4]);
        let mut canvas = Canvas::new(5, 3);
        canvas.fill(&path, [0.0, 0.0], INK);
        assert_eq!(drawn(canvas), [".###.", ".###.", "....."]);
    }

    #[test]
    fn fill_outside_the_image_is_clipped() {
        let mut path = Path::default();
        rectangle(&mut path, [-9.0, -9.0], [2.0, 9.0]);
        rectangle(&mut path, [4.0, 2.0], [90.0, 90.0]);
        let mut canvas = Canvas::new(5, 3);
        canvas.fill(&path, [0.0, 0.0], INK);
        canvas.fill(&path, [100.0, 100.0], INK);
        assert_eq!(drawn(canvas), ["##...", "##...", "##..#"]);
    }

    #[test]
    fn fill_opposite_contours_make_a_hole() {
        let mut hole = Path::default();
        rectangle(&mut hole, [0.0, 0.0], [5.0, 3.0]);
        rectangle(&mut hole, [1.0, 2.0], [4.0, 1.0]);
        let mut canvas = Canvas::new(5, 3);
        canvas.fill(&hole, [0.0, 0.0], INK);
        assert_eq!(drawn(canvas), ["#####", "#...#", "#####"]);

        let mut overlap = Path::default();
        rectangle(&mut overlap, [0.0, 0.0], [5.0, 3.0]);
        rectangle(&mut overlap, [1.0, 1.0], [4.0, 2.0]);
        let mut canvas = Canvas::new(5, 3);
        canvas.fill(&overlap, [0.0, 0.0], INK);
        assert_eq!(drawn(canvas), ["#####"; 3]);
    }

    #[test]
    fn fill_square_at_the_edge_is_clipped() {
        let mut canvas = Canvas::new(5, 3);
        canvas.fill_square(4, 1, 3, INK);
        canvas.fill_square(0, 2, 1, INK);
        assert_eq!(drawn(canvas), [".....", "....#", "#...#"]);
    }
}
