//! The GPU kernels of `captcha-gpu-kernel` as operations on burn's tensors, for inference.
//!
//! Each gives what burn's layers give, or `None` where it does not apply: on another device, in
//! another precision, for a network that does not fit in a workgroup's memory.

use burn::backend::Wgpu;
use burn::backend::wgpu::CubeTensor;
use burn::tensor::{DType, Device, Tensor};
use captcha_gpu_kernel::{ConvBlock, Decoder, Dense};

use self::search::{Search, Sizes};

use crate::config::Grid;
use crate::network::Network;

mod pack;
mod search;

/// Largest record of a search: 64 MB, half of what every WebGPU device can bind, as the host holds a
/// copy of it.
const MAX_VALUES: usize = 16 << 20;
/// Most candidates that a step of a search compares in one dispatch. Drivers end a dispatch that takes
/// seconds.
const MAX_CANDIDATES: usize = 1 << 28;

/// A network's weights in the layouts of the kernels.
#[derive(Debug)]
pub(crate) struct GpuNetwork {
    /// Each block with its weights. The sizes of the images are not set.
    blocks: Vec<(ConvBlock, Tensor<2>)>,
    dense: Tensor<2>,
    /// The projected places of each grid's cells, if the network has them.
    places: Option<Vec<(Grid, Tensor<2>)>>,
    keys: Tensor<2>,
    /// The decoder without the number of positions, and its weights.
    decoder: (Decoder, Tensor<1>),
}

impl GpuNetwork {
    /// Converts the weights of a network for [`Network::for_inference`] that is on the CPU, where this
    /// compiles no shaders, and copies them to a device. The network's inputs have these grids.
    pub(crate) fn new(network: &Network, grids: &[Grid], device: &Device) -> Option<Self> {
        if !is_gpu(device) {
            return None;
        }
        let encoder = &network.encoder;
        let (decoder, weights) = pack::decoder(&network.decoder);
        let packed = encoder.blocks.iter().map(pack::block);
        Some(Self {
            blocks: packed
                .map(|(block, weights)| (block, weights.to_device(device)))
                .collect(),
            dense: pack::dense(&encoder.dense).to_device(device),
            places: encoder.positions.as_ref().map(|projection| {
                let places = |grid: &Grid| pack::places(projection, *grid).to_device(device);
                grids.iter().map(|grid| (*grid, places(grid))).collect()
            }),
            keys: pack::dense(&network.decoder.attention.key).to_device(device),
            decoder: (decoder, weights.to_device(device)),
        })
    }

    /// As [`Encoder::forward`](crate::encoder::Encoder::forward).
    ///
    /// # Shapes
    ///
    /// - `images`: `[batch, channels, height, width]`
    /// - output: `[batch, positions, features]`
    pub(crate) fn encode(&self, images: &Tensor<4>) -> Option<Tensor<3>> {
        let mut maps = images.clone();
        for (block, weights) in &self.blocks {
            let [images, _, height, width] = maps.dims();
            let block = ConvBlock {
                height,
                width,
                ..*block
            };
            let [rows, cols] = block.output();
            let (x, weights) = (buffer(&maps)?, buffer(weights)?);
            if !block.fits() {
                return None;
            }
            let output = Tensor::empty([images, block.filters, rows, cols], &maps.device());
            let client = x.client.clone();
            block.launch(
                &client,
                images,
                [x, weights, buffer(&output)?].map(CubeTensor::into_buffer_arg),
            );
            maps = output;
        }
        let [batch, inputs, rows, cols] = maps.dims();
        let grid = Grid { rows, cols };
        let places = match &self.places {
            Some(places) => Some(&places.iter().find(|(known, _)| *known == grid)?.1),
            None => None,
        };
        let features = self.decoder.0.features;
        let op = Dense {
            positions: grid.positions(),
            inputs,
            outputs: features,
            planes_in: true,
            planes_out: false,
            relu: true,
            places: places.is_some(),
        };
        let shape = [batch, grid.positions(), features];
        let x = maps.reshape([batch, inputs, grid.positions()]);
        dense(op, &x, &self.dense, places, shape)
    }

    /// As [`Decoder::greedy`](crate::decoder::Decoder::greedy). With `until_end`, the steps after the
    /// end of a text are zeros.
    ///
    /// # Shapes
    ///
    /// - `features`: `[batch, positions, features]`
    /// - output: `[batch, steps, vocabulary + positions]`: logits, then attention
    pub(crate) fn greedy(
        &self,
        features: &Tensor<3>,
        steps: usize,
        until_end: bool,
    ) -> Option<Tensor<3>> {
        let [batch, positions, _] = features.dims();
        let (decoder, keys) = self.decoder(features)?;
        let row = decoder.vocabulary + positions;
        let output = Tensor::empty([batch, steps, row], &features.device());
        let inputs = [buffer(features)?, buffer(&keys)?, buffer(&self.decoder.1)?];
        let client = inputs[0].client.clone();
        let inputs = inputs.map(CubeTensor::into_buffer_arg);
        let output_buffer = buffer(&output)?.into_buffer_arg();
        decoder.launch(&client, batch, steps, until_end, inputs, output_buffer);
        Some(output)
    }

    /// Greedy decoding, and a search for the most likely texts of each image with a beam of this width
    /// (see [`beam_search`](crate::beam::beam_search)), without a read-back. `None` also for so many images
    /// and so wide a beam that the device might not bear it.
    ///
    /// # Shapes
    ///
    /// - `features`: `[batch, positions, features]`
    pub(crate) fn search(
        &self,
        features: &Tensor<3>,
        steps: usize,
        width: usize,
        temperature: f64,
    ) -> Option<Search> {
        let [images, positions, _] = features.dims();
        let (decoder, keys) = self.decoder(features)?;
        let sizes = Sizes {
            images,
            steps,
            width,
            row: decoder.vocabulary + positions,
            beam_row: decoder.beam_row(),
        };
        let start = images * steps * sizes.row;
        let values = start + images * steps * width * sizes.beam_row;
        // The text at each place of a beam is found after those before it.
        let candidates = images * (width * (width + 1) / 2) * width * decoder.vocabulary;
        if values > MAX_VALUES || candidates > MAX_CANDIDATES {
            return None;
        }
        let device = features.device();
        let record = Tensor::empty([values], &device);
        let states = Tensor::<1>::empty([2 * images * width * decoder.units], &device);
        let inputs = [buffer(features)?, buffer(&keys)?, buffer(&self.decoder.1)?];
        let inputs = || inputs.clone().map(CubeTensor::into_buffer_arg);
        let (states, output) = (buffer(&states)?, buffer(&record)?);
        let client = output.client.clone();
        let output = || output.clone().into_buffer_arg();
        decoder.launch(&client, images, steps, true, inputs(), output());
        let search = captcha_gpu_kernel::Search {
            images,
            steps,
            width,
            temperature: temperature as f32,
        };
        decoder.launch_search(&client, search, start, || {
            let [features, keys, weights] = inputs();
            let states = states.clone().into_buffer_arg();
            [features, keys, weights, states, output()]
        });
        Some(Search { record, sizes })
    }

    /// The decoder for these features, and the features' keys.
    fn decoder(&self, features: &Tensor<3>) -> Option<(Decoder, Tensor<3>)> {
        let [batch, positions, inputs] = features.dims();
        let decoder = Decoder {
            positions,
            ..self.decoder.0
        };
        if !decoder.fits() {
            return None;
        }
        let op = Dense {
            positions,
            inputs,
            outputs: decoder.attention,
            planes_in: false,
            planes_out: true,
            relu: false,
            places: false,
        };
        let shape = [batch, decoder.attention, positions];
        let keys = dense(op, features, &self.keys, None, shape)?;
        Some((decoder, keys))
    }
}

/// A dense layer at each position.
fn dense(
    op: Dense,
    x: &Tensor<3>,
    weights: &Tensor<2>,
    places: Option<&Tensor<2>>,
    shape: [usize; 3],
) -> Option<Tensor<3>> {
    let output = Tensor::empty(shape, &x.device());
    let buffers = [
        buffer(x)?,
        buffer(weights)?,
        // Without places, the kernel does not read this buffer.
        buffer(places.unwrap_or(weights))?,
        buffer(&output)?,
    ];
    let client = buffers[0].client.clone();
    op.launch(&client, shape[0], buffers.map(CubeTensor::into_buffer_arg));
    Some(output)
}

/// Whether the kernels run on a device.
pub(crate) fn is_gpu(device: &Device) -> bool {
    buffer(&Tensor::<1>::empty([1], device)).is_some()
}

/// A tensor's values on a GPU, one after the other; `None` if they are not.
fn buffer<const D: usize>(tensor: &Tensor<D>) -> Option<CubeTensor> {
    if tensor.dtype() != DType::F32 {
        return None;
    }
    let tensor = tensor.clone().try_into_primitive::<Wgpu>().ok()?;
    tensor.is_contiguous().then_some(tensor)
}
