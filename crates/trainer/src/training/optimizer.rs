//! The optimizer: AdamW, or Muon for matrices (Jordan et al. 2024, "Muon: An optimizer for hidden
//! layers in neural networks"), which makes steps of equal length in all directions of a matrix.

use anyhow::{Result, anyhow};
use burn::grad_clipping::GradientClippingConfig;
use burn::module::ParamGroup;
use burn::optim::decay::WeightDecayConfig;
use burn::optim::{
    AdjustLrFn, LearningRate, ModuleOptimizer, Muon, MuonConfig, MuonState, Optimizer,
};
use burn::tensor::{Device, Tensor};
use captcha_learning::optimizer::adamw;

use crate::training::recipe::{self, TrainingRecipe};

/// Names of the parameters that Muon optimizes: all matrices except the embedding and the output
/// layers of characters and attention scores. AdamW optimizes these and all vectors.
const MATRICES: &str = r"(conv|dense|key|query|input|recurrent|hidden)\.weight$";

/// The optimizer of a run.
///
/// # Errors
///
/// If burn rejects the pattern of the matrices' names.
pub fn optimizer(recipe: &TrainingRecipe) -> Result<ModuleOptimizer> {
    let clip = recipe.gradient_clip.map(GradientClippingConfig::Norm);
    let decay = recipe.weight_decay as f32;
    let adam = adamw(recipe.weight_decay, recipe.gradient_clip);
    match recipe.optimizer {
        recipe::Optimizer::Adamw => Ok(adam),
        recipe::Optimizer::Muon => {
            let muon = MuonConfig::new()
                .with_weight_decay(Some(WeightDecayConfig::new(decay)))
                .with_adjust_lr_fn(AdjustLrFn::MatchRmsAdamW) // one rate for both
                .build();
            let matrices = ParamGroup::from_regex(MATRICES)
                .map_err(|error| anyhow!("the matrices' names: {error:?}"))?;
            Ok(adam.with_group(matrices, MatrixMuon(muon), clip.map(|clip| clip.init())))
        }
    }
}

/// Muon for parameters of any rank, reshaped to matrices: a convolution's `[filters, channels, 3,
/// 3]` to
/// `[filters, 9 * channels]`.
#[derive(Clone)]
struct MatrixMuon(Muon);

impl Optimizer for MatrixMuon {
    type State<const D: usize> = MuonState<2>;

    fn step<const D: usize>(
        &self,
        rate: LearningRate,
        tensor: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<MuonState<2>>,
    ) -> (Tensor<D>, Option<MuonState<2>>) {
        let shape = tensor.shape();
        let matrix = [shape[0], shape.num_elements() / shape[0]];
        let (tensor, gradient) = (tensor.reshape(matrix), gradient.reshape(matrix));
        let (tensor, state) = self.0.step(rate, tensor, gradient, state);
        (tensor.reshape(shape), state)
    }

    fn to_device<const D: usize>(state: MuonState<2>, device: &Device) -> MuonState<2> {
        Muon::to_device(state, device)
    }
}

#[cfg(test)]
mod tests {
    use burn::module::Module;
    use burn::optim::{GradientsParams, MuonConfig, Optimizer};
    use burn::tensor::{Device, Distribution, Tensor};
    use captcha_model::ModelConfig;
    use captcha_model::encoder::Encoder;

    use super::{MatrixMuon, optimizer};
    use crate::training::recipe::{self, Recipe};

    /// A small encoder and images for it.
    fn encoder() -> (Encoder, Tensor<4>) {
        let device = Device::flex().autodiff();
        let compact = ModelConfig::compact();
        let [channels, rows, cols] = compact.input_shape();
        let mut config = compact.encoder;
        config.blocks.truncate(8);
        for (block, filters) in config.blocks.iter_mut().zip([4, 5, 6, 6, 6, 7, 7, 7]) {
            block.filters = filters;
        }
        let images = Tensor::random(
            [2, channels, rows, cols],
            Distribution::Uniform(0.0, 1.0),
            &device,
        );
        (config.init(&device), images)
    }

    /// The change of the last block's kernels and bias in one step at a rate of 0.01.
    fn step_of(
        kind: recipe::Optimizer,
        (encoder, images): (Encoder, Tensor<4>),
    ) -> (Vec<f32>, Vec<f32>) {
        let gradients = encoder.forward(images).powi_scalar(2).sum().backward();
        let gradients = GradientsParams::from_grads(gradients, &encoder);
        let mut recipe = Recipe::load("compact").expect("a preset").training;
        (recipe.optimizer, recipe.weight_decay) = (kind, 0.0);
        let mut optimizer = optimizer(&recipe).expect("an optimizer");
        let moved = optimizer.step(0.01, encoder.clone(), gradients);
        let [before, after] =
            [encoder, moved].map(|encoder: Encoder| encoder.no_grad().blocks.remove(7).conv);
        let bias = |conv: &burn::nn::conv::Conv2d| conv.bias.as_ref().expect("a bias").val();
        let values = |step: Tensor<1>| step.into_data().try_to_vec::<f32>().expect("floats");
        (
            values((after.weight.val() - before.weight.val()).flatten(0, 3)),
            values(bias(&after) - bias(&before)),
        )
    }

    #[test]
    fn optimizer_muon_updates_kernels_only() {
        let encoder = encoder();
        let (muon, muon_bias) = step_of(recipe::Optimizer::Muon, encoder.clone());
        let (adam, adam_bias) = step_of(recipe::Optimizer::Adamw, encoder);
        assert_ne!(muon, adam);
        assert_eq!(muon_bias, adam_bias);
    }

    #[test]
    fn optimizer_muon_step_has_the_length_of_an_adam_step() {
        let (step, _) = step_of(recipe::Optimizer::Muon, encoder());
        let of_rate = length(&step) / (step.len() as f32).sqrt() / 0.01;
        assert!((0.1..0.3).contains(&of_rate), "{of_rate} of the rate");
    }

    #[test]
    fn optimizer_muon_step_is_as_long_for_small_gradients() {
        let device = Device::flex();
        let kernels: Tensor<4> = Tensor::random([3, 3, 3, 3], Distribution::Default, &device);
        let small = kernels.clone().narrow(0, 1, 2).mul_scalar(0.1);
        let gradient = Tensor::cat(vec![kernels.narrow(0, 0, 1), small], 0);
        let muon = MatrixMuon(MuonConfig::new().build());
        let (step, _) = muon.step(0.01, gradient.zeros_like(), gradient.clone(), None);
        let [gradients, steps] = [gradient, step].map(|kernels| {
            let kernels: Tensor<1> = kernels.flatten(0, 3);
            let kernels = kernels.into_data().try_to_vec::<f32>().expect("floats");
            [0, 27, 54].map(|start| length(&kernels[start..start + 27]))
        });
        assert!(
            gradients[0] > 5.0 * gradients[1].max(gradients[2]),
            "{gradients:?}"
        );
        assert!(steps[0] < 2.0 * steps[1].min(steps[2]), "{steps:?}");
    }

    fn length(values: &[f32]) -> f32 {
        values.iter().map(|value| value * value).sum::<f32>().sqrt()
    }
}
