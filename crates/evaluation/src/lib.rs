//! Evaluation of a trained network: labelled folders, recognition in batches, scores, audit
//! reports.
//!
//! [`data`] reads labelled images, [`batches`] recognizes them, [`evaluate`](mod@evaluate) counts
//! correct answers into a [`score`], [`audit`] writes a report on a folder. [`learning_curve`] tells
//! how many labelled images an attacker needs. [`device`] chooses the CPU or a GPU,
//! [`weights_file`], [`files`] and [`output`] read and write files, [`progress`] is how all of them
//! report to a caller, [`wording`] has singular and plural. Nothing here trains, prints or parses
//! arguments.
//!
//! In a browser there are no files: only what fine-tuning needs there is compiled.

#![recursion_limit = "256"]

pub mod attention_alignment;
#[cfg(not(target_arch = "wasm32"))]
pub mod audit;
#[cfg(not(target_arch = "wasm32"))]
pub mod batches;
pub mod data;
#[cfg(not(target_arch = "wasm32"))]
pub mod device;
#[cfg(not(target_arch = "wasm32"))]
pub mod evaluate;
pub mod files;
pub mod learning_curve;
#[cfg(not(target_arch = "wasm32"))]
pub mod output;
pub mod progress;
pub mod score;
#[cfg(not(target_arch = "wasm32"))]
pub mod weights_file;
pub mod wording;
