//! A labelled folder as a data set.

use std::sync::Mutex;

use anyhow::Result;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::data::image_files::read_image;
use crate::data::labels::LabelledFile;
use crate::data::{Dataset, Example};

/// A labelled folder: every image once an epoch, in another order each epoch.
pub struct FolderDataset {
    files: Vec<LabelledFile>,
    seed: u64,
    /// The order of the epoch that was asked for last.
    order: Mutex<Option<(usize, Vec<usize>)>>,
}

impl FolderDataset {
    /// All of `files`; `seed` and epoch determine the order.
    pub fn new(files: Vec<LabelledFile>, seed: u64) -> Self {
        Self {
            files,
            seed,
            order: Mutex::new(None),
        }
    }

    fn position(&self, epoch: usize, index: usize) -> usize {
        let mut order = self
            .order
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        match order.as_ref() {
            Some((known, order)) if *known == epoch => order[index],
            _ => {
                let mut fresh: Vec<usize> = (0..self.files.len()).collect();
                let mut random = ChaCha8Rng::seed_from_u64(self.seed);
                random.set_stream(epoch as u64);
                fresh.shuffle(&mut random);
                let position = fresh[index];
                *order = Some((epoch, fresh));
                position
            }
        }
    }
}

impl Dataset for FolderDataset {
    fn len(&self) -> usize {
        self.files.len()
    }

    fn example(&self, epoch: usize, index: usize) -> Result<Example> {
        let file = &self.files[self.position(epoch, index)];
        Ok(Example {
            image: read_image(&file.path)?,
            text: file.text.clone(),
            characters: None,
            rendering: None,
        })
    }
}
