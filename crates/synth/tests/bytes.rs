//! The bytes of a few images, pinned: the same on every platform, and unchanged until someone
//! changes the style on purpose. Then run the test, look at new images
//! (`cargo run --example contact_sheet`) and pin the new values it prints.

use captcha_synth::{FontSet, Generator, Sample, Split, Style, TextSource};

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

/// FNV-1a, 64 bits, over all that a sample holds.
fn hash(sample: &Sample) -> u64 {
    let boxes = sample
        .letters
        .iter()
        .flat_map(|b| [b.x, b.y, b.width, b.height]);
    let bytes = sample
        .rgb
        .iter()
        .copied()
        .chain(sample.text.bytes())
        .chain(sample.font.bytes())
        .chain(boxes.flat_map(f32::to_le_bytes));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

fn hashes(text: TextSource, fonts: FontSet, split: Split) -> [String; 3] {
    let generator = Generator::new(Style::Words, text, fonts, split, 2024);
    [0, 1, u64::MAX].map(|index| format!("{:016x}", hash(&generator.sample(index))))
}

#[test]
fn trained_faces_listed_words() {
    let hashes = hashes(TextSource::listed(), FontSet::Trained, Split::Train);
    assert_eq!(
        hashes,
        ["ed4fd96fc9ae8409", "a1db63d92c4a9ae7", "1950e221ed15b1ad"]
    );
}

#[test]
fn held_out_faces_random_letters() {
    let hashes = hashes(TextSource::Random, FontSet::HeldOut, Split::Test);
    assert_eq!(
        hashes,
        ["b0863cc87a38339c", "551721bb370d7c94", "1e64db68f29ea909"]
    );
}

#[test]
fn bent_faces() {
    let generator = Generator::new(
        Style::Words,
        TextSource::Random,
        FontSet::Trained,
        Split::Train,
        2024,
    )
    .with_bent_share(1.0);
    let hashes = [0, 1, u64::MAX].map(|index| format!("{:016x}", hash(&generator.sample(index))));
    assert_eq!(
        hashes,
        ["33db65abdbb36b70", "fcff10aeb33440d8", "dc387a925587e91f"]
    );
}
