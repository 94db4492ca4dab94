//! Work on weights files: start a larger network, average several, calibrate.

pub mod average;
pub mod calibrate;
pub mod transfer;
