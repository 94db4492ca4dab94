//! New weights from trained ones: another alphabet, interpolation, the temperature.

pub mod alphabet;
pub mod interpolate;
pub mod temperature;
