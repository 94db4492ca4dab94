//! Labelled images in a folder, in any of three layouts.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use anyhow::{Context, Result, bail, ensure};
use captcha_model::image::{MAX_BYTES, decode_image};
use captcha_model::{ModelConfig, Vocabulary};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::data::splits::{divide, hashed};
use crate::data::{Example, Source};

/// The paper's label file: one `NAME WORD` a line, images beside it as `NAME.png`.
pub const SPEC_FILE: &str = "spec_train_val.txt";
const LABELS_FILE: &str = "labels.csv";
/// How the columns of [`LABELS_FILE`] may be headed, in any order and case; as in the page
/// (`web/src/audit/labels.js`).
const FILE_COLUMN: [&str; 6] = ["file", "filename", "file name", "image", "path", "name"];
const LABEL_COLUMN: [&str; 7] = [
    "label", "text", "captcha", "solution", "answer", "word", "code",
];
const EXTENSIONS: [&str; 6] = ["png", "jpg", "jpeg", "webp", "gif", "bmp"];
/// What may hold images, too, and is not read.
const OTHER_EXTENSIONS: [&str; 6] = ["svg", "avif", "heic", "tif", "tiff", "zip"];

/// A labelled image file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labelled {
    /// The file.
    pub path: PathBuf,
    /// What it says.
    pub text: String,
}

/// Which part of a labelled folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Part {
    /// Everything.
    All,
    /// Five sixths: the first 100,000 of the paper's 120,000; where no [`SPEC_FILE`] gives an order,
    /// those that the hash of their content chooses ([`splits`](crate::splits)).
    Train,
    /// The rest.
    Validation,
}

/// What a folder lists.
#[derive(Clone, Debug)]
pub struct Listing {
    /// Its labelled images, none twice.
    pub files: Vec<Labelled>,
    /// Whether their order divides them into parts.
    pub in_order: bool,
    /// Whether a file gives the labels, and not the images' names.
    pub by_file: bool,
    /// What a person should know of it.
    pub notes: Vec<String>,
}

impl Listing {
    /// All that a person should know of a folder whose labels are needed.
    ///
    /// # Errors
    ///
    /// If no image has a label.
    pub fn checked(&self, folder: &Path) -> Result<Vec<String>> {
        let mut notes = self.notes.clone();
        if !self.by_file {
            let (folders, others) = passed_over(folder)?;
            let counted = |count: usize, what: &str| (count > 0).then(|| format!("{count} {what}"));
            let told = [
                counted(folders, "folders within it"),
                counted(others, "SVG, AVIF, HEIC, TIFF or zip files"),
            ];
            let told: Vec<_> = told.into_iter().flatten().collect();
            if !told.is_empty() {
                notes.push(format!(
                    "of {} only PNG, JPEG, WebP, GIF and BMP files are read, not {}",
                    folder.display(),
                    told.join(" and ")
                ));
            }
        }
        ensure!(
            !self.files.is_empty(),
            "no image of {} has a label: {}",
            folder.display(),
            notes.join("; ")
        );
        Ok(notes)
    }
}

/// A part of a folder's labelled images, as [`listed_files`] lists them. Its notes go to standard
/// error.
pub fn labelled_files(folder: &Path, part: Part, vocabulary: &Vocabulary) -> Result<Vec<Labelled>> {
    let listing = listed_files(folder, vocabulary)?;
    for note in listing.checked(folder)? {
        eprintln!("note: {note}");
    }
    if part == Part::All {
        return Ok(listing.files);
    }
    let parts = divide(hashed(listing.files), listing.in_order)
        .with_context(|| folder.display().to_string())?;
    let images = match part {
        Part::Validation => parts.validation,
        _ => parts.train,
    };
    Ok(images.into_iter().map(|image| image.file).collect())
}

/// Lists a folder's labelled images: by [`SPEC_FILE`], by `labels.csv` (`file,label`), or by
/// names of the form `label.png` and `label_anything.png`. Labels come in the characters of the
/// vocabulary.
///
/// # Errors
///
/// If there are no images, or one has two labels.
pub fn listed_files(folder: &Path, vocabulary: &Vocabulary) -> Result<Listing> {
    ensure!(folder.is_dir(), "{} is not a folder", folder.display());
    let (spec, csv) = (folder.join(SPEC_FILE), labels_file(folder)?);
    let in_order = spec.exists();
    let by_file = in_order || csv.is_some();
    let rows = if in_order {
        by_spec(folder, &spec)?
    } else if let Some(csv) = &csv {
        by_csv(folder, csv)?
    } else {
        by_names(folder)?
    };
    let mut notes = Vec::new();
    let listed = rows.len();
    let mut known: BTreeMap<PathBuf, String> = BTreeMap::new();
    let mut files = Vec::with_capacity(listed);
    let (mut unlabelled, mut folded) = (Vec::new(), 0);
    for Labelled { path, text } in rows {
        if text.is_empty() {
            unlabelled.push(path);
            continue;
        }
        let label = vocabulary.fold(&text);
        if let Some(before) = known.get(&path) {
            ensure!(
                *before == label,
                "{} has two labels, {before:?} and {label:?}: keep the right one",
                path.display()
            );
            continue;
        }
        folded += usize::from(label != text);
        known.insert(path.clone(), label.clone());
        files.push(Labelled { path, text: label });
    }
    if let Some(first) = unlabelled.first() {
        notes.push(format!(
            "{} of {listed} images have no label and are left out, the first is {}",
            unlabelled.len(),
            first.display()
        ));
    }
    let repeated = listed - unlabelled.len() - files.len();
    if repeated > 0 {
        notes.push(format!(
            "{repeated} of {listed} rows name an image again; each image counts once"
        ));
    }
    if folded > 0 {
        notes.push(format!(
            "{folded} labels hold characters that the network knows only as capital or only as small \
             characters; they are taken as such"
        ));
    }
    Ok(Listing {
        files,
        in_order,
        by_file,
        notes,
    })
}

/// A folder's image files, by name. What macOS and file managers put beside them is none.
pub fn image_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        files.extend(Some(entry?.path()).filter(|path| is_image(path)));
    }
    files.sort();
    Ok(files)
}

/// What of a folder may hold images and is not read: folders in it, and files of other kinds.
pub fn passed_over(folder: &Path) -> Result<(usize, usize)> {
    let (mut folders, mut others) = (0, 0);
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if is_hidden(&path) {
            continue;
        }
        folders += usize::from(path.is_dir());
        let is_other = |kind: String| OTHER_EXTENSIONS.contains(&kind.as_str());
        others += usize::from(extension(&path).is_some_and(is_other));
    }
    Ok((folders, others))
}

/// Makes a folder, or takes one that is empty: nothing is written over.
pub fn new_folder(path: &Path) -> Result<()> {
    fs::create_dir_all(path).with_context(|| format!("cannot create {}", path.display()))?;
    let mut files =
        fs::read_dir(path).with_context(|| format!("cannot read {}", path.display()))?;
    ensure!(
        files.next().is_none(),
        "{} already holds files; name another folder",
        path.display()
    );
    Ok(())
}

/// Whether a folder's labels are more likely what its images say than, say, `captcha_1.png`: given
/// by a file, or else, as in the audit page (`areLikelyLabels` in `web/src/audit/labels.js`), four fifths
/// of them short and of letters, digits or what else the network reads, not all the same, and no
/// mere numbers in a row.
pub fn labels_are_likely(folder: &Path, files: &[Labelled], vocabulary: &Vocabulary) -> bool {
    if folder.join(SPEC_FILE).exists() || matches!(labels_file(folder), Ok(Some(_))) {
        return true;
    }
    let is_likely = |text: &str| {
        (1..=12).contains(&text.chars().count())
            && text
                .chars()
                .all(|character| character.is_alphanumeric() || vocabulary.id(character).is_some())
    };
    let labels: Vec<&str> = files.iter().map(|file| file.text.as_str()).collect();
    let likely = labels.iter().filter(|label| is_likely(label)).count();
    let differ = labels.iter().any(|label| *label != labels[0]);
    5 * likely >= 4 * labels.len() && (labels.len() == 1 || differ && !are_counted(&labels))
}

/// Whether names only count: `captcha001`, `captcha002`.
fn are_counted(labels: &[&str]) -> bool {
    let Some((first, others)) = labels.split_first() else {
        return false;
    };
    let shared = others.iter().fold(*first, |shared, label| {
        let mut ends = shared
            .char_indices()
            .map(|(at, character)| at + character.len_utf8());
        let mut end = 0;
        while let Some(next) = ends
            .next()
            .filter(|&next| label.starts_with(&shared[..next]))
        {
            end = next;
        }
        &shared[..end]
    });
    // A digit that all share belongs to the number.
    let shared = shared.trim_end_matches(|character: char| character.is_ascii_digit());
    let numbers: Option<Vec<u64>> = labels
        .iter()
        .map(|label| label[shared.len()..].parse().ok())
        .collect();
    numbers.is_some_and(|numbers| {
        let low = numbers.iter().min().copied().unwrap_or_default();
        let high = numbers.iter().max().copied().unwrap_or_default();
        high - low < 2 * labels.len() as u64
    })
}

/// A label without what systems add to the name of a copy: `label (1)`, `label-2`.
fn without_copy(name: &str) -> &str {
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
        .filter(|text| !text.is_empty() && text.chars().all(char::is_alphanumeric))
        .unwrap_or(name)
}

/// Checks that every file is there and has a label that the network can learn: better before hours
/// of training than after.
pub fn check_labels(files: &[Labelled], config: &ModelConfig) -> Result<()> {
    let vocabulary = config.vocabulary()?;
    let mut wrong = files.iter().filter_map(|file| {
        let error = vocabulary.target(&file.text, config.max_length).err()?;
        Some((file, error))
    });
    if let Some((Labelled { path, .. }, error)) = wrong.next() {
        let count = 1 + wrong.count();
        let characters: BTreeSet<char> = files.iter().flat_map(|file| file.text.chars()).collect();
        let longest = files.iter().map(|file| file.text.chars().count()).max();
        return Err(error)
            .with_context(|| path.display().to_string())
            .with_context(|| {
                format!(
                    "{count} of {} labels do not fit the network, which knows {:?} and up to {} \
                     characters; the labels hold {:?} and up to {}. Mend the labels, or write a \
                     preset with another network: under [model], the configuration that \
                     `captcha-lens info --json` shows, with this alphabet and max_length. It \
                     starts from random weights",
                    files.len(),
                    config.alphabet,
                    config.max_length,
                    characters.iter().collect::<String>(),
                    longest.unwrap_or_default()
                )
            });
    }
    for Labelled { path, .. } in files {
        ensure!(path.is_file(), "there is no file {}", path.display());
    }
    Ok(())
}

fn by_spec(folder: &Path, path: &Path) -> Result<Vec<Labelled>> {
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
        files.push(Labelled {
            path: folder.join(format!("{name}.png")),
            text: word.to_owned(),
        });
    }
    ensure!(!files.is_empty(), "{} names no image", path.display());
    Ok(files)
}

/// A folder's [`LABELS_FILE`], whatever the case of its name.
fn labels_file(folder: &Path) -> Result<Option<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let name = entry?.file_name();
        if name.eq_ignore_ascii_case(LABELS_FILE) {
            found.push(folder.join(name));
        }
    }
    // Of several the one in small letters, which is the last by name.
    Ok(found.into_iter().max())
}

fn by_csv(folder: &Path, path: &Path) -> Result<Vec<Labelled>> {
    let place = || path.display().to_string();
    let text = read_text(path)?;
    // As spreadsheets of some languages write it; `csvRows` in the page does the same.
    let first = text.lines().find(|line| !line.trim().is_empty());
    let separator = *b",;\t"
        .iter()
        .find(|&&mark| first.is_some_and(|line| line.contains(char::from(mark))))
        .unwrap_or(&b',');
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .delimiter(separator)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let mut files = Vec::new();
    let mut columns = (0, 1);
    for (number, row) in reader.records().enumerate() {
        let row = row.with_context(place)?;
        // The reader knows quotes at a field's very start only.
        let field = |index| row.get(index).unwrap_or_default().trim_matches('"');
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
        files.push(Labelled {
            path,
            text: text.to_owned(),
        });
    }
    ensure!(
        !files.is_empty(),
        "{} names no image with its label: expected file,label",
        place()
    );
    Ok(files)
}

/// Whether a file is an image by its name.
fn is_image(path: &Path) -> bool {
    extension(path).is_some_and(|extension| EXTENSIONS.contains(&extension.as_str()))
        && !is_hidden(path)
}

/// Whether a file is hidden, as `._name.png` is, which macOS puts beside `name.png` in archives.
fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| {
        let name = name.as_encoded_bytes();
        name.starts_with(b".") || name == b"__MACOSX"
    })
}

fn extension(path: &Path) -> Option<String> {
    Some(path.extension()?.to_str()?.to_lowercase())
}

/// A text without the mark that some editors begin it with.
pub fn read_text(path: &Path) -> Result<String> {
    let text =
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(text.trim_start_matches('\u{feff}').to_owned())
}

fn by_names(folder: &Path) -> Result<Vec<Labelled>> {
    let files: Vec<_> = image_files(folder)?
        .into_iter()
        .map(|path| {
            let stem = path.file_stem().unwrap_or_default().to_string_lossy();
            let text = without_copy(stem.split('_').next().unwrap_or(&stem)).to_owned();
            Labelled { path, text }
        })
        .collect();
    ensure!(
        !files.is_empty(),
        "{} holds no labelled image: no {SPEC_FILE}, no {LABELS_FILE}, no file named LABEL.png",
        folder.display()
    );
    Ok(files)
}

/// Reads one image file.
pub fn read_image(path: &Path) -> Result<captcha_model::image::RgbImage> {
    let mut bytes = Vec::new();
    // A byte more than may be, so that the decoder says what is wrong.
    File::open(path)
        .and_then(|file| file.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes))
        .with_context(|| format!("cannot read {}", path.display()))?;
    decode_image(&bytes).with_context(|| path.display().to_string())
}

/// A labelled folder as a source: every image once an epoch, in another order each time.
pub struct Folder {
    files: Vec<Labelled>,
    seed: u64,
    order: Mutex<Option<(usize, Vec<usize>)>>,
}

impl Folder {
    /// All of `files`, shuffled by `seed` and epoch.
    pub fn new(files: Vec<Labelled>, seed: u64) -> Self {
        Self {
            files,
            seed,
            order: Mutex::new(None),
        }
    }

    fn at(&self, epoch: usize, index: usize) -> usize {
        let mut order = self
            .order
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        match order.as_ref() {
            Some((known, order)) if *known == epoch => order[index],
            _ => {
                let mut fresh: Vec<usize> = (0..self.files.len()).collect();
                let mut random = ChaCha8Rng::seed_from_u64(self.seed);
                random.set_stream(epoch as u64);
                fresh.shuffle(&mut random);
                let at = fresh[index];
                *order = Some((epoch, fresh));
                at
            }
        }
    }
}

impl Source for Folder {
    fn len(&self) -> usize {
        self.files.len()
    }

    fn example(&self, epoch: usize, index: usize) -> Result<Example> {
        let file = &self.files[self.at(epoch, index)];
        Ok(Example {
            image: read_image(&file.path)?,
            text: file.text.clone(),
            characters: None,
            drawn: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: &str = "abcdefghijklmnopqrstuvwxyz";

    fn likely(names: &[&str], alphabet: &str) -> bool {
        let files: Vec<Labelled> = names
            .iter()
            .map(|name| Labelled {
                path: PathBuf::from(name),
                text: without_copy(name.split('_').next().unwrap_or_default()).to_owned(),
            })
            .collect();
        Vocabulary::new(alphabet)
            .is_ok_and(|vocabulary| labels_are_likely(Path::new("none"), &files, &vocabulary))
    }

    // As `tests/e2e/unit/audit-files.test.mjs` asks of the page.
    #[test]
    fn names_of_letters_and_digits_are_likely_labels() {
        assert!(likely(&["049025", "137721", "950008", "002114"], WORDS));
        assert!(likely(&["HOUSE", "RIVER"], WORDS));
        assert!(likely(&["7kQ2", "b29x", "ñu"], WORDS));
        assert!(likely(&["thus (1)", "thus-2", "line(3)"], WORDS));
        assert!(!likely(&["1+2=", "3+4="], WORDS));
        assert!(likely(&["1+2=", "3+4="], "0123456789+="));
    }

    #[test]
    fn names_that_count_are_no_labels() {
        assert!(!likely(&["IMG_1", "IMG_2"], WORDS));
        assert!(!likely(&["2026-01-01", "2026-01-02"], WORDS));
        let counted = |name: &str, from: usize| -> Vec<String> {
            (from..from + 20)
                .map(|number| format!("{name}{number:03}"))
                .collect()
        };
        for names in [counted("", 1), counted("", 20_190), counted("captcha", 1)] {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            assert!(!likely(&names, WORDS), "{names:?}");
        }
    }

    #[test]
    fn the_name_of_a_copy_is_that_of_its_original() {
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
            assert_eq!(without_copy(name), original);
        }
    }
}
