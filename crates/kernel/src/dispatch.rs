//! Compiles loops for the widest SIMD instructions that a machine may have, and chooses at run time.

/// Loops to run.
pub(crate) trait Task {
    /// Runs the loops. Implementations, and all functions with loops that they call, are marked
    /// `#[inline(always)]`: only what is inlined is compiled for other instructions.
    fn run(self);
}

/// Runs a task. On x86-64 it is compiled three times, for the baseline (SSE2), for AVX2 and for
/// AVX-512, and the widest instructions of this machine run. The results of the loops do not depend on
/// them: the compiler does not reorder sums.
pub(crate) fn dispatch(task: impl Task) {
    #[cfg(target_arch = "x86_64")]
    pulp::Arch::new().dispatch(Vectorized(task));
    #[cfg(not(target_arch = "x86_64"))]
    task.run();
}

#[cfg(target_arch = "x86_64")]
struct Vectorized<T>(T);

#[cfg(target_arch = "x86_64")]
impl<T: Task> pulp::WithSimd for Vectorized<T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) {
        self.0.run();
    }
}
