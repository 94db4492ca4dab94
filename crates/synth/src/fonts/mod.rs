//! The embedded fonts and how one is chosen.

mod confusable;
mod outline;
mod pool;
mod table;

use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};
use ttf_parser::Face;

use crate::error::SynthError;
pub(crate) use outline::Outlines;
pub(crate) use pool::FontPool;
use table::FONTS;

/// A set of fonts. No family is in two sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FontSet {
    /// The fonts to train on.
    Train,
    /// The fonts to test on. They measure how well a network reads fonts it has not seen.
    HeldOut,
    /// Extra fonts to train on. No test uses them. They make a network better at fonts it has not
    /// seen.
    #[cfg(feature = "extra-fonts")]
    Extra,
}

impl FontSet {
    /// All sets.
    pub const ALL: &[Self] = &[
        Self::Train,
        Self::HeldOut,
        #[cfg(feature = "extra-fonts")]
        Self::Extra,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::HeldOut => "held-out",
            #[cfg(feature = "extra-fonts")]
            Self::Extra => "extra",
        }
    }
}

impl FromStr for FontSet {
    type Err = SynthError;

    fn from_str(name: &str) -> Result<Self, SynthError> {
        Self::ALL
            .iter()
            .copied()
            .find(|set| set.name() == name)
            .ok_or_else(|| SynthError::UnknownFontSet {
                found: name.to_owned(),
                known: Self::ALL.iter().map(Self::to_string).collect(),
            })
    }
}

impl fmt::Display for FontSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Category of a font.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FontCategory {
    /// Connected handwriting, as with a brush.
    Brush,
    /// Handwriting, as with a felt pen.
    Marker,
    /// Handwriting, as with a thin pen.
    Pen,
    /// Print without serifs.
    Sans,
    /// Print with serifs.
    Serif,
    /// Typewriter.
    Mono,
}

/// One embedded font.
#[derive(Debug)]
pub struct Font {
    name: &'static str,
    family: &'static str,
    category: FontCategory,
    set: FontSet,
    /// A TrueType file.
    data: &'static [u8],
    outlines: OnceLock<Outlines>,
    /// Whether it has digits and capitals.
    complete: OnceLock<bool>,
}

impl Font {
    /// The file name without its extension, as in [`crate::Sample::font`].
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The family that its outlines come from.
    pub fn family(&self) -> &'static str {
        self.family
    }

    /// The set that it belongs to.
    pub fn set(&self) -> FontSet {
        self.set
    }

    /// Its category.
    pub fn category(&self) -> FontCategory {
        self.category
    }

    /// Whether it has all characters of a text.
    pub fn has(&self, text: &str) -> bool {
        text.bytes().all(|byte| match byte {
            b'a'..=b'z' => true,
            b'A'..=b'Z' | b'0'..=b'9' => self.is_complete(),
            _ => false,
        })
    }

    /// Whether it has digits and capitals.
    fn is_complete(&self) -> bool {
        *self.complete.get_or_init(|| {
            let face = Face::parse(self.data, 0).expect("an embedded font is a TrueType font");
            face.glyph_index('0').is_some()
        })
    }

    /// The pairs of characters that it draws alike, such as I and l, see `fonts/confusable.txt`.
    pub fn confusable(&self) -> impl Iterator<Item = [char; 2]> + use<> {
        confusable::pairs(self.name).iter().copied()
    }

    /// Its outlines; the file is parsed at the first call.
    pub(crate) fn outlines(&self) -> &Outlines {
        self.outlines.get_or_init(|| Outlines::parse(self.data))
    }
}

/// The fonts of a set.
pub fn fonts(set: FontSet) -> impl Iterator<Item = &'static Font> + Clone {
    all().filter(move |font| font.set == set)
}

/// The font with this name, of any set.
pub(crate) fn font(name: &str) -> Option<&'static Font> {
    all().find(|font| font.name == name)
}

fn all() -> impl Iterator<Item = &'static Font> + Clone {
    let fonts = FONTS.iter();
    #[cfg(feature = "extra-fonts")]
    let fonts = fonts.chain(&table::EXTRA_FONTS);
    fonts
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_font_set_covers_the_main_categories() {
        assert!(fonts(FontSet::Train).count() >= 36);
        assert!(fonts(FontSet::HeldOut).count() >= 6);
        for set in [FontSet::Train, FontSet::HeldOut] {
            for category in [
                FontCategory::Brush,
                FontCategory::Marker,
                FontCategory::Pen,
                FontCategory::Sans,
            ] {
                assert!(
                    fonts(set).any(|font| font.category() == category),
                    "no {category:?} is {set}"
                );
            }
        }
        let bytes: usize = FONTS.iter().map(|font| font.data.len()).sum();
        assert!(bytes < 750_000, "{bytes} bytes of fonts");
    }

    #[test]
    fn font_names_are_unique_and_families_are_in_one_set() {
        let names: BTreeSet<_> = all().map(Font::name).collect();
        assert_eq!(names.len(), all().count());
        let families = |set| fonts(set).map(Font::family).collect::<BTreeSet<_>>();
        assert!(families(FontSet::Train).is_disjoint(&families(FontSet::HeldOut)));
        #[cfg(feature = "extra-fonts")]
        for set in [FontSet::Train, FontSet::HeldOut] {
            assert!(
                families(FontSet::Extra).is_disjoint(&families(set)),
                "{set}"
            );
        }
    }

    #[test]
    fn font_set_name_parses_back() {
        for set in FontSet::ALL.iter().copied() {
            assert_eq!(set.to_string().parse(), Ok(set));
        }
        let error = "x".parse::<FontSet>().expect_err("no such set");
        assert!(error.to_string().starts_with("unknown font set \"x\"; "));
    }
}
