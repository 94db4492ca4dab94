//! Arguments that several commands share.

use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow};
use burn::tensor::Device;
use captcha_evaluation::device::{DeviceChoice, Devices, open_devices};
use captcha_evaluation::weights_file::read_weights;
use captcha_model::{Recognizer, Weights};
use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

/// The weights of this version: the ones that read by default, and the general ones, which know digits
/// and capital letters.
const COMPACT: &[u8] = include_bytes!("../../../web/models/compact.safetensors");
const GENERAL: &[u8] = include_bytes!("../../../web/models/general.safetensors");

/// Weights and device.
#[derive(Args, Debug)]
pub(crate) struct NetworkArgs {
    /// Weights file, or the name of built-in weights: compact (the default) or general.
    #[arg(long)]
    pub(crate) weights: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) device: DeviceArgs,
}

impl NetworkArgs {
    /// Loads the network on the device.
    pub(crate) fn recognizer(&self) -> Result<Recognizer> {
        let weights = read_or_built_in(self.weights.as_deref())?;
        Ok(Recognizer::new(&weights, &self.device.open(&weights)?)?)
    }
}

/// A device, by default the CPU.
#[derive(Args, Debug)]
pub(crate) struct DeviceArgs {
    /// Device to run on.
    #[arg(long, default_value = "cpu", value_parser = device_parser())]
    pub(crate) device: DeviceChoice,
}

impl DeviceArgs {
    /// Opens the device; standard error says if it is not the requested one.
    pub(crate) fn open(&self, weights: &Weights) -> Result<Device> {
        let Devices { devices, note } = open_devices(self.device, 1, || Ok(weights.clone()))?;
        print_notes(note);
        devices
            .into_iter()
            .next()
            .ok_or_else(|| anyhow!("no device was opened"))
    }
}

/// Prints notes for the user to standard error.
pub(crate) fn print_notes(notes: impl IntoIterator<Item = String>) {
    for note in notes {
        eprintln!("note: {note}");
    }
}

/// The weights in a file, or built-in ones by their name; by default `compact`.
pub(crate) fn read_or_built_in(path: Option<&Path>) -> Result<Weights> {
    let path = path.unwrap_or(Path::new("compact"));
    // A file may have the same name.
    let bytes = match path.to_str().filter(|_| !path.exists()) {
        Some("compact") => COMPACT,
        Some("general") => GENERAL,
        _ => return read_weights(path),
    };
    Ok(Weights::from_bytes(bytes.to_vec())?)
}

/// Parses the name of a device.
pub(crate) fn device_parser() -> impl TypedValueParser<Value = DeviceChoice> {
    named(DeviceChoice::ALL.map(|device| {
        let name = PossibleValue::new(device.name()).help(device.description());
        (device, name)
    }))
}

/// Parses one of some values by name.
pub(crate) fn named<T: Clone + Send + Sync + 'static>(
    values: impl IntoIterator<Item = (T, PossibleValue)>,
) -> impl TypedValueParser<Value = T> {
    let values: Vec<_> = values.into_iter().collect();
    let names: Vec<_> = values.iter().map(|(_, name)| name.clone()).collect();
    PossibleValuesParser::new(names).try_map(move |text| {
        let mut values = values.iter();
        let found = values.find(|(_, name)| name.matches(&text, false));
        let (value, _) = found.ok_or("unknown name")?;
        Ok::<T, &str>(value.clone())
    })
}

/// The command of this process, for records.
#[cfg(feature = "train")]
pub(crate) fn command_line() -> String {
    // A file name may not be UTF-8.
    std::env::args_os()
        .skip(1)
        .fold("captcha-lens".into(), |all, one| {
            all + " " + &one.to_string_lossy()
        })
}
