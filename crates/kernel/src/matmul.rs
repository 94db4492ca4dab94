//! Matrix products. The right side, `b`, may be packed: brought into the layout that the product
//! takes, once for many products.

#[cfg(not(target_arch = "wasm32"))]
mod gemm;
#[cfg(any(target_arch = "wasm32", test))]
mod tiled;

#[cfg(all(not(target_arch = "wasm32"), feature = "threads"))]
pub(crate) use gemm::multiply;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) use gemm::{multiply_packed, pack, packed_len};
#[cfg(all(target_arch = "wasm32", feature = "threads"))]
pub(crate) use tiled::multiply;
#[cfg(target_arch = "wasm32")]
pub(crate) use tiled::{multiply_packed, pack, packed_len};

#[cfg(test)]
mod tests {
    use pulp::Simd;

    use super::{gemm, tiled};
    use crate::dispatch::{Task, dispatch};
    use crate::matrix::Matrix;

    /// Pseudorandom values between -1 and 1.
    fn values(count: usize, seed: u32) -> Vec<f32> {
        let next = |state: &u32| Some(state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
        std::iter::successors(Some(seed), next)
            .skip(1)
            .take(count)
            .map(|state| (state >> 8) as f32 / (1 << 23) as f32 - 1.0)
            .collect()
    }

    /// Both products, by each crate's packed and plain functions.
    struct Compare {
        sizes: [usize; 3],
    }

    impl Task for Compare {
        #[inline(always)]
        fn run<S: Simd>(self, simd: S) {
            let [m, n, k] = self.sizes;
            let (a, b) = (values(m * k, 1), values(2 * k * n, 2));
            for a in [Matrix::new(&a, 1, m), Matrix::new(&a, k, 1)] {
                for b in [Matrix::new(&b, 1, k), Matrix::new(&b, n, 1)] {
                    for accumulate in [false, true] {
                        let mut expected = values(m * n, 3);
                        let mut product = expected.clone();
                        gemm::multiply(simd, [m, n, k], a, b, &mut expected, accumulate);
                        tiled::multiply(simd, [m, n, k], a, b, &mut product, accumulate);
                        assert_close(&product, &expected);
                    }
                }
            }
            // The second of two packed matrices.
            let second = |packed: Vec<f32>| packed[packed.len() / 2..].to_vec();
            let mut expected = vec![0.0; m * n];
            let packed = second(gemm::pack([n, k], b.clone()));
            let a = Matrix::new(&a, 1, m);
            gemm::multiply_packed(simd, [m, n, k], a, &packed, &mut expected);
            let mut product = values(m * n, 3);
            let packed = second(tiled::pack([n, k], b));
            tiled::multiply_packed(simd, [m, n, k], a, &packed, &mut product);
            assert_close(&product, &expected);
        }
    }

    fn assert_close(product: &[f32], expected: &[f32]) {
        for (value, expected) in product.iter().zip(expected) {
            assert!((value - expected).abs() < 1e-4, "{value}, not {expected}");
        }
    }

    #[test]
    fn tiled_makes_the_product_of_gemm() {
        for sizes in [
            [1, 1, 1],
            [9, 5, 1],
            [8, 4, 256],
            [9, 5, 257],
            [30, 7, 600],
            [64, 16, 27],
        ] {
            dispatch(Compare { sizes });
        }
    }
}
