//! The looks a generator can draw.

use std::fmt;
use std::str::FromStr;

use crate::error::SynthError;
use crate::fonts::Face;
use crate::random::Random;
use crate::sample::Sample;
use crate::waves;
use crate::words::{self, Clutter};

/// A family of CAPTCHAs that look alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Style {
    /// The look of the paper's set: 600 x 320 pixels, a short word in one face among lines,
    /// arcs and speckle on white.
    Words,
    /// Another look, for comparison: 600 x 320 pixels, dark crowded characters of one colour on a
    /// tinted ground, bent along waves and struck through. No shipped network is trained on it.
    Waves,
}

impl Style {
    /// All there are.
    pub const ALL: [Self; 2] = [Self::Words, Self::Waves];

    fn name(self) -> &'static str {
        match self {
            Self::Words => "words",
            Self::Waves => "waves",
        }
    }

    /// Its part of the random stream's key.
    pub(crate) fn tag(self) -> u32 {
        match self {
            Self::Words => 1,
            Self::Waves => 2,
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
            Self::Waves => waves::draw(text, face, bent, clutter, random),
        }
    }
}

impl FromStr for Style {
    type Err = SynthError;

    fn from_str(name: &str) -> Result<Self, SynthError> {
        Self::ALL
            .into_iter()
            .find(|style| style.name() == name)
            .ok_or_else(|| SynthError::UnknownStyle(name.to_owned()))
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
    fn names_round_trip() {
        for style in Style::ALL {
            assert_eq!(style.to_string().parse(), Ok(style));
        }
        assert_eq!(
            "Words".parse::<Style>(),
            Err(SynthError::UnknownStyle("Words".into()))
        );
    }
}
