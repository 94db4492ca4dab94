//! The kernel against burn's layer: the same output, gradients and running statistics.

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::{Device, Distribution, Tensor, Tolerance};
use captcha_model::config::{BlockConfig, EncoderConfig};
use captcha_model::encoder::ConvBlock;

use crate::seeded;

/// A block with batch norm of this many channels.
fn block(channels: usize, device: &Device) -> ConvBlock {
    let config = EncoderConfig {
        blocks: vec![BlockConfig {
            filters: channels,
            padded: true,
            norm: true,
            pool: false,
            pool_cols: true,
        }],
        dropout: 0.0,
        features: 4,
        norm_momentum: 0.3,
        pool_first: true,
        unshuffle: 1,
        positions: false,
    };
    config.init(device).blocks.remove(0)
}

/// The output, the gradients of the input, gamma and beta, and the running statistics after two
/// batches.
fn run(
    block: &ConvBlock,
    x: &Tensor<4>,
    norm: impl Fn(&ConvBlock, Tensor<4>) -> Tensor<4>,
) -> Vec<Tensor<1>> {
    let x = x.clone().require_grad();
    norm(block, x.clone().mul_scalar(2.0).detach());
    let output = norm(block, x.clone());
    // Cubes, so that the gradient of the input is not zero.
    let mut gradients = output.clone().powi_scalar(3).sum().backward();
    let of_x = x.grad_remove(&mut gradients).expect("a gradient");
    let gradients = GradientsParams::from_grads(gradients, block);
    let norm = block.norm.as_ref().expect("batch norm");
    let of = |parameter| gradients.get::<1>(parameter).expect("a gradient");
    let running = block.clone().valid().norm.expect("batch norm");
    vec![
        output.inner().flatten(0, 3),
        of_x.flatten(0, 3),
        of(norm.gamma.id),
        of(norm.beta.id),
        running.running_mean.value(),
        running.running_var.value(),
    ]
}

#[test]
fn batch_norm_in_training_has_the_values_gradients_and_statistics_of_burn() {
    let device = Device::flex().autodiff();
    let _numbers = seeded::alone(&device, 6);
    for shape @ [_, channels, _, _] in [[1, 1, 2, 3], [3, 5, 4, 9], [4, 16, 12, 24]] {
        let x = Tensor::<4>::random(shape, Distribution::Normal(1.5, 2.0), &device).detach();
        let results = [true, false].map(|kernel| {
            // Each block has running statistics of its own.
            let mut block = block(channels, &device);
            let mut norm = block.norm.take().expect("batch norm");
            norm.gamma = norm
                .gamma
                .map(|gamma| (gamma * 1.7).detach().require_grad());
            norm.beta = norm.beta.map(|beta| (beta + 0.4).detach().require_grad());
            block.norm = Some(norm);
            run(&block, &x, |block, x| match kernel {
                true => block.norm_pool(x),
                false => block.norm.as_ref().expect("batch norm").forward(x),
            })
        });
        let [kernel, reference] = results;
        for (actual, expected) in kernel.into_iter().zip(reference) {
            let scale = expected.clone().abs().max().into_scalar::<f32>();
            (actual / scale).into_data().assert_approx_eq::<f32>(
                &(expected / scale).into_data(),
                Tolerance::absolute(1e-5),
            );
        }
    }
}
