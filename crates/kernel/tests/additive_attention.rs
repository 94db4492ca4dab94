//! Attention's scores against their definition, in double precision, forward and back.

use captcha_kernel::Scores;

/// Values between -4 and 4 that look random.
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
        let far = (f64::from(*found) - expected).abs();
        assert!(far < 1e-4, "{found}, not {expected}");
    }
}

/// Sizes around the vectors' 16, one state and several, keys of their own and shared.
fn cases() -> impl Iterator<Item = (Scores, [Vec<f32>; 3])> {
    let sizes = [1, 15, 16, 17, 40].into_iter();
    sizes.flat_map(|size| {
        [(1, false), (3, false), (3, true)].map(|(batch, shared)| {
            let scores = Scores {
                batch,
                positions: 7,
                size,
                shared,
            };
            let images = if shared { 1 } else { batch };
            let keys = values(images * scores.positions * size, 1);
            (scores, [keys, values(batch * size, 2), values(size, 3)])
        })
    })
}

/// `tanh(key + query)` of a state, a position and an index.
fn tanh(scores: &Scores, [keys, queries, _]: &[Vec<f32>; 3], [at, position, i]: [usize; 3]) -> f64 {
    let image = if scores.shared { 0 } else { at };
    let key = keys[(image * scores.positions + position) * scores.size + i];
    let query = queries[at * scores.size + i];
    (f64::from(key) + f64::from(query)).tanh()
}

#[test]
fn forward_is_additive_attention() {
    for (scores, given) in cases() {
        let [keys, queries, v] = &given;
        let expected: Vec<f64> = (0..scores.batch * scores.positions)
            .map(|place| {
                let (at, position) = (place / scores.positions, place % scores.positions);
                let term = |i| f64::from(v[i]) * tanh(&scores, &given, [at, position, i]);
                (0..scores.size).map(term).sum()
            })
            .collect();
        assert_near(&scores.forward(keys, queries, v), &expected);
    }
}

#[cfg(feature = "threads")]
#[test]
fn backward_is_the_gradient_of_forward() {
    for (scores, given) in cases().filter(|(scores, _)| !scores.shared) {
        let [keys, queries, v] = &given;
        let grad = values(scores.batch * scores.positions, 4);
        let mut key_grads = vec![0.0; keys.len()];
        let mut query_grads = vec![0.0; queries.len()];
        let mut v_grads = vec![0.0; v.len()];
        for (place, grad) in grad.iter().enumerate() {
            let (at, position) = (place / scores.positions, place % scores.positions);
            for i in 0..scores.size {
                let (grad, tanh) = (f64::from(*grad), tanh(&scores, &given, [at, position, i]));
                let inner = grad * f64::from(v[i]) * (1.0 - tanh * tanh);
                key_grads[place * scores.size + i] += inner;
                query_grads[at * scores.size + i] += inner;
                v_grads[i] += grad * tanh;
            }
        }
        let found = scores.backward(keys, queries, v, &grad);
        assert_near(&found.keys, &key_grads);
        assert_near(&found.queries, &query_grads);
        assert_near(&found.v, &v_grads);
    }
}
