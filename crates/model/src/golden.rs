//! Checks a device: one image is recognized on it and on the CPU, and the results are compared.

use crate::error::ModelError;
use crate::image::decode_image;
use crate::recognizer::Recognizer;

/// A typical image, whose answer is clear: "penny", the second of
/// `captcha-lens generate --test --count 12 --seed 42`, resized to 100 x 50 in 16 greys.
const IMAGE: &[u8] = include_bytes!("golden.png");

/// Largest difference of an attention weight, and of a logit relative to the largest logit. Another
/// order of the sums makes about 1e-5, a broken kernel makes far more.
const TOLERANCE: f32 = 1e-2;

/// Number of texts whose probabilities are compared.
const ALTERNATIVES: usize = 5;

/// The reason why a device is not used.
#[derive(Debug, thiserror::Error)]
pub enum GoldenError {
    /// It failed to recognize the test image.
    #[error("it failed to read a test image: {0}")]
    Failed(#[from] ModelError),
    /// Its result differs from that of the CPU.
    #[error("its answer to a test image differs from the CPU's")]
    Differs,
}

/// Recognizes a test image with `tested` and with `trusted`, the same network on the CPU, and
/// compares the logits and the attention of all steps, and how likely the most likely texts are. So
/// the check does not depend on the text that the network answers. It also compiles the shaders. A
/// network whose input has the images' proportions is checked with one input, of 2:1; shaders for
/// other proportions are compiled when they are needed.
///
/// # Errors
///
/// [`GoldenError`] if they do not agree.
pub async fn compare(trusted: &Recognizer, tested: &Recognizer) -> Result<(), GoldenError> {
    let image = decode_image(IMAGE)?;
    let read = async |recognizer: &Recognizer| {
        let encoded = recognizer.encode(recognizer.preprocess(&image)?)?;
        let steps = recognizer.greedy_steps(encoded.features.clone()).await?;
        let found = recognizer.decode(encoded, ALTERNATIVES).await?;
        let alternatives = found.iter().flat_map(|found| &found.alternatives);
        let likely: Vec<f32> = alternatives.map(|text| text.confidence).collect();
        Ok::<_, ModelError>((steps, likely))
    };
    let ((expected, expected_likely), (found, likely)) =
        (read(trusted).await?, read(tested).await?);
    let (width, height) = image.dimensions();
    let grid = trusted.config().for_image(width, height).grid();
    let builder = trusted.prediction_builder(Some(grid));
    let (row, vocabulary) = (builder.step_values(), builder.vocabulary.size());
    match equally_likely(&expected_likely, &likely) && agree(&expected, &found, row, vocabulary) {
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
        // Either of two equally likely tokens may be taken, after which the steps differ.
        if highest(&expected[..vocabulary]) != highest(&found[..vocabulary]) {
            break;
        }
    }
    true
}

/// Compares the probabilities of the most likely texts.
fn equally_likely(expected: &[f32], found: &[f32]) -> bool {
    expected.len() == found.len() && all_close(expected, found, 0..found.len(), TOLERANCE)
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
    fn agree_within_rounding_is_true() {
        assert!(agree(&STEPS, &STEPS.map(|value| value * 1.0001), 5, 2));
    }

    #[test]
    fn agree_with_any_other_value_is_false() {
        for (index, value) in STEPS.iter().enumerate() {
            let wrong = with(index, value + 0.1);
            assert!(!agree(&STEPS, &wrong, 5, 2), "value {index}");
        }
    }

    #[test]
    fn agree_with_nan_or_infinity_is_false() {
        for value in [f32::NAN, f32::INFINITY] {
            assert!(!agree(&STEPS, &with(3, value), 5, 2));
        }
    }

    #[test]
    fn agree_with_another_shape_is_false() {
        assert!(!agree(&STEPS, &STEPS[..5], 5, 2));
        assert!(!agree(&STEPS, &[], 5, 2));
    }

    #[test]
    fn equally_likely_needs_as_many_and_equal_probabilities() {
        let expected = [0.9, 0.05, 0.01];
        assert!(equally_likely(&expected, &[0.9001, 0.05, 0.0099]));
        assert!(!equally_likely(&expected, &expected[..2]));
        assert!(!equally_likely(&expected[..2], &expected));
        assert!(!equally_likely(&expected, &[0.9, 0.07, 0.01]));
        assert!(!equally_likely(&expected, &[0.9, f32::NAN, 0.01]));
    }

    #[test]
    fn agree_after_equally_likely_tokens_is_true() {
        let mut expected = STEPS;
        expected[..2].copy_from_slice(&[4.0, 4.001]);
        let mut found = expected;
        found[0] = 4.002;
        found[5..].copy_from_slice(&[9.0, -9.0, 0.0, 0.0, 1.0]);
        assert!(agree(&expected, &found, 5, 2));
        // The same token was taken, so the steps must agree.
        found[0] = 4.0;
        assert!(!agree(&expected, &found, 5, 2));
    }
}
