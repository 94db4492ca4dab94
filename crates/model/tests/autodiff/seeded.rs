//! The same random numbers in every run of a test.

use burn::tensor::Device;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Seeds the CPU's random numbers for one test: they are one sequence for all threads, so two tests
/// at a time would draw from each other's. Others wait until what is returned is dropped.
pub(crate) fn alone(device: &Device, seed: u64) -> MutexGuard<'static, ()> {
    static NUMBERS: Mutex<()> = Mutex::new(());
    // A test that failed has left nothing behind: the next one seeds anew.
    let guard = NUMBERS.lock().unwrap_or_else(PoisonError::into_inner);
    device.seed(seed);
    guard
}
