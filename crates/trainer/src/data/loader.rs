//! Makes batches on other cores while the network trains.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};

use anyhow::{Result, bail};
use burn::data::dataloader::{DataLoader, DataLoaderIterator, Progress};
use burn::data::dataset::DatasetError;
use burn::tensor::Device;
use captcha_evaluation::data::{Dataset, Example};
use rayon::prelude::*;

use captcha_learning::data::batch::{Batch, Batcher, Prepared};
use captcha_learning::data::size_sorter::{SizeSorter, SizedBatch};

/// Largest number of batches that wait for the network.
const PREFETCH: usize = 4;

/// What happens to the images of an epoch that do not fill a batch of one input size.
#[derive(Clone, Copy, Debug)]
pub enum Rest {
    /// They are stretched to common sizes, so that an epoch has as many batches as if all images had
    /// one size. Devices that train together need equal numbers.
    Merged,
    /// Each size has a batch of its own.
    Separate,
}

/// A [`Dataset`] for burn-train; each iteration over it is the next epoch.
pub struct Loader {
    dataset: Arc<dyn Dataset>,
    batcher: Batcher,
    batch: usize,
    rest: Rest,
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
        rest: Rest,
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
            rest,
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
            rest: self.rest,
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
        let (range, batch, rest) = (self.range.clone(), self.batch, self.rest);
        let threads = self.threads.clone();
        // The detached thread ends after its last batch, or when the receiver is dropped.
        std::thread::spawn(move || {
            let draw = |indices: Range<usize>| -> Result<Vec<Example>> {
                let indices = indices.into_par_iter();
                let examples = indices.map(|index| dataset.example(epoch, index));
                threads.install(|| examples.collect())
            };
            let mut sorter = SizeSorter::new(batch);
            let send = |batches: Vec<SizedBatch<Example>>| {
                batches.into_iter().all(|batch| {
                    let prepared = threads.install(|| prepare(&batcher, &batch));
                    let failed = prepared.is_err();
                    sender.send(prepared).is_ok() && !failed
                })
            };
            for start in range.clone().step_by(batch) {
                match draw(start..(start + batch).min(range.end)) {
                    Ok(examples) => {
                        let sized = examples.into_iter().filter_map(|example| {
                            let size = batcher.input_size(&example.image);
                            sorter.push(example, size)
                        });
                        if !send(sized.collect()) {
                            return;
                        }
                    }
                    Err(error) => {
                        // If the receiver is gone, the run has ended.
                        let _ = sender.send(Err(error));
                        return;
                    }
                }
            }
            send(match rest {
                Rest::Merged => sorter.merged_rest(),
                Rest::Separate => sorter.rest(),
            });
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

fn prepare(batcher: &Batcher, batch: &SizedBatch<Example>) -> Result<Vec<Prepared>> {
    let examples = batch.items.par_iter();
    let prepared = examples.map(|example| batcher.prepare_at(example, batch.size));
    prepared.collect()
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
