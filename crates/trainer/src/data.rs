//! Training data: batches of synthetic images or of a labelled folder.

pub mod augmentation;
pub mod batch;
pub mod image_list;
pub mod loader;
pub mod mixture;
pub mod run_data;
pub(crate) mod size_sorter;
pub mod synthetic;
pub mod training_parts;
