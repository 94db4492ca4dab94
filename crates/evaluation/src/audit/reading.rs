//! Reads the images of an audit, and keeps pictures of those that its report shows.

use std::collections::HashMap;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use captcha_model::image::RgbImage;
use captcha_model::{Inputs, Prediction, Recognizer};
use image::ImageFormat;
use rayon::prelude::*;

use super::data::Item;
use super::labels::Network;
use crate::data::folder::read_image;
use crate::training::progress::progress_bar;

/// Images read at once.
const BATCH: usize = 64;
/// Pictures kept of the right and of the wrong, from either end of confidence; the report shows no
/// more of each.
const PICTURES: usize = 8;
/// Largest width and height of a kept picture.
const PICTURE_SIZE: (u32, u32) = (240, 128);
/// From here on the report may doubt the label of what is wrong, and shows it apart; `HIGH_CONFIDENCE` of
/// `statistics.js`.
const HIGH_CONFIDENCE: f32 = 0.99;

/// An image file, and what it says, if that is known.
pub(super) type Unread = (PathBuf, Option<String>);

/// Reads every file; one that cannot be read is noted and does not keep the rest from being read.
/// Also gives data addresses of the pictures that the report shows, by path.
pub(super) fn read(
    recognizer: &Recognizer,
    folder: &Path,
    files: &[Unread],
) -> Result<(Vec<Item>, HashMap<String, String>)> {
    let bar = progress_bar(files.len() as u64);
    let mut items = Vec::with_capacity(files.len());
    for files in files.chunks(BATCH) {
        // A photo at its full size is let go before the next one.
        let inputs: Vec<Result<Inputs>> = files
            .par_iter()
            .map(|(path, _)| Ok(recognizer.preprocess(&[read_image(path)?])?))
            .collect();
        let readable: Vec<Inputs> = inputs.iter().flatten().cloned().collect();
        let mut predictions = match Inputs::cat(readable) {
            Some(inputs) => pollster::block_on(recognizer.recognize_inputs(inputs))?,
            None => Vec::new(),
        }
        .into_iter();
        for (file, input) in files.iter().zip(inputs) {
            let read = input.and_then(|_| predictions.next().context("no answer"));
            items.push(item(folder, file, read));
        }
        bar.inc(files.len() as u64);
    }
    bar.finish_and_clear();
    let pictures = notable(&items, &Network::from(recognizer.config()))
        .into_par_iter()
        .filter_map(|index| {
            let image = read_image(&files[index].0).ok()?;
            Some((items[index].path.clone(), picture(&image).ok()?))
        })
        .collect();
    Ok((items, pictures))
}

fn item(folder: &Path, (path, label): &Unread, read: Result<Prediction>) -> Item {
    let path = path.strip_prefix(folder).unwrap_or(path);
    let (prediction, error) = match read {
        Ok(prediction) => (Some(prediction), None),
        Err(error) => (None, Some(format!("{}", error.root_cause()))),
    };
    Item {
        // As the page writes paths.
        path: path.display().to_string().replace('\\', "/"),
        label: label.clone(),
        confidence: prediction.as_ref().map(|prediction| prediction.confidence),
        text: prediction.map(|prediction| prediction.text),
        error,
    }
}

/// The items whose pictures the report may show: from either end of confidence of each group of
/// `notableCases` in `statistics.js`.
fn notable(items: &[Item], network: &Network) -> Vec<usize> {
    // What nothing was recognised in is no answer, however sure.
    let answered = |i: usize| {
        items[i]
            .text
            .as_deref()
            .is_some_and(|text| !text.is_empty())
    };
    let sureness = |i: usize| items[i].confidence.filter(|_| answered(i)).unwrap_or(0.0);
    let group = |i: usize| {
        let label = items[i].label.as_ref().map(|label| network.fold(label));
        match (&items[i].text, label) {
            (None, _) => None,
            (_, None) => Some(0),
            (_, Some(label)) if !network.problems(&label).is_empty() => Some(1),
            (Some(text), Some(label)) if *text == label => Some(2),
            _ if sureness(i) >= HIGH_CONFIDENCE => Some(3),
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
