//! The same random numbers in every run of a test.

use burn::tensor::Device;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Seeds the CPU's random numbers for one test. All threads share one sequence, so other tests wait
/// until the returned guard is dropped.
pub(crate) fn alone(device: &Device, seed: u64) -> MutexGuard<'static, ()> {
    static NUMBERS: Mutex<()> = Mutex::new(());
    // A failed test is no problem: the next one seeds again.
    let guard = NUMBERS.lock().unwrap_or_else(PoisonError::into_inner);
    device.seed(seed);
    guard
}
