//! Figures of images: samples with their readings, and attention.

use std::fmt::Write;
use std::io::Cursor;

use anyhow::{Result, ensure};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use captcha_model::Prediction;
use captcha_model::image::RgbImage;
use image::ImageFormat;

const COLUMNS: usize = 5;
const WIDTH: f64 = 200.0;
const GAP: f64 = 12.0;
const CAPTION: f64 = 26.0;
/// Opacity of the shade where attention is zero.
const SHADE: f64 = 0.85;

/// Images in rows of five with their readings below.
pub(super) fn samples<'a>(
    readings: impl Iterator<Item = (&'a RgbImage, &'a str)>,
) -> Result<String> {
    let readings: Vec<_> = readings.collect();
    figure(&readings, |_, _, _| Ok(()))
}

/// A copy of the image for each character of its reading, dark where attention is small.
pub(super) fn attention(image: &RgbImage, prediction: &Prediction) -> Result<String> {
    let characters: Vec<String> = prediction
        .characters
        .iter()
        .map(|character| character.character.to_string())
        .collect();
    if characters.is_empty() {
        return samples([(image, "")].into_iter());
    }
    let readings: Vec<_> = characters
        .iter()
        .map(|character| (image, &**character))
        .collect();
    let grid = prediction.grid;
    figure(&readings, |svg, index, (x, y, height)| {
        let attention = &prediction.characters[index].attention;
        let most = attention.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
        let (width, height) = (WIDTH / grid.cols as f64, height / grid.rows as f64);
        for (position, share) in attention.iter().enumerate() {
            let (row, col) = (position / grid.cols, position % grid.cols);
            let dark = SHADE * (1.0 - f64::from(share / most));
            write!(
                svg,
                r#"<rect x="{:.2}" y="{:.2}" width="{width:.2}" height="{height:.2}" fill-opacity="{dark:.3}"/>"#,
                x + col as f64 * width,
                y + row as f64 * height,
            )?;
        }
        Ok(())
    })
}

/// Images in a grid with captions; `over` draws on top of an image, given its left, top and height.
fn figure(
    readings: &[(&RgbImage, &str)],
    over: impl Fn(&mut String, usize, (f64, f64, f64)) -> Result<()>,
) -> Result<String> {
    ensure!(!readings.is_empty(), "there is no image to show");
    let height = |image: &RgbImage| WIDTH * f64::from(image.height()) / f64::from(image.width());
    let tallest = readings
        .iter()
        .map(|(image, _)| height(image))
        .fold(0.0, f64::max);
    let columns = readings.len().min(COLUMNS);
    let rows = readings.len().div_ceil(columns);
    let total_width = columns as f64 * (WIDTH + GAP) + GAP;
    let total_height = rows as f64 * (tallest + CAPTION + GAP) + GAP;
    let mut svg = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="{total_width}" height="{total_height:.0}" shape-rendering="crispEdges"><rect width="100%" height="100%" fill="#fff"/>"##
    );
    for (index, (image, text)) in readings.iter().enumerate() {
        let x = GAP + (index % columns) as f64 * (WIDTH + GAP);
        let y = GAP + (index / columns) as f64 * (tallest + CAPTION + GAP);
        let (middle, below, height) = (x + WIDTH / 2.0, y + tallest + 19.0, height(image));
        let mut png = Cursor::new(Vec::new());
        image.write_to(&mut png, ImageFormat::Png)?;
        let png = BASE64_STANDARD.encode(png.into_inner());
        write!(
            svg,
            r##"<image x="{x}" y="{y}" width="{WIDTH}" height="{height:.2}" href="data:image/png;base64,{png}"/>"##
        )?;
        over(&mut svg, index, (x, y, height))?;
        let text = if text.is_empty() {
            "(no characters)".into()
        } else {
            text.replace('&', "&amp;").replace('<', "&lt;")
        };
        write!(
            svg,
            r##"<rect x="{x}" y="{y}" width="{WIDTH}" height="{height:.2}" fill="none" stroke="#cbd2d9"/><text x="{middle}" y="{below:.2}" font-family="sans-serif" font-size="17" text-anchor="middle" fill="#1f2933">{text}</text>"##
        )?;
    }
    Ok(svg + "</svg>\n")
}

#[cfg(test)]
mod tests {
    use captcha_model::{Character, Grid};

    use super::*;
    use crate::figures::svg::to_png;

    #[test]
    fn figures_draw_any_reading() {
        let image = RgbImage::new(20, 10);
        for text in ["", "<&>"] {
            let character = |character| Character {
                character,
                confidence: 1.0,
                attention: vec![1.0],
                alternatives: Vec::new(),
            };
            let prediction = Prediction {
                text: text.into(),
                confidence: 1.0,
                characters: text.chars().map(character).collect(),
                grid: Grid { rows: 1, cols: 1 },
                blank: false,
                alternatives: Vec::new(),
            };
            for figure in [
                attention(&image, &prediction),
                samples([(&image, text)].into_iter()),
            ] {
                assert!(figure.and_then(|svg| to_png(&svg)).is_ok(), "{text}");
            }
        }
    }
}
