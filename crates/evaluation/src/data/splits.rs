//! Which images of a labelled folder are trained on, and which judge; and what a run remembers of
//! them, so that no image ever changes sides unseen.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail, ensure};
use captcha_model::ModelConfig;
use captcha_model::image::{MAX_BYTES, decode_image};
use rayon::prelude::*;

use crate::data::folder::{Labelled, check_labels, listed_files};
use crate::files::{Hash, hash, hex};

/// Files named one by one in a note; the rest are counted.
const NAMED: usize = 5;
/// An image with a side below so many pixels, or longer than wide (or wider than long) by such a
/// factor, is hardly a CAPTCHA.
const SMALLEST_SIDE: u32 = 8;
const LARGEST_ASPECT: u32 = 20;

/// A labelled image and the hash of its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hashed {
    /// The image.
    pub file: Labelled,
    /// Of the file's content.
    pub hash: Hash,
}

/// A folder's images in two parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    /// Trained on.
    pub train: Vec<Hashed>,
    /// Judged by, never trained on.
    pub validation: Vec<Hashed>,
}

/// Divides images into five sixths and one sixth.
///
/// Where the folder gives an order, the first five sixths are trained on, as the paper does. Where
/// it gives none, the hash of an image's content decides: copies of one image stay together, and an
/// image stays where it is whatever is added to the folder. If no hash falls into the sixth, the
/// smallest one is taken for it, so a small folder has a validation part, too; an image that was
/// trained on does not get there.
///
/// # Errors
///
/// If a part would be empty.
pub fn divide(mut images: Vec<Hashed>, in_order: bool) -> Result<Parts> {
    let count = images.len();
    let distinct = {
        let mut hashes: Vec<&Hash> = images.iter().map(|image| &image.hash).collect();
        hashes.sort_unstable();
        hashes.dedup();
        hashes.len()
    };
    let wanted = "a training and a validation part take at least 2 different images, and training \
                  takes hundreds";
    ensure!(
        count > 1,
        "it holds too few images to split ({count}): {wanted}"
    );
    if in_order {
        let validation = images.split_off((count * 5).div_ceil(6).min(count - 1));
        return Ok(Parts {
            train: images,
            validation,
        });
    }
    ensure!(
        distinct > 1,
        "it holds {count} copies of one image, too few to split: {wanted}"
    );
    // By hash, too, so that the first images of a part are a fair sample of it.
    images.sort_by_key(|image| image.hash);
    let place = |image: &Hashed| {
        let first = image.hash.first_chunk().copied().unwrap_or_default();
        u64::from_be_bytes(first)
    };
    let mut cut = images.partition_point(|image| place(image) < u64::MAX / 6);
    if cut == 0 {
        cut = images.partition_point(|image| image.hash == images[0].hash);
    }
    ensure!(
        cut < count,
        "it holds too few images to split ({count}): by chance all belong to the validation part; \
         add some"
    );
    let train = images.split_off(cut);
    Ok(Parts {
        train,
        validation: images,
    })
}

/// Hashes files; one that cannot be read goes by its name, so that its reader can report the error.
pub(crate) fn hashed(files: Vec<Labelled>) -> Vec<Hashed> {
    files
        .into_par_iter()
        .map(|file| Hashed {
            hash: match read(&file.path) {
                Ok(bytes) => hash(&bytes),
                Err(_) => hash(file.path.as_os_str().as_encoded_bytes()),
            },
            file,
        })
        .collect()
}

/// At most a byte more than an image file may have: the decoder says what is wrong.
fn read(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes))
        .with_context(|| format!("cannot read {}", path.display()))?;
    Ok(bytes)
}

/// The images of a labelled folder that a network can learn from, in two parts, and what should be
/// said of them. Images that cannot be read are left out.
///
/// # Errors
///
/// If the labels cannot be learnt, a file is missing, no image can be read, or there are too few.
pub fn training_parts(folder: &Path, config: &ModelConfig) -> Result<(Parts, Vec<String>)> {
    let listing = listed_files(folder, &config.vocabulary()?)?;
    let mut notes = listing.checked(folder)?;
    check_labels(&listing.files, config)?;
    let count = listing.files.len();
    let looked_at: Vec<_> = listing
        .files
        .into_par_iter()
        .map(|file| {
            let look = || -> Result<_> {
                let bytes = read(&file.path)?;
                let image =
                    decode_image(&bytes).with_context(|| file.path.display().to_string())?;
                Ok((hash(&bytes), image.dimensions()))
            };
            look().map(|(hash, size)| (Hashed { file, hash }, size))
        })
        .collect();
    let (mut images, mut unreadable, mut odd) = (Vec::new(), Vec::new(), Vec::new());
    for looked_at in looked_at {
        match looked_at {
            Ok((image, (width, height))) => {
                let (short, long) = (width.min(height), width.max(height));
                if short < SMALLEST_SIDE || long > LARGEST_ASPECT * short {
                    let path = image.file.path.display();
                    odd.push(format!("{path} ({width} x {height} pixels)"));
                }
                images.push(image);
            }
            Err(error) => unreadable.push(format!("{error:#}")),
        }
    }
    if images.is_empty() {
        bail!(
            "none of the {count} images of {} can be read: {}",
            folder.display(),
            named(&unreadable)
        );
    }
    if !unreadable.is_empty() {
        let (left_out, why) = (unreadable.len(), named(&unreadable));
        notes.push(format!(
            "{left_out} of {count} images cannot be read and are left out: {why}"
        ));
    }
    if !odd.is_empty() {
        notes.push(format!(
            "{} of {count} images have a size that CAPTCHAs hardly have, but are learnt from: {}",
            odd.len(),
            named(&odd)
        ));
    }
    notes.extend(contradictions(&images));
    let parts = divide(images, listing.in_order).with_context(|| match unreadable.len() {
        0 => folder.display().to_string(),
        left_out => format!(
            "{} ({left_out} more cannot be read: {})",
            folder.display(),
            named(&unreadable)
        ),
    })?;
    Ok((parts, notes))
}

/// The first few of many.
fn named(all: &[String]) -> String {
    let mut text = all[..all.len().min(NAMED)].join("; ");
    if all.len() > NAMED {
        text += &format!("; and {} more", all.len() - NAMED);
    }
    text
}

/// A note on files of the same content whose labels differ.
fn contradictions(images: &[Hashed]) -> Option<String> {
    let mut first: BTreeMap<&Hash, &Labelled> = BTreeMap::new();
    let mut found = Vec::new();
    for Hashed { file, hash } in images {
        let known = *first.entry(hash).or_insert(file);
        if known.text != file.text {
            found.push(format!(
                "{} ({:?}) and {} ({:?})",
                known.path.display(),
                known.text,
                file.path.display(),
                file.text
            ));
        }
    }
    (!found.is_empty()).then(|| {
        format!(
            "{} images are the same as another but have another label: {}",
            found.len(),
            named(&found)
        )
    })
}

/// What a run was begun with: each image's name, label, part and content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageList(BTreeMap<String, Listed>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Listed {
    label: String,
    part: String,
    hash: String,
}

const HEADER: [&str; 4] = ["file", "label", "part", "sha256"];

impl ImageList {
    /// Of a folder's parts; names are relative to the folder.
    pub fn new(folder: &Path, parts: &Parts) -> Self {
        let listed = |(part, image): (&str, &Hashed)| {
            let path = &image.file.path;
            let name = path.strip_prefix(folder).unwrap_or(path).to_string_lossy();
            let listed = Listed {
                label: image.file.text.clone(),
                part: part.to_owned(),
                hash: hex(&image.hash),
            };
            (name.into_owned(), listed)
        };
        let train = parts.train.iter().map(|image| ("train", image));
        let validation = parts.validation.iter().map(|image| ("validation", image));
        Self(train.chain(validation).map(listed).collect())
    }

    /// As a CSV file, the same for the same images.
    pub fn to_csv(&self) -> Result<Vec<u8>> {
        let mut csv = csv::Writer::from_writer(Vec::new());
        csv.write_record(HEADER)?;
        for (name, listed) in &self.0 {
            csv.write_record([name, &listed.label, &listed.part, &listed.hash])?;
        }
        csv.into_inner().map_err(|error| anyhow!("{error}"))
    }

    /// Of a CSV file.
    pub fn from_csv(bytes: &[u8]) -> Result<Self> {
        let mut images = BTreeMap::new();
        for row in csv::Reader::from_reader(bytes).records() {
            let row = row?;
            let field = |index: usize| row.get(index).unwrap_or_default().to_owned();
            let listed = Listed {
                label: field(1),
                part: field(2),
                hash: field(3),
            };
            images.insert(field(0), listed);
        }
        Ok(Self(images))
    }

    /// What tells lists apart.
    pub fn digest(&self) -> Result<String> {
        Ok(hex(&hash(&self.to_csv()?)))
    }

    /// What became of these images in a later list, in words; none if nothing did.
    pub fn changes(&self, later: &Self) -> Option<String> {
        let count = |list: &Self, differs: &dyn Fn(&str, &Listed) -> bool| {
            let names = list.0.iter();
            names.filter(|(name, listed)| differs(name, listed)).count()
        };
        let old = |name: &str| self.0.get(name);
        let both = |differs: fn(&Listed, &Listed) -> bool| {
            count(later, &|name, new| {
                old(name).is_some_and(|old| differs(old, new))
            })
        };
        let counts = [
            (count(later, &|name, _| old(name).is_none()), "added"),
            (
                count(self, &|name, _| !later.0.contains_key(name)),
                "removed or unreadable",
            ),
            (both(|old, new| old.label != new.label), "relabelled"),
            (both(|old, new| old.hash != new.hash), "replaced"),
            (
                both(|old, new| old.part != new.part),
                "moved to the other part",
            ),
        ];
        let told = counts.iter().filter(|(count, _)| *count > 0);
        let told: Vec<_> = told
            .map(|(count, what)| format!("{count} {what}"))
            .collect();
        (!told.is_empty()).then(|| told.join(", "))
    }
}
