//! The captcha-lens network with its input and output. Training, the command line and the browser
//! use this one definition of preprocessing, encoder, decoder and weights.
//!
//! An image passes through [`image`](mod@image), [`encoder`], [`attention`], [`gru`], [`decoder`]
//! and [`prediction`]; [`recognizer`] calls them in this order. [`golden`] checks that a device
//! computes correctly. [`config`] describes a network, and [`weights`] holds its parameters.

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
pub mod golden;
#[cfg(feature = "wgpu")]
mod gpu;
mod greedy;
pub mod gru;
pub mod image;
pub mod input;
mod input_size;
pub mod network;
mod position;
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
