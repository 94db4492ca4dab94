//! Activations that burn's own do not compute correctly on every device.

use burn::tensor::Tensor;

/// From this value on, the tanh of an `f32` is exactly 1.
const SATURATED: f32 = 10.0;

/// tanh. WGSL's own may give NaN above 44, where its exponentials overflow (gpuweb #4458), and the
/// sums of a trained network exceed that.
pub(crate) fn tanh<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    x.clamp(-SATURATED, SATURATED).tanh()
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, Tensor};

    use super::{SATURATED, tanh};

    #[test]
    fn tanh_equals_the_exact_tanh() {
        let values = [-1e30, -90.0, -SATURATED, -9.5, -0.3, 0.0, 1e-9, 2.0, 45.0];
        let x = Tensor::<1>::from_floats(values.as_slice(), &Device::flex());
        assert_eq!(tanh(x.clone()).into_data(), x.tanh().into_data());
    }
}
