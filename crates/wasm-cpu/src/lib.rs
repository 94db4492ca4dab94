//! The browser module of `captcha-wasm` that reads on the CPU, a fifth of the size of the one with
//! WebGPU.

#![cfg(target_arch = "wasm32")]

pub use captcha_wasm::*;
