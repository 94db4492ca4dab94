//! The scores of additive attention, `v tanh(key + query)` at each position. They are computed in
//! one pass, without storing the `key + query` tensor.

use std::slice::ChunksExact;
#[cfg(feature = "threads")]
use std::slice::ChunksExactMut;

use pulp::Simd;
#[cfg(feature = "threads")]
use rayon::prelude::*;

use crate::dispatch::{Task, dispatch};

/// Sums that are computed side by side, to fill SIMD registers.
const LANES: usize = 16;

/// The operation, by its sizes for one batch.
#[derive(Clone, Copy, Debug)]
pub struct AdditiveAttention {
    /// Queries.
    pub batch: usize,
    /// Positions that each query is compared with.
    pub positions: usize,
    /// Size of keys and queries.
    pub size: usize,
    /// Whether all queries are compared with the same keys, those of one image.
    pub shared_keys: bool,
}

/// Gradients of the objective.
#[cfg(feature = "threads")]
pub struct AdditiveAttentionGradients {
    /// `[batch, positions, size]`
    pub keys: Vec<f32>,
    /// `[batch, size]`
    pub queries: Vec<f32>,
    /// `[size]`
    pub v: Vec<f32>,
}

impl AdditiveAttention {
    /// Computes the scores, `[batch, positions]`.
    ///
    /// # Shapes
    ///
    /// - `keys`: `[batch, positions, size]`, or `[1, positions, size]` if they are shared
    /// - `queries`: `[batch, size]`
    /// - `v`: `[size]`
    ///
    /// # Panics
    ///
    /// If a slice has another size.
    pub fn forward(&self, keys: &[f32], queries: &[f32], v: &[f32]) -> Vec<f32> {
        self.check(keys, queries, v);
        let mut scores = vec![0.0; self.batch * self.positions];
        let task = |(image, scores): (usize, &mut [f32])| {
            let query = &queries[image * self.size..][..self.size];
            dispatch(Scores {
                keys: self.keys(keys, image),
                query,
                v,
                scores,
            });
        };
        #[cfg(feature = "threads")]
        scores
            .par_chunks_mut(self.positions)
            .enumerate()
            .for_each(task);
        #[cfg(not(feature = "threads"))]
        scores.chunks_mut(self.positions).enumerate().for_each(task);
        scores
    }

    /// Computes the gradients of the inputs from that of the scores, `[batch, positions]`.
    ///
    /// # Panics
    ///
    /// As [`AdditiveAttention::forward`], and if the keys are shared.
    #[cfg(feature = "threads")]
    pub fn backward(
        &self,
        keys: &[f32],
        queries: &[f32],
        v: &[f32],
        grad: &[f32],
    ) -> AdditiveAttentionGradients {
        self.check(keys, queries, v);
        assert!(!self.shared_keys);
        assert_eq!(grad.len(), self.batch * self.positions);
        let mut key_grads = vec![0.0; keys.len()];
        let mut query_grads = vec![0.0; queries.len()];
        let mut v_grads = vec![0.0; queries.len()];
        key_grads
            .par_chunks_mut(self.positions * self.size)
            .zip(query_grads.par_chunks_mut(self.size))
            .zip(v_grads.par_chunks_mut(self.size))
            .enumerate()
            .for_each(|(image, ((key_grads, query_grad), v_grad))| {
                let query = &queries[image * self.size..][..self.size];
                let grads = &grad[image * self.positions..];
                dispatch(ScoreGradients {
                    keys: self.keys(keys, image),
                    query,
                    v,
                    grads,
                    key_grads: key_grads.chunks_exact_mut(self.size),
                    query_grad,
                    v_grad,
                });
            });
        let mut v = vec![0.0; self.size];
        for v_grad in v_grads.chunks_exact(self.size) {
            for (sum, value) in v.iter_mut().zip(v_grad) {
                *sum += value;
            }
        }
        AdditiveAttentionGradients {
            keys: key_grads,
            queries: query_grads,
            v,
        }
    }

    fn check(&self, keys: &[f32], queries: &[f32], v: &[f32]) {
        let images = if self.shared_keys { 1 } else { self.batch };
        assert_eq!(keys.len(), images * self.positions * self.size);
        assert_eq!(queries.len(), self.batch * self.size);
        assert_eq!(v.len(), self.size);
    }

    /// The keys that the query of this index is compared with.
    fn keys<'a>(&self, keys: &'a [f32], image: usize) -> ChunksExact<'a, f32> {
        let image = if self.shared_keys { 0 } else { image };
        let values = self.positions * self.size;
        keys[image * values..][..values].chunks_exact(self.size)
    }
}

/// The scores of one image.
struct Scores<'a> {
    keys: ChunksExact<'a, f32>,
    query: &'a [f32],
    v: &'a [f32],
    scores: &'a mut [f32],
}

impl Task for Scores<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        for (value, key) in self.scores.iter_mut().zip(self.keys) {
            *value = score(key, self.query, self.v);
        }
    }
}

/// The backward pass of one image.
#[cfg(feature = "threads")]
struct ScoreGradients<'a> {
    keys: ChunksExact<'a, f32>,
    query: &'a [f32],
    v: &'a [f32],
    grads: &'a [f32],
    key_grads: ChunksExactMut<'a, f32>,
    query_grad: &'a mut [f32],
    v_grad: &'a mut [f32],
}

#[cfg(feature = "threads")]
impl Task for ScoreGradients<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        for ((key, key_grad), grad) in self.keys.zip(self.key_grads).zip(self.grads) {
            let inputs = key.iter().zip(self.query).zip(self.v);
            let grads = key_grad.iter_mut();
            let grads = grads.zip(&mut *self.query_grad).zip(&mut *self.v_grad);
            for (((key, query), v), ((key_grad, query_grad), v_grad)) in inputs.zip(grads) {
                let tanh = tanh(key + query);
                *key_grad = grad * v * (1.0 - tanh * tanh);
                *query_grad += *key_grad;
                *v_grad += grad * tanh;
            }
        }
    }
}

#[inline(always)]
fn score(key: &[f32], query: &[f32], v: &[f32]) -> f32 {
    let (keys, key_rest) = key.as_chunks::<LANES>();
    let (queries, query_rest) = query.as_chunks::<LANES>();
    let (vs, v_rest) = v.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for ((key, query), v) in keys.iter().zip(queries).zip(vs) {
        for lane in 0..LANES {
            sums[lane] += v[lane] * tanh(key[lane] + query[lane]);
        }
    }
    let rest = key_rest.iter().zip(query_rest).zip(v_rest);
    let rest: f32 = rest.map(|((key, query), v)| v * tanh(key + query)).sum();
    sums.iter().sum::<f32>() + rest
}

/// tanh as a ratio of polynomials, those of Eigen's `generic_fast_tanh_float`. It has no branch, so
/// that the compiler vectorizes it. The error is below 1e-6, which a test checks.
#[inline(always)]
fn tanh(x: f32) -> f32 {
    // Beyond these bounds the ratio would leave -1 to 1.
    let x = x.clamp(-7.905_311, 7.905_311);
    let square = x * x;
    let odd = [
        -2.760_768_5e-16,
        2.000_188e-13,
        -8.604_672e-11,
        5.122_297e-8,
        1.485_722_4e-5,
        6.372_619_4e-4,
        4.893_524_6e-3,
    ];
    let even = [
        1.198_258_4e-6,
        1.185_347_1e-4,
        2.268_434_6e-3,
        4.893_525_3e-3,
    ];
    let horner = |sum: f32, factor: f32| sum * square + factor;
    x * odd.into_iter().fold(0.0, horner) / even.into_iter().fold(0.0, horner)
}

#[cfg(test)]
mod tests {
    use super::tanh;

    #[test]
    fn tanh_is_accurate_to_a_millionth() {
        for step in -200_000..=200_000 {
            let x = step as f32 / 10_000.0;
            let error = (f64::from(tanh(x)) - f64::from(x).tanh()).abs();
            assert!(error < 1e-6, "tanh {x} is off by {error}");
        }
    }

    #[test]
    fn tanh_of_nan_is_nan() {
        assert!(tanh(f32::NAN).is_nan());
        assert_eq!(tanh(f32::INFINITY), tanh(20.0));
    }
}
