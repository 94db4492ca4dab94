//! Lines, dots and other marks behind and over the text.

use std::f32::consts::TAU;

use super::canvas::Picture;
use super::colors::Colors;
use super::layout::Glyph;
use super::{LookRequest, has_layer};
use crate::geometry::{Bounds, Path, Point};
use crate::look::{Layer, Look, Mark, MarkColor, Palette, Rgb, Span};
use crate::random::Random;

/// Pixels between two points of a curve.
const STEP: f32 = 4.0;

/// A mark with its colour and its layer.
pub(super) struct PlannedMark {
    pub(super) kind: Mark,
    pub(super) over: bool,
    shape: Shape,
    color: Rgb,
    opacity: f32,
}

enum Shape {
    /// A line through points, with a width.
    Line(Vec<Point>, f32),
    /// Filled contours.
    Filled(Path),
    /// Squares of pixels: their corners, their side and the colour of each, or one for all.
    Squares(Vec<([usize; 2], Rgb)>, usize),
}

impl PlannedMark {
    pub(super) fn draw(&self, picture: &mut Picture) {
        match &self.shape {
            Shape::Line(points, width) => {
                picture.stroke_line(points, *width, self.color, self.opacity);
            }
            Shape::Filled(path) => picture.fill(path, self.color, self.opacity),
            Shape::Squares(squares, side) => {
                for &(corner, color) in squares {
                    picture.fill_square(corner, *side, color);
                }
            }
        }
    }
}

/// Draws the marks of an image at random, in drawing order.
pub(super) fn plan(
    look: &Look,
    request: &LookRequest,
    glyphs: &[Glyph],
    size: [usize; 2],
    colors: &Colors,
    random: &Random,
) -> Vec<PlannedMark> {
    let layers = layers(look, request);
    let mut strokes_left = request.strokes;
    let mut layers_left = layers.iter().filter(|layer| layer.kind.is_stroke()).count();
    let mut marks = Vec::new();
    for (number, layer) in layers.iter().enumerate() {
        let mut planner = Planner {
            layer,
            request,
            glyphs,
            size: size.map(|length| length as f32),
            colors,
            random: random.marks(number),
        };
        let drawn = layer.count.draw(&mut planner.random);
        let count = match (layer.kind, &mut strokes_left) {
            (Mark::Specks, _) => {
                marks.push(planner.specks(request.noise.unwrap_or(drawn)));
                continue;
            }
            (Mark::Grid, _) => {
                marks.extend(planner.grid());
                continue;
            }
            // The layers share the strokes of an override.
            (kind, Some(left)) if kind.is_stroke() => {
                let count = left.div_ceil(layers_left);
                (*left, layers_left) = (*left - count, layers_left - 1);
                count
            }
            // A share of a mark is a chance of one.
            _ => (drawn + planner.random.unit()) as usize,
        };
        marks.extend((0..count).map(|_| planner.mark()));
    }
    marks
}

/// The layers of a look, and one more for an override of something that the look does not have.
fn layers(look: &Look, request: &LookRequest) -> Vec<Layer> {
    let mut layers = look.clutter.clone();
    let added = [
        (
            request.strokes.is_some() && !has_layer(look, false),
            Mark::Curve,
        ),
        (
            request.noise.is_some() && !has_layer(look, true),
            Mark::Specks,
        ),
    ];
    for (_, kind) in added.into_iter().filter(|&(add, _)| add) {
        layers.push(Layer {
            kind,
            count: Span::of(0.0),
            width: Span::of(1.0),
            size: Span::of(0.5),
            over: 1.0,
            color: MarkColor::Ink,
            palette: Palette::default(),
            opacity: Span::of(1.0),
        });
    }
    layers
}

/// Draws the marks of one layer at random.
struct Planner<'a> {
    layer: &'a Layer,
    request: &'a LookRequest,
    glyphs: &'a [Glyph],
    /// Size of the image in pixels.
    size: Point,
    colors: &'a Colors,
    random: Random,
}

impl Planner<'_> {
    fn mark(&mut self) -> PlannedMark {
        let over = self.random.bernoulli(self.layer.over);
        let color = self.color();
        let opacity = self.layer.opacity.draw(&mut self.random);
        let width = self.layer.width.draw(&mut self.random);
        let reach = self.layer.size.draw(&mut self.random) * self.size[1];
        let shape = match self.layer.kind {
            Mark::Line => Shape::Line(self.line(reach), width),
            Mark::Across => Shape::Line(self.across(), width),
            Mark::Curve => Shape::Line(self.curve(reach), width),
            Mark::Strike => Shape::Line(self.strike(reach), width),
            Mark::Arc => {
                let sweep = self.random.range(0.1, 0.8) * TAU;
                let flat = self.random.range(0.3, 1.0);
                Shape::Line(self.arc([reach, flat * reach], sweep), width)
            }
            Mark::Circle => Shape::Line(self.arc([0.5 * reach; 2], TAU), width),
            Mark::Dot => {
                let outline = self.arc([width; 2], TAU);
                Shape::Filled(polygon(&outline))
            }
            Mark::Triangle => Shape::Filled(self.triangle(reach)),
            Mark::Character => Shape::Filled(self.character(reach)),
            Mark::Specks | Mark::Grid => Shape::Filled(Path::default()),
        };
        PlannedMark {
            kind: self.layer.kind,
            over,
            shape,
            color,
            opacity,
        }
    }

    fn color(&mut self) -> Rgb {
        let own = self.layer.palette.draw(&mut self.random);
        match self.layer.color {
            MarkColor::Own => own,
            MarkColor::Ink => self.colors.ink(0).color,
            MarkColor::Ground => self.colors.ground.first,
        }
    }

    fn point(&mut self) -> Point {
        let [width, height] = self.size;
        [
            self.random.range(0.0, width),
            self.random.range(0.0, height),
        ]
    }

    fn line(&mut self, length: f32) -> Vec<Point> {
        let [x, y] = self.point();
        let (sine, cosine) = libm::sincosf(self.random.range(0.0, TAU));
        let [dx, dy] = [0.5 * length * cosine, 0.5 * length * sine];
        vec![[x - dx, y - dy], [x + dx, y + dy]]
    }

    fn across(&mut self) -> Vec<Point> {
        let [width, height] = self.size;
        let [left, right] = [(); 2].map(|()| self.random.range(0.0, height));
        vec![[0.0, left], [width, right]]
    }

    /// A sine curve from the left edge to the right one.
    fn curve(&mut self, reach: f32) -> Vec<Point> {
        let [width, height] = self.size;
        let middle = self.random.range(0.2, 0.8) * height;
        let slope = self.random.range(-0.4, 0.4) * height;
        self.sine([0.0, width], middle, slope, reach)
    }

    /// A sine curve through the text.
    fn strike(&mut self, reach: f32) -> Vec<Point> {
        let Some(first) = self.glyphs.first() else {
            return self.curve(reach);
        };
        let last = &self.glyphs[self.glyphs.len() - 1];
        let [from, to] = [first.bounds, last.bounds];
        let high = self.random.range(0.35, 0.65);
        let at = |bounds: Bounds| bounds.min[1] + high * bounds.height();
        let (start, end) = (from.min[0] - 2.0, to.max[0] + 2.0);
        let middle = 0.5 * (at(from) + at(to));
        let slope = at(to) - at(from);
        self.sine([start, end], middle, slope, reach)
    }

    fn sine(&mut self, [from, to]: [f32; 2], middle: f32, slope: f32, reach: f32) -> Vec<Point> {
        let amplitude = 0.5 * reach * self.random.unit();
        let frequency = TAU / (self.size[0] * self.random.range(0.4, 2.0));
        let phase = self.random.range(0.0, TAU);
        let length = (to - from).max(1.0);
        let steps = (length / STEP).max(1.0) as usize;
        let points = (0..=steps).map(|step| {
            let share = step as f32 / steps as f32;
            let x = from + share * length;
            let y = middle + slope * (share - 0.5) + amplitude * libm::sinf(frequency * x + phase);
            [x, y]
        });
        points.collect()
    }

    /// Part of an ellipse about a random point.
    fn arc(&mut self, radii: Point, sweep: f32) -> Vec<Point> {
        let [x, y] = self.point();
        let start = self.random.range(0.0, TAU);
        let steps = ((sweep * radii[0].max(radii[1]) / STEP) as usize).clamp(8, 100);
        let points = (0..=steps).map(|step| {
            let angle = start + sweep * step as f32 / steps as f32;
            let (sine, cosine) = libm::sincosf(angle);
            [x + radii[0] * cosine, y + radii[1] * sine]
        });
        points.collect()
    }

    fn triangle(&mut self, reach: f32) -> Path {
        let [x, y] = self.point();
        let half = 0.5 * reach;
        let corners = [(); 3].map(|()| {
            [
                x + self.random.range(-half, half),
                y + self.random.range(-half, half),
            ]
        });
        polygon(&corners)
    }

    /// A small character of the text's font.
    fn character(&mut self, height: f32) -> Path {
        let outlines = self.request.font.outlines();
        let characters: Vec<char> = self.request.alphabet.chars().collect();
        let character = characters[self.random.below(characters.len())];
        let scale = height / outlines.cap_height;
        let [x0, y0] = self.point();
        let (sine, cosine) = libm::sincosf(self.random.range(-0.5, 0.5));
        outlines.character(character).map(|[x, y]| {
            let [x, y] = [scale * x, -scale * y];
            [cosine * x - sine * y + x0, sine * x + cosine * y + y0]
        })
    }

    /// Squares over a share of the image.
    fn specks(&mut self, share: f32) -> PlannedMark {
        let over = self.random.bernoulli(self.layer.over);
        let side = (self.layer.width.draw(&mut self.random) + 0.5).max(1.0) as usize;
        let [width, height] = self.size;
        let count = (share * width * height / (side * side) as f32) as usize;
        let squares = (0..count).map(|_| {
            let corner = self.point().map(|place| place as usize);
            (corner, self.color())
        });
        PlannedMark {
            kind: Mark::Specks,
            over,
            shape: Shape::Squares(squares.collect(), side),
            color: Rgb([0; 3]),
            opacity: 1.0,
        }
    }

    /// Level and upright lines of one colour, from edge to edge.
    fn grid(&mut self) -> Vec<PlannedMark> {
        let over = self.random.bernoulli(self.layer.over);
        let color = self.color();
        let opacity = self.layer.opacity.draw(&mut self.random);
        let line_width = self.layer.width.draw(&mut self.random);
        let cell = (self.layer.size.draw(&mut self.random) * self.size[1]).max(3.0);
        let [width, height] = self.size;
        let first = [(); 2].map(|()| self.random.range(0.0, cell));
        let places = |axis: usize| {
            let count = ((self.size[axis] - first[axis]) / cell).max(0.0) as usize;
            (0..=count).map(move |number| first[axis] + number as f32 * cell)
        };
        let upright = places(0).map(|x| vec![[x, 0.0], [x, height]]);
        let level = places(1).map(|y| vec![[0.0, y], [width, y]]);
        let marks = upright.chain(level).map(|points| PlannedMark {
            kind: Mark::Grid,
            over,
            shape: Shape::Line(points, line_width),
            color,
            opacity,
        });
        marks.collect()
    }
}

fn polygon(points: &[Point]) -> Path {
    let mut path = Path::default();
    points.iter().for_each(|&point| path.push(point));
    path.close();
    path
}
