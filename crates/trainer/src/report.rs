//! Reports: an audit of a folder of images, and figures of a run.

pub mod audit;
pub mod figures;
