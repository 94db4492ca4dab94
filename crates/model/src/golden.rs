//! Whether a device computes what it should: one image, read on it and on the CPU.

use crate::error::ModelError;
use crate::image::decode_image;
use crate::recognizer::Recognizer;

/// An image of the kind that is read, so that the comparison stands on clear answers: "penny", the
/// second of `captcha-lens generate --test --count 12 --seed 42`, shrunk to 100 x 50 in 16 greys.
const IMAGE: &[u8] = include_bytes!("golden.png");

/// Most that an attention weight may differ by, and a logit for each unit of the largest. Sums in
/// another order make some 1e-5; a kernel that fails makes far more.
const TOLERANCE: f32 = 1e-2;

/// Why a device is not trusted.
#[derive(Debug, thiserror::Error)]
pub enum GoldenError {
    /// It could not read the test image at all.
    #[error("it failed to read a test image: {0}")]
    Failed(#[from] ModelError),
    /// It read something else than the CPU.
    #[error("its answer to a test image differs from the CPU's")]
    Differs,
}

/// Reads a test image with `tried` and with `trusted`, which is the same network on the CPU, and
/// compares logits and attention of all steps, so that it does not matter which text the network
/// sees. The first reading compiles all shaders, so this warms up, too.
///
/// # Errors
///
/// [`GoldenError`] if they do not agree.
pub async fn compare(trusted: &Recognizer, tried: &Recognizer) -> Result<(), GoldenError> {
    let image = decode_image(IMAGE)?;
    let steps = async |recognizer: &Recognizer| {
        let inputs = recognizer.preprocess(std::slice::from_ref(&image))?;
        recognizer.steps(recognizer.encode(inputs)?.features).await
    };
    let (expected, found) = (steps(trusted).await?, steps(tried).await?);
    let reader = trusted.reader();
    match agree(&expected, &found, reader.row(), reader.vocabulary.size()) {
        true => Ok(()),
        false => Err(GoldenError::Differs),
    }
}

/// Compares steps of `row` values, the first `vocabulary` of which are logits.
fn agree(expected: &[f32], found: &[f32], row: usize, vocabulary: usize) -> bool {
    if expected.len() != found.len() {
        return false;
    }
    for (expected, found) in expected.chunks_exact(row).zip(found.chunks_exact(row)) {
        let largest = expected[..vocabulary]
            .iter()
            .fold(1.0, |largest: f32, logit| largest.max(logit.abs()));
        let logits = all_close(expected, found, 0..vocabulary, largest * TOLERANCE);
        if !logits || !all_close(expected, found, vocabulary..row, TOLERANCE) {
            return false;
        }
        // Of two tokens that are as likely either may be taken; what follows then differs.
        if highest(&expected[..vocabulary]) != highest(&found[..vocabulary]) {
            break;
        }
    }
    true
}

/// False for NaN, too.
fn all_close(a: &[f32], b: &[f32], range: std::ops::Range<usize>, tolerance: f32) -> bool {
    let mut pairs = a[range.clone()].iter().zip(&b[range]);
    pairs.all(|(a, b)| (a - b).abs() <= tolerance)
}

fn highest(logits: &[f32]) -> usize {
    let mut best = 0;
    for (id, logit) in logits.iter().enumerate() {
        if *logit > logits[best] {
            best = id;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two steps of two logits and three attention weights.
    const STEPS: [f32; 10] = [4.0, -2.0, 0.2, 0.5, 0.3, -1.0, 8.0, 0.6, 0.4, 0.0];

    fn with(index: usize, value: f32) -> [f32; 10] {
        let mut steps = STEPS;
        steps[index] = value;
        steps
    }

    #[test]
    fn rounding_is_no_difference() {
        assert!(agree(&STEPS, &STEPS.map(|value| value * 1.0001), 5, 2));
    }

    #[test]
    fn any_logit_or_attention_weight_can_differ() {
        for (index, value) in STEPS.iter().enumerate() {
            let wrong = with(index, value + 0.1);
            assert!(!agree(&STEPS, &wrong, 5, 2), "value {index}");
        }
    }

    #[test]
    fn what_is_no_number_differs() {
        for value in [f32::NAN, f32::INFINITY] {
            assert!(!agree(&STEPS, &with(3, value), 5, 2));
        }
    }

    #[test]
    fn another_shape_differs() {
        assert!(!agree(&STEPS, &STEPS[..5], 5, 2));
        assert!(!agree(&STEPS, &[], 5, 2));
    }

    #[test]
    fn behind_equally_likely_tokens_steps_may_differ() {
        let mut expected = STEPS;
        expected[..2].copy_from_slice(&[4.0, 4.001]);
        let mut found = expected;
        found[0] = 4.002;
        found[5..].copy_from_slice(&[9.0, -9.0, 0.0, 0.0, 1.0]);
        assert!(agree(&expected, &found, 5, 2));
        // Not where it took the same one.
        found[0] = 4.0;
        assert!(!agree(&expected, &found, 5, 2));
    }
}
