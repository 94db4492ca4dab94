//! Attention's scores in training on the CPU: the kernel that reads, and its way back, for burn's
//! autodiff.
//!
//! The values and gradients are those of [`Attention::scores_by_layers`]; a test holds the two
//! together.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::autodiff::{NodeId, checkpoint::strategy::NoCheckpointing};
use burn::backend::flex::FlexTensor;
use burn::backend::{Autodiff, Flex};
use burn::tensor::Tensor;
use captcha_kernel::Scores;
use captcha_model::attention::{Attention, Memory};
use captcha_model::cpu::score_sizes;

use crate::convolution::tensor;

/// As [`Attention::scores`], also where the tensors are in training on the CPU.
pub fn scores(attention: &Attention, memory: &Memory, query: Tensor<2>) -> Tensor<2> {
    type Training = Autodiff<Flex, NoCheckpointing>;
    let (Some(sizes), Ok(keys), Ok(queries), Ok(v)) = (
        score_sizes(memory, &query).filter(|sizes| !sizes.shared),
        memory.keys.clone().try_into_primitive::<Training>(),
        query.clone().try_into_primitive::<Training>(),
        attention
            .score
            .weight
            .val()
            .try_into_primitive::<Training>(),
    ) else {
        return attention.scores(memory, query);
    };
    let [key_values, query_values, v_values] =
        [keys.primitive(), queries.primitive(), v.primitive()].map(FlexTensor::to_contiguous);
    let scores = sizes.forward(
        key_values.storage(),
        query_values.storage(),
        v_values.storage(),
    );
    let scores = tensor(scores, [sizes.batch, sizes.positions]);
    let scores = match Score
        .prepare::<NoCheckpointing>([keys.node(), queries.node(), v.node()])
        .compute_bound()
        .stateful()
    {
        OpsKind::Tracked(mut prep) => {
            let inputs = [&keys, &queries, &v].map(|input| prep.checkpoint(input));
            prep.finish((sizes, inputs), scores)
        }
        OpsKind::UnTracked(prep) => prep.finish(scores),
    };
    let scores = Tensor::<2>::from_primitive::<Training>(scores);
    match &attention.score.bias {
        Some(bias) => scores + bias.val().unsqueeze(),
        None => scores,
    }
}

/// The operation, for burn's autodiff.
#[derive(Debug)]
struct Score;

impl Backward<Flex, 3> for Score {
    type State = (Scores, [NodeId; 3]);

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let [node_keys, node_queries, node_v] = ops.parents;
        let grad = grads.consume::<Flex>(&ops.node).to_contiguous();
        let (sizes, inputs) = ops.state;
        let [keys, queries, v] = inputs.map(|input| {
            let input: FlexTensor = checkpointer.retrieve_node_output(input);
            input.to_contiguous()
        });
        let gradients = sizes.backward(
            keys.storage(),
            queries.storage(),
            v.storage(),
            grad.storage(),
        );
        let Scores {
            batch,
            positions,
            size,
            ..
        } = sizes;
        if let Some(node) = node_keys {
            let grad = tensor(gradients.keys, [batch, positions, size]);
            grads.register::<Flex>(node.id, grad);
        }
        if let Some(node) = node_queries {
            grads.register::<Flex>(node.id, tensor(gradients.queries, [batch, size]));
        }
        if let Some(node) = node_v {
            grads.register::<Flex>(node.id, tensor(gradients.v, [size, 1]));
        }
    }
}
