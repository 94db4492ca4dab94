//! Labelled images in a folder, in any of three layouts.

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

use crate::data::{Example, Source};

/// The paper's label file: one `NAME WORD` a line, images beside it as `NAME.png`.
pub const SPEC_FILE: &str = "spec_train_val.txt";
const LABELS_FILE: &str = "labels.csv";
const EXTENSIONS: [&str; 6] = ["png", "jpg", "jpeg", "webp", "gif", "bmp"];

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
    /// by chance, the same ones each time.
    Train,
    /// The rest.
    Validation,
}

/// Lists a folder's labelled images: by [`SPEC_FILE`], by `labels.csv` (`file,label`), or by
/// names of the form `label.png` and `label_anything.png`. Labels come in the letters of the
/// vocabulary.
pub fn labelled_files(folder: &Path, part: Part, vocabulary: &Vocabulary) -> Result<Vec<Labelled>> {
    ensure!(folder.is_dir(), "{} is not a folder", folder.display());
    let (spec, csv) = (folder.join(SPEC_FILE), folder.join(LABELS_FILE));
    let mut files = if spec.exists() {
        by_spec(folder, &spec)?
    } else if csv.exists() {
        by_csv(folder, &csv)?
    } else {
        by_names(folder)?
    };
    for file in &mut files {
        file.text = vocabulary.fold(&file.text);
    }
    if part != Part::All && !spec.exists() {
        // By name, the parts would have other words.
        files.shuffle(&mut ChaCha8Rng::seed_from_u64(0));
    }
    let cut = (files.len() * 5).div_ceil(6);
    match part {
        Part::All => {}
        Part::Train => files.truncate(cut),
        Part::Validation => {
            files.drain(..cut);
        }
    }
    ensure!(
        !files.is_empty(),
        "{} holds too few images to split",
        folder.display()
    );
    Ok(files)
}

/// A folder's image files, by name.
pub fn image_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        files.extend(Some(entry?.path()).filter(|path| is_image(path)));
    }
    files.sort();
    Ok(files)
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
/// by a file, or else, as in the audit page (`areLikely` in `web/src/audit/labels.js`), four fifths
/// of them short and of letters, digits or what else the network reads, not all the same, and no
/// mere numbers in a row.
pub fn labels_are_likely(folder: &Path, files: &[Labelled], vocabulary: &Vocabulary) -> bool {
    if folder.join(SPEC_FILE).exists() || folder.join(LABELS_FILE).exists() {
        return true;
    }
    let is_likely = |text: &str| {
        (1..=12).contains(&text.chars().count())
            && text
                .chars()
                .all(|letter| letter.is_alphanumeric() || vocabulary.id(letter).is_some())
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
            .map(|(at, letter)| at + letter.len_utf8());
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
    let shared = shared.trim_end_matches(|letter: char| letter.is_ascii_digit());
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
        let rest = text.trim_end_matches(|letter: char| letter.is_ascii_digit());
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
    for Labelled { path, text } in files {
        vocabulary
            .target(text, config.max_letters)
            .with_context(|| path.display().to_string())?;
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
    for (number, row) in reader.records().enumerate() {
        let row = row.with_context(place)?;
        // The reader knows quotes at a field's very start only.
        let field = |index| row.get(index).unwrap_or_default().trim_matches('"');
        let (path, text) = (folder.join(field(0)), field(1));
        let is_header = number == 0 && !is_image(&path) && !path.exists();
        if is_header || field(0).is_empty() || text.is_empty() {
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
    let extension = path.extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|extension| EXTENSIONS.contains(&extension.to_lowercase().as_str()))
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
            letters: None,
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
