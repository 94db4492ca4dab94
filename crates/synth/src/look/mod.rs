//! Looks: what a CAPTCHA looks like, as data. A look file (TOML) has one section for each part of
//! the picture; every number is a range, from which each image draws its own.

mod check;
mod hard;
mod named;
mod palette;
mod random;
mod sections;
mod span;

use serde::{Deserialize, Serialize};

use crate::alphabet::expand_alphabet;
use crate::error::SynthError;
use crate::text::TextSource;

pub(crate) use palette::{Palette, Rgb};
use sections::{Distortion, Frame, Ground, Ink, Layout, Outline, Shadow, Texts, Typeface};
pub(crate) use sections::{Finish, Layer, Mark, MarkColor, Pen, Place};
pub(crate) use span::Span;

/// The appearance of a family of CAPTCHAs.
///
/// ```
/// use captcha_synth::{FontSet, Generator, Look, Split};
///
/// let look = Look::named("digits-plain")?;
/// let generator = Generator::of_look(look, FontSet::Train, Split::Export, 7);
/// let sample = generator.sample(0);
/// assert!(sample.text.chars().all(|character| character.is_ascii_digit()));
/// # Ok::<(), captcha_synth::SynthError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Look {
    #[serde(skip)]
    name: String,
    /// Who draws the characters.
    #[serde(default)]
    pub(crate) pen: Pen,
    /// One line that describes the look.
    title: String,
    pub(crate) text: Texts,
    #[serde(default)]
    pub(crate) image: Frame,
    #[serde(default)]
    pub(crate) ground: Ground,
    #[serde(default)]
    pub(crate) ink: Ink,
    #[serde(default)]
    pub(crate) font: Typeface,
    #[serde(default)]
    pub(crate) layout: Layout,
    #[serde(default)]
    pub(crate) distortion: Distortion,
    #[serde(default)]
    pub(crate) outline: Outline,
    #[serde(default)]
    pub(crate) shadow: Shadow,
    #[serde(default)]
    pub(crate) clutter: Vec<Layer>,
    #[serde(default)]
    pub(crate) finish: Finish,
}

impl Look {
    /// The names of the built-in looks.
    pub fn names() -> impl ExactSizeIterator<Item = &'static str> + Clone {
        named::NAMED.iter().map(|&(name, _)| name)
    }

    /// The built-in look with this name.
    ///
    /// # Errors
    /// [`SynthError::UnknownLook`] if there is none.
    pub fn named(name: &str) -> Result<Self, SynthError> {
        let found = named::NAMED.iter().find(|&&(known, _)| known == name);
        let (_, file) = found.ok_or_else(|| SynthError::UnknownLook {
            found: name.to_owned(),
            known: Self::names().map(str::to_owned).collect(),
        })?;
        Self::from_toml(name, file)
    }

    /// Reads a look file. The name becomes part of the key of the look's random streams.
    ///
    /// # Errors
    /// [`SynthError::BadLook`] if it is not a look file, or a value is out of range.
    pub fn from_toml(name: &str, file: &str) -> Result<Self, SynthError> {
        let bad = |problem: String| SynthError::BadLook {
            name: name.to_owned(),
            problem,
        };
        let look: Self = toml::from_str(file).map_err(|error| bad(error.to_string()))?;
        look.check().map_err(bad)?;
        Ok(Self {
            name: name.to_owned(),
            ..look
        })
    }

    /// The look as a file that [`Look::from_toml`] reads.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("a look has only numbers, texts and tables")
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// One line that describes it.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Its texts.
    pub fn texts(&self) -> TextSource {
        let alphabet = self.alphabet();
        let (shortest, longest) = self.lengths();
        match self.pen {
            _ if self.text.words => TextSource::listed(),
            // The same stream as ever.
            Pen::Words | Pen::Waves => TextSource::Random,
            Pen::Outline => TextSource::Characters {
                alphabet,
                shortest,
                longest,
            },
        }
    }

    /// Whether its texts are words of the built-in list.
    pub fn has_words(&self) -> bool {
        self.text.words
    }

    /// The characters of its texts, sorted.
    pub fn alphabet(&self) -> String {
        // A look that was checked has a valid alphabet.
        expand_alphabet(&self.text.alphabet).unwrap_or_default()
    }

    /// Fewest and most characters of its texts.
    pub fn lengths(&self) -> (usize, usize) {
        (
            self.text.length.low as usize,
            self.text.length.high as usize,
        )
    }

    /// Whether its images have lines, arcs or circles.
    pub fn has_strokes(&self) -> bool {
        self.pen != Pen::Outline || self.clutter.iter().any(|layer| layer.kind.is_stroke())
    }

    /// Whether its images have specks.
    pub fn has_noise(&self) -> bool {
        self.pen != Pen::Outline || self.clutter.iter().any(|layer| layer.kind == Mark::Specks)
    }

    /// The look's part of the random stream's key: `words` and `waves` keep theirs, the others have
    /// one by their name.
    pub(crate) fn tag(&self) -> u32 {
        match self.pen {
            Pen::Words => 1,
            Pen::Waves => 2,
            // FNV-1a. The highest bit keeps it apart from the other two.
            Pen::Outline => {
                let bytes = self.name.bytes();
                let hash = bytes.fold(0x811c_9dc5u32, |hash, byte| {
                    (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
                });
                hash | 0x8000_0000
            }
        }
    }
}

#[cfg(test)]
mod tests;
