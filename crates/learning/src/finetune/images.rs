//! The labelled images that a network is adapted to, and the configuration that fits them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::sync::Arc;

use anyhow::{Result, bail, ensure};
use captcha_evaluation::data::labels::LabelledFile;
use captcha_evaluation::data::splits::{HashedFile, Parts};
use captcha_evaluation::wording::plural;
use captcha_model::ModelConfig;
use captcha_model::config::Proportions;

use crate::data::read_images::{ImageSource, named, read_images};

/// The longest label, and the largest alphabet.
const MAX_LENGTH: usize = 16;
const MAX_ALPHABET: usize = 512;
/// Images whose aspect ratios differ by more than this factor are not all stretched to the same
/// input.
const MAX_STRETCH: f64 = 1.25;
/// Share of the images, at either end, that may have any aspect ratio.
const OUTLIERS: f64 = 0.02;
/// A character in fewer training images than this is reported.
const FEW_IMAGES_OF_CHARACTER: usize = 5;
/// Characters that a note names; the others are counted.
const MAX_NAMED: usize = 8;
/// Fewer labelled images than this are reported.
const FEW_IMAGES: usize = 50;

/// One of so many labelled images validates a run of a learning curve.
const VALIDATION_ONE_IN: usize = 6;
/// Fewer labels cannot be split.
pub const MIN_LABELS: usize = 6;

/// Labelled images in two parts, with what follows from their labels.
#[derive(Clone, Debug)]
pub struct LabelledImages {
    /// The parts.
    pub parts: Parts,
    /// All characters of the labels, sorted.
    pub alphabet: String,
    /// Length of the longest label.
    pub max_length: usize,
    /// Lengths of the labels, shortest to longest.
    pub lengths: RangeInclusive<usize>,
    /// Width divided by height of each image, sorted.
    pub aspect_ratios: Vec<f64>,
    /// Notes for the user.
    pub notes: Vec<String>,
    /// Where the images are.
    pub source: Arc<dyn ImageSource>,
}

/// Labelled images that are not read yet.
#[derive(Clone, Debug)]
pub struct LabelledList {
    /// Where they are, in messages.
    pub place: String,
    /// The images, each with its label.
    pub files: Vec<LabelledFile>,
    /// Whether their order divides them into training and validation part, and not their content.
    pub ordered: bool,
    /// What the user should know of the labels.
    pub notes: Vec<String>,
}

impl LabelledImages {
    /// Reads listed images from their source.
    ///
    /// # Errors
    ///
    /// If no image can be used, or a part would be empty.
    pub fn read(list: LabelledList, source: Arc<dyn ImageSource>) -> Result<Self> {
        let LabelledList {
            place,
            files,
            ordered,
            mut notes,
        } = list;
        let files = without_long_labels(files, &mut notes)?;
        let read = read_images(&place, files, &*source)?;
        notes.extend(read.notes);
        notes.extend(different_sizes(&read.sizes));
        let aspect_ratios = aspect_ratios(&read.sizes);
        let parts = read.images.split(&place, ordered)?;
        let mut images = Self {
            alphabet: String::new(),
            max_length: 0,
            lengths: 1..=1,
            parts: Parts::default(),
            aspect_ratios,
            notes,
            source,
        }
        .with_parts(parts);
        let characters: Vec<char> = images.alphabet.chars().collect();
        ensure!(
            characters.len() <= MAX_ALPHABET,
            "the labels contain {} different characters, more than {MAX_ALPHABET}: check that the \
             label column holds the texts",
            characters.len()
        );
        images.notes.extend(few_images(&images.parts));
        Ok(images)
    }

    /// Other parts of the same images; alphabet and length come from their labels.
    pub fn with_parts(&self, parts: Parts) -> Self {
        let images = parts.train.iter().chain(&parts.validation);
        let labels: Vec<&str> = images.map(|image| image.file.text.as_str()).collect();
        let characters: BTreeSet<char> = labels.iter().flat_map(|label| label.chars()).collect();
        let lengths = labels.iter().map(|label| label.chars().count());
        let longest = lengths.clone().max().unwrap_or(1);
        Self {
            alphabet: characters.into_iter().collect(),
            max_length: longest,
            lengths: lengths.min().unwrap_or(1)..=longest,
            aspect_ratios: self.aspect_ratios.clone(),
            notes: self.notes.clone(),
            source: self.source.clone(),
            parts,
        }
    }

    /// A random part of the training images, at least [`MIN_LABELS`], split for a run of a learning
    /// curve. The hash decides, so that a larger part contains a smaller one. Alphabet and length
    /// come from these labels alone, as an attacker knows no others.
    pub fn with_labels(&self, labels: usize) -> Self {
        let mut train = self.parts.train.clone();
        // The first bytes divide the folder; these are independent of them.
        train.sort_by_key(|image| image.hash[8..16].to_vec());
        train.truncate(labels);
        train.sort_by_key(|image| image.hash[16..24].to_vec());
        let own = (train.len() / VALIDATION_ONE_IN).max(1);
        let validation = train.split_off(train.len().saturating_sub(own));
        self.with_parts(Parts { train, validation })
    }

    /// Notes on the characters of the labels, for a network that starts with those of `known`: the ones
    /// that it has to learn from few images, and the ones that it will not write any more.
    pub fn notes_on_characters(&self, known: &str) -> Vec<String> {
        let mut notes = Vec::new();
        let (mut few, mut none) = (Vec::new(), Vec::new());
        for character in self.alphabet.chars().filter(|&c| !known.contains(c)) {
            match images_with(&self.parts.train, character) {
                0 => none.push(character),
                images if images < FEW_IMAGES_OF_CHARACTER => few.push(character),
                _ => (),
            }
        }
        if !none.is_empty() {
            notes.push(format!(
                "no training image contains {}, so the network cannot learn {}: add images",
                named_characters(&none),
                plural(none.len(), "it", "them")
            ));
        }
        if !few.is_empty() {
            notes.push(format!(
                "few training images contain {}: the network often confuses such characters",
                named_characters(&few)
            ));
        }
        let dropped: Vec<char> = known
            .chars()
            .filter(|&character| !self.alphabet.contains(character))
            .collect();
        if !dropped.is_empty() {
            let count = self.alphabet.chars().count();
            notes.push(format!(
                "the network will write only the {count} {} of the labels, and not {}, which the \
                 initial weights know: a text with another character is never read",
                plural(count, "character", "characters"),
                named_characters(&dropped)
            ));
        }
        notes
    }

    /// The characters that the generator draws, too.
    pub fn drawn_characters(&self) -> impl Iterator<Item = char> {
        self.alphabet.chars().filter(char::is_ascii_alphanumeric)
    }

    /// In how many training images a character is that `known` does not have and the generator draws,
    /// on average; `None` if there is none.
    pub fn images_of_unknown_character(&self, known: &str) -> Option<f64> {
        let unknown = self.drawn_characters().filter(|&c| !known.contains(c));
        let counts: Vec<usize> = unknown
            .map(|character| images_with(&self.parts.train, character))
            .collect();
        let images = counts.iter().sum::<usize>() as f64;
        (!counts.is_empty()).then(|| images / counts.len() as f64)
    }

    /// The configuration of a network for these images that can start from the weights of `from`.
    /// Its input has the images' proportions and about `pixel_share` times the pixels of the input
    /// of `from`. `None` keeps the input.
    pub fn network(&self, from: &ModelConfig, pixel_share: Option<f64>) -> ModelConfig {
        let mut config = from.clone();
        config.alphabet.clone_from(&self.alphabet);
        config.max_length = self.max_length;
        let mut config = self.with_input_of_images(config, pixel_share);
        // The initial network finds its way in a smaller grid as well, and forgets less without
        // places.
        let mut sizes = config.input_sizes().into_iter();
        let is_larger =
            sizes.any(|[height, width]| height > from.input.height || width > from.input.width);
        config.encoder.positions |= is_larger || self.max_length > from.max_length;
        config
    }

    /// The configuration with an input of the images' proportions; `None` keeps the input.
    fn with_input_of_images(&self, config: ModelConfig, pixel_share: Option<f64>) -> ModelConfig {
        let Some(share) = pixel_share else {
            return config;
        };
        let pixels = share * (config.input.height * config.input.width) as f64;
        let ratio = |share: f64| {
            let last = self.aspect_ratios.len().saturating_sub(1);
            let place = (share * last as f64).round() as usize;
            self.aspect_ratios.get(place).copied().unwrap_or(1.0)
        };
        let fixed = config.with_input(config.input_size(ratio(0.5), pixels));
        let mut own = fixed.clone();
        own.input.proportions = Proportions::Image;
        let input = |share| own.for_image((1000.0 * ratio(share)) as u32, 1000).input;
        let differ = ratio(1.0 - OUTLIERS) > MAX_STRETCH * ratio(OUTLIERS)
            && input(1.0 - OUTLIERS) != input(OUTLIERS);
        let wanted = if differ { own.clone() } else { fixed.clone() };
        let mut fitting = [wanted, fixed].into_iter();
        let fitting = fitting.find(|config| config.validate().is_ok());
        fitting.unwrap_or(config)
    }
}

/// Leaves out images whose label is too long.
fn without_long_labels(
    files: Vec<LabelledFile>,
    notes: &mut Vec<String>,
) -> Result<Vec<LabelledFile>> {
    let count = files.len();
    let (files, long): (Vec<_>, Vec<_>) = files
        .into_iter()
        .partition(|file| file.text.chars().count() <= MAX_LENGTH);
    let names: Vec<_> = long
        .iter()
        .map(|file| format!("{} ({:?})", file.path.display(), file.text))
        .collect();
    if files.is_empty() {
        bail!(
            "all {count} labels are longer than {MAX_LENGTH} characters: {}. Check that the label \
             column holds the texts",
            named(&names)
        );
    }
    if !long.is_empty() {
        notes.push(format!(
            "{} of {count} {} longer than {MAX_LENGTH} characters and {} left out: {}",
            long.len(),
            plural(long.len(), "label is", "labels are"),
            plural(long.len(), "is", "are"),
            named(&names)
        ));
    }
    Ok(files)
}

/// Width divided by height of each image, sorted.
fn aspect_ratios(sizes: &[(u32, u32)]) -> Vec<f64> {
    let mut ratios: Vec<f64> = sizes
        .iter()
        .map(|&(width, height)| f64::from(width) / f64::from(height.max(1)))
        .collect();
    ratios.sort_by(f64::total_cmp);
    ratios
}

/// A note on images of different sizes.
fn different_sizes(sizes: &[(u32, u32)]) -> Option<String> {
    let mut counts: BTreeMap<(u32, u32), usize> = BTreeMap::new();
    for size in sizes {
        *counts.entry(*size).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
    (counts.len() > 1).then(|| {
        let sizes: Vec<_> = counts
            .iter()
            .map(|((width, height), count)| format!("{width} x {height} ({count})"))
            .collect();
        format!(
            "the images have {} sizes, and each is scaled to the network's input: {}",
            counts.len(),
            named(&sizes)
        )
    })
}

/// A note on a small folder.
fn few_images(parts: &Parts) -> Option<String> {
    let all = parts.train.len() + parts.validation.len();
    (all < FEW_IMAGES).then(|| {
        format!(
            "{all} labelled {} few; a few hundred give much better results",
            plural(all, "image is", "images are")
        )
    })
}

/// The first few characters, and the number of the others.
fn named_characters(characters: &[char]) -> String {
    let shown: Vec<String> = (characters.iter().take(MAX_NAMED))
        .map(|character| format!("{character:?}"))
        .collect();
    let more = characters.len().saturating_sub(MAX_NAMED);
    let rest = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    format!("{}{rest}", shown.join(", "))
}

/// The number of images whose label has a character.
fn images_with(images: &[HashedFile], character: char) -> usize {
    let with = images
        .iter()
        .filter(|image| image.file.text.contains(character));
    with.count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::read_images::Disk;

    fn images(sizes: &[(u32, u32)]) -> LabelledImages {
        LabelledImages {
            parts: Parts::default(),
            alphabet: "ab".into(),
            max_length: 2,
            lengths: 2..=2,
            aspect_ratios: aspect_ratios(sizes),
            notes: Vec::new(),
            source: Arc::new(Disk),
        }
    }

    #[test]
    fn unknown_characters_are_those_that_the_generator_draws() {
        let with_labels = |labels: &[&str]| {
            let train = labels.iter().map(|label| HashedFile {
                file: LabelledFile {
                    path: "image.png".into(),
                    text: (*label).to_owned(),
                },
                hash: [0; 32],
            });
            let parts = Parts {
                train: train.collect(),
                validation: Vec::new(),
            };
            images(&[]).with_parts(parts)
        };
        let count = |labels: &[&str]| with_labels(labels).images_of_unknown_character("ab");
        assert_eq!(count(&["ab", "ba"]), None);
        assert_eq!(count(&["a1", "11", "b2", "a"]), Some(1.5));
        assert_eq!(count(&["a\u{e9}", "\u{5b57}+="]), None);
    }

    #[test]
    fn notes_tell_new_characters_with_few_images_and_dropped_ones() {
        let train = ["a1", "1b", "11", "b1", "1", "2a"].map(|label| HashedFile {
            file: LabelledFile {
                path: "image.png".into(),
                text: label.to_owned(),
            },
            hash: [0; 32],
        });
        let mut validation = train[..1].to_vec();
        validation[0].file.text = "3".into();
        let parts = Parts {
            train: train.to_vec(),
            validation,
        };
        let images = images(&[]).with_parts(parts);
        let notes = images.notes_on_characters("abcdefghijkl");
        assert_eq!(notes.len(), 3, "{notes:?}");
        assert!(notes[0].contains("contains '3', so the network cannot learn it"));
        assert!(notes[1].contains("contain '2': the network often confuses"));
        assert!(notes[2].contains("only the 5 characters of the labels"));
        assert!(notes[2].contains("and not 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j' and 2 more"));
        // What the network knows needs no new images.
        assert_eq!(images.notes_on_characters("ab123"), [""; 0]);
    }

    #[test]
    fn network_has_the_proportions_of_the_images() {
        let compact = ModelConfig::compact();
        let network = |sizes: &[(u32, u32)]| images(sizes).network(&compact, Some(1.0)).input;
        let wide = network(&[(200, 50), (200, 50), (204, 50)]);
        assert_eq!([wide.height, wide.width], [132, 516]);
        assert_eq!(wide.proportions, Proportions::Fixed);
        let mixed = network(&[(148, 50), (180, 50), (222, 50)]);
        assert_eq!(mixed.proportions, Proportions::Image);
        // Both are squares for the network.
        let high = network(&[(60, 100), (70, 100), (90, 100)]);
        assert_eq!(high.proportions, Proportions::Fixed);
        let mut one_outlier = vec![(200, 50); 99];
        one_outlier.push((50, 50));
        assert_eq!(network(&one_outlier).proportions, Proportions::Fixed);
        assert_eq!(
            images(&[(200, 50)]).network(&compact, None).input,
            compact.input
        );
    }

    #[test]
    fn places_are_added_for_a_larger_input_or_longer_texts() {
        let compact = ModelConfig::compact();
        let places = |size, max_length| {
            let mut images = images(&[size]);
            images.max_length = max_length;
            images.network(&compact, Some(1.0)).encoder.positions
        };
        assert!(!places((200, 100), 5));
        assert!(!places((180, 100), 5));
        assert!(places((200, 50), 5));
        assert!(places((200, 100), 6));
    }
}
