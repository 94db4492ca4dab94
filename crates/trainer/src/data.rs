//! Training data: synthetic images or a labelled folder.

pub mod image_list;
pub mod loader;
pub mod mixture;
pub mod run_data;
pub mod synthetic;
pub mod training_parts;
