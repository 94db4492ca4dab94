use std::collections::{BTreeMap, HashMap};

use burn::tensor::{Device, Int, Tensor};
use captcha_model::weights::{Precision, save};
use captcha_model::{ModelConfig, ModelError, Network, Recognizer, Weights};
use pollster::block_on;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use crate::support::{code, fresh, golden, images, tiny};

/// The parts of a file, which tests change.
#[derive(Clone)]
pub(crate) struct Parts {
    metadata: HashMap<String, String>,
    pub(crate) tensors: BTreeMap<String, (Dtype, Vec<usize>, Vec<u8>)>,
}

impl Parts {
    pub(crate) fn of(file: &[u8]) -> Self {
        let (_, header) = SafeTensors::read_metadata(file).unwrap();
        let tensors = SafeTensors::deserialize(file).unwrap();
        Self {
            metadata: header.metadata().clone().unwrap().into_iter().collect(),
            tensors: tensors
                .iter()
                .map(|(name, tensor)| {
                    let parts = (
                        tensor.dtype(),
                        tensor.shape().to_vec(),
                        tensor.data().to_vec(),
                    );
                    (name.to_owned(), parts)
                })
                .collect(),
        }
    }

    pub(crate) fn file(&self) -> Vec<u8> {
        let views = self.tensors.iter().map(|(name, (dtype, shape, data))| {
            (name, TensorView::new(*dtype, shape.clone(), data).unwrap())
        });
        safetensors::serialize(views, Some(self.metadata.clone().into_iter().collect())).unwrap()
    }
}

pub(crate) fn config() -> ModelConfig {
    tiny("aé字", 3)
}

pub(crate) fn file(precision: Precision) -> Vec<u8> {
    let training = serde_json::json!({ "seed": 7, "images": [1, 2] });
    save(&fresh(&config()), &config(), &training, precision).unwrap()
}

pub(crate) fn load(file: Vec<u8>) -> Result<Network, ModelError> {
    Weights::from_bytes(file)?.network(&Device::flex())
}

pub(crate) fn assert_bad<T: std::fmt::Debug>(result: Result<T, ModelError>, reason: &str) {
    let error = result.unwrap_err();
    assert_eq!(error.code(), "bad-weights", "{error}");
    assert!(error.to_string().contains(reason), "{error}");
}

#[test]
fn save_and_load_give_the_same_network() {
    let network = fresh(&config());
    let training = serde_json::json!({ "seed": 7 });
    let images = Tensor::ones([1, 3, 20, 40], &Device::flex());
    // Teacher-forced, since greedy decoding could take either of two equally likely characters.
    let logits = |network: &Network| {
        let characters = Tensor::<2, Int>::from_ints([[1, 3, 4, 5]], &Device::flex());
        let features = network.encoder.forward(images.clone());
        network
            .decoder
            .teacher_forced(features, characters)
            .logits
            .to_data()
    };
    let expected = logits(&network);
    for (precision, tolerance) in [
        (Precision::Full, 0.0),
        (Precision::Half, 5e-3),
        (Precision::Int8, 5e-2),
    ] {
        let file = save(&network, &config(), &training, precision).unwrap();
        let weights = Weights::from_bytes(file.clone()).unwrap();
        assert_eq!(weights.config, config());
        assert_eq!(weights.training, training);
        let network = weights.network(&Device::flex()).unwrap();
        let actual = logits(&network);
        actual.assert_approx_eq::<f32>(&expected, burn::tensor::Tolerance::absolute(tolerance));
        let again = save(&network, &weights.config, &weights.training, precision).unwrap();
        assert!(again == file, "the same network makes the same file");
    }
}

#[test]
fn save_writes_the_documented_format() {
    let file = file(Precision::Half);
    assert_eq!(file[0] % 8, 0, "tensors are aligned");
    let Parts { metadata, tensors } = Parts::of(&file);
    let mut entries: Vec<_> = metadata.keys().collect();
    entries.sort();
    assert_eq!(entries, ["config", "format", "training"]);
    assert_eq!(metadata["format"], "captcha-lens/1");

    let described: Vec<_> = tensors
        .iter()
        .map(|(name, (dtype, shape, _))| format!("{name} {dtype} {shape:?}"))
        .collect();
    assert_eq!(
        described,
        [
            "decoder.attention.key.bias F16 [6]",
            "decoder.attention.key.weight F16 [8, 6]",
            "decoder.attention.query.bias F16 [6]",
            "decoder.attention.query.weight F16 [12, 6]",
            "decoder.attention.score.bias F16 [1]",
            "decoder.attention.score.weight F16 [6, 1]",
            "decoder.embedding.weight F16 [6, 5]",
            "decoder.gru.input.bias F16 [36]",
            "decoder.gru.input.weight F16 [13, 36]",
            "decoder.gru.recurrent.bias F16 [36]",
            "decoder.gru.recurrent.weight F16 [12, 36]",
            "decoder.hidden.bias F16 [12]",
            "decoder.hidden.weight F16 [12, 12]",
            "decoder.output.bias F16 [6]",
            "decoder.output.weight F16 [12, 6]",
            "encoder.blocks.0.conv.bias F16 [4]",
            "encoder.blocks.0.conv.weight F16 [4, 3, 3, 3]",
            "encoder.blocks.0.norm.beta F32 [4]",
            "encoder.blocks.0.norm.gamma F32 [4]",
            "encoder.blocks.0.norm.running_mean F32 [4]",
            "encoder.blocks.0.norm.running_var F32 [4]",
            "encoder.blocks.1.conv.bias F16 [6]",
            "encoder.blocks.1.conv.weight F16 [6, 4, 3, 3]",
            "encoder.dense.bias F16 [8]",
            "encoder.dense.weight F16 [6, 8]",
        ]
    );
}

#[test]
fn temperature_changes_the_confidence_and_not_the_text() {
    let plain = golden();
    assert_eq!(plain.temperature, 1.0);
    let warm = plain.clone().with_temperature(2.0).unwrap();
    assert_eq!(warm.temperature, 2.0);
    assert_eq!(
        (&warm.config, &warm.training),
        (&plain.config, &plain.training)
    );
    let again = warm.clone().with_temperature(1.0).unwrap();
    assert_eq!(again.temperature, 1.0);

    let read = |weights: &Weights| {
        let recognizer = Recognizer::new(weights, &Device::flex()).unwrap();
        block_on(recognizer.recognize(&images(1), 3))
            .unwrap()
            .remove(0)
    };
    let (sure, unsure) = (read(&plain), read(&warm));
    assert_eq!(sure.text, unsure.text);
    assert!(unsure.confidence < sure.confidence);
    for (sure, unsure) in sure.characters.iter().zip(&unsure.characters) {
        assert_eq!(sure.attention, unsure.attention);
        assert!(unsure.confidence < sure.confidence);
    }
    let best = |text: &captcha_model::Prediction| text.alternatives[0].confidence;
    assert!(best(&unsure) < best(&sure));

    for wrong in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert_bad(plain.clone().with_temperature(wrong), "temperature");
    }
}

#[test]
fn load_of_another_version_names_it() {
    let mut parts = Parts::of(&file(Precision::Full));
    parts
        .metadata
        .insert("format".into(), "captcha-lens/2".into());
    assert_bad(
        load(parts.file()),
        "\"captcha-lens/2\", this program reads \"captcha-lens/1\"",
    );
}

#[test]
fn load_of_other_bytes_is_an_error() {
    assert_bad(load(Vec::new()), "cut short");
    assert_bad(
        load(b"<!doctype html><title>404 Not Found</title>".to_vec()),
        "the safetensors file is damaged",
    );
    assert_bad(load(vec![0; 4096]), "the safetensors file is damaged");
    for entry in ["format", "config", "training"] {
        let mut parts = Parts::of(&file(Precision::Full));
        parts.metadata.remove(entry);
        assert_bad(load(parts.file()), &format!("lack `{entry}`"));
        parts.metadata.insert(entry.into(), "{\"height\":".into());
        let complaint = match entry {
            "format" => "their format is",
            "config" => "their configuration cannot be read",
            _ => "their record of training cannot be read",
        };
        assert_bad(load(parts.file()), complaint);
    }
}

#[test]
fn load_of_other_tensors_is_an_error() {
    let whole = Parts::of(&file(Precision::Half));
    let name = "decoder.gru.input.weight";

    let mut parts = whole.clone();
    parts.tensors.remove(name);
    assert_bad(load(parts.file()), "`decoder.gru.input.weight` is missing");

    let mut parts = whole.clone();
    parts.tensors.insert(
        "decoder.gru.third.weight".into(),
        parts.tensors[name].clone(),
    );
    assert_bad(
        load(parts.file()),
        "no tensor named `decoder.gru.third.weight`",
    );

    let mut parts = whole.clone();
    parts.tensors.get_mut(name).unwrap().1 = vec![36, 13];
    assert_bad(load(parts.file()), "decoder.gru.input.weight");

    let mut parts = whole.clone();
    parts.tensors.get_mut(name).unwrap().1 = vec![13, 36, 1, 1, 1, 1, 1, 1, 1];
    assert_bad(load(parts.file()), "decoder.gru.input.weight");

    let mut parts = whole.clone();
    parts.tensors.insert(
        name.into(),
        (Dtype::I16, vec![13, 36], vec![0; 2 * 13 * 36]),
    );
    assert_bad(load(parts.file()), "holds I16 values");
}

#[test]
fn load_of_values_that_are_not_finite_is_an_error() {
    let cases = [
        (
            "encoder.blocks.0.norm.gamma",
            f32::NAN.to_le_bytes().to_vec(),
        ),
        (
            "encoder.blocks.0.norm.gamma",
            f32::NEG_INFINITY.to_le_bytes().to_vec(),
        ),
        ("decoder.output.bias", 0x7c00u16.to_le_bytes().to_vec()),
        ("decoder.output.bias", 0xfe00u16.to_le_bytes().to_vec()),
    ];
    for (name, value) in cases {
        let mut parts = Parts::of(&file(Precision::Half));
        let data = &mut parts.tensors.get_mut(name).unwrap().2;
        data[..value.len()].copy_from_slice(&value);
        assert_bad(
            load(parts.file()),
            &format!("`{name}` holds values that are not numbers"),
        );
    }
}

#[test]
fn load_of_a_config_of_absurd_sizes_is_an_error() {
    let mut parts = Parts::of(&file(Precision::Full));
    let mut absurd = config();
    absurd.encoder.blocks[0].filters = usize::MAX;
    parts
        .metadata
        .insert("config".into(), serde_json::to_string(&absurd).unwrap());
    assert_bad(load(parts.file()), "between 1 and 4096");

    // Within the limits, hundreds of megabytes: refused for its tensors before memory is allocated.
    let mut large = config();
    large.encoder.features = 4096;
    large.decoder.units = 4096;
    large.decoder.attention = 4096;
    parts
        .metadata
        .insert("config".into(), serde_json::to_string(&large).unwrap());
    assert_bad(load(parts.file()), "mismatch");
}

#[test]
fn load_of_a_truncated_file_is_an_error() {
    let file = file(Precision::Int8);
    for end in 0..file.len() {
        assert_eq!(
            code(Weights::from_bytes(file[..end].to_vec())),
            "bad-weights",
            "cut at {end}"
        );
    }
    let longer = [file, vec![0]].concat();
    assert_bad(Weights::from_bytes(longer), "longer than its header says");
}

#[test]
fn load_of_any_bytes_never_panics() {
    for precision in [Precision::Half, Precision::Int8] {
        load_damaged(&file(precision));
    }
}

/// Loads many damaged variants of a file.
fn load_damaged(whole: &[u8]) {
    let header = 8 + u64::from_le_bytes(whole[..8].try_into().unwrap()) as usize;
    let mut random = 1u64;
    let mut below = |bound: usize| {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (random >> 33) as usize % bound
    };
    for round in 0..3 * header {
        let mut file = whole.to_vec();
        match round % 3 {
            0 => file[round / 3] ^= 1 << below(8),
            1 => file[below(header)] = b"0123456789{}[]\",:\\x"[below(19)],
            _ => {
                let (from, to, count) = (below(header), below(header), below(40));
                file.copy_within(from..from + count, to);
            }
        }
        if let Err(error) = load(file) {
            assert_eq!(error.code(), "bad-weights", "{error}");
        }
    }
}
