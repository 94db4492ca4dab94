//! The browser module that fine-tunes: `captcha-learning` and, for readings while it learns,
//! `captcha-wasm` on the CPU.
//!
//! Apart from converting, it does nothing; `types.d.ts` is the interface to the page.

#![cfg(target_arch = "wasm32")]
#![recursion_limit = "256"]

mod answers;
mod error;
mod finetuning;
mod learning_curve;
mod options;
mod replica;
mod source;

pub use captcha_wasm::*;
pub use finetuning::Finetuning;
pub use learning_curve::learning_curve;
pub use replica::Replica;
