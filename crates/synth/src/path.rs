//! Closed polygons, the one shape the canvas fills.

/// A point, x to the right; glyph outlines count y upwards in ems, the canvas downwards in
/// pixels.
pub(crate) type Point = [f32; 2];

/// Smallest box around some points.
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
}

/// Closed contours of straight edges, filled together by the non-zero winding rule.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Path {
    points: Vec<Point>,
    /// Where each contour ends in `points`.
    ends: Vec<usize>,
}

impl Path {
    /// Empties it, keeping its memory.
    pub(crate) fn clear(&mut self) {
        self.points.clear();
        self.ends.clear();
    }

    /// Adds a point to the open contour.
    pub(crate) fn push(&mut self, point: Point) {
        self.points.push(point);
    }

    /// The last point added.
    pub(crate) fn last(&self) -> Option<Point> {
        self.points.last().copied()
    }

    /// Closes the open contour; one with no area is dropped.
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

    /// Every edge of every contour, from point to point.
    pub(crate) fn edges(&self) -> impl Iterator<Item = (Point, Point)> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).flat_map(|(start, &end)| {
            let contour = &self.points[start..end];
            let closing = contour[contour.len() - 1];
            contour
                .iter()
                .scan(closing, |from, &to| Some((std::mem::replace(from, to), to)))
        })
    }

    /// The box around its points; none without points.
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
