//! Tests of the public interface, one file for each file of `src`.

#![allow(clippy::unwrap_used)]

mod alternatives;
mod config;
mod decode_image;
mod error;
mod golden;
mod int8;
mod preprocess;
mod recognizer;
mod support;
mod vocabulary;
mod weights;
