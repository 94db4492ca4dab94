//! The generator: an indexed series of images.

use std::sync::Arc;

use crate::error::SynthError;
use crate::fonts::{Font, FontSet, draw_font, font};
use crate::overrides::SampleOverrides;
use crate::random::{Random, Stream};
use crate::sample::Sample;
use crate::style::{Clutter, DrawRequest, Style};
use crate::text::{TextSource, is_word};

/// Maximum number of draws for a text of the requested length. Each length has a probability of
/// about 1/3.
const MAX_DRAWS: usize = 10_000;

/// The purpose of an image. It is part of the random stream's key, so that images of two splits never
/// come from the same stream, whatever the seeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Split {
    /// To train on.
    Train,
    /// To choose between models.
    Validation,
    /// To report scores on.
    Test,
    /// To export as files for any use, training included.
    Export,
}

impl Split {
    fn tag(self) -> u32 {
        match self {
            Self::Train => 1,
            Self::Validation => 2,
            Self::Test => 3,
            Self::Export => 4,
        }
    }
}

/// An endless, indexed series of images: the same arguments and the same index give the same
/// bytes, in any order, on any thread, natively and in WebAssembly.
#[derive(Clone, Debug)]
pub struct Generator {
    style: Style,
    text: Arc<TextSource>,
    fonts: FontSet,
    split: Split,
    seed: u64,
    blank_share: f32,
    distortion_share: f32,
    #[cfg(feature = "extra-fonts")]
    extra_fonts_share: f32,
}

impl Generator {
    /// The series of one style, text source, font set, split and seed.
    ///
    /// # Panics
    /// If the text source has an empty word list, or a word that is not 1 to 5 letters a to z;
    /// [`crate::parse_words`] lets neither through.
    pub fn new(style: Style, text: TextSource, fonts: FontSet, split: Split, seed: u64) -> Self {
        if let Some(words) = text.words() {
            assert!(!words.is_empty(), "the word list is empty");
            let bad = words.iter().find(|word| !is_word(word));
            assert_eq!(bad, None, "a listed word is not 1 to 5 letters a to z");
        }
        Self {
            style,
            text: Arc::new(text),
            fonts,
            split,
            seed,
            blank_share: 0.0,
            distortion_share: 0.0,
            #[cfg(feature = "extra-fonts")]
            extra_fonts_share: 0.0,
        }
    }

    /// Leaves this share of the images, 0 to 1, without characters, so that a network can learn that
    /// an image has no text.
    pub fn with_blank_share(self, blank_share: f32) -> Self {
        Self {
            blank_share,
            ..self
        }
    }

    /// Distorts the font of this share of the images, 0 to 1, each in a different way.
    pub fn with_distortion_share(self, distortion_share: f32) -> Self {
        Self {
            distortion_share,
            ..self
        }
    }

    /// Draws this share of the images, 0 to 1, in a font of [`FontSet::Extra`].
    #[cfg(feature = "extra-fonts")]
    pub fn with_extra_fonts_share(self, extra_fonts_share: f32) -> Self {
        Self {
            extra_fonts_share,
            ..self
        }
    }

    /// The image at `index`.
    pub fn sample(&self, index: u64) -> Sample {
        self.draw(index, None, None, None, Clutter::default())
    }

    /// The image at `index`, with overrides.
    ///
    /// # Errors
    /// [`SynthError::BadText`], [`SynthError::NoTextOfLength`], [`SynthError::UnknownFont`] or
    /// [`SynthError::TooMuchClutter`] if an override is out of range.
    pub fn sample_with(
        &self,
        index: u64,
        overrides: &SampleOverrides,
    ) -> Result<Sample, SynthError> {
        if let Some(text) = overrides.text.as_ref().filter(|text| !is_word(text)) {
            return Err(SynthError::BadText(text.clone()));
        }
        let named = |name: &String| font(name).ok_or_else(|| SynthError::UnknownFont(name.clone()));
        let clutter = Clutter {
            strokes: overrides.strokes,
            noise: overrides.noise,
        };
        let possible = clutter
            .strokes
            .is_none_or(|count| count <= SampleOverrides::MAX_STROKES)
            && clutter
                .noise
                .is_none_or(|share| (0.0..=SampleOverrides::MAX_NOISE).contains(&share));
        if !possible {
            return Err(SynthError::TooMuchClutter {
                max_strokes: SampleOverrides::MAX_STROKES,
                max_noise: SampleOverrides::MAX_NOISE,
            });
        }
        let font = overrides.font.as_ref().map(named).transpose()?;
        let text = match (&overrides.text, overrides.length) {
            (Some(text), _) => Some(text.clone()),
            (None, Some(length)) => Some(self.text_of_length(index, length)?),
            (None, None) => None,
        };
        Ok(self.draw(index, text, font, overrides.distorted, clutter))
    }

    /// The first text of this length in the random stream of the image at `index`. The text of the
    /// image without overrides is the first of the stream.
    fn text_of_length(&self, index: u64, length: usize) -> Result<String, SynthError> {
        let mut random = Random::keyed(self.split.tag(), self.style.tag(), self.seed, index);
        (0..MAX_DRAWS)
            .map(|_| self.text.draw(&mut random))
            .find(|text| text.len() == length)
            .ok_or_else(|| SynthError::NoTextOfLength {
                length,
                lengths: self.text.lengths(),
            })
    }

    fn draw(
        &self,
        index: u64,
        text: Option<String>,
        font: Option<&'static Font>,
        distorted: Option<bool>,
        clutter: Clutter,
    ) -> Sample {
        let mut random = Random::keyed(self.split.tag(), self.style.tag(), self.seed, index);
        let blank = self.blank_share > 0.0 && random.bernoulli(self.blank_share);
        // Every value is drawn even if an override replaces it, so that later values stay the same.
        let drawn = if blank {
            String::new()
        } else {
            self.text.draw(&mut random)
        };
        let drawn_font = draw_font(self.fonts, &mut random);
        #[cfg(feature = "extra-fonts")]
        let drawn_font = {
            let mut stream = random.substream(Stream::ExtraFonts);
            if stream.bernoulli(self.extra_fonts_share) {
                draw_font(FontSet::Extra, &mut stream)
            } else {
                drawn_font
            }
        };
        let distorted = distorted.unwrap_or_else(|| {
            random
                .substream(Stream::Distorted)
                .bernoulli(self.distortion_share)
        });
        let request = DrawRequest {
            text: text.unwrap_or(drawn),
            font: font.unwrap_or(drawn_font),
            distorted,
            clutter,
        };
        self.style.draw(request, &mut random)
    }
}
