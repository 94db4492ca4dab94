//! Splits of labelled folders.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::path::PathBuf;

use captcha_evaluation::data::labels::LabelledFile;
use captcha_evaluation::data::splits::{HashedFile, Parts, split};
use captcha_evaluation::files::{Hash, hash};

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

fn hashes(images: &[HashedFile]) -> BTreeSet<Hash> {
    images.iter().map(|image| image.hash).collect()
}

#[test]
fn split_of_a_growing_folder_moves_no_image() {
    let mut before = Parts::default();
    for count in [60, 61, 90, 500, 5_000] {
        let parts = split(images(0..count), false).unwrap();
        assert_eq!(parts.train.len() + parts.validation.len(), count);
        let (train, validation) = (hashes(&parts.train), hashes(&parts.validation));
        assert!(train.is_disjoint(&validation));
        assert!(train.is_superset(&hashes(&before.train)), "{count}");
        assert!(
            validation.is_superset(&hashes(&before.validation)),
            "{count}"
        );
        before = parts;
    }
    let share = before.validation.len() as f64 / 5_000.0;
    assert!((share - 1.0 / 6.0).abs() < 0.02, "{share}");
    // Neither the order of the list nor removed images change the parts.
    let fewer = split(images((0..5_000).rev().step_by(3)), false).unwrap();
    assert!(hashes(&before.train).is_superset(&hashes(&fewer.train)));
    assert!(hashes(&before.validation).is_superset(&hashes(&fewer.validation)));
}

#[test]
fn split_of_a_small_folder_has_no_empty_part_and_moves_no_training_image() {
    let mut splits = 0;
    for start in (0..4_000).step_by(10) {
        let mut trained: BTreeSet<Hash> = BTreeSet::new();
        for count in 2..10 {
            match split(images(start..start + count), false) {
                Ok(parts) => {
                    assert!(!parts.train.is_empty() && !parts.validation.is_empty());
                    assert!(hashes(&parts.validation).is_disjoint(&trained));
                    trained.extend(hashes(&parts.train));
                    splits += 1;
                }
                Err(error) => {
                    assert!(
                        count < 6 && error.to_string().contains("add images"),
                        "{error}"
                    );
                }
            }
        }
    }
    assert!(splits > 3_150, "{splits} of 3,200");
    for (few, complaint) in [
        (images([]), "too few images to split (0)"),
        (
            images([1]),
            "too few images to split (1): a training and a validation part take at least 2",
        ),
        (images([1, 1, 1]), "3 copies of one image"),
    ] {
        let error = split(few, false).unwrap_err().to_string();
        assert!(error.contains(complaint), "{error}");
    }
}

#[test]
fn split_keeps_copies_together() {
    let parts = split(images((0..300).chain(100..400)), false).unwrap();
    assert_eq!(parts.train.len() + parts.validation.len(), 600);
    assert!(hashes(&parts.train).is_disjoint(&hashes(&parts.validation)));
}

#[test]
fn split_of_an_ordered_folder_is_the_papers() {
    for (count, train) in [(120, 100), (12, 10), (7, 6), (5, 4), (2, 1)] {
        let parts = split(images(0..count), true).unwrap();
        assert_eq!(
            (parts.train, parts.validation),
            (images(0..train), images(train..count))
        );
    }
}
