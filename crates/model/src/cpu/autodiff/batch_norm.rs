//! Batch norm with the statistics of the batch, and its backward pass.

use burn::backend::Flex;
use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::NoCheckpointing;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::tensor::Tensor;
use captcha_kernel::{BatchNormOutput, BatchNormTrain};

use super::Recording;
use crate::cpu::tensor::{primitive, tensor};

/// The output, `[batch, channels, height, width]`, and the mean and variance of each channel, which
/// are constants; `None` if a tensor does not take part in training on the CPU.
pub(in crate::cpu) fn batch_norm(
    op: BatchNormTrain,
    x: &Tensor<4>,
    gamma: &Tensor<1>,
    beta: &Tensor<1>,
) -> Option<(Tensor<4>, [Tensor<1>; 2])> {
    let shape = x.dims();
    let x = x.clone().try_into_primitive::<Recording>().ok()?;
    let gamma = gamma.clone().try_into_primitive::<Recording>().ok()?;
    let beta = beta.clone().try_into_primitive::<Recording>().ok()?;
    let [x_values, gammas, betas] =
        [x.primitive(), gamma.primitive(), beta.primitive()].map(FlexTensor::to_contiguous);
    let BatchNormOutput {
        output,
        mean,
        variance,
    } = op.forward(x_values.storage(), gammas.storage(), betas.storage());
    let statistics =
        [&mean, &variance].map(|values| Tensor::from_inner(tensor(values.clone(), [op.channels])));
    let output = primitive(output, shape);
    let output = match BatchNormBackward
        .prepare::<NoCheckpointing>([x.node(), gamma.node(), beta.node()])
        .compute_bound()
        .stateful()
    {
        OpsKind::Tracked(mut prep) => {
            let inputs = [prep.checkpoint(&x), prep.checkpoint(&gamma)];
            prep.finish((op, shape, inputs, [mean, variance]), output)
        }
        OpsKind::UnTracked(prep) => prep.finish(output),
    };
    Some((Tensor::from_primitive::<Recording>(output), statistics))
}

/// The operation, for burn's autodiff.
#[derive(Debug)]
struct BatchNormBackward;

impl Backward<Flex, 3> for BatchNormBackward {
    type State = (BatchNormTrain, [usize; 4], [NodeId; 2], [Vec<f32>; 2]);

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let [node_x, node_gamma, node_beta] = ops.parents;
        let grad = grads.consume::<Flex>(&ops.node).to_contiguous();
        let (op, shape, inputs, [mean, variance]) = ops.state;
        let [x, gamma] = inputs.map(|input| {
            let input: FlexTensor = checkpointer.retrieve_node_output(input);
            input.to_contiguous()
        });
        let gradients = op.backward(
            x.storage(),
            gamma.storage(),
            &mean,
            &variance,
            grad.storage(),
        );
        if let Some(node) = node_x {
            grads.register::<Flex>(node.id, primitive(gradients.x, shape));
        }
        if let Some(node) = node_gamma {
            grads.register::<Flex>(node.id, primitive(gradients.gamma, [op.channels]));
        }
        if let Some(node) = node_beta {
            grads.register::<Flex>(node.id, primitive(gradients.beta, [op.channels]));
        }
    }
}
