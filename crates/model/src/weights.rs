//! The weights file: one safetensors file with everything that a network is rebuilt from.
//!
//! Its metadata holds `format` (the version of the file format), `config` (the [`ModelConfig`] as
//! JSON), `training` (the origin of the weights, as JSON) and, in a calibrated file, `temperature`
//! (the divisor of the logits). Tensors are named by their path in the network, such as
//! `encoder.blocks.0.conv.weight` or `decoder.attention.query.weight`. Dense matrices are `[inputs,
//! outputs]`, convolutions `[filters, channels, 3, 3]`. A tensor of 8 bits has its scales in another
//! one, `NAME.scale`.

mod int8;

use std::ops::RangeInclusive;

use burn::module::Module;
use burn::tensor::{DType, Device};
use burn_store::{FloatCastAdapter, HalfPrecisionAdapter, ModuleStore, SafetensorsStore};
use safetensors::{Dtype, SafeTensorError, SafeTensors};

use crate::config::ModelConfig;
use crate::error::ModelError;
use crate::network::Network;

/// The version of the file format that is written and read.
pub const FORMAT: &str = "captcha-lens/1";

const TEMPERATURE: &str = "temperature";
const TEMPERATURES: RangeInclusive<f64> = 0.01..=100.0;

/// A weights file. Everything is checked that does not need a device.
#[derive(Clone, Debug)]
pub struct Weights {
    /// The network they belong to.
    pub config: ModelConfig,
    /// Their origin: data, seed, number of images, command, scores.
    pub training: serde_json::Value,
    /// The divisor of the logits that calibrates the confidence (Guo et al. 2017, "On Calibration
    /// of Modern Neural Networks"); 1 changes nothing.
    pub temperature: f64,
    bytes: Vec<u8>,
}

/// The precision in which weights are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// 8 bits for matrices and convolutions, with a scale for each output channel, for a quarter to a
    /// third of the size. Tensors that would lose too much keep 16 bits, biases and batch norm 32.
    Int8,
    /// 16 bits, for half the size. Batch norm stays in 32 bits, whose range its variances need.
    Half,
    /// 32 bits.
    Full,
}

impl Weights {
    /// Reads a weights file's metadata and checks its tensors' encoding.
    ///
    /// # Errors
    ///
    /// [`ModelError::BadWeights`] if it is not a complete weights file of this version.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, ModelError> {
        let (_, header) = SafeTensors::read_metadata(&bytes).map_err(|error| damaged(&error))?;
        let entry = |name: &str| {
            let entry = header
                .metadata()
                .as_ref()
                .and_then(|entries| entries.get(name));
            entry.ok_or_else(|| bad(format!("their metadata lack `{name}`")))
        };
        let format = entry("format")?;
        if format != FORMAT {
            return Err(bad(format!(
                "their format is {format:?}, this program reads {FORMAT:?}"
            )));
        }
        let config: ModelConfig = serde_json::from_str(entry("config")?)
            .map_err(|error| bad(format!("their configuration cannot be read ({error})")))?;
        config.validate().map_err(|error| match error {
            ModelError::InvalidConfig(reason) => {
                bad(format!("their configuration is wrong: {reason}"))
            }
            other => other,
        })?;
        let training = serde_json::from_str(entry("training")?)
            .map_err(|error| bad(format!("their record of training cannot be read ({error})")))?;
        let temperature = match entry(TEMPERATURE) {
            Ok(text) => text.parse().ok().filter(|t| TEMPERATURES.contains(t)),
            Err(_) => Some(1.0),
        };
        let temperature = temperature
            .ok_or_else(|| bad("the temperature must be between 0.01 and 100".into()))?;
        check_tensors(&bytes)?;
        Ok(Self {
            config,
            training,
            temperature,
            bytes,
        })
    }

    /// The bytes of the file.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The same weights with another temperature.
    ///
    /// # Errors
    ///
    /// [`ModelError::BadWeights`] if it is not between 0.01 and 100.
    pub fn with_temperature(self, temperature: f64) -> Result<Self, ModelError> {
        Self::from_bytes(edit_header(&self.bytes, |header| {
            header["__metadata__"][TEMPERATURE] = temperature.to_string().into();
        })?)
    }

    /// Builds the network on a device.
    ///
    /// # Errors
    ///
    /// [`ModelError::BadWeights`] if a tensor is missing, superfluous or has another shape.
    pub fn network(&self, device: &Device) -> Result<Network, ModelError> {
        // Parameters are lazy: memory is allocated only after the tensor's shape has been checked.
        let mut network = self.config.init(device)?;
        let bytes = match int8::dequantized(&self.bytes)? {
            Some(bytes) => bytes,
            None => self.bytes.clone(),
        };
        let mut store = SafetensorsStore::from_bytes(Some(bytes))
            .with_from_adapter(FloatCastAdapter::to(DType::F32))
            .validate(false)
            .allow_partial(true);
        let result = store
            .apply_to(&mut network)
            .map_err(|error| bad(error.to_string()))?;
        if let Some(error) = result.errors.first() {
            return Err(bad(error.to_string()));
        }
        if let Some((name, _)) = result.missing.first() {
            return Err(bad(format!("the tensor `{name}` is missing")));
        }
        if let Some(name) = result.unused.first() {
            return Err(bad(format!("the network has no tensor named `{name}`")));
        }
        Ok(network)
    }
}

/// Writes a weights file.
///
/// # Errors
///
/// [`ModelError::BadWeights`] if the network's tensors cannot be written.
pub fn save(
    network: &Network,
    config: &ModelConfig,
    training: &serde_json::Value,
    precision: Precision,
) -> Result<Vec<u8>, ModelError> {
    let config = serde_json::to_string(config).map_err(|error| bad(error.to_string()))?;
    let store = SafetensorsStore::from_bytes(None)
        .clear_metadata()
        .metadata("format", FORMAT)
        .metadata("config", config)
        .metadata("training", training.to_string());
    let mut store = match precision {
        Precision::Half => store.with_to_adapter(HalfPrecisionAdapter::new()),
        Precision::Full | Precision::Int8 => store,
    };
    // `valid` brings batch norm's running statistics up to date.
    store
        .collect_from(&network.valid())
        .map_err(|error| bad(error.to_string()))?;
    let mut file = store.get_bytes().map_err(|error| bad(error.to_string()))?;
    if precision == Precision::Int8 {
        file = int8::quantized(&file)?;
    }
    edit_header(&file, |_| ())
}

/// Changes the header and sorts its entries, whose order the library leaves to chance, so that the
/// same network makes the same file.
fn edit_header(
    file: &[u8],
    edit: impl FnOnce(&mut serde_json::Value),
) -> Result<Vec<u8>, ModelError> {
    const LENGTH: usize = size_of::<u64>();
    let (length, _) = SafeTensors::read_metadata(file).map_err(|error| damaged(&error))?;
    let (header, tensors) = file[LENGTH..].split_at(length);
    let mut header: serde_json::Value =
        serde_json::from_slice(header).map_err(|error| bad(error.to_string()))?;
    edit(&mut header);
    header.sort_all_objects();
    let mut header = header.to_string().into_bytes();
    // The format aligns tensors, and allows blanks after the header.
    header.resize(header.len().next_multiple_of(LENGTH), b' ');
    Ok([&(header.len() as u64).to_le_bytes(), &*header, tensors].concat())
}

/// Checks that every tensor holds finite numbers of 16 or 32 bits, or of 8 bits with scales.
fn check_tensors(bytes: &[u8]) -> Result<(), ModelError> {
    let tensors = SafeTensors::deserialize(bytes).map_err(|error| damaged(&error))?;
    for (name, tensor) in tensors.iter() {
        let finite = match tensor.dtype() {
            Dtype::F32 => tensor
                .data()
                .as_chunks()
                .0
                .iter()
                .all(|bytes| f32::from_le_bytes(*bytes).is_finite()),
            Dtype::F16 => {
                const EXPONENT: u16 = 0x7c00; // all bits set: infinite or NaN
                let numbers = tensor.data().as_chunks().0.iter();
                numbers
                    .map(|bytes| u16::from_le_bytes(*bytes))
                    .all(|half| half & EXPONENT != EXPONENT)
            }
            Dtype::I8 => {
                int8::check(&tensors, name, &tensor)?;
                true
            }
            other => return Err(bad(format!("the tensor `{name}` holds {other} values"))),
        };
        if !finite {
            return Err(bad(format!(
                "the tensor `{name}` holds values that are not numbers"
            )));
        }
    }
    Ok(())
}

fn damaged(error: &SafeTensorError) -> ModelError {
    match error {
        SafeTensorError::HeaderTooSmall | SafeTensorError::InvalidHeaderLength => {
            bad("the file is cut short".into())
        }
        SafeTensorError::MetadataIncompleteBuffer => {
            bad("the file is cut short, or longer than its header says".into())
        }
        other => bad(format!("the safetensors file is damaged ({other})")),
    }
}

fn bad(reason: String) -> ModelError {
    ModelError::BadWeights(reason)
}
