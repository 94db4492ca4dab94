//! The captcha-lens network and what goes in and comes out of it: the one definition of
//! preprocessing, encoder, attention decoder and weights, for training, the command line and the
//! browser alike.
//!
//! The files follow an image's way: [`image`], [`encoder`], [`attention`], [`gru`], [`decoder`],
//! [`prediction`]; [`recognizer`] walks it, and [`golden`] checks that a device does so right.
//! [`config`] says which network (those with a name are in `presets.rs`), [`weights`] carries it.

#![recursion_limit = "256"]

mod activation;
pub mod attention;
mod beam;
pub mod config;
#[cfg(feature = "flex")]
mod cpu;
pub mod decoder;
mod dense;
mod distribution;
pub mod encoder;
pub mod error;
mod format;
pub mod golden;
pub mod gru;
pub mod image;
pub mod input;
pub mod network;
pub mod prediction;
mod presets;
mod readback;
pub mod recognizer;
pub mod vocabulary;
pub mod weights;

pub use config::{Grid, ModelConfig};
pub use error::ModelError;
pub use input::{Encoded, Inputs};
pub use network::Network;
pub use prediction::{Alternative, Character, CharacterAlternative, Prediction};
pub use recognizer::Recognizer;
pub use vocabulary::Vocabulary;
pub use weights::Weights;
