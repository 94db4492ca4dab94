//! The lines, arcs and dashes around and across the word.

use std::f32::consts::TAU;

use super::{HEIGHT, WIDTH, draw_color};
use crate::geometry::{Color, Point, Stroke};
use crate::random::Random;

/// A stroke with its colour and its layer.
pub(super) struct PlannedStroke {
    pub(super) stroke: Stroke,
    pub(super) color: Color,
    /// Whether it is drawn over the word; else under it.
    pub(super) over: bool,
}

/// Lightest colour of a stroke; paler ones cannot be told from the background.
const LIGHTEST: f32 = 0.94;

/// Draws the lines, arcs and dashes of an image at random, in drawing order. A given `count` cuts
/// the list or extends it by more strokes of the same kind.
pub(super) fn plan_strokes(count: Option<usize>, random: &mut Random) -> Vec<PlannedStroke> {
    let mut strokes = draw_strokes(random);
    if let Some(count) = count {
        // A copy of the stream, so that `count` does not change the rest of the image.
        let mut more = random.clone();
        while strokes.len() < count {
            strokes.extend(draw_strokes(&mut more));
        }
        strokes.truncate(count);
    }
    strokes
}

fn draw_strokes(random: &mut Random) -> Vec<PlannedStroke> {
    // In the figures nearly all long strokes lie under the word, dashes on either side of it.
    let long_over = if random.bernoulli(0.4) {
        0.0
    } else {
        random.range(0.0, 0.5)
    };
    let width = random.range(2.8, 5.4);
    let lines = random.count(4, 14);
    let arcs = random.count(1, 10);
    let dashes = random.count(1, 8);
    let mut strokes = Vec::with_capacity(lines + arcs + dashes);
    let mut add = |random: &mut Random, stroke, over| {
        let color = draw_color(random, LIGHTEST);
        let over = random.bernoulli(over);
        strokes.push(PlannedStroke {
            stroke,
            color,
            over,
        });
    };
    // Lines and arcs in any order: each next stroke is one or the other by what is left.
    let (mut lines_left, mut arcs_left) = (lines, arcs);
    while lines_left + arcs_left > 0 {
        let width = (width + random.range(-1.2, 1.2)).max(1.8);
        let stroke = if random.below(lines_left + arcs_left) < lines_left {
            lines_left -= 1;
            draw_line(width, random)
        } else {
            arcs_left -= 1;
            draw_arc(width, random)
        };
        add(random, stroke, long_over);
    }
    for _ in 0..dashes {
        let stroke = draw_dash(random);
        add(random, stroke, 0.5);
    }
    strokes
}

/// A straight line between two points anywhere on the image, at least 50 pixels long.
fn draw_line(width: f32, random: &mut Random) -> Stroke {
    let from = draw_point(0.0, random);
    loop {
        let to = draw_point(0.0, random);
        let (dx, dy) = (to[0] - from[0], to[1] - from[1]);
        if dx * dx + dy * dy >= 50.0 * 50.0 {
            return Stroke::Line { from, to, width };
        }
    }
}

/// An arc of an ellipse that lies on the image for the most part.
fn draw_arc(width: f32, random: &mut Random) -> Stroke {
    let radii = [skewed(10.0, 240.0, random), skewed(8.0, 130.0, random)];
    let center = draw_point(-20.0, random);
    let start = random.range(0.0, TAU);
    let sweep = random.range(0.08 * TAU, 0.95 * TAU);
    Stroke::Arc {
        center,
        radii,
        start,
        sweep,
        width,
    }
}

/// A line of some 4 to 30 pixels, level or upright more often than a long one.
fn draw_dash(random: &mut Random) -> Stroke {
    let from = draw_point(2.0, random);
    let width = random.range(1.4, 6.0);
    let (dx, dy) = (skewed(4.0, 30.0, random), skewed(0.0, 20.0, random));
    let (dx, dy) = match random.below(4) {
        0 => (dx, 0.0),
        1 => (0.0, dx),
        2 => (dx, dy),
        _ => (dx, -dy),
    };
    Stroke::Line {
        from,
        to: [from[0] + dx, from[1] + dy],
        width,
    }
}

/// A point at least `margin` pixels inside the image.
fn draw_point(margin: f32, random: &mut Random) -> Point {
    let x = random.range(margin, WIDTH as f32 - margin);
    [x, random.range(margin, HEIGHT as f32 - margin)]
}

/// A number between `low` and `high`, small ones more often.
fn skewed(low: f32, high: f32, random: &mut Random) -> f32 {
    let unit = random.unit();
    low + (high - low) * unit * (0.4 + 0.6 * unit)
}
