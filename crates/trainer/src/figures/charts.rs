//! Charts.

use std::collections::BTreeMap;

use anyhow::{Context, Result, anyhow};
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use captcha_evaluation::score::{Score, Tally};

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

const OURS: RGBColor = RGBColor(0x1d, 0x6f, 0xd1);
const OTHER: RGBColor = RGBColor(0x9a, 0xa5, 0xb1);
const INK: RGBColor = RGBColor(0x1f, 0x29, 0x33);
const TEXT: (&str, i32) = ("sans-serif", 15);
const TITLE: (&str, i32) = ("sans-serif", 19);
/// Numbers of strokes in a group.
const STROKE_GROUP: u32 = 4;

/// The paper's loss after some of its epochs, as its notebook prints it: summed over the steps and
/// divided by 7.
const PAPER_LOSS: [(f64, f64); 13] = [
    (1.0, 1.63),
    (2.0, 1.45),
    (3.0, 0.757),
    (4.0, 0.295),
    (5.0, 0.169),
    (6.0, 0.118),
    (7.0, 0.094),
    (8.0, 0.074),
    (9.0, 0.062),
    (10.0, 0.055),
    (20.0, 0.0224),
    (40.0, 0.0108),
    (50.0, 0.0090),
];
/// Images in an epoch of the paper.
const PAPER_EPOCH: f64 = 100_000.0;
/// Divisor of the printed loss: the length of the padded targets.
const PAPER_STEPS: f64 = 7.0;

/// Loss, summed over the steps, by number of images: `(images, loss)`. `fresh`: no image was used
/// twice.
pub(super) fn loss(losses: &[(f64, f64)], fresh: bool) -> Result<String> {
    let last = losses
        .last()
        .context("the run has no finished epoch to plot yet")?
        .0
        .max(50.0 * PAPER_EPOCH);
    let name = match fresh {
        true => "captcha-lens (no image seen twice)",
        false => "captcha-lens",
    };
    let ours = || {
        losses
            .iter()
            .map(|(images, loss)| (*images, loss / PAPER_STEPS))
    };
    let paper = || {
        PAPER_LOSS
            .iter()
            .map(|(epoch, loss)| (epoch * PAPER_EPOCH, *loss))
    };
    let (low, high) = ours()
        .chain(paper())
        .fold((f64::MAX, 0f64), |(low, high), (_, y)| {
            (low.min(y), high.max(y))
        });
    let first = losses[0].0.min(PAPER_EPOCH);
    draw((720, 420), |area| {
        let mut chart = ChartBuilder::on(area)
            .caption("Training loss", TITLE.into_font().color(&INK))
            .margin(14)
            .margin_right(34)
            .x_label_area_size(48)
            .y_label_area_size(64)
            .build_cartesian_2d(
                (first..last).log_scale(),
                (0.8 * low..1.2 * high).log_scale(),
            )?;
        chart
            .configure_mesh()
            .label_style(TEXT.into_font().color(&INK))
            .light_line_style(TRANSPARENT)
            .x_desc("images seen")
            .y_desc("cross-entropy, summed over steps, / 7")
            .x_label_formatter(&|images| match images {
                images if *images < 1e6 => format!("{:.0} k", images / 1e3),
                images => format!("{:.0} M", images / 1e6),
            })
            .draw()?;
        let circles = paper().map(|point| Circle::new(point, 4, OTHER.filled()));
        chart.draw_series(LineSeries::new(paper(), OTHER.stroke_width(1)))?;
        chart
            .draw_series(circles)?
            .label("the paper (4 fonts, each image seen 50 times)")
            .legend(|(x, y)| Circle::new((x + 8, y), 4, OTHER.filled()));
        chart
            .draw_series(LineSeries::new(ours(), OURS.stroke_width(2)))?
            .label(name)
            .legend(|(x, y)| PathElement::new([(x, y), (x + 16, y)], OURS.stroke_width(2)));
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::LowerLeft)
            .label_font(TEXT.into_font().color(&INK))
            .draw()?;
        Ok(())
    })
}

/// Shares from 0 to 1 as horizontal bars, from top to bottom.
pub(super) fn bars(title: &str, groups: &[(String, f64)]) -> Result<String> {
    let count = groups.len() as i32;
    draw((640, 90 + 20 * count.unsigned_abs()), |area| {
        let mut chart = ChartBuilder::on(area)
            .caption(title, TITLE.into_font().color(&INK))
            .margin(14)
            .margin_right(34)
            .x_label_area_size(30)
            .y_label_area_size(92)
            .build_cartesian_2d(0f64..1.0, (0..count - 1).into_segmented())?;
        let name = |row: &SegmentValue<i32>| match row {
            SegmentValue::CenterOf(row) | SegmentValue::Exact(row) => groups
                .get((count - 1 - row) as usize)
                .map_or("", |group| &group.0)
                .to_owned(),
            SegmentValue::Last => String::new(),
        };
        chart
            .configure_mesh()
            .label_style(TEXT.into_font().color(&INK))
            .light_line_style(TRANSPARENT)
            .disable_y_mesh()
            .y_labels(groups.len())
            .y_label_formatter(&name)
            .x_label_formatter(&|share| format!("{:.0}%", 100.0 * share))
            .draw()?;
        chart.draw_series(groups.iter().enumerate().map(|(index, (_, share))| {
            let row = count - 1 - index as i32;
            let corners = [
                (0.0, SegmentValue::Exact(row)),
                (*share, SegmentValue::Exact(row + 1)),
            ];
            let mut bar = Rectangle::new(corners, OURS.filled());
            bar.set_margin(3, 3, 0, 0);
            bar
        }))?;
        chart.draw_series(groups.iter().enumerate().map(|(index, (_, share))| {
            let inside = *share > 0.9;
            let (colour, side, gap) = match inside {
                true => (&WHITE, HPos::Right, -4),
                false => (&INK, HPos::Left, 4),
            };
            let style = ("sans-serif", 13)
                .into_font()
                .color(colour)
                .pos(Pos::new(side, VPos::Center));
            let end = (*share, SegmentValue::CenterOf(count - 1 - index as i32));
            let label = Text::new(format!("{:.1}%", 100.0 * share), (gap, 0), style);
            EmptyElement::at(end) + label
        }))?;
        Ok(())
    })
}

/// Accuracy by number of strokes, in groups.
pub(super) fn by_strokes(strokes: &BTreeMap<u32, Tally>) -> Vec<(String, f64)> {
    let mut groups: BTreeMap<u32, Tally> = BTreeMap::new();
    for (strokes, tally) in strokes {
        groups
            .entry(strokes / STROKE_GROUP)
            .or_default()
            .add(*tally);
    }
    groups
        .into_iter()
        .map(|(group, tally)| {
            let from = group * STROKE_GROUP;
            (
                format!("{from} to {}", from + STROKE_GROUP - 1),
                tally.accuracy(),
            )
        })
        .collect()
}

/// The confusion matrix: a row for each label character, a column for each answer character.
/// Correct answers are left out, because they would hide the others.
pub(super) fn confusions(confusions: &BTreeMap<char, BTreeMap<char, usize>>) -> Result<String> {
    let mut characters: Vec<char> = confusions.keys().copied().collect();
    characters.extend(confusions.values().flat_map(BTreeMap::keys));
    characters.sort_unstable();
    characters.dedup();
    let share = |character: char, read: char| {
        let row = confusions.get(&character)?;
        let count = *row.get(&read)?;
        Some(count as f64 / row.values().sum::<usize>() as f64)
    };
    let wrong = || {
        characters.iter().enumerate().flat_map(|(row, character)| {
            characters
                .iter()
                .enumerate()
                .filter_map(move |(col, read)| {
                    let share = share(*character, *read).filter(|_| character != read)?;
                    Some((row, col, share))
                })
        })
    };
    let most = wrong()
        .map(|(_, _, share)| share)
        .fold(f64::MIN_POSITIVE, f64::max);
    const CELL: usize = 20;
    const EDGE: usize = 64;
    let side = (EDGE + 20 + CELL * characters.len()) as u32;
    draw((side, side), |area| {
        let label = |text: String, x: usize, y: usize, size: i32| {
            let style = ("sans-serif", size).into_font().color(&INK);
            Text::new(text, (x as i32, y as i32), style)
        };
        area.draw(&label(
            format!(
                "Confusion matrix: rows are labels, columns are answers (darkest: {:.1}%)",
                100.0 * most
            ),
            10,
            10,
            15,
        ))?;
        for (index, character) in characters.iter().enumerate() {
            let along = EDGE + CELL * index + 6;
            area.draw(&label(character.to_string(), EDGE - 16, along - 4, 15))?;
            area.draw(&label(character.to_string(), along, EDGE - 22, 15))?;
        }
        for (row, col, share) in wrong() {
            let corner = |row, col| ((EDGE + CELL * col) as i32, (EDGE + CELL * row) as i32);
            let cell = [corner(row, col), corner(row + 1, col + 1)];
            area.draw(&Rectangle::new(cell, OURS.mix(share / most).filled()))?;
        }
        for line in 0..=characters.len() {
            let (at, end) = (
                (EDGE + CELL * line) as i32,
                (EDGE + CELL * characters.len()) as i32,
            );
            for ends in [
                [(EDGE as i32, at), (end, at)],
                [(at, EDGE as i32), (at, end)],
            ] {
                area.draw(&PathElement::new(ends, OTHER.mix(0.3)))?;
            }
        }
        Ok(())
    })
}

/// Reliability diagram: accuracy by confidence, with the number of images.
pub(super) fn reliability(score: &Score) -> Result<String> {
    draw((480, 460), |area| {
        let title = format!(
            "Calibration error {:.2}%",
            100.0 * score.calibration_error.unwrap_or_default()
        );
        let mut chart = ChartBuilder::on(area)
            .caption(title, TITLE.into_font().color(&INK))
            .margin(14)
            .margin_right(34)
            .x_label_area_size(48)
            .y_label_area_size(60)
            .build_cartesian_2d(0f64..1.0, 0f64..1.0)?;
        let percent = |share: &f64| format!("{:.0}%", 100.0 * share);
        chart
            .configure_mesh()
            .label_style(TEXT.into_font().color(&INK))
            .light_line_style(TRANSPARENT)
            .x_desc("confidence")
            .y_desc("exact matches")
            .x_label_formatter(&percent)
            .y_label_formatter(&percent)
            .draw()?;
        let ideal = [(0.0, 0.0), (1.0, 1.0)];
        chart.draw_series(LineSeries::new(ideal, OTHER.stroke_width(1)))?;
        let points = || {
            score
                .reliability
                .iter()
                .map(|bin| (bin.confidence, bin.exact_matches as f64 / bin.images as f64))
        };
        chart.draw_series(LineSeries::new(points(), OURS.stroke_width(2)))?;
        let most = score
            .reliability
            .iter()
            .map(|bin| bin.images)
            .max()
            .unwrap_or(1);
        chart.draw_series(points().zip(&score.reliability).map(|(point, bin)| {
            // The area of a dot is proportional to its number of images.
            let size = 2.0 + 9.0 * (bin.images as f64 / most as f64).sqrt();
            Circle::new(point, size as i32, OURS.filled())
        }))?;
        Ok(())
    })
}

/// An SVG with a white background.
fn draw(size: (u32, u32), paint: impl FnOnce(&Area<'_>) -> Result<()>) -> Result<String> {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        let failed = |error| anyhow!("cannot draw: {error}");
        area.fill(&WHITE).map_err(failed)?;
        paint(&area)?;
        area.present().map_err(failed)?;
    }
    Ok(svg)
}
