//! Fine-tuning: adapts a trained network to labelled images.
//!
//! [`images`] takes alphabet and length from the labels, [`stream`] draws variants of the images,
//! [`job`] makes the images of the steps, [`run`] is the state of a run and its steps, and [`fit`]
//! is the loop around it, with threads. A browser has a loop of its own, and [`replica`]s in place of
//! threads.

mod clock;
mod cooldown;
pub mod fit;
pub mod gradients;
pub mod history;
pub mod images;
mod interpolation;
pub mod job;
pub mod outcome;
pub mod recipe;
pub mod replica;
pub mod run;
pub mod saved;
pub mod stream;
mod validate;

pub use fit::fit;
pub use history::Progress;
pub use images::LabelledImages;
pub use job::{Generated, Job, Steps};
pub use outcome::{End, Fitted};
pub use recipe::FinetuneRecipe;
pub use replica::{PartResult, PartTask, Replica, ReplicaSetup};
pub use run::Run;
