//! `captcha-lens audit`: reads a folder and writes the report that the page shows, as one file.

use std::collections::HashMap;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use burn::tensor::Tensor;
use captcha_model::image::RgbImage;
use captcha_model::{Prediction, Recognizer};
use image::ImageFormat;
use rayon::prelude::*;
use serde::Serialize;
use serde_json::json;

use crate::evaluate::Tally;
use crate::folder::read_image;
use crate::progress::progress_bar;

/// Images read at once.
const BATCH: usize = 64;
/// Pictures kept of the right and of the wrong, from either end of confidence; the report shows no
/// more of each.
const PICTURES: usize = 8;
/// Largest width and height of a kept picture.
const PICTURE_SIZE: (u32, u32) = (240, 128);

/// `AuditItem` of the page's `types.d.ts`.
#[derive(Clone, Debug, Serialize)]
pub struct Item {
    path: String,
    label: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    confidence: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl Item {
    fn right(&self) -> Option<bool> {
        Some(self.text.as_ref()? == self.label.as_ref()?)
    }
}

/// The readings of a folder.
#[derive(Debug)]
pub struct Audit {
    items: Vec<Item>,
    /// Data addresses of the pictures that the report shows, by path.
    pictures: HashMap<String, String>,
}

/// An image file, and what it says, if that is known.
pub type Unread = (PathBuf, Option<String>);

/// Reads every file; one that cannot be read is noted and does not keep the rest from being read.
pub fn audit(recognizer: &Recognizer, folder: &Path, files: &[Unread]) -> Result<Audit> {
    let bar = progress_bar(files.len() as u64);
    let mut items = Vec::with_capacity(files.len());
    for files in files.chunks(BATCH) {
        // A photo at its full size is let go before the next one.
        let inputs: Vec<Result<Tensor<4>>> = files
            .par_iter()
            .map(|(path, _)| Ok(recognizer.preprocess(&[read_image(path)?])?))
            .collect();
        let readable: Vec<Tensor<4>> = inputs.iter().flatten().cloned().collect();
        let mut predictions = if readable.is_empty() {
            Vec::new()
        } else {
            pollster::block_on(recognizer.read(Tensor::cat(readable, 0)))?
        }
        .into_iter();
        for (file, input) in files.iter().zip(inputs) {
            let read = input.and_then(|_| predictions.next().context("no answer"));
            items.push(item(folder, file, read));
        }
        bar.inc(files.len() as u64);
    }
    bar.finish_and_clear();
    let pictures = telling(&items)
        .into_par_iter()
        .filter_map(|index| {
            let image = read_image(&files[index].0).ok()?;
            Some((items[index].path.clone(), picture(&image).ok()?))
        })
        .collect();
    Ok(Audit { items, pictures })
}

fn item(folder: &Path, (path, label): &Unread, read: Result<Prediction>) -> Item {
    let path = path.strip_prefix(folder).unwrap_or(path);
    let (prediction, error) = match read {
        Ok(prediction) => (Some(prediction), None),
        Err(error) => (None, Some(format!("{}", error.root_cause()))),
    };
    Item {
        path: path.display().to_string(),
        label: label.clone(),
        confidence: prediction.as_ref().map(|prediction| prediction.confidence),
        text: prediction.map(|prediction| prediction.text),
        error,
    }
}

/// The items whose pictures the report may show: the surest and the least sure of each outcome.
fn telling(items: &[Item]) -> Vec<usize> {
    [Some(true), Some(false), None]
        .into_iter()
        .flat_map(|right| {
            let mut some: Vec<usize> = (0..items.len())
                .filter(|&i| items[i].text.is_some() && items[i].right() == right)
                .collect();
            let sureness = |i: usize| items[i].confidence.unwrap_or(0.0);
            some.sort_by(|&a, &b| sureness(b).total_cmp(&sureness(a)));
            if some.len() > 2 * PICTURES {
                some.drain(PICTURES..some.len() - PICTURES);
            }
            some
        })
        .collect()
}

fn picture(image: &RgbImage) -> Result<String> {
    let (width, height) = PICTURE_SIZE;
    let small = image::DynamicImage::ImageRgb8(image.clone()).thumbnail(width, height);
    let mut bytes = Cursor::new(Vec::new());
    small.write_to(&mut bytes, ImageFormat::Jpeg)?;
    let encoded = BASE64_STANDARD.encode(bytes.into_inner());
    Ok(format!("data:image/jpeg;base64,{encoded}"))
}

impl Audit {
    /// Images with a label that were read at all, and those read whole.
    pub fn tally(&self) -> Tally {
        let judged = self.items.iter().filter_map(Item::right);
        judged.fold(Tally::default(), |mut tally, right| {
            tally.images += 1;
            tally.exact += usize::from(right);
            tally
        })
    }

    /// Images, and those of them that could not be read.
    pub fn counts(&self) -> (usize, usize) {
        let failed = self.items.iter().filter(|item| item.error.is_some());
        (self.items.len(), failed.count())
    }

    /// The report: one HTML file with everything in it, made of the page's own code.
    pub fn html(&self, title: &str, about: &[(&str, String)]) -> Result<String> {
        let data = json!({ "items": self.items, "about": about, "pictures": self.pictures });
        // Nothing in the data may end the element that it stands in.
        let data = serde_json::to_string(&data)?.replace('<', "\\u003c");
        let title = title
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;");
        Ok(format!(
            r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:">
<title>{title}</title>
<style>
{base}
{styles}
body {{ padding: clamp(1rem, 3vw, 2.5rem); }}
main {{ display: grid; gap: var(--gap); max-width: 72rem; margin-inline: auto; }}
@media print {{ .report-downloads, .report-tools {{ display: none; }} }}
</style>
</head>
<body>
<main>
<h1>{title}</h1>
<div id="report" class="report"></div>
</main>
<script type="application/json" id="data">{data}</script>
<script type="module">
{statistics}
{report}
const {{ items, about, pictures }} = JSON.parse(document.getElementById("data").textContent);
const picture = async ({{ path }}) => pictures[path] ?? null;
renderReport(document.getElementById("report"), {{ items, about, picture }}, {{
  isRight, summarize, tellingCases, verdict, percent,
}});
</script>
</body>
</html>
"#,
            base = include_str!("../../../web/styles/base.css"),
            styles = include_str!("../../../web/styles/report.css"),
            statistics = include_str!("../../../web/src/audit/statistics.js"),
            report = include_str!("../../../web/src/view/report.js"),
        ))
    }
}
