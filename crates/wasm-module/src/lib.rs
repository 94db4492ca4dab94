//! The WebAssembly module of the recognizer. All of it is in `captcha-wasm`, which tests can link.

#![cfg(target_arch = "wasm32")]

pub use captcha_wasm::{LensError, Recognizer};
