//! The styles that the generator draws. A new style is a file beside `waves.rs` and a variant of
//! [`Style`].

use std::fmt;
use std::str::FromStr;

use crate::error::SynthError;
use crate::random::Random;
use crate::sample::Sample;

mod glyph_distortion;
mod request;
mod waves;
mod words;

pub(crate) use request::{Clutter, DrawRequest};

/// A family of CAPTCHAs of one appearance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Style {
    /// The style of the paper's set: 600 x 320 pixels, a short word in one font, with lines, arcs
    /// and noise on white.
    Words,
    /// A second style, for comparison: 600 x 320 pixels, dark crowded characters of one colour on a
    /// tinted background, displaced along waves and struck through. No shipped network is trained
    /// on it.
    Waves,
}

impl Style {
    /// All styles.
    pub const ALL: [Self; 2] = [Self::Words, Self::Waves];

    fn name(self) -> &'static str {
        match self {
            Self::Words => "words",
            Self::Waves => "waves",
        }
    }

    /// The style's part of the random stream's key.
    pub(crate) fn tag(self) -> u32 {
        match self {
            Self::Words => 1,
            Self::Waves => 2,
        }
    }

    /// Draws one image.
    pub(crate) fn draw(self, request: DrawRequest, random: &mut Random) -> Sample {
        match self {
            Self::Words => words::draw(request, random),
            Self::Waves => waves::draw(request, random),
        }
    }
}

impl FromStr for Style {
    type Err = SynthError;

    fn from_str(name: &str) -> Result<Self, SynthError> {
        Self::ALL
            .into_iter()
            .find(|style| style.name() == name)
            .ok_or_else(|| SynthError::UnknownStyle {
                found: name.to_owned(),
                known: Self::ALL.map(|style| style.to_string()).to_vec(),
            })
    }
}

impl fmt::Display for Style {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn style_name_parses_back() {
        for style in Style::ALL {
            assert_eq!(style.to_string().parse(), Ok(style));
        }
        let error = "Words".parse::<Style>().expect_err("no such style");
        assert_eq!(
            error.to_string(),
            "unknown style \"Words\"; the styles are \"words\" and \"waves\""
        );
    }
}
