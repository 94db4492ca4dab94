//! What training from scratch and fine-tuning share, and the loop of fine-tuning.
//!
//! [`data`] makes batches of labelled images, [`losses`] has the losses, [`optimizer`] the
//! optimizer, [`weights`] makes new weights from trained ones, and [`finetune`] adapts a trained
//! network to few labelled images. All of it runs natively and in browsers: nothing here opens a
//! file or waits for a thread that may not exist. Long operations report through [`Session`].

#![recursion_limit = "256"]

pub mod data;
pub mod finetune;
pub mod losses;
pub mod norm;
pub mod optimizer;
pub mod session;
pub mod weights;

pub use session::Session;
