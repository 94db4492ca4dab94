//! From an image file's bytes to the network's input.

mod blank;
mod decode;
mod foreign;
mod preprocess;

pub use blank::is_blank;
pub use decode::{
    MAX_BYTES, MAX_PIXELS, MAX_SIDE, RgbImage, check_size, decode_image, image_from_rgba,
};
pub use preprocess::{batch, preprocess};
