//! The drawing code of the looks `words` and `waves`. Networks were trained on exactly these images,
//! so it does not change; all other looks are drawn by `draw`.

use crate::look::Pen;
use crate::random::Random;
use crate::sample::Sample;

mod glyph_distortion;
mod request;
mod waves;
mod words;

pub(crate) use glyph_distortion::GlyphDistortion;
pub(crate) use request::{Clutter, DrawRequest};

/// The two looks that have drawing code of their own.
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
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::Words, Self::Waves];

    /// The name of its look.
    pub fn name(self) -> &'static str {
        match self {
            Self::Words => "words",
            Self::Waves => "waves",
        }
    }

    /// The style of a pen; `None` for the pen of all other looks.
    pub(crate) fn of_pen(pen: Pen) -> Option<Self> {
        match pen {
            Pen::Words => Some(Self::Words),
            Pen::Waves => Some(Self::Waves),
            Pen::Outline => None,
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
