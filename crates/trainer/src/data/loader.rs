//! Makes batches on other cores while the network trains.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};

use anyhow::{Result, bail};
use burn::data::dataloader::{DataLoader, DataLoaderIterator, Progress};
use burn::data::dataset::DatasetError;
use burn::tensor::Device;
use captcha_evaluation::data::Dataset;
use rayon::prelude::*;

use crate::data::batch::{Batch, Batcher, Prepared};

/// Largest number of batches that wait for the network.
const PREFETCH: usize = 4;

/// A [`Dataset`] for burn-train; each iteration over it is the next epoch.
pub struct Loader {
    dataset: Arc<dyn Dataset>,
    batcher: Batcher,
    batch: usize,
    range: Range<usize>,
    device: Device,
    threads: Arc<rayon::ThreadPool>,
    epoch: AtomicUsize,
}

impl Loader {
    /// Loads a data set in batches of `batch` images; the first iteration is `first_epoch`.
    pub fn new(
        dataset: Arc<dyn Dataset>,
        batcher: Batcher,
        batch: usize,
        first_epoch: usize,
        device: Device,
    ) -> Result<Self> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = rayon::ThreadPoolBuilder::new()
            .num_threads((cores / 2).max(1))
            .thread_name(|i| format!("loader-{i}"))
            .build()?;
        Ok(Self {
            range: 0..dataset.len(),
            dataset,
            batcher,
            batch,
            device,
            threads: Arc::new(threads),
            epoch: AtomicUsize::new(first_epoch),
        })
    }

    fn part(&self, range: Range<usize>, device: Device) -> Arc<dyn DataLoader<Batch>> {
        Arc::new(Self {
            dataset: self.dataset.clone(),
            batcher: self.batcher.clone(),
            batch: self.batch,
            range,
            device,
            threads: self.threads.clone(),
            epoch: AtomicUsize::new(self.epoch.load(Ordering::Relaxed)),
        })
    }
}

impl DataLoader<Batch> for Loader {
    fn iter<'a>(&'a self) -> Box<dyn DataLoaderIterator<Batch> + 'a> {
        let epoch = self.epoch.fetch_add(1, Ordering::Relaxed);
        let (sender, batches) = sync_channel(PREFETCH);
        let (dataset, batcher) = (self.dataset.clone(), self.batcher.clone());
        let (range, batch, threads) = (self.range.clone(), self.batch, self.threads.clone());
        // The detached thread ends after its last batch, or when the receiver is dropped.
        std::thread::spawn(move || {
            for start in range.clone().step_by(batch) {
                let indices = start..(start + batch).min(range.end);
                let prepared: Result<Vec<Prepared>> = threads.install(|| {
                    indices
                        .into_par_iter()
                        .map(|index| batcher.prepare(&dataset.example(epoch, index)?))
                        .collect()
                });
                let failed = prepared.is_err();
                if sender.send(prepared).is_err() || failed {
                    break;
                }
            }
        });
        Box::new(Batches {
            loader: self,
            batches,
            done: 0,
        })
    }

    fn num_items(&self) -> usize {
        self.range.len()
    }

    fn to_device(&self, device: &Device) -> Arc<dyn DataLoader<Batch>> {
        self.part(self.range.clone(), device.clone())
    }

    fn slice(&self, start: usize, end: usize) -> Arc<dyn DataLoader<Batch>> {
        let at = |offset: usize| (self.range.start + offset).min(self.range.end);
        self.part(at(start)..at(end), self.device.clone())
    }
}

struct Batches<'a> {
    loader: &'a Loader,
    batches: Receiver<Result<Vec<Prepared>>>,
    done: usize,
}

impl Iterator for Batches<'_> {
    type Item = Result<Batch, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done == self.loader.range.len() {
            return None;
        }
        let prepared = self
            .batches
            .recv()
            .unwrap_or_else(|_| bail!("the loader stopped early"));
        Some(match prepared {
            Ok(prepared) => {
                self.done += prepared.len();
                Ok(self.loader.batcher.stack(prepared, &self.loader.device))
            }
            Err(error) => Err(DatasetError::new(std::io::Error::other(format!(
                "{error:#}"
            )))),
        })
    }
}

impl DataLoaderIterator<Batch> for Batches<'_> {
    fn progress(&self) -> Progress {
        Progress::new(self.done, self.loader.range.len(), Some("images".into()))
    }
}
