//! Convolution, max-pooling and ReLU with their backward pass.

use std::sync::Arc;

use burn::backend::Flex;
use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::NoCheckpointing;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::tensor::Tensor;
use captcha_kernel::ConvReluPool;

use super::Recording;
use crate::cpu::tensor::primitive;

/// As `cpu::conv_relu_pool`, for tensors that take part in training.
pub(in crate::cpu) fn conv_relu_pool(
    op: ConvReluPool,
    x: &Tensor<4>,
    weight: &Tensor<4>,
    bias: &Tensor<1>,
) -> Option<Tensor<4>> {
    let x = x.clone().try_into_primitive::<Recording>().ok()?;
    let weight = weight.clone().try_into_primitive::<Recording>().ok()?;
    let bias = bias.clone().try_into_primitive::<Recording>().ok()?;
    let [x_values, weights, biases] =
        [x.primitive(), weight.primitive(), bias.primitive()].map(FlexTensor::to_contiguous);
    let (output, pool_indices) = op.forward_with_indices(
        x_values.storage(),
        &op.pack(weights.storage()),
        biases.storage(),
    );
    let [rows, cols] = op.output();
    let output = primitive(output, [op.batch, op.filters, rows, cols]);
    let output = match ConvReluPoolBackward
        .prepare::<NoCheckpointing>([x.node(), weight.node(), bias.node()])
        .compute_bound()
        .stateful()
    {
        OpsKind::Tracked(mut prep) => {
            let (x, weight) = (prep.checkpoint(&x), prep.checkpoint(&weight));
            prep.finish((op, x, weight, Arc::new(pool_indices)), output)
        }
        OpsKind::UnTracked(prep) => prep.finish(output),
    };
    Some(Tensor::from_primitive::<Recording>(output))
}

/// The operation, for burn's autodiff.
#[derive(Debug)]
struct ConvReluPoolBackward;

impl Backward<Flex, 3> for ConvReluPoolBackward {
    type State = (ConvReluPool, NodeId, NodeId, Arc<Vec<u8>>);

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let [node_x, node_weight, node_bias] = ops.parents;
        let grad = grads.consume::<Flex>(&ops.node).to_contiguous();
        let (op, x, weight, pool_indices) = ops.state;
        let x: FlexTensor = checkpointer.retrieve_node_output(x);
        let weight: FlexTensor = checkpointer.retrieve_node_output(weight);
        let (x, weight) = (x.to_contiguous(), weight.to_contiguous());
        let gradients = op.backward(
            x.storage(),
            weight.storage(),
            grad.storage(),
            &pool_indices,
            node_x.is_some(),
        );
        let ConvReluPool {
            batch,
            channels,
            height,
            width,
            filters,
            ..
        } = op;
        if let (Some(node), Some(values)) = (node_x, gradients.x) {
            let grad = primitive(values, [batch, channels, height, width]);
            grads.register::<Flex>(node.id, grad);
        }
        if let Some(node) = node_weight {
            let grad = primitive(gradients.weight, [filters, channels, 3, 3]);
            grads.register::<Flex>(node.id, grad);
        }
        if let Some(node) = node_bias {
            grads.register::<Flex>(node.id, primitive(gradients.bias, [filters]));
        }
    }
}
