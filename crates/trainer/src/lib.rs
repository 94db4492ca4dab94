//! The native side of captcha-lens: trains, measures and uses the network.
//!
//! Data: [`data`] says what an example is, [`generated`] and [`folder`] give them, [`splits`] divides a folder, [`batch`] makes
//! tensors of them, [`loader`] does so ahead of time. Training: [`recipe`] says how, [`sources`] on
//! what, [`grow`](mod@grow) makes a small network's weights a start for a larger one,
//! [`average`](mod@average) those of several the start of another run, [`learner`] and
//! [`metric`] are burn-train's view of the network, [`optimizer`](mod@optimizer) moves its weights at
//! the rate of [`schedule`], [`progress`] shows it, [`diagnosis`] says what its numbers mean,
//! [`checkpoints`] keeps it, [`train`](mod@train) runs it, [`run`] is its folder. Use:
//! [`evaluate`](mod@evaluate), [`looks`], [`calibrate`](mod@calibrate), [`figures`],
//! [`recognize`](mod@recognize), [`generate`](mod@generate), [`info`](mod@info).

#![recursion_limit = "256"]

pub mod audit;
pub mod average;
pub mod batch;
pub mod calibrate;
pub mod checkpoints;
pub mod cli;
pub mod commands;
pub mod data;
pub mod degrade;
pub mod device;
pub mod diagnosis;
pub mod evaluate;
pub mod figures;
pub mod files;
pub mod folder;
pub mod generate;
pub mod generated;
pub mod grow;
pub mod info;
pub mod learner;
pub mod loader;
pub mod looks;
pub mod metric;
pub mod optimizer;
pub mod progress;
pub mod recipe;
pub mod recognize;
pub mod run;
pub mod schedule;
pub mod selection;
pub mod sources;
pub mod splits;
pub mod train;
