//! Draws CAPTCHAs to train and test a reader on: an endless, seeded series of images with
//! their text, in faces embedded for training and others held out for testing.
//!
//! An image is a pure function of the generator's arguments and its index, byte for byte the
//! same on every platform: the random stream is ChaCha8, and all geometry keeps to IEEE
//! additions, multiplications, divisions and square roots, with sines from `libm`.
//!
//! ```
//! use captcha_synth::{FontSet, Generator, Split, Style, TextSource};
//!
//! let generator =
//!     Generator::new(Style::Words, TextSource::listed(), FontSet::Trained, Split::Train, 7);
//! let sample = generator.sample(0);
//! assert_eq!(sample.rgb.len(), 3 * 600 * 320);
//! assert_eq!(sample.characters.len(), sample.text.len());
//! ```

mod canvas;
mod error;
mod fonts;
mod generator;
mod hand;
mod path;
mod random;
mod sample;
mod strokes;
mod style;
mod text;
mod waves;
mod wishes;
mod words;

pub use error::SynthError;
pub use fonts::{Face, FontSet, Kind, faces};
pub use generator::{Generator, Split};
pub use sample::{CharacterBox, Sample};
pub use style::Style;
pub use text::{TextSource, listed_words, parse_words};
pub use wishes::Wishes;
