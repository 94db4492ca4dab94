//! The scores of additive attention with their backward pass.

use burn::backend::Flex;
use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::NoCheckpointing;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::tensor::Tensor;
use captcha_kernel::AdditiveAttention;

use super::Recording;
use crate::cpu::tensor::primitive;

/// As `cpu::additive_scores`, for tensors that take part in training and keys that are not shared.
pub(in crate::cpu) fn additive_scores(
    op: AdditiveAttention,
    keys: &Tensor<3>,
    queries: &Tensor<2>,
    v: &Tensor<2>,
) -> Option<Tensor<2>> {
    if op.shared_keys {
        return None;
    }
    let keys = keys.clone().try_into_primitive::<Recording>().ok()?;
    let queries = queries.clone().try_into_primitive::<Recording>().ok()?;
    let v = v.clone().try_into_primitive::<Recording>().ok()?;
    let [key_values, query_values, v_values] =
        [keys.primitive(), queries.primitive(), v.primitive()].map(FlexTensor::to_contiguous);
    let scores = op.forward(
        key_values.storage(),
        query_values.storage(),
        v_values.storage(),
    );
    let scores = primitive(scores, [op.batch, op.positions]);
    let scores = match AdditiveScoresBackward
        .prepare::<NoCheckpointing>([keys.node(), queries.node(), v.node()])
        .compute_bound()
        .stateful()
    {
        OpsKind::Tracked(mut prep) => {
            let inputs = [&keys, &queries, &v].map(|input| prep.checkpoint(input));
            prep.finish((op, inputs), scores)
        }
        OpsKind::UnTracked(prep) => prep.finish(scores),
    };
    Some(Tensor::from_primitive::<Recording>(scores))
}

/// The operation, for burn's autodiff.
#[derive(Debug)]
struct AdditiveScoresBackward;

impl Backward<Flex, 3> for AdditiveScoresBackward {
    type State = (AdditiveAttention, [NodeId; 3]);

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let [node_keys, node_queries, node_v] = ops.parents;
        let grad = grads.consume::<Flex>(&ops.node).to_contiguous();
        let (op, inputs) = ops.state;
        let [keys, queries, v] = inputs.map(|input| {
            let input: FlexTensor = checkpointer.retrieve_node_output(input);
            input.to_contiguous()
        });
        let gradients = op.backward(
            keys.storage(),
            queries.storage(),
            v.storage(),
            grad.storage(),
        );
        let AdditiveAttention {
            batch,
            positions,
            size,
            ..
        } = op;
        if let Some(node) = node_keys {
            let grad = primitive(gradients.keys, [batch, positions, size]);
            grads.register::<Flex>(node.id, grad);
        }
        if let Some(node) = node_queries {
            grads.register::<Flex>(node.id, primitive(gradients.queries, [batch, size]));
        }
        if let Some(node) = node_v {
            grads.register::<Flex>(node.id, primitive(gradients.v, [size, 1]));
        }
    }
}
