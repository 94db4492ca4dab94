//! The device of the computations, chosen at run time.

mod choice;
mod gpu;
mod select;

use std::panic::{AssertUnwindSafe, catch_unwind};

use anyhow::{Result, bail, ensure};
use burn::tensor::Device;
use captcha_model::{Recognizer, Weights, golden};

pub use choice::DeviceChoice;

use gpu::open_gpu;
use select::select;

/// Largest number of devices of a run.
const MAX_DEVICES: usize = 64;

/// Opened devices.
#[derive(Debug)]
pub struct Devices {
    /// The devices, at least one.
    pub devices: Vec<Device>,
    /// What the user should know of the choice.
    pub note: Option<String>,
}

/// Opens `count` devices; for the CPU, `count` workers that share its cores.
///
/// A GPU is used only if it gives the same predictions for the golden image as the CPU, with the
/// weights that `weights` gives. If [`DeviceChoice::Auto`] finds no such GPU, the CPU is used, and
/// the note says why.
///
/// # Errors
///
/// If there are too few devices, or one gives wrong predictions; the message names an alternative.
pub fn open_devices(
    choice: DeviceChoice,
    count: usize,
    weights: impl Fn() -> Result<Weights>,
) -> Result<Devices> {
    ensure!(
        (1..=MAX_DEVICES).contains(&count),
        "between 1 and {MAX_DEVICES} devices can be used"
    );
    let selected = select(
        choice,
        count,
        |gpu| open_gpu(choice, gpu),
        |gpu| check(&weights()?, gpu),
    )?;
    // Several workers share one CPU, because not every operation of one worker uses all cores.
    let devices = selected.gpus;
    Ok(Devices {
        devices: devices.unwrap_or_else(|| vec![Device::flex(); count]),
        note: selected.note,
    })
}

/// Checks that a GPU gives the same predictions as the CPU.
fn check(weights: &Weights, gpu: &Device) -> Result<()> {
    let cpu = Recognizer::new(weights, &Device::flex())?;
    catch_panic(|| {
        let candidate = Recognizer::new(weights, gpu)?;
        Ok(pollster::block_on(golden::compare(&cpu, &candidate))?)
    })
}

/// Turns a panic into an error: graphics libraries panic when a driver misbehaves.
fn catch_panic(work: impl FnOnce() -> Result<()>) -> Result<()> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| bail!("it crashed while it recognized a test image"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn catch_panic_gives_an_error() {
        let error = catch_panic(|| panic!("a driver bug")).expect_err("it panicked");
        assert!(error.to_string().contains("crashed"));
    }
}
