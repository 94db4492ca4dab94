//! Labels of folders in the three layouts, and which files are listed.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use captcha_evaluation::data::Dataset;
use captcha_evaluation::data::folder::FolderDataset;
use captcha_evaluation::data::image_files::image_files;
use captcha_evaluation::data::label_check::labels_are_likely;
use captcha_evaluation::data::labels::{LabelledFile, Listing, list_labels};
use captcha_evaluation::data::splits::{Part, labelled_files};
use captcha_model::{ModelConfig, Vocabulary};
use tempfile::TempDir;

fn listed(folder: &Path, part: Part) -> anyhow::Result<Vec<LabelledFile>> {
    let vocabulary = ModelConfig::compact().vocabulary().unwrap();
    Ok(labelled_files(folder, part, &vocabulary)?.files)
}

fn texts(folder: &Path, part: Part) -> Vec<String> {
    listed(folder, part)
        .unwrap()
        .into_iter()
        .map(|file| file.text)
        .collect()
}

#[test]
fn labelled_files_reads_three_layouts() {
    let spec = TempDir::new().unwrap();
    fs::write(
        spec.path().join("spec_train_val.txt"),
        "a0 thus\na1 line\n\n",
    )
    .unwrap();
    let files = listed(spec.path(), Part::All).unwrap();
    assert_eq!(files[1].path, spec.path().join("a1.png"));
    assert_eq!(texts(spec.path(), Part::All), ["thus", "line"]);

    let csv = TempDir::new().unwrap();
    fs::write(csv.path().join("labels.csv"), "file,label\nx.jpg, kids\n").unwrap();
    assert_eq!(texts(csv.path(), Part::All), ["kids"]);

    for text in [
        "\u{feff}x.jpg;kids\n",
        "\nfile\tlabel\nx.jpg\t kids\n",
        "x.jpg, \"kids\"\n",
        "Label,File\nkids,x.jpg\n",
        "name,text,who\nx.jpg,kids,me\n   \ny.jpg,\nz.jpg\n,,\n",
    ] {
        fs::write(csv.path().join("labels.csv"), text).unwrap();
        assert_eq!(texts(csv.path(), Part::All), ["kids"], "{text}");
    }

    fs::rename(csv.path().join("labels.csv"), csv.path().join("Labels.CSV")).unwrap();
    assert_eq!(texts(csv.path(), Part::All), ["kids"]);
    fs::remove_file(csv.path().join("Labels.CSV")).unwrap();

    // Labels are converted to the case that the network knows.
    fs::write(csv.path().join("labels.csv"), "x.jpg,KiDs\n").unwrap();
    assert_eq!(texts(csv.path(), Part::All), ["kids"]);
    let capitals = Vocabulary::new("sdikK").unwrap();
    let kept = labelled_files(csv.path(), Part::All, &capitals)
        .unwrap()
        .files;
    assert_eq!(kept[0].text, "Kids");
    // To capital letters, too.
    let capitals = Vocabulary::new("SDIK").unwrap();
    let kept = labelled_files(csv.path(), Part::All, &capitals)
        .unwrap()
        .files;
    assert_eq!(kept[0].text, "KIDS");

    let names = TempDir::new().unwrap();
    for name in ["Pink.png", "toe_2.webp", "notes.txt"] {
        fs::write(names.path().join(name), "").unwrap();
    }
    assert_eq!(texts(names.path(), Part::All), ["pink", "toe"]);
    let capitals = Vocabulary::new("Pinktoe").unwrap();
    let files = labelled_files(names.path(), Part::All, &capitals)
        .unwrap()
        .files;
    assert_eq!(files[0].text, "Pink");
    let config = ModelConfig {
        alphabet: "Pinktoe".into(),
        ..ModelConfig::compact()
    };
    assert!(labels_are_likely(names.path(), &files, &config).unwrap());
}

#[test]
fn labelled_files_splits_an_ordered_folder_five_to_one() {
    let folder = TempDir::new().unwrap();
    let lines: String = (0..12)
        .map(|i| format!("a{i} {}\n", "abcdefghijkl".split_at(i).1))
        .collect();
    fs::write(folder.path().join("spec_train_val.txt"), lines).unwrap();
    assert_eq!(texts(folder.path(), Part::Train).len(), 10);
    assert_eq!(texts(folder.path(), Part::Validation), ["kl", "l"]);
}

#[test]
fn labelled_files_splits_an_unordered_folder_reproducibly() {
    let folder = TempDir::new().unwrap();
    let names: Vec<String> = (0..260)
        .map(|i| format!("{}_{i}.png", char::from(b'a' + (i / 10) as u8)))
        .collect();
    for name in &names {
        fs::write(folder.path().join(name), name).unwrap();
    }
    let distinct = |part| BTreeSet::from_iter(texts(folder.path(), part)).len();
    assert!(distinct(Part::Train) == 26 && distinct(Part::Validation) > 13);
    let train = texts(folder.path(), Part::Train);
    assert_eq!(train, texts(folder.path(), Part::Train));
    let all = [train, texts(folder.path(), Part::Validation)].concat();
    let sorted = |mut texts: Vec<String>| {
        texts.sort();
        texts
    };
    assert_eq!(sorted(all), texts(folder.path(), Part::All));
}

#[test]
fn labelled_files_reports_what_is_wrong_with_a_folder() {
    let folder = TempDir::new().unwrap();
    let error = |path: &Path| format!("{:#}", listed(path, Part::All).unwrap_err());
    assert!(error(&folder.path().join("missing")).contains("is not a folder"));
    assert!(error(folder.path()).contains("no labelled image"));
    fs::write(folder.path().join("labels.csv"), "file,label\n").unwrap();
    assert!(
        error(folder.path()).contains("labels.csv contains no row with an image and its label")
    );
    fs::write(folder.path().join("spec_train_val.txt"), "a0 thus\na1\n").unwrap();
    assert!(error(folder.path()).contains("line 2: expected NAME WORD"));
    fs::write(folder.path().join("spec_train_val.txt"), "a0 thus\n").unwrap();
    let dataset = FolderDataset::new(listed(folder.path(), Part::All).unwrap(), 1);
    assert!(format!("{:#}", dataset.example(0, 0).unwrap_err()).contains("a0.png"));
}

fn write(folder: &Path, files: &[(&str, &[u8])]) {
    for (name, content) in files {
        fs::write(folder.join(name), content).unwrap();
    }
}

fn listing(folder: &Path) -> anyhow::Result<Listing> {
    list_labels(folder, &ModelConfig::compact().vocabulary()?)
}

#[test]
fn labelled_files_splits_by_content_not_by_name() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let names = |part| -> BTreeSet<String> {
        let vocabulary = ModelConfig::compact().vocabulary().unwrap();
        let files = labelled_files(folder, part, &vocabulary).unwrap().files;
        files.into_iter().map(|file| file.text).collect()
    };
    for number in 0..26u8 {
        write(
            folder,
            &[(&format!("{}_1.png", char::from(b'a' + number)), &[number])],
        );
    }
    let (train, validation) = (names(Part::Train), names(Part::Validation));
    // Copies under other names, which sort first.
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
fn list_labels_counts_repeated_rows_once_and_rejects_contradictions() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let list = |rows: &str| {
        write(folder, &[("labels.csv", rows.as_bytes())]);
        listing(folder)
    };
    let listing = list("file,label\na.png,thus\nb.png,line\n./a.png,Thus\na.png,thus\n").unwrap();
    assert_eq!(listing.files.len(), 2);
    assert!(
        listing.notes[0].contains("2 of 4 rows repeat an image"),
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
        error.contains("no image in") && error.contains("a.png"),
        "{error}"
    );
}

#[test]
fn list_labels_skips_and_reports_other_files() {
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
    let listing = listing(folder).unwrap();
    assert_eq!(listing.files.len(), 1);
    let notes = listing.checked(folder).unwrap().join("\n");
    assert!(notes.contains("not the 1 folder and 1 SVG"), "{notes}");
    assert!(
        notes.contains("1 of 2 images has no label") && notes.contains("_1.png"),
        "{notes}"
    );
}

#[test]
fn list_labels_folds_case_and_reports_it() {
    for (alphabet, label, folded) in [
        ("abcdefghijklmnopqrstuvwxyz", "ThUs", "thus"),
        ("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "ThUs", "THUS"),
        ("HSTUhstu", "ThUs", "ThUs"),
        ("ß", "ß", "ß"),
        ("S", "ß", "ß"), // two characters in capitals, so it has no other case
        ("k7", "K7", "k7"),
    ] {
        let vocabulary = Vocabulary::new(alphabet).unwrap();
        assert_eq!(vocabulary.fold(label), folded, "{alphabet}");
    }
    let folder = TempDir::new().unwrap();
    write(folder.path(), &[("Thus.png", b"1"), ("line.png", b"2")]);
    let notes = listing(folder.path()).unwrap().notes;
    assert!(
        notes.len() == 1 && notes[0].starts_with("1 label contains letters"),
        "{notes:?}"
    );
}

#[test]
fn list_labels_composes_accents_as_the_page_does() {
    let folder = TempDir::new().unwrap();
    write(
        folder.path(),
        &[("cafe\u{301}_1.png", b"1"), ("x\u{302}.png", b"2")],
    );
    let vocabulary = Vocabulary::new("caféx\u{302}").unwrap();
    let texts = |folder: &Path| {
        let files = list_labels(folder, &vocabulary).unwrap().files;
        files.into_iter().map(|file| file.text).collect::<Vec<_>>()
    };
    // Some letters with a mark have no composed form.
    assert_eq!(texts(folder.path()), ["café", "x\u{302}"]);
    fs::write(folder.path().join("labels.csv"), "a.png,cafe\u{301}\n").unwrap();
    assert_eq!(texts(folder.path()), ["café"]);
    fs::remove_file(folder.path().join("labels.csv")).unwrap();
    fs::write(folder.path().join("spec_train_val.txt"), "a cafe\u{301}\n").unwrap();
    assert_eq!(texts(folder.path()), ["café"]);
}

#[test]
fn list_labels_reads_quotes_commas_and_spaces_of_a_csv() {
    let folder = TempDir::new().unwrap();
    let vocabulary = Vocabulary::new("ab\", ").unwrap();
    for (row, label) in [
        ("x.png,\"a,b\"", "a,b"),
        ("x.png,\"a b\"", "a b"),
        ("x.png,\"\"\"\"", "\""),
        ("x.png,\"\"\"a\"\"\"", "\"a\""),
        ("x.png, \"a\"", "a"),
        ("x.png,a\"b", "a\"b"),
    ] {
        fs::write(
            folder.path().join("labels.csv"),
            format!("file,label\n{row}\n"),
        )
        .unwrap();
        let files = list_labels(folder.path(), &vocabulary).unwrap().files;
        assert_eq!(files[0].text, label, "{row}");
    }
}
