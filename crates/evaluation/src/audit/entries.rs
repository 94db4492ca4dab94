//! Recognizes the images of an audit, and makes the pictures that the report shows.

use std::collections::HashMap;
use std::io::Cursor;
use std::path::Path;

use anyhow::Result;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use captcha_model::image::RgbImage;
use captcha_model::{Prediction, Recognizer};
use image::ImageFormat;
use rayon::prelude::*;

use super::data::AuditEntry;
use super::files::AuditFile;
use super::network::{AuditNetwork, LabelRules};
use crate::batches::read_batches;
use crate::data::image_files::read_image;
use crate::progress::Progress;

/// Pictures of each group of entries at each end of confidence; the report shows at most as many.
const PICTURES: usize = 8;
/// Largest width and height of a picture.
const MAX_PICTURE_SIZE: (u32, u32) = (240, 128);
/// From this confidence on, a wrong answer may mean a wrong label, and the report shows it in a
/// group of its own; `HIGH_CONFIDENCE` in `statistics.js`.
const HIGH_CONFIDENCE: f32 = 0.99;

/// Data URLs of pictures, by path.
pub type Pictures = HashMap<String, String>;

/// Recognizes every file; an unreadable one becomes an entry with an error. Also gives the pictures
/// that the report shows.
pub(super) fn recognize(
    recognizer: &Recognizer,
    folder: &Path,
    files: &[AuditFile],
    ignore_case: bool,
    progress: &dyn Progress,
) -> Result<(Vec<AuditEntry>, Pictures)> {
    let load = |index: usize| Ok(Some((read_image(&files[index].0)?, ())));
    let mut entries = Vec::with_capacity(files.len());
    progress.start_stage("", files.len());
    for batch in read_batches(recognizer, files.len(), 0, load) {
        for result in batch?.results {
            let prediction = result.map(|read| read.map(|(_, prediction)| prediction));
            entries.push(entry(folder, &files[entries.len()], prediction));
        }
        progress.update(entries.len(), "");
    }
    progress.end_stage();
    let rules = LabelRules {
        network: &AuditNetwork::from(recognizer.config()),
        ignore_case,
    };
    let pictures = pictures(files, &entries, rules);
    Ok((entries, pictures))
}

/// The pictures that the report of these entries shows; `files` are theirs.
pub(super) fn pictures(
    files: &[AuditFile],
    entries: &[AuditEntry],
    rules: LabelRules<'_>,
) -> Pictures {
    representative_cases(entries, rules)
        .into_par_iter()
        .filter_map(|index| {
            let image = read_image(&files[index].0).ok()?;
            Some((entries[index].path.clone(), picture(&image).ok()?))
        })
        .collect()
}

/// The path of a file in its folder, as reports write it.
pub(super) fn path_in(folder: &Path, path: &Path) -> String {
    let path = path.strip_prefix(folder).unwrap_or(path);
    // The page writes slashes.
    path.display().to_string().replace('\\', "/")
}

fn entry(
    folder: &Path,
    (path, label): &AuditFile,
    result: Result<Option<Prediction>>,
) -> AuditEntry {
    let (prediction, error) = match result {
        Ok(prediction) => (prediction, None),
        Err(error) => (None, Some(error.root_cause().to_string())),
    };
    AuditEntry {
        path: path_in(folder, path),
        label: label.clone(),
        confidence: prediction.as_ref().map(|prediction| prediction.confidence),
        text: prediction.map(|prediction| prediction.text),
        error,
    }
}

/// Indices of the entries whose pictures the report may show: those at each end of confidence in
/// each group of `notableCases` in `statistics.js`.
fn representative_cases(items: &[AuditEntry], rules: LabelRules<'_>) -> Vec<usize> {
    // An empty answer is not an answer, whatever its confidence.
    let answered = |i: usize| {
        items[i]
            .text
            .as_deref()
            .is_some_and(|text| !text.is_empty())
    };
    let certainty = |i: usize| items[i].confidence.filter(|_| answered(i)).unwrap_or(0.0);
    let group = |i: usize| {
        let label = items[i].label.as_ref().map(|label| rules.fold(label));
        match (&items[i].text, label) {
            (None, _) => None,
            (_, None) => Some(0),
            (_, Some(label)) if !rules.problems(&label).is_empty() => Some(1),
            (Some(text), Some(label)) if rules.equal(text, &label) => Some(2),
            _ if certainty(i) >= HIGH_CONFIDENCE => Some(3),
            _ => Some(4),
        }
    };
    let mut groups = [const { Vec::new() }; 5];
    for i in 0..items.len() {
        if let Some(group) = group(i) {
            groups[group].push(i);
        }
    }
    groups
        .into_iter()
        .flat_map(|mut some: Vec<usize>| {
            some.sort_by(|&a, &b| certainty(b).total_cmp(&certainty(a)));
            if some.len() > 2 * PICTURES {
                some.drain(PICTURES..some.len() - PICTURES);
            }
            some
        })
        .collect()
}

fn picture(image: &RgbImage) -> Result<String> {
    let (width, height) = MAX_PICTURE_SIZE;
    let small = image::DynamicImage::ImageRgb8(image.clone()).thumbnail(width, height);
    let mut bytes = Cursor::new(Vec::new());
    small.write_to(&mut bytes, ImageFormat::Jpeg)?;
    let encoded = BASE64_STANDARD.encode(bytes.into_inner());
    Ok(format!("data:image/jpeg;base64,{encoded}"))
}
