//! The WebAssembly module of the recognizer without WebGPU. All of it is in `captcha-wasm`.

#![cfg(target_arch = "wasm32")]

pub use captcha_wasm::{LensError, Recognizer};
