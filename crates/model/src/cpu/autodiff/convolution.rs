//! The blocks' arithmetic in training on the CPU: the kernel that reads, and its way back, for
//! burn's autodiff.
//!
//! The values and gradients are those of [`ConvBlock::activate_by_layers`]; a test holds the two
//! together.

use std::sync::Arc;

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::autodiff::{NodeId, checkpoint::strategy::NoCheckpointing};
use burn::backend::flex::FlexTensor;
use burn::backend::{Autodiff, Flex};
use burn::tensor::{Tensor, TensorData};
use captcha_kernel::Layer;
use captcha_model::cpu::layer;
use captcha_model::encoder::{ConvBlock, Encoder};

/// As [`Encoder::squares`], for images in training, which need no gradient.
pub fn squares(encoder: &Encoder, images: Tensor<4>) -> Tensor<4> {
    let trains = images.is_autodiff();
    let squares = encoder.squares(images.without_autodiff());
    if trains { squares.autodiff() } else { squares }
}

/// As [`ConvBlock::activate`], also where the tensor is in training on the CPU.
pub fn activate(block: &ConvBlock, x: Tensor<4>) -> Tensor<4> {
    type Training = Autodiff<Flex, NoCheckpointing>;
    let (Some(bias), Ok(input)) = (
        block.conv.bias.as_ref(),
        x.clone().try_into_primitive::<Training>(),
    ) else {
        return block.activate(x);
    };
    let (Ok(weight), Ok(bias)) = (
        block.conv.weight.val().try_into_primitive::<Training>(),
        bias.val().try_into_primitive::<Training>(),
    ) else {
        return block.activate(x);
    };
    let layer = layer(block, x.dims());
    let [x_values, weights, biases] =
        [input.primitive(), weight.primitive(), bias.primitive()].map(FlexTensor::to_contiguous);
    let (output, routes) = layer.forward(
        x_values.storage(),
        &layer.prepare(weights.storage()),
        biases.storage(),
    );
    let [rows, cols] = layer.output();
    let output = tensor(output, [layer.batch, layer.filters, rows, cols]);
    let output = match Activate
        .prepare::<NoCheckpointing>([input.node(), weight.node(), bias.node()])
        .compute_bound()
        .stateful()
    {
        OpsKind::Tracked(mut prep) => {
            let (input_state, weight_state) = (prep.checkpoint(&input), prep.checkpoint(&weight));
            prep.finish((layer, input_state, weight_state, Arc::new(routes)), output)
        }
        OpsKind::UnTracked(prep) => prep.finish(output),
    };
    Tensor::from_primitive::<Training>(output)
}

/// The operation, for burn's autodiff.
#[derive(Debug)]
struct Activate;

impl Backward<Flex, 3> for Activate {
    type State = (Layer, NodeId, NodeId, Arc<Vec<u8>>);

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let [node_x, node_weight, node_bias] = ops.parents;
        let grad = grads.consume::<Flex>(&ops.node).to_contiguous();
        let (layer, x, weight, routes) = ops.state;
        let x: FlexTensor = checkpointer.retrieve_node_output(x);
        let weight: FlexTensor = checkpointer.retrieve_node_output(weight);
        let (x, weight) = (x.to_contiguous(), weight.to_contiguous());
        let gradients = layer.backward(
            x.storage(),
            weight.storage(),
            grad.storage(),
            &routes,
            node_x.is_some(),
        );
        let Layer {
            batch,
            channels,
            height,
            width,
            filters,
            ..
        } = layer;
        if let (Some(node), Some(values)) = (node_x, gradients.x) {
            let grad = tensor(values, [batch, channels, height, width]);
            grads.register::<Flex>(node.id, grad);
        }
        if let Some(node) = node_weight {
            let grad = tensor(gradients.weight, [filters, channels, 3, 3]);
            grads.register::<Flex>(node.id, grad);
        }
        if let Some(node) = node_bias {
            grads.register::<Flex>(node.id, tensor(gradients.bias, [filters]));
        }
    }
}

pub(crate) fn tensor<const D: usize>(values: Vec<f32>, shape: [usize; D]) -> FlexTensor {
    FlexTensor::from_data(TensorData::new(values, shape))
}
