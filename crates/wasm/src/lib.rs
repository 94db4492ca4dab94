//! The browser's side of captcha-lens: takes what JavaScript holds (bytes, blobs, pixels), has
//! `captcha-model` read it on WebGPU or on the CPU, and gives back plain objects and real errors.
//!
//! It converts, and decides one thing only: where the network runs ([`backend`]). Nothing of the
//! page is known here; `types.d.ts` is the contract with it.

#![cfg(target_arch = "wasm32")]
#![recursion_limit = "256"]

#[cfg(feature = "webgpu")]
mod adapter;
mod backend;
mod clock;
mod error;
mod input;
mod options;
mod panic;
mod recognition;
mod recognizer;
#[cfg(feature = "webgpu")]
mod webgpu;

pub use error::LensError;
pub use recognizer::Recognizer;
