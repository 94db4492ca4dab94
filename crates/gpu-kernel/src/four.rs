//! Four values that are loaded and computed together.

use cubecl::prelude::*;

/// `vec4<f32>` of WGSL.
pub(crate) type Four = Vector<f32, Const<4>>;
