//! Labels of the images in a folder: from a label file, or from file names.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use captcha_model::Vocabulary;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::data::image_files::{SkippedEntries, image_files, is_image, skipped_entries};
use crate::files::read_text;
use crate::wording::plural;

/// The paper's label file: one line `NAME WORD` for each image `NAME.png` beside it.
pub const SPEC_FILE: &str = "spec_train_val.txt";
const LABELS_FILE: &str = "labels.csv";
/// Accepted column headers of [`LABELS_FILE`], in any order and case; `web/src/audit/labels.js` has
/// the same.
const FILE_COLUMN: [&str; 6] = ["file", "filename", "file name", "image", "path", "name"];
const LABEL_COLUMN: [&str; 7] = [
    "label", "text", "captcha", "solution", "answer", "word", "code",
];
/// A labelled image file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelledFile {
    /// The file.
    pub path: PathBuf,
    /// Its label.
    pub text: String,
}

/// The labelled images of a folder.
#[derive(Clone, Debug)]
pub struct Listing {
    /// The files, each once.
    pub files: Vec<LabelledFile>,
    /// Whether their order divides them into training and validation part.
    pub ordered: bool,
    /// Whether the labels come from a label file and not from the file names.
    pub from_label_file: bool,
    /// What the user should know of the labels.
    pub notes: Vec<String>,
}

impl Listing {
    /// The notes for a user who needs labels.
    ///
    /// # Errors
    ///
    /// If no image has a label.
    pub fn checked(&self, folder: &Path) -> Result<Vec<String>> {
        let mut notes = self.notes.clone();
        if !self.from_label_file {
            let SkippedEntries { folders, files } = skipped_entries(folder)?;
            let counted = |count: usize, what: &str| (count > 0).then(|| format!("{count} {what}"));
            let skipped: Vec<_> = [
                counted(folders, plural(folders, "folder", "folders")),
                counted(
                    files,
                    plural(
                        files,
                        "SVG, AVIF, HEIC, TIFF or zip file",
                        "SVG, AVIF, HEIC, TIFF or zip files",
                    ),
                ),
            ]
            .into_iter()
            .flatten()
            .collect();
            if !skipped.is_empty() {
                notes.push(format!(
                    "only PNG, JPEG, WebP, GIF and BMP files of {} are read, not the {} in it",
                    folder.display(),
                    skipped.join(" and ")
                ));
            }
        }
        ensure!(
            !self.files.is_empty(),
            "no image in {} has a label: {}",
            folder.display(),
            notes.join("; ")
        );
        Ok(notes)
    }
}

/// Lists the labelled images of a folder. Labels come from [`SPEC_FILE`], from `labels.csv`
/// (`file,label`), or from file names like `label.png` and `label_anything.png`. They are composed
/// (Unicode NFC), as in the page, and converted to the case that the vocabulary knows.
///
/// # Errors
///
/// If the folder has no labelled image, or an image has two different labels.
pub fn list_labels(folder: &Path, vocabulary: &Vocabulary) -> Result<Listing> {
    let mut folded = 0;
    let mut listing = list_labels_as(folder, |text| {
        let label = vocabulary.fold(text);
        folded += usize::from(label != text);
        label
    })?;
    if folded > 0 {
        listing.notes.push(format!(
            "{folded} {} letters in a case that the network does not know; they count as the same \
             letters in the other case",
            plural(folded, "label contains", "labels contain")
        ));
    }
    Ok(listing)
}

/// As [`list_labels`], with another conversion of the labels.
///
/// # Errors
///
/// Those of [`list_labels`].
pub fn list_labels_as(folder: &Path, mut convert: impl FnMut(&str) -> String) -> Result<Listing> {
    ensure!(folder.is_dir(), "{} is not a folder", folder.display());
    let (spec, csv) = (folder.join(SPEC_FILE), csv_file(folder)?);
    let ordered = spec.exists();
    let from_label_file = ordered || csv.is_some();
    let rows = if ordered {
        read_spec(folder, &spec)?
    } else if let Some(csv) = &csv {
        read_csv(folder, csv)?
    } else {
        labels_of_names(folder)?
    };
    let mut notes = Vec::new();
    let listed = rows.len();
    let mut known: BTreeMap<PathBuf, String> = BTreeMap::new();
    let mut files = Vec::with_capacity(listed);
    let mut unlabelled = Vec::new();
    for LabelledFile { path, text } in rows {
        let text = composed(&text);
        if text.is_empty() {
            unlabelled.push(path);
            continue;
        }
        let label = convert(&text);
        if let Some(before) = known.get(&path) {
            ensure!(
                *before == label,
                "{} has two labels, {before:?} and {label:?}: keep the right one",
                path.display()
            );
            continue;
        }
        known.insert(path.clone(), label.clone());
        files.push(LabelledFile { path, text: label });
    }
    if let Some(first) = unlabelled.first() {
        let count = unlabelled.len();
        notes.push(format!(
            "{count} of {listed} {} {} no label and {} left out, for example {}",
            plural(listed, "image", "images"),
            plural(count, "has", "have"),
            plural(count, "is", "are"),
            first.display()
        ));
    }
    let repeated = listed - unlabelled.len() - files.len();
    if repeated > 0 {
        notes.push(format!(
            "{repeated} of {listed} rows {} an image; each image counts once",
            plural(repeated, "repeats", "repeat")
        ));
    }
    Ok(Listing {
        files,
        ordered,
        from_label_file,
        notes,
    })
}

fn read_spec(folder: &Path, path: &Path) -> Result<Vec<LabelledFile>> {
    let mut files = Vec::new();
    for (number, line) in read_text(path)?
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
    {
        let mut fields = line.split_whitespace();
        let (Some(name), Some(word), None) = (fields.next(), fields.next(), fields.next()) else {
            bail!(
                "{}, line {}: expected NAME WORD",
                path.display(),
                number + 1
            );
        };
        files.push(LabelledFile {
            path: folder.join(format!("{name}.png")),
            text: word.to_owned(),
        });
    }
    ensure!(!files.is_empty(), "{} lists no image", path.display());
    Ok(files)
}

/// Whether labels come from a file.
pub(crate) fn has_label_file(folder: &Path) -> bool {
    folder.join(SPEC_FILE).exists() || matches!(csv_file(folder), Ok(Some(_)))
}

/// A folder's [`LABELS_FILE`]; its name may have any case.
fn csv_file(folder: &Path) -> Result<Option<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let name = entry?.file_name();
        if name.eq_ignore_ascii_case(LABELS_FILE) {
            found.push(folder.join(name));
        }
    }
    // The lowercase name sorts last and is preferred.
    Ok(found.into_iter().max())
}

fn read_csv(folder: &Path, path: &Path) -> Result<Vec<LabelledFile>> {
    let place = || path.display().to_string();
    let text = read_text(path)?;
    // Spreadsheets in some languages write semicolons or tabs; `csvRows` in the page does the same.
    let first = text.lines().find(|line| !line.trim().is_empty());
    let separator = *b",;\t"
        .iter()
        .find(|&&mark| first.is_some_and(|line| line.contains(char::from(mark))))
        .unwrap_or(&b',');
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .delimiter(separator)
        .flexible(true)
        .from_reader(text.as_bytes());
    let mut files = Vec::new();
    let mut columns = (0, 1);
    for (number, row) in reader.records().enumerate() {
        let row = row.with_context(place)?;
        let field = |index| plain_field(row.get(index).unwrap_or_default());
        let column = |names: &[&str]| {
            (0..row.len()).find(|&index| names.contains(&field(index).to_lowercase().as_str()))
        };
        let header = column(&FILE_COLUMN).zip(column(&LABEL_COLUMN));
        if let Some(header) = header.filter(|_| number == 0) {
            columns = header;
            continue;
        }
        let (path, text) = (folder.join(field(columns.0)), field(columns.1));
        let is_header = number == 0 && !is_image(&path) && !path.exists();
        if is_header || field(columns.0).is_empty() {
            continue;
        }
        files.push(LabelledFile { path, text });
    }
    ensure!(
        !files.is_empty(),
        "{} contains no row with an image and its label: expected file,label",
        place()
    );
    Ok(files)
}

/// A field of a CSV row without the spaces around it. The reader takes quotes as part of the field
/// if a space precedes them.
fn plain_field(field: &str) -> String {
    let trimmed = field.trim();
    let quoted = trimmed
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    match quoted.filter(|_| field.starts_with(char::is_whitespace)) {
        Some(inner) => inner.replace("\"\"", "\""),
        None => trimmed.to_owned(),
    }
}

/// A text in which a letter and its accents are one character where Unicode has one (NFC). File
/// systems and editors differ in that.
pub fn composed(text: &str) -> String {
    text.nfc().collect()
}

fn labels_of_names(folder: &Path) -> Result<Vec<LabelledFile>> {
    let files: Vec<_> = image_files(folder)?
        .into_iter()
        .map(|path| {
            let stem = composed(&path.file_stem().unwrap_or_default().to_string_lossy());
            let text = label_of_name(&stem).to_owned();
            LabelledFile { path, text }
        })
        .collect();
    ensure!(
        !files.is_empty(),
        "{} contains no labelled image: no {SPEC_FILE}, no {LABELS_FILE}, no file named LABEL.png",
        folder.display()
    );
    Ok(files)
}

/// The label in a file name without extension: the part before the first underscore.
pub(crate) fn label_of_name(stem: &str) -> &str {
    strip_copy_suffix(stem.split('_').next().unwrap_or(stem))
}

/// Removes the suffix that systems add to the name of a copy: `label (1)`, `label-2`.
fn strip_copy_suffix(name: &str) -> &str {
    let number = |text: &str| {
        let rest = text.trim_end_matches(|character: char| character.is_ascii_digit());
        (rest.len() < text.len()).then_some(rest.len())
    };
    let original = match name.strip_suffix(')') {
        Some(inner) => number(inner)
            .and_then(|end| inner[..end].strip_suffix('('))
            .map(|rest| rest.strip_suffix(' ').unwrap_or(rest)),
        None => number(name).and_then(|end| name[..end].strip_suffix('-')),
    };
    original
        .filter(|text| !text.is_empty() && text.chars().all(is_word_character))
        .unwrap_or(name)
}

/// Whether a character is a letter, a digit, or a mark on one. Marks without a composed form stay
/// characters of their own.
pub(crate) fn is_word_character(character: char) -> bool {
    character.is_alphanumeric() || is_combining_mark(character)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strip_copy_suffix_gives_the_name_of_the_original() {
        for (name, original) in [
            ("thus (1)", "thus"),
            ("line(3)", "line"),
            ("thus-2", "thus"),
            ("a-b", "a-b"),
            ("2026-01-01", "2026-01-01"),
            ("(1)", "(1)"),
            ("-1", "-1"),
            ("x)", "x)"),
        ] {
            assert_eq!(strip_copy_suffix(name), original);
        }
    }
}
