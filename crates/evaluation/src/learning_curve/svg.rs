//! The figure of a learning curve as SVG.
//!
//! Presentation attributes have the colours on white. A style sheet replaces them for readers with
//! a dark scheme; programs that do not know it draw on white.

use std::fmt::Write;

use super::{CurvePoint, LearningCurve};
use crate::wording::escape;

/// Size of the figure.
const SIZE: (f64, f64) = (560.0, 340.0);
/// Left, top, width and height of the plot.
const PLOT: (f64, f64, f64, f64) = (58.0, 44.0, 480.0, 236.0);
/// Shares with a line and a number.
const MARKS: [f64; 5] = [0.0, 0.25, 0.5, 0.75, 1.0];
/// Smallest distance of two numbers on the axis of labelled images.
const MIN_DISTANCE: f64 = 34.0;

const STYLE: &str = "@media (prefers-color-scheme: dark) { .ground { fill: #121b2b } \
                     .ink { fill: #e9eef7 } .mark { stroke: #263349 } \
                     .line { stroke: #fee838 } .dot { fill: #fee838 } }";

impl LearningCurve {
    /// The share of solved images by number of labelled images on a log scale, with 95% intervals.
    pub fn svg(&self) -> String {
        let points = self.sorted();
        let mut svg = start(&self.sentences());
        marks(&mut svg);
        let x = Axis::of(&points);
        labels(&mut svg, &points, &x);
        let mut path = String::new();
        for point in &points {
            let tally = point.tally();
            let (low, high) = tally.interval();
            let (across, up) = (x.position(point.labels), y(tally.accuracy()));
            let (low, high) = (y(low), y(high));
            let next = if path.is_empty() { 'M' } else { 'L' };
            let _ = write!(path, "{next}{across:.1} {up:.1}");
            let (left, right) = (across - 4.0, across + 4.0);
            let _ = writeln!(
                svg,
                r##"<path class="line" stroke="#123a78" fill="none" d="M{across:.1} {low:.1}V{high:.1}M{left:.1} {low:.1}H{right:.1}M{left:.1} {high:.1}H{right:.1}"/>
<circle class="dot" fill="#123a78" cx="{across:.1}" cy="{up:.1}" r="4"/>"##
            );
        }
        let _ = writeln!(
            svg,
            r##"<path class="line" stroke="#123a78" stroke-width="2" fill="none" d="{path}"/>
</svg>"##
        );
        svg
    }
}

/// The axis of labelled images.
struct Axis {
    low: f64,
    high: f64,
}

impl Axis {
    fn of(sorted: &[CurvePoint]) -> Self {
        let scaled = |point: Option<&CurvePoint>| point.map_or(0, |point| point.labels) as f64;
        Self {
            low: scaled(sorted.first()).ln_1p(),
            high: scaled(sorted.last()).ln_1p(),
        }
    }

    fn position(&self, labels: usize) -> f64 {
        let (left, _, width, _) = PLOT;
        // The outermost points keep a distance from the ends.
        let margin = 0.04 * width;
        let part = match self.high > self.low {
            true => ((labels as f64).ln_1p() - self.low) / (self.high - self.low),
            false => 0.5,
        };
        left + margin + part * (width - 2.0 * margin)
    }
}

fn y(share: f64) -> f64 {
    let (_, top, _, height) = PLOT;
    top + (1.0 - share) * height
}

fn start(sentences: &[String]) -> String {
    let (width, height) = SIZE;
    let (left, top, ..) = PLOT;
    let about = escape(&sentences.join(" "));
    let title_y = top - 20.0;
    format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img" font-family="system-ui, sans-serif" font-size="13">
<title>Images solved, by number of labelled images</title>
<desc>{about}</desc>
<style>{STYLE}</style>
<rect class="ground" width="{width}" height="{height}" rx="8" fill="#fff"/>
<text class="ink" fill="#0d1b33" x="{left}" y="{title_y}" font-weight="600">Held-out images solved, with 95% intervals</text>
"##
    )
}

fn marks(svg: &mut String) {
    let (left, _, width, _) = PLOT;
    for share in MARKS {
        let (y, percent) = (y(share), 100.0 * share);
        let (right, text_x, text_y) = (left + width, left - 8.0, y + 4.5);
        let _ = writeln!(
            svg,
            r##"<path class="mark" stroke="#d3dae6" d="M{left} {y}H{right}"/>
<text class="ink" fill="#0d1b33" x="{text_x}" y="{text_y}" text-anchor="end">{percent}%</text>"##
        );
    }
}

/// The measured numbers of labelled images under the plot, the largest first where they are close.
fn labels(svg: &mut String, sorted: &[CurvePoint], x: &Axis) {
    let (left, top, width, height) = PLOT;
    let (text_y, name_y) = (top + height + 20.0, top + height + 44.0);
    let mut last = f64::INFINITY;
    for point in sorted.iter().rev() {
        let position = x.position(point.labels);
        if last - position < MIN_DISTANCE {
            continue;
        }
        last = position;
        let labels = point.labels;
        let _ = writeln!(
            svg,
            r##"<text class="ink" fill="#0d1b33" x="{position:.1}" y="{text_y}" text-anchor="middle">{labels}</text>"##
        );
    }
    let middle = left + width / 2.0;
    let _ = writeln!(
        svg,
        r##"<text class="ink" fill="#0d1b33" x="{middle}" y="{name_y}" text-anchor="middle">Labelled images (logarithmic scale)</text>"##
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn circles(svg: &str) -> Vec<(f64, f64)> {
        let number = |text: &str, name: &str| {
            let (_, rest) = text.split_once(name).expect("it has the attribute");
            let (value, _) = rest.split_once('"').expect("it ends");
            value.parse().expect("a number")
        };
        let lines = svg.lines().filter(|line| line.starts_with("<circle"));
        lines
            .map(|line| (number(line, "cx=\""), number(line, "cy=\"")))
            .collect()
    }

    fn curve(points: &[(usize, usize)]) -> LearningCurve {
        let point = |&(labels, exact_matches)| CurvePoint {
            labels,
            held_out: 10,
            exact_matches,
        };
        LearningCurve {
            name: "</svg><script>".into(),
            points: points.iter().map(point).collect(),
            ..LearningCurve::default()
        }
    }

    #[test]
    fn svg_draws_points_on_a_log_scale() {
        let svg = curve(&[(99, 5), (24, 0), (399, 10)]).svg();
        let circles = circles(&svg);
        // 25, 100 and 400: each step is the same factor.
        assert!((circles[1].0 - circles[0].0 - (circles[2].0 - circles[1].0)).abs() < 0.11);
        assert_eq!(
            circles.iter().map(|at| at.1).collect::<Vec<_>>(),
            [280.0, 162.0, 44.0]
        );
        for labels in [">24<", ">99<", ">399<"] {
            assert!(svg.contains(labels), "{svg}");
        }
    }

    #[test]
    fn svg_of_any_curve_stays_in_the_figure() {
        for points in [
            &[][..],
            &[(0, 3)],
            &[(0, 0), (1, 10)],
            &[(7, 1), (usize::MAX, 2)],
        ] {
            let svg = curve(points).svg();
            assert!(svg.ends_with("</svg>\n") && svg.matches("</svg>").count() == 1);
            assert!(!svg.contains("NaN") && !svg.contains("inf") && !svg.contains("<script"));
            let inside = |&(x, y): &(f64, f64)| x > 0.0 && x < SIZE.0 && y > 0.0 && y < SIZE.1;
            assert!(circles(&svg).iter().all(inside));
        }
    }

    #[test]
    fn svg_leaves_out_numbers_that_would_overlap() {
        let svg = curve(&[(1000, 1), (1001, 2), (1002, 3), (9000, 4)]).svg();
        assert!(!svg.contains(">1001<") && svg.contains(">1002<") && svg.contains(">9000<"));
    }
}
