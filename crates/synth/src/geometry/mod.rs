//! Polygons and the raster that they are filled on.

mod path;
mod raster;
mod stroke;

pub(crate) use path::{Bounds, Path, Point};
pub(crate) use raster::{Canvas, Color};
pub(crate) use stroke::Stroke;
