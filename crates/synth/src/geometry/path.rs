//! Closed polygons, the shapes that the canvas fills.

/// A point, x to the right. In glyph outlines y points upwards, in ems; on the canvas it points
/// downwards, in pixels.
pub(crate) type Point = [f32; 2];

/// A bounding box.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Bounds {
    pub(crate) min: Point,
    pub(crate) max: Point,
}

impl Bounds {
    pub(crate) fn width(&self) -> f32 {
        self.max[0] - self.min[0]
    }

    pub(crate) fn height(&self) -> f32 {
        self.max[1] - self.min[1]
    }

    pub(crate) fn middle(&self) -> Point {
        [
            0.5 * (self.min[0] + self.max[0]),
            0.5 * (self.min[1] + self.max[1]),
        ]
    }
}

/// Closed contours of straight edges, filled together by the non-zero winding rule.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Path {
    points: Vec<Point>,
    /// Where each contour ends in `points`.
    ends: Vec<usize>,
}

impl Path {
    /// Removes all points and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.points.clear();
        self.ends.clear();
    }

    /// Appends a point to the open contour.
    pub(crate) fn push(&mut self, point: Point) {
        self.points.push(point);
    }

    /// The last point added.
    pub(crate) fn last(&self) -> Option<Point> {
        self.points.last().copied()
    }

    /// Closes the open contour. A contour with fewer than three points is dropped.
    pub(crate) fn close(&mut self) {
        let start = self.ends.last().copied().unwrap_or(0);
        if self.points.len() - start < 3 {
            self.points.truncate(start);
        } else {
            self.ends.push(self.points.len());
        }
    }

    /// The same contours with each point mapped.
    pub(crate) fn map(&self, f: impl Fn(Point) -> Point) -> Self {
        Self {
            points: self.points.iter().map(|&point| f(point)).collect(),
            ends: self.ends.clone(),
        }
    }

    /// The same contours with no edge longer than `longest`.
    pub(crate) fn subdivided(&self, longest: f32) -> Self {
        let mut fine = Self::default();
        for contour in self.contours() {
            for (from, to) in edges(contour) {
                let [dx, dy] = [to[0] - from[0], to[1] - from[1]];
                let parts = ((dx * dx + dy * dy).sqrt() / longest).ceil().max(1.0);
                for part in 1..=parts as usize {
                    let t = part as f32 / parts;
                    fine.push([from[0] + t * dx, from[1] + t * dy]);
                }
            }
            fine.close();
        }
        fine
    }

    /// The same contours with every edge moved outwards by `by`, or inwards if `by` is negative. `by`
    /// must be smaller than the thinnest part.
    pub(crate) fn grown(&self, by: f32) -> Self {
        let twice_area: f32 = self.edges().map(|(a, b)| a[0] * b[1] - a[1] * b[0]).sum();
        let by = by * twice_area.signum();
        let mut grown = Self::default();
        for contour in self.contours() {
            let distinct: Vec<(Point, Point)> =
                edges(contour).filter(|(from, to)| from != to).collect();
            let next = distinct.iter().cycle().skip(1);
            for (&edge, &following) in distinct.iter().zip(next) {
                let ([ax, ay], [bx, by_]) = (normal(edge), normal(following));
                // The mitre of the two moved edges, kept short where they turn sharply.
                let reach = by / (1.0 + ax * bx + ay * by_).max(0.5);
                let [x, y] = edge.1;
                grown.push([x + reach * (ax + bx), y + reach * (ay + by_)]);
            }
            grown.close();
        }
        grown
    }

    /// The closed contours.
    pub(crate) fn contours(&self) -> impl Iterator<Item = &[Point]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts
            .zip(&self.ends)
            .map(|(start, &end)| &self.points[start..end])
    }

    /// Every edge of every contour, from point to point.
    pub(crate) fn edges(&self) -> impl Iterator<Item = (Point, Point)> {
        self.contours().flat_map(edges)
    }

    /// The bounding box; `None` without points.
    pub(crate) fn bounds(&self) -> Option<Bounds> {
        let (&first, rest) = self.points.split_first()?;
        Some(rest.iter().fold(
            Bounds {
                min: first,
                max: first,
            },
            |b, p| Bounds {
                min: [b.min[0].min(p[0]), b.min[1].min(p[1])],
                max: [b.max[0].max(p[0]), b.max[1].max(p[1])],
            },
        ))
    }
}

/// The edges of a closed contour, the closing one first.
fn edges(contour: &[Point]) -> impl Iterator<Item = (Point, Point)> {
    let closing = contour[contour.len() - 1];
    contour
        .iter()
        .scan(closing, |from, &to| Some((std::mem::replace(from, to), to)))
}

/// Unit vector to the right of an edge: outwards, where the contour runs counterclockwise with y
/// upwards.
fn normal(([x0, y0], [x1, y1]): (Point, Point)) -> Point {
    let [dx, dy] = [x1 - x0, y1 - y0];
    let length = (dx * dx + dy * dy).sqrt();
    [dy / length, -dx / length]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A square with a square hole of opposite orientation.
    fn frame() -> Path {
        let mut path = Path::default();
        let square = [[0.0, 0.0], [4.0, 0.0], [4.0, 4.0], [0.0, 4.0]];
        square.iter().for_each(|&point| path.push(point));
        path.close();
        let hole = [[1.0, 1.0], [1.0, 3.0], [3.0, 3.0], [3.0, 1.0]];
        hole.iter().for_each(|&point| path.push(point));
        path.close();
        path
    }

    fn sides(path: &Path) -> Vec<(f32, f32)> {
        let sides = path.contours().map(|contour| {
            let across = contour.iter().map(|point| point[0]);
            (
                across.clone().fold(9.0, f32::min),
                across.fold(-9.0, f32::max),
            )
        });
        sides.collect()
    }

    #[test]
    fn grown_moves_edges_outwards_in_both_orientations() {
        let mirrored = frame().map(|[x, y]| [x, -y]);
        for path in [frame(), mirrored] {
            assert_eq!(sides(&path.grown(0.5)), [(-0.5, 4.5), (1.5, 2.5)]);
            assert_eq!(sides(&path.grown(-0.25)), [(0.25, 3.75), (0.75, 3.25)]);
        }
    }

    #[test]
    fn subdivided_keeps_the_outline() {
        let fine = frame().subdivided(0.3);
        let length = |(a, b): (Point, Point)| (b[0] - a[0]).hypot(b[1] - a[1]);
        assert!(fine.edges().all(|edge| length(edge) <= 0.3));
        let total = |path: &Path| path.edges().map(length).sum::<f32>();
        assert!((total(&fine) - total(&frame())).abs() < 1e-3);
        assert_eq!(fine.bounds(), frame().bounds());
    }
}
