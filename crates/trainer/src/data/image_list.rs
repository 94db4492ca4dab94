//! A record of the images that a run was started with.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Result, anyhow};
use captcha_evaluation::data::splits::{HashedFile, Parts};
use captcha_evaluation::files::{hash, hex};

/// Name, label, part and hash of each image of a labelled folder.
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
    /// The list of a folder's parts; names are relative to the folder.
    pub fn new(folder: &Path, parts: &Parts) -> Self {
        let listed = |(part, image): (&str, &HashedFile)| {
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

    /// A CSV file; equal lists give equal bytes.
    pub fn to_csv(&self) -> Result<Vec<u8>> {
        let mut csv = csv::Writer::from_writer(Vec::new());
        csv.write_record(HEADER)?;
        for (name, listed) in &self.0 {
            csv.write_record([name, &listed.label, &listed.part, &listed.hash])?;
        }
        csv.into_inner().map_err(|error| anyhow!("{error}"))
    }

    /// Reads a CSV file.
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

    /// A digest; equal lists have equal digests.
    pub fn digest(&self) -> Result<String> {
        Ok(hex(&hash(&self.to_csv()?)))
    }

    /// Describes the differences of a later list; `None` if there are none.
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
        let changes = counts.iter().filter(|(count, _)| *count > 0);
        let changes: Vec<_> = changes
            .map(|(count, what)| format!("{count} {what}"))
            .collect();
        (!changes.is_empty()).then(|| changes.join(", "))
    }
}
