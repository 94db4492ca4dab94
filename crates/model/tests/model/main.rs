//! What the model crate promises, by the file of `src` that promises it.

#![allow(clippy::unwrap_used)]

mod alternatives;
mod config;
mod decode_image;
mod error;
mod golden;
mod preprocess;
mod recognizer;
mod support;
mod vocabulary;
mod weights;
