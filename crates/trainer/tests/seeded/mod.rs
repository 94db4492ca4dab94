//! Reproducible random numbers.

use burn::tensor::Device;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Seeds the random numbers of the CPU. All threads share them, so other tests wait until the guard
/// is dropped.
pub(crate) fn seed_exclusively(device: &Device, seed: u64) -> MutexGuard<'static, ()> {
    static NUMBERS: Mutex<()> = Mutex::new(());
    // A failed test does not matter, because each test seeds the numbers.
    let guard = NUMBERS.lock().unwrap_or_else(PoisonError::into_inner);
    device.seed(seed);
    guard
}
