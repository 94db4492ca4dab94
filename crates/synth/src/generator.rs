//! The generator: which image stands at which index.

use std::sync::Arc;

use crate::error::SynthError;
use crate::fonts::{Face, FontSet, draw_face, face};
use crate::random::Random;
use crate::sample::Sample;
use crate::style::Style;
use crate::text::{TextSource, is_word};
use crate::wishes::Wishes;
use crate::words::Clutter;

/// Texts drawn before a length is given up; about a third of them have any of the three there are.
const MOST_DRAWS: usize = 10_000;

/// The stream that tells whose face is bent.
const BENT: u64 = 1;
/// The stream that tells who is set in one of more faces, and in which.
#[cfg(feature = "more-faces")]
const MORE: u64 = 5;

/// What an image is for. Part of the random stream's key, so that no image of one split can
/// come from the same stream as one of another, whatever the seeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Split {
    /// To learn from.
    Train,
    /// To choose between models by.
    Validation,
    /// To report scores on.
    Test,
    /// To be written out and given away, for whatever use: learning from them, too.
    Set,
}

impl Split {
    fn tag(self) -> u32 {
        match self {
            Self::Train => 1,
            Self::Validation => 2,
            Self::Test => 3,
            Self::Set => 4,
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
    bent_share: f32,
    #[cfg(feature = "more-faces")]
    more_share: f32,
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
            bent_share: 0.0,
            #[cfg(feature = "more-faces")]
            more_share: 0.0,
        }
    }

    /// The same series with this share of its images, 0 to 1, left without any character, so that
    /// a reader can learn to say that there is nothing to read.
    pub fn with_blank_share(self, blank_share: f32) -> Self {
        Self {
            blank_share,
            ..self
        }
    }

    /// The same series with the face of this share of its images, 0 to 1, bent out of its shape,
    /// another way each time, so that a reader learns characters and not only faces.
    pub fn with_bent_share(self, bent_share: f32) -> Self {
        Self { bent_share, ..self }
    }

    /// The same series with this share of its images, 0 to 1, set in one of the faces of
    /// [`FontSet::More`] instead.
    #[cfg(feature = "more-faces")]
    pub fn with_more_share(self, more_share: f32) -> Self {
        Self { more_share, ..self }
    }

    /// The image at `index`.
    pub fn sample(&self, index: u64) -> Sample {
        self.draw(index, None, None, None, Clutter::default())
    }

    /// The image at `index`, but for what is wished otherwise.
    ///
    /// # Errors
    /// [`SynthError::BadText`], [`SynthError::NoTextOfLength`], [`SynthError::UnknownFace`] or
    /// [`SynthError::TooMuch`] if a wish cannot be met.
    pub fn sample_as(&self, index: u64, wishes: &Wishes) -> Result<Sample, SynthError> {
        if let Some(text) = wishes.text.as_ref().filter(|text| !is_word(text)) {
            return Err(SynthError::BadText(text.clone()));
        }
        let named = |name: &String| face(name).ok_or_else(|| SynthError::UnknownFace(name.clone()));
        let clutter = Clutter {
            strokes: wishes.strokes,
            speckle: wishes.speckle,
        };
        let possible = clutter
            .strokes
            .is_none_or(|count| count <= Wishes::MOST_STROKES)
            && clutter
                .speckle
                .is_none_or(|share| (0.0..=Wishes::MOST_SPECKLE).contains(&share));
        if !possible {
            return Err(SynthError::TooMuch {
                most_strokes: Wishes::MOST_STROKES,
                most_speckle: Wishes::MOST_SPECKLE,
            });
        }
        let face = wishes.face.as_ref().map(named).transpose()?;
        let text = match (&wishes.text, wishes.length) {
            (Some(text), _) => Some(text.clone()),
            (None, Some(length)) => Some(self.text_of_length(index, length)?),
            (None, None) => None,
        };
        Ok(self.draw(index, text, face, wishes.bent, clutter))
    }

    /// The first text of this length among those that chance gives the image at `index`; its own
    /// is the first of all.
    fn text_of_length(&self, index: u64, length: usize) -> Result<String, SynthError> {
        let mut random = Random::keyed(self.split.tag(), self.style.tag(), self.seed, index);
        (0..MOST_DRAWS)
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
        face: Option<&'static Face>,
        bent: Option<bool>,
        clutter: Clutter,
    ) -> Sample {
        let mut random = Random::keyed(self.split.tag(), self.style.tag(), self.seed, index);
        let blank = self.blank_share > 0.0 && random.chance(self.blank_share);
        // Wishes take the place of what was drawn, so that what is drawn after it stays.
        let drawn = if blank {
            String::new()
        } else {
            self.text.draw(&mut random)
        };
        let drawn_face = draw_face(self.fonts, &mut random);
        #[cfg(feature = "more-faces")]
        let drawn_face = {
            let mut aside = random.aside(MORE);
            if aside.chance(self.more_share) {
                draw_face(FontSet::More, &mut aside)
            } else {
                drawn_face
            }
        };
        let bent = bent.unwrap_or_else(|| random.aside(BENT).chance(self.bent_share));
        self.style.draw(
            text.unwrap_or(drawn),
            face.unwrap_or(drawn_face),
            bent,
            clutter,
            &mut random,
        )
    }
}
