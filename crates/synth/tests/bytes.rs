//! Pinned hashes of a few images. The bytes are the same on every platform. After an intended change
//! of a style, look at new images (`cargo run --example contact_sheet`) and pin the hashes that the
//! test prints.

use captcha_synth::{FontSet, Generator, Look, Sample, Split, Style, TextSource};

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

/// 64-bit FNV-1a over all fields of a sample.
fn hash(sample: &Sample) -> u64 {
    let boxes = sample
        .characters
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

fn hashes(generator: Generator) -> [String; 3] {
    [0, 1, u64::MAX].map(|index| format!("{:016x}", hash(&generator.sample(index))))
}

fn words(text: TextSource, fonts: FontSet, split: Split) -> Generator {
    Generator::new(Style::Words, text, fonts, split, 2024)
}

#[test]
fn words_train_fonts_listed_texts() {
    let generator = words(TextSource::listed(), FontSet::Train, Split::Train);
    assert_eq!(
        hashes(generator),
        ["ed4fd96fc9ae8409", "a1db63d92c4a9ae7", "1950e221ed15b1ad"]
    );
}

#[test]
fn words_held_out_fonts_random_texts() {
    let generator = words(TextSource::Random, FontSet::HeldOut, Split::Test);
    assert_eq!(
        hashes(generator),
        ["b0863cc87a38339c", "551721bb370d7c94", "1e64db68f29ea909"]
    );
}

#[test]
fn words_distorted_fonts() {
    let generator =
        words(TextSource::Random, FontSet::Train, Split::Train).with_distortion_share(1.0);
    assert_eq!(
        hashes(generator),
        ["33db65abdbb36b70", "fcff10aeb33440d8", "dc387a925587e91f"]
    );
}

#[test]
fn waves_distorted_half() {
    let text = TextSource::Random;
    let generator = Generator::new(Style::Waves, text, FontSet::Train, Split::Test, 2024);
    assert_eq!(
        hashes(generator.with_distortion_share(0.5)),
        ["604a0772a79d2658", "b0064b5db7f98052", "6e1448c1bab8bd60"]
    );
}

/// All of the renderer: smooth and hard edges, displacement, marks, opacity, blur, grain, JPEG.
#[test]
fn looks_drawn_from_data() {
    let of = |name| {
        let look = Look::named(name).expect("a look");
        hashes(Generator::of_look(look, FontSet::Train, Split::Test, 2024))
    };
    for (name, pinned) in [
        (
            "php-gregwar",
            ["ac74fcc4c130af57", "892bb7b7a958f44a", "6ba1749d47eff16e"],
        ),
        (
            "go-base64",
            ["011c4f44090393b8", "67be7feefb0166eb", "0305011e85be83ab"],
        ),
        (
            "net-botdetect-neon",
            ["f3d3b4cfb9a6fb13", "3a9ff77adff41783", "2a8b0a5be1db88af"],
        ),
    ] {
        assert_eq!(of(name), pinned, "{name}");
    }
}

#[test]
fn looks_drawn_at_random() {
    let generator = Generator::of_random_looks(1, FontSet::HeldOut, Split::Test, 2024);
    assert_eq!(
        hashes(generator),
        ["cf3a2d094aad2436", "fd41d7fbb9507bdb", "0af5c8288e3d7c79"]
    );
}

#[test]
fn hard_looks_drawn_at_random() {
    let generator = Generator::of_hard_looks(1, FontSet::HeldOut, Split::Test, 2024);
    assert_eq!(
        hashes(generator),
        ["72eb07a563231134", "cff352ccfd6315dd", "6cda31731a9a9899"]
    );
}
