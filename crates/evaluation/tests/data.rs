//! Labelled folders: what they list, how they are divided, what a run remembers of them.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use captcha_model::{ModelConfig, Vocabulary};
use captcha_trainer::data::folder::{
    Labelled, Listing, Part, image_files, labelled_files, listed_files,
};
use captcha_trainer::data::splits::{Hashed, ImageList, Parts, divide, training_parts};
use captcha_trainer::files::{Hash, hash};
use tempfile::TempDir;

fn image(number: usize) -> Hashed {
    let name = format!("{number}.png");
    Hashed {
        hash: hash(name.as_bytes()),
        file: Labelled {
            path: PathBuf::from(name),
            text: "a".into(),
        },
    }
}

fn images(numbers: impl IntoIterator<Item = usize>) -> Vec<Hashed> {
    numbers.into_iter().map(image).collect()
}

fn hashes(images: &[Hashed]) -> BTreeSet<Hash> {
    images.iter().map(|image| image.hash).collect()
}

#[test]
fn growing_moves_no_image_to_the_other_part() {
    let mut before = Parts::default();
    for count in [60, 61, 90, 500, 5_000] {
        let parts = divide(images(0..count), false).unwrap();
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
    // Nor does the order of the list, or taking images away.
    let fewer = divide(images((0..5_000).rev().step_by(3)), false).unwrap();
    assert!(hashes(&before.train).is_superset(&hashes(&fewer.train)));
    assert!(hashes(&before.validation).is_superset(&hashes(&fewer.validation)));
}

#[test]
fn no_part_of_a_small_folder_is_empty_and_what_was_learnt_from_never_judges() {
    let mut divided = 0;
    for start in (0..4_000).step_by(10) {
        let mut learnt: BTreeSet<Hash> = BTreeSet::new();
        for count in 2..10 {
            match divide(images(start..start + count), false) {
                Ok(parts) => {
                    assert!(!parts.train.is_empty() && !parts.validation.is_empty());
                    assert!(hashes(&parts.validation).is_disjoint(&learnt));
                    learnt.extend(hashes(&parts.train));
                    divided += 1;
                }
                Err(error) => {
                    assert!(
                        count < 6 && error.to_string().contains("add some"),
                        "{error}"
                    );
                }
            }
        }
    }
    assert!(divided > 3_150, "{divided} of 3,200");
    for (few, complaint) in [
        (images([]), "too few images to split (0)"),
        (
            images([1]),
            "too few images to split (1): a training and a validation part take at least 2",
        ),
        (images([1, 1, 1]), "3 copies of one image"),
    ] {
        let error = divide(few, false).unwrap_err().to_string();
        assert!(error.contains(complaint), "{error}");
    }
}

#[test]
fn copies_stay_together() {
    let parts = divide(images((0..300).chain(100..400)), false).unwrap();
    assert_eq!(parts.train.len() + parts.validation.len(), 600);
    assert!(hashes(&parts.train).is_disjoint(&hashes(&parts.validation)));
}

#[test]
fn a_given_order_divides_as_the_paper_does() {
    for (count, train) in [(120, 100), (12, 10), (7, 6), (5, 4), (2, 1)] {
        let parts = divide(images(0..count), true).unwrap();
        assert_eq!(
            (parts.train, parts.validation),
            (images(0..train), images(train..count))
        );
    }
}

fn write(folder: &Path, files: &[(&str, &[u8])]) {
    for (name, content) in files {
        fs::write(folder.join(name), content).unwrap();
    }
}

fn listed(folder: &Path) -> anyhow::Result<Listing> {
    listed_files(folder, &ModelConfig::compact().vocabulary()?)
}

#[test]
fn the_content_of_a_file_decides_not_its_name() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let names = |part| -> BTreeSet<String> {
        let vocabulary = ModelConfig::compact().vocabulary().unwrap();
        let files = labelled_files(folder, part, &vocabulary)
            .unwrap()
            .into_iter();
        files.map(|file| file.text).collect()
    };
    for number in 0..26u8 {
        write(
            folder,
            &[(&format!("{}_1.png", char::from(b'a' + number)), &[number])],
        );
    }
    let (train, validation) = (names(Part::Train), names(Part::Validation));
    // Copies under other names, and a name before all others.
    for number in 0..26u8 {
        write(
            folder,
            &[(&format!("{}_0.png", char::from(b'a' + number)), &[number])],
        );
    }
    assert_eq!(
        (names(Part::Train), names(Part::Validation)),
        (train, validation)
    );
}

#[test]
fn rows_of_an_image_count_once_and_must_agree() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let list = |rows: &str| {
        write(folder, &[("labels.csv", rows.as_bytes())]);
        listed(folder)
    };
    let listing = list("file,label\na.png,thus\nb.png,line\n./a.png,Thus\na.png,thus\n").unwrap();
    assert_eq!(listing.files.len(), 2);
    assert!(
        listing.notes[0].contains("2 of 4 rows name an image again"),
        "{:?}",
        listing.notes
    );
    let error = list("a.png,thus\nb.png,line\na.png,kids\n")
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("a.png has two labels, \"thus\" and \"kids\""),
        "{error}"
    );
    let listing = list("file,label\na.png,thus\nb.png,\nc.png\n").unwrap();
    assert_eq!(listing.files.len(), 1);
    let note = &listing.notes[0];
    assert!(
        note.contains("2 of 3 images have no label") && note.contains("b.png"),
        "{note}"
    );
    let listing = list("a.png,\n").unwrap();
    let error = listing.checked(folder).unwrap_err().to_string();
    assert!(
        error.contains("no image of") && error.contains("a.png"),
        "{error}"
    );
}

#[test]
fn what_is_no_image_is_passed_over_and_told() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    write(
        folder,
        &[
            ("thus.png", b"1"),
            ("._thus.png", b"2"),
            (".hidden.png", b"3"),
            ("_1.png", b"4"),
            ("line.svg", b"5"),
            ("notes.txt", b"6"),
        ],
    );
    for name in ["__MACOSX", ".git", "more"] {
        fs::create_dir(folder.join(name)).unwrap();
    }
    assert_eq!(
        image_files(folder).unwrap(),
        [folder.join("_1.png"), folder.join("thus.png")]
    );
    let listing = listed(folder).unwrap();
    assert_eq!(listing.files.len(), 1);
    let told = listing.checked(folder).unwrap().join("\n");
    assert!(told.contains("not 1 folders within it and 1 SVG"), "{told}");
    assert!(
        told.contains("1 of 2 images have no label") && told.contains("_1.png"),
        "{told}"
    );
}

#[test]
fn letters_of_the_other_case_are_taken_both_ways_and_told() {
    for (alphabet, label, folded) in [
        ("abcdefghijklmnopqrstuvwxyz", "ThUs", "thus"),
        ("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "ThUs", "THUS"),
        ("HSTUhstu", "ThUs", "ThUs"),
        ("ß", "ß", "ß"),
        ("S", "ß", "ß"), // two characters in capitals: none it could be
        ("k7", "K7", "k7"),
    ] {
        let vocabulary = Vocabulary::new(alphabet).unwrap();
        assert_eq!(vocabulary.fold(label), folded, "{alphabet}");
    }
    let folder = TempDir::new().unwrap();
    write(folder.path(), &[("Thus.png", b"1"), ("line.png", b"2")]);
    let notes = listed(folder.path()).unwrap().notes;
    assert!(
        notes.len() == 1 && notes[0].starts_with("1 labels hold characters"),
        "{notes:?}"
    );
}

/// A PNG of one colour.
fn png(width: u32, height: u32, shade: u8) -> Vec<u8> {
    let image = image::RgbImage::from_pixel(width, height, image::Rgb([shade; 3]));
    let mut bytes = std::io::Cursor::new(Vec::new());
    image.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

#[test]
fn images_that_cannot_be_read_are_left_out_and_odd_ones_told() {
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
        error.contains("none of the 2 images") && error.contains("cut.png"),
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
    assert!(notes.contains("2 of 24 images have a size"), "{notes}");
    assert!(
        notes.contains("dot.png (1 x 1 pixels)") && notes.contains("tall.png"),
        "{notes}"
    );
    assert!(
        notes.contains("1 images are the same as another but have another label"),
        "{notes}"
    );
    assert!(notes.contains("other.png (\"other\")"), "{notes}");
}

#[test]
fn labels_that_a_network_cannot_write_are_told_with_what_can_be_done() {
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
        "\"abcdefghijklmnopqrstuvwxyz\" and up to 5 characters",
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
fn a_list_knows_what_changed() {
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
