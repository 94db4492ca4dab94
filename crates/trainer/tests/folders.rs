//! The images of a labelled folder that a run trains on.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use captcha_evaluation::data::labels::LabelledFile;
use captcha_evaluation::data::splits::{HashedFile, Parts};
use captcha_evaluation::files::hash;
use captcha_model::ModelConfig;
use captcha_trainer::data::image_list::ImageList;
use captcha_trainer::data::training_parts::training_parts;
use tempfile::TempDir;

fn image(number: usize) -> HashedFile {
    let name = format!("{number}.png");
    HashedFile {
        hash: hash(name.as_bytes()),
        file: LabelledFile {
            path: PathBuf::from(name),
            text: "a".into(),
        },
    }
}

fn images(numbers: impl IntoIterator<Item = usize>) -> Vec<HashedFile> {
    numbers.into_iter().map(image).collect()
}

fn write(folder: &Path, files: &[(&str, &[u8])]) {
    for (name, content) in files {
        fs::write(folder.join(name), content).unwrap();
    }
}

/// A PNG of one colour.
fn png(width: u32, height: u32, shade: u8) -> Vec<u8> {
    let image = image::RgbImage::from_pixel(width, height, image::Rgb([shade; 3]));
    let mut bytes = std::io::Cursor::new(Vec::new());
    image.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

#[test]
fn training_parts_leaves_out_unreadable_images_and_reports_odd_ones() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let config = ModelConfig::compact();
    let whole = png(60, 30, 1);
    write(
        folder,
        &[
            ("cut.png", &whole[..whole.len() / 2]),
            ("text.png", b"no image"),
        ],
    );
    let error = format!("{:#}", training_parts(folder, &config).unwrap_err());
    assert!(
        error.contains("all 2 images") && error.contains("cut.png"),
        "{error}"
    );
    write(folder, &[("one.png", &whole)]);
    let error = format!("{:#}", training_parts(folder, &config).unwrap_err());
    assert!(
        error.contains("2 more cannot be read") && error.contains("text.png"),
        "{error}"
    );
    for shade in 2..20 {
        write(folder, &[(&format!("a_{shade}.png"), &png(60, 30, shade))]);
    }
    write(
        folder,
        &[("dot.png", &png(1, 1, 0)), ("tall.png", &png(10, 400, 0))],
    );
    write(folder, &[("other.png", &whole)]);
    let (parts, notes) = training_parts(folder, &config).unwrap();
    assert_eq!(parts.train.len() + parts.validation.len(), 22);
    let notes = notes.join("\n");
    assert!(
        notes.contains("2 of 24 images cannot be read and are left out"),
        "{notes}"
    );
    assert!(
        notes.contains("2 of 24 images have an unusual size"),
        "{notes}"
    );
    assert!(
        notes.contains("dot.png (1 x 1 pixels)") && notes.contains("tall.png"),
        "{notes}"
    );
    assert!(
        notes.contains("1 image is a copy of another image but has another label"),
        "{notes}"
    );
    assert!(notes.contains("other.png (\"other\")"), "{notes}");
}

#[test]
fn training_parts_rejects_labels_that_the_network_cannot_write() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    for number in 0..8 {
        write(folder, &[(&format!("04902{number}.png"), &[number])]);
    }
    write(folder, &[("thus.png", b"8")]);
    let error = format!(
        "{:#}",
        training_parts(folder, &ModelConfig::compact()).unwrap_err()
    );
    for part in [
        "8 of 9 labels do not fit the network",
        "\"abcdefghijklmnopqrstuvwxyz\", up to 5 in a text",
        "\"01234567",
        "up to 6",
        "max_length",
        "049020.png",
        "does not know '0'",
    ] {
        assert!(error.contains(part), "{part}: {error}");
    }
}

#[test]
fn image_list_changes_describe_each_kind_of_change() {
    let list = |numbers: &[usize]| {
        ImageList::new(
            Path::new(""),
            &Parts {
                train: images(numbers.iter().copied()),
                validation: images([1_000]),
            },
        )
    };
    let before = list(&[1, 2, 3]);
    assert_eq!(
        ImageList::from_csv(&before.to_csv().unwrap()).unwrap(),
        before
    );
    assert_eq!(before.digest().unwrap(), list(&[3, 1, 2]).digest().unwrap());
    assert_eq!(before.changes(&list(&[1, 2, 3])), None);
    let changes = |later: &ImageList| before.changes(later).unwrap();
    assert_eq!(changes(&list(&[1, 2, 3, 4, 5])), "2 added");
    assert_eq!(changes(&list(&[1, 9])), "1 added, 2 removed or unreadable");
    let mut parts = Parts {
        train: images([1, 2]),
        validation: images([3, 1_000]),
    };
    parts.train[0].file.text = "b, \"c\"".into();
    parts.train[1].hash = hash(b"other");
    let later = ImageList::new(Path::new(""), &parts);
    assert_eq!(
        changes(&later),
        "1 relabelled, 1 replaced, 1 moved to the other part"
    );
    assert_eq!(
        ImageList::from_csv(&later.to_csv().unwrap()).unwrap(),
        later
    );
    let digests: BTreeMap<_, _> = [&before, &later, &list(&[1])]
        .map(|list| (list.digest().unwrap(), ()))
        .into();
    assert_eq!(digests.len(), 3);
}
