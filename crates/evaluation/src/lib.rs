//! Evaluation of a trained network: labelled folders, recognition in batches, scores, audit
//! reports.
//!
//! [`data`] reads labelled images, [`batches`] recognizes them, [`evaluate`](mod@evaluate) counts
//! correct answers into a [`score`], [`audit`] writes a report on a folder. [`learning_curve`] tells
//! how many labelled images an attacker needs. [`device`] chooses the CPU or a GPU,
//! [`weights_file`] and [`files`] read and write files, [`progress`] is how all of them report to a
//! caller, [`wording`] has singular and plural. Nothing here trains, prints or parses arguments.

#![recursion_limit = "256"]

pub mod attention_alignment;
pub mod audit;
pub mod batches;
pub mod data;
pub mod device;
pub mod evaluate;
pub mod files;
pub mod learning_curve;
pub mod progress;
pub mod score;
pub mod weights_file;
pub mod wording;
