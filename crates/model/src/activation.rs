//! Activations whose plain form does not hold on every device.

use burn::tensor::Tensor;

/// From here on tanh is 1 to the last bit of an `f32`.
const SATURATED: f32 = 10.0;

/// tanh. WGSL's own may be no number above 44, where its exponentials overflow (gpuweb #4458), and
/// a trained network's sums do go there.
pub(crate) fn tanh<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    x.clamp(-SATURATED, SATURATED).tanh()
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, Tensor};

    use super::{SATURATED, tanh};

    #[test]
    fn it_is_tanh_to_the_last_bit() {
        let values = [-1e30, -90.0, -SATURATED, -9.5, -0.3, 0.0, 1e-9, 2.0, 45.0];
        let x = Tensor::<1>::from_floats(values.as_slice(), &Device::flex());
        assert_eq!(tanh(x.clone()).into_data(), x.tanh().into_data());
    }
}
