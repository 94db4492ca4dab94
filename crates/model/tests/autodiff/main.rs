//! The CPU kernels in training: values and gradients against burn's own layers.

#![cfg(feature = "autodiff")]
#![allow(clippy::unwrap_used)]

mod attention;
mod batch_norm;
mod convolution;
mod seeded;
