//! Weights of 8 bits.

use burn::tensor::f16;
use captcha_model::weights::{Precision, save};
use safetensors::tensor::Dtype;

use crate::support::fresh;
use crate::weights::{Parts, assert_bad, config, file, load};

#[test]
fn matrices_of_8_bits_have_a_scale_for_each_output() {
    let network = fresh(&config());
    let tensors = |precision| {
        let file = save(&network, &config(), &"here".into(), precision).unwrap();
        Parts::of(&file).tensors
    };
    let (full, int8) = (tensors(Precision::Full), tensors(Precision::Int8));
    let numbers = |data: &[u8]| -> Vec<f32> {
        let numbers = data.as_chunks().0.iter();
        numbers.map(|bytes| f32::from_le_bytes(*bytes)).collect()
    };
    for (name, (_, shape, data)) in &full {
        let (dtype, same_shape, bytes) = &int8[name];
        assert_eq!(same_shape, shape);
        if shape.len() == 1 {
            assert!(*dtype == Dtype::F32 && bytes == data, "{name}");
            continue;
        }
        assert_eq!(*dtype, Dtype::I8, "{name}");
        let (dtype, scale_shape, scales) = &int8[&format!("{name}.scale")];
        assert_eq!(*dtype, Dtype::F32);
        let expected = match shape.as_slice() {
            [_, outputs] => vec![1, *outputs],
            [filters, ..] => vec![*filters, 1, 1, 1],
            [] => vec![],
        };
        assert_eq!(*scale_shape, expected, "{name}");
        let (scales, outputs) = (numbers(scales), scale_shape.iter().product::<usize>());
        for (index, (value, byte)) in numbers(data).iter().zip(bytes).enumerate() {
            let output = match shape.len() {
                2 => index % outputs,
                _ => index / (data.len() / 4 / outputs),
            };
            let error = (f32::from(*byte as i8) * scales[output] - value).abs();
            assert!(error <= 0.501 * scales[output], "{name}[{index}]: {error}");
        }
    }
}

#[test]
fn tensors_that_8_bits_would_change_too_much_keep_16() {
    let name = "encoder.blocks.1.conv.weight";
    let mut parts = Parts::of(&file(Precision::Full));
    let (_, shape, data) = parts.tensors.get_mut(name).unwrap();
    // One large value in a filter, for which the others are less than half a step.
    for (index, value) in data.as_chunks_mut().0.iter_mut().enumerate() {
        let number = if index % 36 == 0 { 1.0 } else { 0.0039f32 };
        *value = number.to_le_bytes();
    }
    assert_eq!(shape.iter().product::<usize>(), 6 * 36);
    let original = data.clone();

    let network = load(parts.file()).unwrap();
    let saved = save(&network, &config(), &"here".into(), Precision::Int8).unwrap();
    let saved = Parts::of(&saved).tensors;
    let (dtype, _, halves) = &saved[name];
    assert_eq!(*dtype, Dtype::F16);
    assert!(!saved.contains_key(&format!("{name}.scale")));
    let values = original.as_chunks().0.iter();
    for (value, half) in values.zip(halves.as_chunks().0) {
        let expected = f16::from_f32(f32::from_le_bytes(*value));
        assert_eq!(f16::from_le_bytes(*half), expected);
    }
    assert_eq!(saved["decoder.gru.input.weight"].0, Dtype::I8);

    // 16 bits cannot hold 1e6.
    let (_, _, data) = parts.tensors.get_mut(name).unwrap();
    data[..4].copy_from_slice(&1e6f32.to_le_bytes());
    let network = load(parts.file()).unwrap();
    let saved = save(&network, &config(), &"here".into(), Precision::Int8).unwrap();
    assert_eq!(Parts::of(&saved).tensors[name].0, Dtype::I8);
}

#[test]
fn load_of_bytes_without_their_scales_is_an_error() {
    let whole = Parts::of(&file(Precision::Int8));
    let name = "decoder.gru.input.weight.scale";

    let mut parts = whole.clone();
    parts.tensors.remove(name);
    assert_bad(load(parts.file()), "has 8 bits, but no `decoder.gru.input");

    for (dtype, shape) in [
        (Dtype::F32, vec![36, 1]),
        (Dtype::F32, vec![1, 35]),
        (Dtype::F16, vec![1, 36]),
        (Dtype::I8, vec![1, 36]),
    ] {
        let mut parts = whole.clone();
        let bytes = shape.iter().product::<usize>() * dtype.bitsize() / 8;
        parts
            .tensors
            .insert(name.into(), (dtype, shape, vec![0; bytes]));
        assert_bad(load(parts.file()), name);
    }

    let mut parts = whole.clone();
    for scale in [f32::NAN, f32::INFINITY, f32::MAX] {
        parts.tensors.get_mut(name).unwrap().2[..4].copy_from_slice(&scale.to_le_bytes());
        assert_bad(load(parts.file()), "holds values that are not numbers");
    }

    // No values, and more of them than can be counted.
    let mut parts = whole.clone();
    let shape = vec![0, usize::MAX / 2, usize::MAX / 2];
    let empty = (Dtype::I8, shape, Vec::new());
    parts.tensors.insert("empty".into(), empty);
    parts.tensors.insert(
        "empty.scale".into(),
        (Dtype::F32, vec![0, 1, 1], Vec::new()),
    );
    assert_bad(load(parts.file()), "");

    // Scales of a tensor that has none.
    let mut parts = whole.clone();
    let scales = parts.tensors[name].clone();
    parts
        .tensors
        .insert("decoder.gru.input.bias.scale".into(), scales);
    assert_bad(load(parts.file()), "no tensor named");
    let mut parts = whole;
    let bias = (Dtype::I8, vec![36], vec![0; 36]);
    parts.tensors.insert("decoder.gru.input.bias".into(), bias);
    assert_bad(load(parts.file()), "decoder.gru.input.bias");
}
