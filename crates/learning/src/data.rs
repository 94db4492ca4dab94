//! Labelled images as a network learns from them.

pub mod augmentation;
pub mod batch;
pub mod read_images;
pub mod size_sorter;
