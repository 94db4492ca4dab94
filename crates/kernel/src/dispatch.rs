//! Compiles loops for the widest SIMD instructions that a machine may have, and chooses at run time.

use pulp::{Simd, WithSimd};

/// Loops to run.
pub(crate) trait Task {
    /// Runs the loops. Implementations, and all functions with loops that they call, are marked
    /// `#[inline(always)]`: only what is inlined is compiled for other instructions.
    fn run<S: Simd>(self, simd: S);
}

/// Runs a task. On x86-64 it is compiled three times, for the baseline (SSE2), for AVX2 and for
/// AVX-512, and the widest instructions of this machine run. Sums can differ in their last digits:
/// wider instructions multiply and add with one rounding.
#[inline(always)]
pub(crate) fn dispatch(task: impl Task) {
    #[cfg(not(target_arch = "wasm32"))]
    pulp::Arch::new().dispatch(Vectorized(task));
    // The modules are compiled for SIMD only (`.cargo/config.toml`): a second, scalar version would
    // make them larger.
    #[cfg(target_arch = "wasm32")]
    match pulp::wasm::Simd128::try_new() {
        Some(simd) => Simd::vectorize(simd, Vectorized(task)),
        None => unreachable!("a WebAssembly engine without SIMD does not load the module"),
    }
}

struct Vectorized<T>(T);

impl<T: Task> WithSimd for Vectorized<T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        self.0.run(simd);
    }
}
