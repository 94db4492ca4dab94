//! Greedy decoding that ends when every text of a batch has ended.

use burn::tensor::{Device, Int, Tensor};

use crate::decoder::{Decoded, Decoder, Decoding};
use crate::error::ModelError;
use crate::readback::read_back_ids;
use crate::vocabulary::Vocabulary;

/// Steps before the first check on a GPU, and between checks.
///
/// A check reads tokens back, for which the host waits until the GPU has done all work so far. On
/// WebGPU this costs more than several steps. Texts of up to eight characters, as most networks
/// write, are decoded without a check, with one read-back as before.
const GPU_FIRST_CHECK: usize = 8;
const GPU_CHECK_INTERVAL: usize = 4;

/// Decodes as [`Decoder::greedy`], but stops when all texts have ended: after the `<end>` of the
/// longest, or up to a few steps later on a GPU. The steps that it gives are the same to the bit.
///
/// # Shapes
///
/// - `features`: `[batch, positions, features]`
/// - `ended`: `[batch]`, `true` for images whose steps do not matter
///
/// # Errors
///
/// [`ModelError::DeviceLost`] if the device fails.
pub(crate) async fn greedy_until_end(
    decoder: &Decoder,
    features: Tensor<3>,
    steps: usize,
    ended: &[bool],
) -> Result<Decoded, ModelError> {
    let cpu = is_cpu(&features.device());
    let is_check = |done| is_check(done, steps, cpu);
    decode_until_end(decoder, features, steps, ended, is_check).await
}

async fn decode_until_end(
    decoder: &Decoder,
    features: Tensor<3>,
    steps: usize,
    ended: &[bool],
    is_check: impl Fn(usize) -> bool,
) -> Result<Decoded, ModelError> {
    let mut ended = ended.to_vec();
    let mut unread: Vec<Tensor<1, Int>> = Vec::new();
    let mut token = decoder.start_token(ended.len(), &features.device());
    let mut decoding = Decoding::new(decoder, features);
    for done in 1..=steps {
        let logits = decoding.step(token);
        if done == steps {
            break;
        }
        let chosen = decoder.choose(logits);
        unread.push(chosen.clone());
        if is_check(done) && all_ended(&mut ended, std::mem::take(&mut unread)).await? {
            break;
        }
        token = decoder.embed(chosen);
    }
    Ok(decoding.finish())
}

/// Whether to check after `done` of `steps` steps. On the CPU a check is free.
fn is_check(done: usize, steps: usize, cpu: bool) -> bool {
    if cpu {
        return true;
    }
    done >= GPU_FIRST_CHECK
        && (done - GPU_FIRST_CHECK).is_multiple_of(GPU_CHECK_INTERVAL)
        // The steps that are left cost less than the check.
        && steps - done >= GPU_CHECK_INTERVAL
}

#[cfg(feature = "flex")]
fn is_cpu(device: &Device) -> bool {
    *device == Device::flex()
}

#[cfg(not(feature = "flex"))]
fn is_cpu(_: &Device) -> bool {
    false
}

/// Marks the texts that end in these steps; gives whether all have ended.
async fn all_ended(ended: &mut [bool], steps: Vec<Tensor<1, Int>>) -> Result<bool, ModelError> {
    let tokens = read_back_ids(Tensor::cat(steps, 0)).await?;
    let images = ended.len();
    for (index, token) in tokens.into_iter().enumerate() {
        // Each of the three tokens that are no characters ends a text.
        ended[index % images] |= token < Vocabulary::FIRST_CHARACTER as i64;
    }
    Ok(ended.iter().all(|ended| *ended))
}

#[cfg(all(test, feature = "flex"))]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use burn::tensor::Distribution;

    use super::*;
    use crate::config::{DecoderConfig, Grid};
    use crate::prediction::PredictionBuilder;

    const STEPS: usize = 17;
    const GRID: Grid = Grid { rows: 2, cols: 5 };

    /// A decoder whose texts end at different steps.
    fn decoder(seed: u64, vocabulary: usize) -> (Decoder, Tensor<3>) {
        let device = Device::flex();
        device.seed(seed);
        let config = DecoderConfig {
            embedding: 5,
            units: 12,
            attention: 6,
            carry_state: seed.is_multiple_of(2),
        };
        let mut decoder = config.init(8, vocabulary, &device);
        for weight in [
            &mut decoder.output.weight,
            &mut decoder.gru.input.weight,
            &mut decoder.embedding.weight,
        ] {
            *weight = weight.clone().map(|weight| weight.mul_scalar(6.0));
        }
        let normal = Distribution::Normal(0.0, 1.0);
        let features = Tensor::random([3, GRID.positions(), 8], normal, &device);
        (decoder, features)
    }

    fn values(decoded: Decoded) -> (usize, Vec<f32>) {
        let [_, steps, _] = decoded.logits.dims();
        let all = Tensor::cat(vec![decoded.logits, decoded.attention], 2);
        (steps, all.into_data().try_into_vec().unwrap())
    }

    #[test]
    fn decoding_until_the_end_gives_the_predictions_of_all_steps() {
        let vocabulary = Vocabulary::new("ab").unwrap();
        let builder = PredictionBuilder {
            vocabulary: &vocabulary,
            grid: GRID,
            temperature: 1.0,
        };
        let row = builder.step_values();
        let mut lengths = std::collections::BTreeSet::new();
        for seed in 0..24 {
            let (decoder, features) = decoder(seed, vocabulary.size());
            let (_, all) = values(decoder.greedy(features.clone(), STEPS));
            for cpu in [true, false] {
                let is_check = |done| is_check(done, STEPS, cpu);
                let ended = [false; 3];
                let decoded = decode_until_end(&decoder, features.clone(), STEPS, &ended, is_check);
                let (steps, some) = values(pollster::block_on(decoded).unwrap());
                lengths.insert((cpu, steps));
                let texts = all
                    .chunks_exact(STEPS * row)
                    .zip(some.chunks_exact(steps * row));
                for (all, some) in texts {
                    assert_eq!(all[..some.len()], *some, "the same steps, to the bit");
                    assert_eq!(builder.greedy(all, false), builder.greedy(some, false));
                }
            }
        }
        let is_some = |cpu, range: std::ops::Range<usize>| {
            lengths
                .iter()
                .any(|(of, steps)| *of == cpu && range.contains(steps))
        };
        assert!(is_some(true, 2..8) && is_some(true, 17..18), "{lengths:?}");
        assert!(
            is_some(false, 8..9) && is_some(false, 17..18),
            "{lengths:?}"
        );
    }

    #[test]
    fn decoding_of_ended_images_takes_one_step() {
        let (decoder, features) = decoder(1, 5);
        let decoded = greedy_until_end(&decoder, features, STEPS, &[true; 3]);
        assert_eq!(values(pollster::block_on(decoded).unwrap()).0, 1);
    }

    #[test]
    fn check_on_a_gpu_is_rare_and_only_for_long_texts() {
        let checks = |steps: usize| -> Vec<usize> {
            (1..steps)
                .filter(|done| is_check(*done, steps, false))
                .collect()
        };
        assert_eq!(checks(17), [8, 12]);
        assert_eq!(checks(12), [8]);
        assert!(checks(9).is_empty() && checks(6).is_empty());
        assert!(
            (1..17).all(|done| is_check(done, 17, true)),
            "each step on the CPU"
        );
    }
}
