//! The scores of additive attention and their gradients against the definition, in double
//! precision.

use captcha_kernel::AdditiveAttention;

/// Pseudorandom values between -4 and 4.
fn values(count: usize, seed: u32) -> Vec<f32> {
    let next = |state: &u32| Some(state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
    std::iter::successors(Some(seed), next)
        .skip(1)
        .take(count)
        .map(|state| (state >> 8) as f32 / (1 << 21) as f32 - 4.0)
        .collect()
}

fn assert_near(found: &[f32], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        let error = (f64::from(*found) - expected).abs();
        assert!(error < 1e-4, "{found}, not {expected}");
    }
}

/// Sizes around the SIMD width of 16, one query and several, keys for each query and shared ones.
fn cases() -> impl Iterator<Item = (AdditiveAttention, [Vec<f32>; 3])> {
    let sizes = [1, 15, 16, 17, 40].into_iter();
    sizes.flat_map(|size| {
        [(1, false), (3, false), (3, true)].map(|(batch, shared)| {
            let attention = AdditiveAttention {
                batch,
                positions: 7,
                size,
                shared_keys: shared,
            };
            let images = if shared { 1 } else { batch };
            let keys = values(images * attention.positions * size, 1);
            (attention, [keys, values(batch * size, 2), values(size, 3)])
        })
    })
}

/// `tanh(key + query)` of a query, a position and an index.
fn tanh(
    attention: &AdditiveAttention,
    [keys, queries, _]: &[Vec<f32>; 3],
    [at, position, i]: [usize; 3],
) -> f64 {
    let image = if attention.shared_keys { 0 } else { at };
    let key = keys[(image * attention.positions + position) * attention.size + i];
    let query = queries[at * attention.size + i];
    (f64::from(key) + f64::from(query)).tanh()
}

#[test]
fn forward_matches_the_definition() {
    for (attention, given) in cases() {
        let [keys, queries, v] = &given;
        let expected: Vec<f64> = (0..attention.batch * attention.positions)
            .map(|index| {
                let (at, position) = (index / attention.positions, index % attention.positions);
                let term = |i| f64::from(v[i]) * tanh(&attention, &given, [at, position, i]);
                (0..attention.size).map(term).sum()
            })
            .collect();
        assert_near(&attention.forward(keys, queries, v), &expected);
    }
}

#[cfg(feature = "threads")]
#[test]
fn backward_is_the_gradient_of_forward() {
    for (attention, given) in cases().filter(|(attention, _)| !attention.shared_keys) {
        let [keys, queries, v] = &given;
        let grad = values(attention.batch * attention.positions, 4);
        let mut key_grads = vec![0.0; keys.len()];
        let mut query_grads = vec![0.0; queries.len()];
        let mut v_grads = vec![0.0; v.len()];
        for (index, grad) in grad.iter().enumerate() {
            let (at, position) = (index / attention.positions, index % attention.positions);
            for i in 0..attention.size {
                let (grad, tanh) = (
                    f64::from(*grad),
                    tanh(&attention, &given, [at, position, i]),
                );
                let inner = grad * f64::from(v[i]) * (1.0 - tanh * tanh);
                key_grads[index * attention.size + i] += inner;
                query_grads[at * attention.size + i] += inner;
                v_grads[i] += grad * tanh;
            }
        }
        let found = attention.backward(keys, queries, v, &grad);
        assert_near(&found.keys, &key_grads);
        assert_near(&found.queries, &query_grads);
        assert_near(&found.v, &v_grads);
    }
}
