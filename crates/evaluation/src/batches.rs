//! Recognition of many images in batches.

use std::time::{Duration, Instant};

use anyhow::Result;
use burn::tensor::Device;
use captcha_model::image::RgbImage;
use captcha_model::{Inputs, ModelError, Prediction, Recognizer};
use rayon::prelude::*;

/// Images in a batch.
const BATCH: usize = 64;

/// Calls `load` for every index below `count`, on all cores, a batch at a time.
///
/// An error does not stop the iteration.
pub fn load_batches<T: Send>(
    count: usize,
    load: impl Fn(usize) -> Result<T> + Sync,
) -> impl Iterator<Item = Vec<Result<T>>> {
    (0..count).step_by(BATCH).map(move |start| {
        let indices = start..(start + BATCH).min(count);
        indices.into_par_iter().map(&load).collect()
    })
}

/// A recognized batch.
pub struct ReadBatch<T> {
    /// One entry for each image, in order: its data and prediction, `None` if `load` skipped it, or
    /// the error of `load`.
    pub results: Vec<Result<Option<(T, Prediction)>>>,
    /// Time that the network took, with stacking its inputs; decoding and scaling of the images are not
    /// counted.
    pub time: Duration,
}

/// Recognizes `count` images a batch at a time.
///
/// `load` gives the image at an index with data of the caller's, or `None` to skip it. Each
/// prediction holds up to `alternatives` alternatives.
///
/// # Errors
///
/// An item is an error if the device fails. An image that cannot be loaded is an error inside of
/// its batch.
pub fn read_batches<'a, T: Send + 'a>(
    recognizer: &'a Recognizer,
    count: usize,
    alternatives: usize,
    load: impl Fn(usize) -> Result<Option<(RgbImage, T)>> + Sync + 'a,
) -> impl Iterator<Item = Result<ReadBatch<T>>> + 'a {
    // A full-size photo is freed before the next one is loaded.
    let prepare = move |index| -> Result<Option<(Inputs, T)>> {
        let Some((image, data)) = load(index)? else {
            return Ok(None);
        };
        Ok(Some((recognizer.preprocess(&image)?, data)))
    };
    load_batches(count, prepare).map(move |prepared| {
        let inputs = prepared.iter().flatten().flatten();
        let inputs: Vec<_> = inputs.map(|(input, _)| input.clone()).collect();
        let started = Instant::now();
        let predictions = recognize_on_all_cores(recognizer, &inputs, alternatives)?;
        let time = started.elapsed();
        let mut predictions = predictions.into_iter();
        let results = prepared
            .into_iter()
            .map(|result| Ok(result?.and_then(|(_, data)| Some((data, predictions.next()?)))))
            .collect();
        Ok(ReadBatch { results, time })
    })
}

/// Recognizes preprocessed images, on the CPU a part of them on each core: most operations of the
/// decoder do not use several cores by themselves.
fn recognize_on_all_cores(
    recognizer: &Recognizer,
    inputs: &[Inputs],
    alternatives: usize,
) -> Result<Vec<Prediction>, ModelError> {
    let parts = match *recognizer.device() == Device::flex() {
        true => rayon::current_num_threads(),
        false => 1,
    };
    let length = inputs.len().div_ceil(parts).max(1);
    let read = |part: &[Inputs]| {
        pollster::block_on(recognizer.recognize_inputs(part.to_vec(), alternatives))
    };
    let read: Result<Vec<_>, _> = inputs.par_chunks(length).map(read).collect();
    Ok(read?.concat())
}
