//! The browser module of captcha-lens. It takes images as JavaScript holds them (bytes, blobs,
//! pixels), recognizes them with `captcha-model` on WebGPU or on the CPU, and returns plain objects
//! and errors.
//!
//! Apart from converting, it only chooses the [`backend`]. It knows nothing of the page;
//! `types.d.ts` is the interface between them.

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

pub use error::{LensError, thrown};
pub use recognizer::Recognizer;
