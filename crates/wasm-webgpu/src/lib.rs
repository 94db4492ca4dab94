//! The browser module of `captcha-wasm` with WebGPU. It can also read on the CPU.

#![cfg(target_arch = "wasm32")]

pub use captcha_wasm::*;
