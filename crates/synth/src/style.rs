//! The looks a generator can draw.

use std::fmt;
use std::str::FromStr;

use crate::error::SynthError;
use crate::fonts::Face;
use crate::random::Random;
use crate::sample::Sample;
use crate::words::{self, Clutter};

/// A family of CAPTCHAs that look alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Style {
    /// The look of the paper's set: 600 x 320 pixels, a short word in one face among lines,
    /// arcs and speckle on white.
    Words,
}

impl Style {
    /// Its part of the random stream's key.
    pub(crate) fn tag(self) -> u32 {
        match self {
            Self::Words => 1,
        }
    }

    /// Draws one image that says `text`, its face bent out of shape if asked for.
    pub(crate) fn draw(
        self,
        text: String,
        face: &'static Face,
        bent: bool,
        clutter: Clutter,
        random: &mut Random,
    ) -> Sample {
        match self {
            Self::Words => words::draw(text, face, bent, clutter, random),
        }
    }
}

impl FromStr for Style {
    type Err = SynthError;

    fn from_str(name: &str) -> Result<Self, SynthError> {
        match name {
            "words" => Ok(Self::Words),
            _ => Err(SynthError::UnknownStyle(name.to_owned())),
        }
    }
}

impl fmt::Display for Style {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Words => "words",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        assert_eq!(Style::Words.to_string().parse(), Ok(Style::Words));
        assert_eq!(
            "Words".parse::<Style>(),
            Err(SynthError::UnknownStyle("Words".into()))
        );
    }
}
