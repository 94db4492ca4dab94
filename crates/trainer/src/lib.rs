//! Training of the captcha-lens network.
//!
//! [`data`] makes batches of labelled images, [`training`] trains a network on them, [`mod@finetune`]
//! adapts a trained network to few labelled images, [`weights`] makes new weights from trained ones,
//! [`figures`] draws what a run learned. Nothing here prints or
//! parses arguments: long operations report through [`captcha_evaluation::progress::Progress`].

#![recursion_limit = "256"]

pub mod data;
pub mod figures;
pub mod finetune;
pub mod training;
pub mod weights;
