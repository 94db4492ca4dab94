//! The generator: an indexed series of images.

use std::sync::Arc;

use crate::draw::{LookRequest, draw};
use crate::error::SynthError;
use crate::fonts::{Font, FontPool, FontSet, font};
use crate::look::Look;
use crate::overrides::SampleOverrides;
use crate::random::{Random, Stream};
use crate::sample::Sample;
use crate::split::Split;
use crate::style::{Clutter, DrawRequest, Style};
use crate::text::{TextSource, is_word};

/// Maximum number of draws for a text of the requested length. Each length has a probability of
/// about 1/3.
const MAX_DRAWS: usize = 10_000;

/// An endless, indexed series of images: the same arguments and the same index give the same
/// bytes, in any order, on any thread, natively and in WebAssembly.
#[derive(Clone, Debug)]
pub struct Generator {
    looks: Looks,
    /// The texts; `None` for those of the look.
    text: Option<Arc<TextSource>>,
    fonts: FontSet,
    split: Split,
    seed: u64,
    blank_share: f32,
    /// `None` leaves it to the look; `words` and `waves` distort no font then.
    distortion_share: Option<f32>,
    #[cfg(feature = "extra-fonts")]
    extra_fonts_share: f32,
}

/// The looks of a series.
#[derive(Clone, Debug)]
enum Looks {
    One(Arc<Look>),
    /// A new random look after so many images.
    Random {
        images_each: u64,
        hard: bool,
    },
}

impl Generator {
    /// The series of one look, text source, font set, split and seed.
    ///
    /// # Panics
    /// If the text source has an empty word list, or a word that is not 1 to 5 letters a to z;
    /// [`crate::parse_words`] lets neither through.
    pub fn new(
        look: impl Into<Look>,
        text: TextSource,
        fonts: FontSet,
        split: Split,
        seed: u64,
    ) -> Self {
        Self::of_look(look, fonts, split, seed).with_texts(text)
    }

    /// The series of one look, with the look's own texts.
    pub fn of_look(look: impl Into<Look>, fonts: FontSet, split: Split, seed: u64) -> Self {
        Self::of(Looks::One(Arc::new(look.into())), fonts, split, seed)
    }

    /// A series in which every `images_each` images have another random look, with texts of its own,
    /// see [`Look::random`]. The split is part of the key of the looks, so that no look of one split
    /// is a look of another.
    ///
    /// # Panics
    /// If `images_each` is 0.
    pub fn of_random_looks(images_each: u64, fonts: FontSet, split: Split, seed: u64) -> Self {
        Self::of_series(images_each, false, fonts, split, seed)
    }

    /// As [`Generator::of_random_looks`], with hard looks; see [`Look::random_hard`].
    ///
    /// # Panics
    /// If `images_each` is 0.
    pub fn of_hard_looks(images_each: u64, fonts: FontSet, split: Split, seed: u64) -> Self {
        Self::of_series(images_each, true, fonts, split, seed)
    }

    fn of_series(images_each: u64, hard: bool, fonts: FontSet, split: Split, seed: u64) -> Self {
        assert!(images_each > 0, "a look has at least one image");
        Self::of(Looks::Random { images_each, hard }, fonts, split, seed)
    }

    fn of(looks: Looks, fonts: FontSet, split: Split, seed: u64) -> Self {
        Self {
            looks,
            text: None,
            fonts,
            split,
            seed,
            blank_share: 0.0,
            distortion_share: None,
            #[cfg(feature = "extra-fonts")]
            extra_fonts_share: 0.0,
        }
    }

    /// Draws other texts than those of the look: words, or random characters of any alphabet.
    ///
    /// # Panics
    /// If the text source has an empty word list, or a word that is not 1 to 5 letters a to z.
    pub fn with_texts(self, text: TextSource) -> Self {
        if let Some(words) = text.words() {
            assert!(!words.is_empty(), "the word list is empty");
            let bad = words.iter().find(|word| !is_word(word));
            assert_eq!(bad, None, "a listed word is not 1 to 5 letters a to z");
        }
        Self {
            text: Some(Arc::new(text)),
            ..self
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
            distortion_share: Some(distortion_share),
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

    /// The look of the image at `index`.
    pub fn look(&self, index: u64) -> Arc<Look> {
        match &self.looks {
            Looks::One(look) => look.clone(),
            &Looks::Random { images_each, hard } => {
                let number = index / images_each;
                Arc::new(match hard {
                    true => Look::random_hard_of_series(self.split, self.seed, number),
                    false => Look::random_of_series(self.split, self.seed, number),
                })
            }
        }
    }

    /// The image at `index`.
    pub fn sample(&self, index: u64) -> Sample {
        let look = self.look(index);
        let texts = self.texts(&look);
        self.draw(index, &look, &texts, Choices::default())
    }

    /// The image at `index`, with overrides.
    ///
    /// # Errors
    /// [`SynthError::BadText`], [`SynthError::BadTextOf`], [`SynthError::NoTextOfLength`],
    /// [`SynthError::UnknownFont`], [`SynthError::IncompleteFont`] or [`SynthError::TooMuchClutter`]
    /// if an override is out of range.
    pub fn sample_with(
        &self,
        index: u64,
        overrides: &SampleOverrides,
    ) -> Result<Sample, SynthError> {
        let look = self.look(index);
        let texts = self.texts(&look);
        if let Some(text) = &overrides.text {
            check_text(text, &texts)?;
        }
        let clutter = checked_clutter(overrides)?;
        let named = |name: &String| font(name).ok_or_else(|| SynthError::UnknownFont(name.clone()));
        let font = overrides.font.as_ref().map(named).transpose()?;
        let written = overrides.text.as_deref().unwrap_or(texts.alphabet());
        if let Some(font) = font.filter(|font| !font.has(written)) {
            return Err(SynthError::IncompleteFont {
                font: font.name().to_owned(),
            });
        }
        let text = match (&overrides.text, overrides.length) {
            (Some(text), _) => Some(text.clone()),
            (None, Some(length)) => Some(self.text_of_length(index, length, &look, &texts)?),
            (None, None) => None,
        };
        let choices = Choices {
            text,
            font,
            distorted: overrides.distorted,
            clutter,
        };
        Ok(self.draw(index, &look, &texts, choices))
    }

    fn texts(&self, look: &Look) -> Arc<TextSource> {
        let own = || Arc::new(look.texts());
        self.text.clone().unwrap_or_else(own)
    }

    fn random(&self, look: &Look, index: u64) -> Random {
        Random::keyed(self.split.tag(), look.tag(), self.seed, index)
    }

    /// The first text of this length in the random stream of the image at `index`. The text of the
    /// image without overrides is the first of the stream.
    fn text_of_length(
        &self,
        index: u64,
        length: usize,
        look: &Look,
        texts: &TextSource,
    ) -> Result<String, SynthError> {
        let mut random = self.random(look, index);
        (0..MAX_DRAWS)
            .map(|_| texts.draw(&mut random))
            .find(|text| text.len() == length)
            .ok_or_else(|| SynthError::NoTextOfLength {
                length,
                lengths: texts.lengths(),
            })
    }

    fn draw(&self, index: u64, look: &Look, texts: &TextSource, choices: Choices) -> Sample {
        let mut random = self.random(look, index);
        let blank = self.blank_share > 0.0 && random.bernoulli(self.blank_share);
        // Every value is drawn even if an override replaces it, so that later values stay the same.
        let drawn = if blank {
            String::new()
        } else {
            texts.draw(&mut random)
        };
        let style = Style::of_pen(look.pen);
        let pool = |set| {
            let pool = FontPool::new(set, texts.alphabet());
            match style {
                Some(_) => pool,
                None => pool
                    .of_categories(&look.font.categories)
                    .telling_apart(texts.alphabet()),
            }
        };
        let own_pool = pool(self.fonts);
        let drawn_font = own_pool.draw(&mut random);
        #[cfg(feature = "extra-fonts")]
        let (own_pool, drawn_font) = {
            let mut stream = random.substream(Stream::ExtraFonts);
            if self.extra_fonts_share > 0.0 && stream.bernoulli(self.extra_fonts_share) {
                let pool = pool(FontSet::Extra);
                let font = pool.draw(&mut stream);
                (pool, font)
            } else {
                (own_pool, drawn_font)
            }
        };
        let by_share = |share| random.substream(Stream::Distorted).bernoulli(share);
        let distorted = choices.distorted.or(self.distortion_share.map(by_share));
        let text = choices.text.unwrap_or(drawn);
        let font = choices.font.unwrap_or(drawn_font);
        let clutter = choices.clutter;
        match style {
            Some(style) => {
                let request = DrawRequest {
                    text,
                    font,
                    distorted: distorted.unwrap_or(false),
                    clutter,
                };
                style.draw(request, &mut random)
            }
            None => {
                let request = LookRequest {
                    text,
                    alphabet: texts.alphabet().to_owned(),
                    font,
                    pool: choices.font.is_none().then_some(own_pool),
                    distorted,
                    strokes: clutter.strokes,
                    noise: clutter.noise,
                };
                draw(look, request, &random)
            }
        }
    }
}

/// What the overrides of an image choose.
#[derive(Default)]
struct Choices {
    text: Option<String>,
    font: Option<&'static Font>,
    distorted: Option<bool>,
    clutter: Clutter,
}

impl From<Style> for Look {
    fn from(style: Style) -> Self {
        Self::named(style.name()).expect("both styles are looks")
    }
}

fn check_text(text: &str, texts: &TextSource) -> Result<(), SynthError> {
    if !matches!(texts, TextSource::Characters { .. }) {
        return match is_word(text) {
            true => Ok(()),
            false => Err(SynthError::BadText(text.to_owned())),
        };
    }
    let (longest, alphabet) = (texts.longest(), texts.alphabet());
    let known = text.chars().all(|character| alphabet.contains(character));
    if known && (1..=longest).contains(&text.len()) {
        Ok(())
    } else {
        Err(SynthError::BadTextOf {
            found: text.to_owned(),
            longest,
            alphabet: alphabet.to_owned(),
        })
    }
}

fn checked_clutter(overrides: &SampleOverrides) -> Result<Clutter, SynthError> {
    let (most_strokes, most_noise) = (SampleOverrides::MAX_STROKES, SampleOverrides::MAX_NOISE);
    let clutter = Clutter {
        strokes: overrides.strokes,
        noise: overrides.noise,
    };
    let strokes = clutter.strokes.is_none_or(|count| count <= most_strokes);
    let noise = clutter
        .noise
        .is_none_or(|share| (0.0..=most_noise).contains(&share));
    if strokes && noise {
        Ok(clutter)
    } else {
        Err(SynthError::TooMuchClutter {
            max_strokes: most_strokes,
            max_noise: most_noise,
        })
    }
}
