//! The native side of captcha-lens: trains, measures and uses the network.
//!
//! [`data`] gives labelled images and their batches, [`training`] learns from them, [`weights`] works
//! on the files that training writes, [`evaluation`] counts right answers, [`report`] shows them,
//! [`cli`] is the command line.

#![recursion_limit = "256"]

pub mod cli;
pub mod data;
pub mod device;
pub mod evaluation;
pub mod files;
pub mod report;
pub mod training;
pub mod weights;
