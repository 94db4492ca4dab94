//! Training runs.
//!
//! [`RunConfig`] resolves a run from a [`RunRequest`](run_config::RunRequest) or from its folder,
//! and [`start`](fn@start) trains it: [`train`] is the loop, [`model`] a step.

pub mod checkpoints;
pub mod diagnosis;
pub mod export;
pub mod history;
pub mod importance_sampling;
mod load;
pub mod model;
pub mod optimizer;
pub mod plan;
pub mod provenance;
pub mod recipe;
mod renderer;
pub mod run_config;
pub mod run_folder;
pub mod schedule;
pub mod start;
pub mod train;
mod watch;
pub mod word_accuracy;

pub use run_config::{RunConfig, RunRequest};
pub use start::start;
pub use train::Outcome;
