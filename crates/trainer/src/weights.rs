//! New weights from trained ones: transfer to another alphabet or a larger network, average,
//! calibration.

pub mod alphabet;
pub mod average;
pub mod calibrate;
pub mod transfer;
