//! Generates CAPTCHAs for training and tests: an endless, seeded series of images with their text.
//! What they look like is a [`Look`]: a built-in one, a file, or a random one.
//! Some embedded fonts are for training, others are held out for tests.
//!
//! An image is a pure function of the generator's arguments and its index, with the same bytes on
//! every platform: the random stream is ChaCha8, and the geometry uses only IEEE additions,
//! multiplications, divisions, square roots, and sines from `libm`.
//!
//! ```
//! use captcha_synth::{FontSet, Generator, Split, Style, TextSource};
//!
//! let generator =
//!     Generator::new(Style::Words, TextSource::listed(), FontSet::Train, Split::Train, 7);
//! let sample = generator.sample(0);
//! assert_eq!(sample.rgb.len(), 3 * 600 * 320);
//! assert_eq!(sample.characters.len(), sample.text.len());
//! ```

mod alphabet;
mod draw;
mod error;
mod fonts;
mod generator;
mod geometry;
mod look;
mod overrides;
mod random;
mod sample;
mod split;
mod style;
mod text;

pub use alphabet::{LONGEST_TEXT, parse_alphabet};
pub use error::SynthError;
pub use fonts::{Font, FontCategory, FontSet, fonts};
pub use generator::Generator;
pub use look::Look;
pub use overrides::SampleOverrides;
pub use sample::{CharacterBox, Sample};
pub use split::Split;
pub use style::Style;
pub use text::{TextSource, listed_words, parse_words};
