//! Training of the captcha-lens network.
//!
//! [`data`] makes batches of labelled images, [`training`] trains a network on them, [`weights`]
//! makes new weights from trained ones, [`figures`] draws what a run learned. Nothing here prints or
//! parses arguments: long operations report through [`captcha_evaluation::progress::Progress`].

#![recursion_limit = "256"]

pub mod data;
pub mod figures;
pub mod training;
pub mod weights;
