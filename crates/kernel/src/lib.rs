//! What most of the time goes into on a CPU: a block's 3x3 convolution, max-pooling and ReLU, and
//! attention's scores, on plain slices, in one pass forward and one pass back.
//!
//! What is gained on burn's own layers, one after the other: Winograd's way to convolve takes four
//! ninths of the multiplications; the map between convolution and pooling, the largest in a block,
//! never leaves the cache, and nothing is laid out anew but the patches. On the way back the gradient
//! of the weights is a product of the matrices it is one of; burn takes it by a convolution whose
//! kernel is the whole image, in twice the time of the way forward. Attention's tanh is computed
//! several at a time, where burn calls the C library for each.
//!
//! No burn and no network here: `captcha-model` reads with it, `captcha-trainer` trains with it.

mod attention;
mod layer;
mod matrix;
#[cfg(any(target_arch = "wasm32", test))]
mod tile;
mod unshuffle;

#[cfg(feature = "threads")]
pub use attention::ScoreGradients;
pub use attention::Scores;
pub use layer::Layer;
#[cfg(feature = "threads")]
pub use layer::LayerGradients;
pub use unshuffle::unshuffle;
