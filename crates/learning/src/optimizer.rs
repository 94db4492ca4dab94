//! The optimizer of all parameters, or of those that no other optimizer takes.

use burn::grad_clipping::GradientClippingConfig;
use burn::optim::{AdamWConfig, ModuleOptimizer};

/// AdamW (Loshchilov and Hutter 2019, "Decoupled Weight Decay Regularization").
///
/// `gradient_clip` is the largest norm of a parameter's gradient.
pub fn adamw(weight_decay: f64, gradient_clip: Option<f32>) -> ModuleOptimizer {
    AdamWConfig::new()
        .with_epsilon(1e-7) // Keras' default
        .with_weight_decay(weight_decay as f32)
        .with_grad_clipping(gradient_clip.map(GradientClippingConfig::Norm))
        .init()
}
