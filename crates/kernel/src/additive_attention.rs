//! The scores of additive attention, `v tanh(key + query)` at each position, in one pass: of the
//! many sums that the tanh is taken of, none is kept.

#[cfg(feature = "threads")]
use rayon::prelude::*;

/// Sums side by side, for the machine's vectors.
const LANES: usize = 16;

/// One look's sizes for one batch.
#[derive(Clone, Copy, Debug)]
pub struct Scores {
    /// States that look.
    pub batch: usize,
    /// Positions that each looks over.
    pub positions: usize,
    /// Size of keys and queries.
    pub size: usize,
    /// Whether all look over the same keys, those of one image.
    pub shared: bool,
}

/// Gradients of the objective.
#[cfg(feature = "threads")]
pub struct ScoreGradients {
    /// `[batch, positions, size]`
    pub keys: Vec<f32>,
    /// `[batch, size]`
    pub queries: Vec<f32>,
    /// `[size]`
    pub v: Vec<f32>,
}

impl Scores {
    /// The scores, `[batch, positions]`.
    ///
    /// # Shapes
    ///
    /// - `keys`: `[batch, positions, size]`, or `[1, positions, size]` if shared
    /// - `queries`: `[batch, size]`
    /// - `v`: `[size]`
    ///
    /// # Panics
    ///
    /// If the slices have not these sizes.
    pub fn forward(&self, keys: &[f32], queries: &[f32], v: &[f32]) -> Vec<f32> {
        self.check(keys, queries, v);
        let mut scores = vec![0.0; self.batch * self.positions];
        let task = |(image, scores): (usize, &mut [f32])| {
            let query = &queries[image * self.size..][..self.size];
            for (score, key) in scores.iter_mut().zip(self.keys(keys, image)) {
                *score = self::score(key, query, v);
            }
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

    /// The way back, from the scores' gradient, `[batch, positions]`; for keys that are not shared.
    ///
    /// # Panics
    ///
    /// As [`Scores::forward`], and if the keys are shared.
    #[cfg(feature = "threads")]
    pub fn backward(
        &self,
        keys: &[f32],
        queries: &[f32],
        v: &[f32],
        grad: &[f32],
    ) -> ScoreGradients {
        self.check(keys, queries, v);
        assert!(!self.shared);
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
                let key_grads = key_grads.chunks_exact_mut(self.size);
                for ((key, key_grad), grad) in self.keys(keys, image).zip(key_grads).zip(grads) {
                    let inputs = key.iter().zip(query).zip(v);
                    let grads = key_grad.iter_mut().zip(&mut *query_grad).zip(&mut *v_grad);
                    for (((key, query), v), ((key_grad, query_grad), v_grad)) in inputs.zip(grads) {
                        let tanh = tanh(key + query);
                        *key_grad = grad * v * (1.0 - tanh * tanh);
                        *query_grad += *key_grad;
                        *v_grad += grad * tanh;
                    }
                }
            });
        let mut v = vec![0.0; self.size];
        for v_grad in v_grads.chunks_exact(self.size) {
            for (sum, value) in v.iter_mut().zip(v_grad) {
                *sum += value;
            }
        }
        ScoreGradients {
            keys: key_grads,
            queries: query_grads,
            v,
        }
    }

    fn check(&self, keys: &[f32], queries: &[f32], v: &[f32]) {
        let images = if self.shared { 1 } else { self.batch };
        assert_eq!(keys.len(), images * self.positions * self.size);
        assert_eq!(queries.len(), self.batch * self.size);
        assert_eq!(v.len(), self.size);
    }

    /// The keys that the image's state looks over.
    fn keys<'a>(&self, keys: &'a [f32], image: usize) -> impl Iterator<Item = &'a [f32]> {
        let image = if self.shared { 0 } else { image };
        let values = self.positions * self.size;
        keys[image * values..][..values].chunks_exact(self.size)
    }
}

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

/// tanh as a ratio of polynomials, those of Eigen's `generic_fast_tanh_float`: without a branch, so
/// that many are computed at once. A test holds it to a millionth.
#[inline]
fn tanh(x: f32) -> f32 {
    // From here on the ratio is as good as one.
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
    fn tanh_is_right_to_a_millionth() {
        for step in -200_000..=200_000 {
            let x = step as f32 / 10_000.0;
            let far = (f64::from(tanh(x)) - f64::from(x).tanh()).abs();
            assert!(far < 1e-6, "tanh {x} is off by {far}");
        }
    }

    #[test]
    fn tanh_of_what_is_not_a_number_is_none() {
        assert!(tanh(f32::NAN).is_nan());
        assert_eq!(tanh(f32::INFINITY), tanh(20.0));
    }
}
