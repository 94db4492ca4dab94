//! Lines and elliptical arcs as polygons.

use crate::geometry::{Path, Point};

/// Longest edge of an arc's outline, in pixels.
const ARC_STEP: f32 = 5.0;

/// The geometry of a stroke. Lengths are in pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Stroke {
    /// A straight line with square ends.
    Line { from: Point, to: Point, width: f32 },
    /// Part of an ellipse along the axes, `width` measured inwards along both of them, as
    /// Pillow's `ImageDraw.arc` has it. Angles in radians.
    Arc {
        center: Point,
        radii: Point,
        start: f32,
        sweep: f32,
        width: f32,
    },
}

impl Stroke {
    /// Replaces the content of `path` with the outline.
    pub(crate) fn outline(&self, path: &mut Path) {
        path.clear();
        match *self {
            Self::Line { from, to, width } => line(path, from, to, width),
            Self::Arc {
                center,
                radii,
                start,
                sweep,
                width,
            } => {
                arc(path, center, radii, start, sweep, width);
            }
        }
    }
}

fn line(path: &mut Path, from: Point, to: Point, width: f32) {
    let (dx, dy) = (to[0] - from[0], to[1] - from[1]);
    let length = (dx * dx + dy * dy).sqrt();
    if length == 0.0 {
        return;
    }
    let scale = 0.5 * width / length;
    let (nx, ny) = (-dy * scale, dx * scale);
    path.push([from[0] + nx, from[1] + ny]);
    path.push([to[0] + nx, to[1] + ny]);
    path.push([to[0] - nx, to[1] - ny]);
    path.push([from[0] - nx, from[1] - ny]);
    path.close();
}

fn arc(path: &mut Path, center: Point, radii: Point, start: f32, sweep: f32, width: f32) {
    let inner = [(radii[0] - width).max(0.0), (radii[1] - width).max(0.0)];
    let steps = ((sweep * radii[0].max(radii[1]) / ARC_STEP) as usize).max(6);
    let step = sweep / steps as f32;
    let (sin, cos) = libm::sincosf(step);
    let (mut y, mut x) = libm::sincosf(start);
    for _ in 0..=steps {
        path.push([center[0] + radii[0] * x, center[1] + radii[1] * y]);
        (x, y) = (x * cos - y * sin, x * sin + y * cos);
    }
    // The inner side, backwards, from one step before the end of the loop.
    for _ in 0..=steps {
        (x, y) = (x * cos + y * sin, y * cos - x * sin);
        path.push([center[0] + inner[0] * x, center[1] + inner[1] * y]);
    }
    path.close();
}

#[cfg(test)]
mod tests {
    use std::f32::consts::TAU;

    use super::*;

    fn outline(stroke: Stroke) -> Path {
        let mut path = Path::default();
        stroke.outline(&mut path);
        path
    }

    /// Area by the shoelace formula.
    fn area(path: &Path) -> f32 {
        0.5 * path
            .edges()
            .map(|(a, b)| a[0] * b[1] - a[1] * b[0])
            .sum::<f32>()
            .abs()
    }

    #[test]
    fn line_has_its_length_and_width() {
        let path = outline(Stroke::Line {
            from: [10.0, 10.0],
            to: [40.0, 50.0],
            width: 4.0,
        });
        assert!((area(&path) - 50.0 * 4.0).abs() < 0.01);
    }

    #[test]
    fn line_of_length_zero_is_empty() {
        let path = outline(Stroke::Line {
            from: [1.0, 1.0],
            to: [1.0, 1.0],
            width: 4.0,
        });
        assert_eq!(path.bounds(), None);
    }

    #[test]
    fn full_arc_is_the_band_between_two_ellipses() {
        let (center, radii, width) = ([100.0, 80.0], [60.0, 30.0], 4.0);
        let path = outline(Stroke::Arc {
            center,
            radii,
            start: 0.0,
            sweep: TAU,
            width,
        });
        let band = 0.5 * TAU * (60.0 * 30.0 - 56.0 * 26.0);
        assert!(
            (area(&path) / band - 1.0).abs() < 0.02,
            "{} for {band}",
            area(&path)
        );
        let bounds = path.bounds().expect("an arc has points");
        assert!((bounds.width() - 120.0).abs() < 0.5 && (bounds.height() - 60.0).abs() < 0.5);
    }

    #[test]
    fn quarter_arc_stays_in_its_quadrant() {
        let (center, radii, width) = ([0.0, 0.0], [50.0, 20.0], 3.0);
        let path = outline(Stroke::Arc {
            center,
            radii,
            start: 0.0,
            sweep: 0.25 * TAU,
            width,
        });
        let bounds = path.bounds().expect("an arc has points");
        assert!(bounds.min[0] > -0.01 && bounds.min[1] > -0.01);
        assert!((bounds.max[0] - 50.0).abs() < 0.01 && (bounds.max[1] - 20.0).abs() < 0.01);
    }
}
