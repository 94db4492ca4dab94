//! Weights of 8 bits: the matrices and convolutions of a weights file as signed bytes, with one scale
//! for each output channel.
//!
//! A byte `b` stands for `b * scale` (symmetric quantization, Jacob et al. 2018, section 2.1, without
//! a zero point). The tensor `NAME.scale` has the shape of `NAME`, with the length 1 in all dimensions
//! but that of the outputs: the filters of a convolution, `[filters, 1, 1, 1]`, the columns of a
//! matrix, `[1, outputs]`. The network itself computes in 32 bits.
//!
//! A tensor that 8 bits would change too much keeps 16. In trained networks, these are blocks that
//! were added as the identity (Net2Net): one large value in each filter makes the scale coarse for all
//! others.

use burn::tensor::f16;
use safetensors::tensor::{Metadata, TensorView};
use safetensors::{Dtype, SafeTensors};

use super::{bad, damaged};
use crate::error::ModelError;

/// Ending of the name of a tensor's scales.
const SCALE: &str = ".scale";
/// The largest byte; -128 is not used, so that the range is symmetric.
const MAX: f32 = 127.0;
/// The largest error of a tensor of 8 bits: the root of its squared sum, relative to that of the
/// values. Normally distributed values have an error of about 0.01.
const MAX_ERROR: f32 = 0.015;

/// A tensor's bytes in a file.
struct Encoded {
    name: String,
    dtype: Dtype,
    shape: Vec<usize>,
    data: Vec<u8>,
}

/// Quantizes the matrices and convolutions of a file in 32 bits; its vectors stay as they are.
pub(super) fn quantized(file: &[u8]) -> Result<Vec<u8>, ModelError> {
    let tensors = SafeTensors::deserialize(file).map_err(|error| damaged(&error))?;
    let mut encoded = Vec::new();
    for (name, tensor) in tensors.iter() {
        if tensor.shape().len() < 2 || tensor.dtype() != Dtype::F32 {
            encoded.push(unchanged(name, &tensor));
        } else {
            encoded.extend(smaller(name, tensor.shape(), &floats(tensor.data())));
        }
    }
    let (_, header) = SafeTensors::read_metadata(file).map_err(|error| damaged(&error))?;
    write(Some(&header), &encoded)
}

/// A matrix or convolution in 8 bits and its scales, or in 16 bits.
fn smaller(name: &str, shape: &[usize], values: &[f32]) -> Vec<Encoded> {
    let channel = Channels::of(shape);
    let mut largest = vec![0f32; channel.count()];
    for (index, value) in values.iter().enumerate() {
        let largest = &mut largest[channel.at(index)];
        *largest = largest.max(value.abs());
    }
    let scales: Vec<f32> = largest.iter().map(|&largest| scale_of(largest)).collect();
    let scale = |index| scales[channel.at(index)];
    let byte =
        |(index, value): (usize, &f32)| (value / scale(index)).round().clamp(-MAX, MAX) as i8;
    let bytes: Vec<i8> = values.iter().enumerate().map(byte).collect();

    let errors = values.iter().zip(&bytes).enumerate();
    let errors = errors.map(|(index, (value, byte))| value - f32::from(*byte) * scale(index));
    let error = norm(errors);
    let is_coarse = error > MAX_ERROR * norm(values.iter().copied());
    let halves: Vec<f16> = values.iter().map(|value| f16::from_f32(*value)).collect();
    // 16 bits lose more of values that they have no numbers for.
    let errors = values
        .iter()
        .zip(&halves)
        .map(|(value, half)| value - half.to_f32());
    if is_coarse && norm(errors) < error {
        return vec![Encoded {
            name: name.into(),
            dtype: Dtype::F16,
            shape: shape.to_vec(),
            data: halves.into_iter().flat_map(f16::to_le_bytes).collect(),
        }];
    }
    vec![
        Encoded {
            name: name.into(),
            dtype: Dtype::I8,
            shape: shape.to_vec(),
            data: bytes.into_iter().flat_map(i8::to_le_bytes).collect(),
        },
        Encoded {
            name: format!("{name}{SCALE}"),
            dtype: Dtype::F32,
            shape: channel.scale_shape(shape),
            data: scales.into_iter().flat_map(f32::to_le_bytes).collect(),
        },
    ]
}

/// The root of the sum of squares.
fn norm(values: impl Iterator<Item = f32>) -> f32 {
    values.map(|value| value * value).sum::<f32>().sqrt()
}

/// The scale for values up to `largest`. Its last bits are zero, so that its product with a byte is
/// exact, and quantizing twice is the same as once.
fn scale_of(largest: f32) -> f32 {
    const LAST_BITS: u32 = 0x7f;
    let scale = f32::from_bits((largest / MAX).to_bits() & !LAST_BITS);
    if scale.is_normal() { scale } else { 1.0 }
}

/// The tensors of a file, of 32 bits instead of 8, as burn's store reads them: without the metadata,
/// which it does not need. `None` if the file has no tensor of 8 bits.
pub(super) fn dequantized(file: &[u8]) -> Result<Option<Vec<u8>>, ModelError> {
    let tensors = SafeTensors::deserialize(file).map_err(|error| damaged(&error))?;
    if tensors
        .iter()
        .all(|(_, tensor)| tensor.dtype() != Dtype::I8)
    {
        return Ok(None);
    }
    let mut encoded = Vec::new();
    for (name, tensor) in tensors.iter() {
        let scales = |of: &str| tensors.tensor(&format!("{of}{SCALE}"));
        if tensor.dtype() == Dtype::I8 {
            let scales = scales(name).map_err(|error| damaged(&error))?;
            encoded.push(Encoded {
                name: name.into(),
                dtype: Dtype::F32,
                shape: tensor.shape().to_vec(),
                data: scaled(&tensor, &floats(scales.data())),
            });
        } else if !is_scale(&tensors, name) {
            encoded.push(unchanged(name, &tensor));
        }
    }
    write(None, &encoded).map(Some)
}

/// The values of a tensor of 8 bits, as the bytes of numbers of 32 bits.
fn scaled(tensor: &TensorView<'_>, scales: &[f32]) -> Vec<u8> {
    let run = Channels::of(tensor.shape()).stride.max(1);
    let mut data = vec![0; tensor.data().len() * size_of::<f32>()];
    let (numbers, _) = data.as_chunks_mut();
    let runs = numbers.chunks_mut(run).zip(tensor.data().chunks(run));
    for ((numbers, bytes), scale) in runs.zip(scales.iter().cycle()) {
        for (number, byte) in numbers.iter_mut().zip(bytes) {
            *number = (f32::from(byte.cast_signed()) * scale).to_le_bytes();
        }
    }
    data
}

/// Checks that a tensor of 8 bits has its scales.
///
/// # Errors
///
/// [`ModelError::BadWeights`] if it has none, they are not one number of 32 bits for each output, or a
/// product with a byte is not a number.
pub(super) fn check(
    tensors: &SafeTensors<'_>,
    name: &str,
    tensor: &TensorView<'_>,
) -> Result<(), ModelError> {
    let scales = tensors.tensor(&format!("{name}{SCALE}")).map_err(|_| {
        bad(format!(
            "the tensor `{name}` has 8 bits, but no `{name}{SCALE}`"
        ))
    })?;
    let shape = tensor.shape();
    let fits = shape.len() >= 2
        && scales.dtype() == Dtype::F32
        && scales.shape() == Channels::of(shape).scale_shape(shape);
    if !fits {
        return Err(bad(format!(
            "the tensor `{name}{SCALE}` does not have one number of 32 bits for each output"
        )));
    }
    if !floats(scales.data())
        .iter()
        .all(|scale| (scale * -f32::from(i8::MIN)).is_finite())
    {
        return Err(bad(format!(
            "the tensor `{name}` holds values that are not numbers"
        )));
    }
    Ok(())
}

/// Whether `name` has the scales of a tensor of 8 bits.
fn is_scale(tensors: &SafeTensors<'_>, name: &str) -> bool {
    let of = name.strip_suffix(SCALE);
    of.and_then(|of| tensors.tensor(of).ok())
        .is_some_and(|tensor| tensor.dtype() == Dtype::I8)
}

/// The output channels of a tensor with at least two dimensions.
struct Channels {
    /// The dimension of the outputs.
    dim: usize,
    /// Its length.
    length: usize,
    /// Values in a row between two channels.
    stride: usize,
}

impl Channels {
    fn of(shape: &[usize]) -> Self {
        // Matrices are `[inputs, outputs]`, convolutions `[filters, channels, 3, 3]`.
        let dim = if shape.len() == 2 { 1 } else { 0 };
        Self {
            dim,
            length: shape.get(dim).copied().unwrap_or(1),
            // An empty tensor can have any other length.
            stride: (shape.iter().skip(dim + 1)).fold(1, |a: usize, b| a.saturating_mul(*b)),
        }
    }

    fn count(&self) -> usize {
        self.length
    }

    /// The channel of a value.
    fn at(&self, index: usize) -> usize {
        index / self.stride % self.length
    }

    fn scale_shape(&self, shape: &[usize]) -> Vec<usize> {
        let mut scales = vec![1; shape.len()];
        if let Some(length) = scales.get_mut(self.dim) {
            *length = self.length;
        }
        scales
    }
}

fn unchanged(name: &str, tensor: &TensorView<'_>) -> Encoded {
    Encoded {
        name: name.into(),
        dtype: tensor.dtype(),
        shape: tensor.shape().to_vec(),
        data: tensor.data().to_vec(),
    }
}

/// Writes tensors, with the metadata of a header.
fn write(header: Option<&Metadata>, encoded: &[Encoded]) -> Result<Vec<u8>, ModelError> {
    let mut views = Vec::new();
    for one in encoded {
        let view = TensorView::new(one.dtype, one.shape.clone(), &one.data);
        views.push((one.name.as_str(), view.map_err(|error| damaged(&error))?));
    }
    let metadata = header.and_then(|header| header.metadata().clone());
    safetensors::serialize(views, metadata).map_err(|error| damaged(&error))
}

fn floats(data: &[u8]) -> Vec<f32> {
    let numbers = data.as_chunks().0.iter();
    numbers.map(|bytes| f32::from_le_bytes(*bytes)).collect()
}
