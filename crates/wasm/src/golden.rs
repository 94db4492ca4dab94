//! Whether a device computes what it should: one image, read on it and on the CPU.

use captcha_model::image::decode_image;
use captcha_model::{Letter, Prediction, Recognizer};

/// An image of the kind that is read, so that the comparison stands on clear answers: "penny", the
/// second of `captcha-lens generate --test --count 12 --seed 42`, shrunk to 100 x 50 in 16 greys.
const IMAGE: &[u8] = include_bytes!("golden.png");

/// Most that a probability or an attention weight may differ by. Sums in another order make some
/// 1e-5; a kernel that fails makes far more.
const TOLERANCE: f32 = 1e-2;

/// Says how `tried` differs from `trusted`, if it does. Its first reading compiles all the shaders,
/// so this warms up, too.
pub(crate) async fn compare(trusted: &Recognizer, tried: &Recognizer) -> Result<(), String> {
    let image = decode_image(IMAGE).map_err(|error| error.to_string())?;
    let images = std::slice::from_ref(&image);
    let read = async |recognizer: &Recognizer| {
        recognizer
            .recognize(images, 0)
            .await
            .map_err(|error| error.to_string())
    };
    let (expected, found) = (read(trusted).await?, read(tried).await?);
    match expected
        .iter()
        .zip(&found)
        .all(|(expected, found)| agree(expected, found))
    {
        true => Ok(()),
        false => Err("its answer to a test image differs from the CPU's".into()),
    }
}

fn agree(expected: &Prediction, found: &Prediction) -> bool {
    let letters = || expected.letters.iter().zip(&found.letters);
    expected.text == found.text
        && close(expected.confidence, found.confidence)
        && letters().all(|(expected, found)| alike(expected, found))
}

fn alike(expected: &Letter, found: &Letter) -> bool {
    close(expected.confidence, found.confidence)
        && expected
            .attention
            .iter()
            .zip(&found.attention)
            .all(|(a, b)| close(*a, *b))
}

/// False for NaN, too.
fn close(a: f32, b: f32) -> bool {
    (a - b).abs() <= TOLERANCE
}
