//! New weights from trained ones: transfer to a larger network, average, calibration.

pub mod average;
pub mod calibrate;
pub mod transfer;
