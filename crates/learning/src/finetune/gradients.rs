//! The gradients of a step, whose parts are computed at the same time.

use anyhow::Result;
use burn::module::Module;
use burn::optim::{GradientsAccumulator, GradientsParams};
use burn::tensor::Device;
use captcha_model::Network;
use rayon::ThreadPool;

use crate::data::batch::{Batch, Batcher};
use crate::finetune::job::PreparedPart;
use crate::finetune::validate::values;
use crate::losses::text_losses;

/// The gradients of some parts of a step.
#[derive(Default)]
pub struct StepGradients {
    /// Share of the run that was done before the step.
    pub(super) done: f64,
    /// One for each part.
    pub(super) parts: Vec<GradientsParams>,
    /// The loss of each image, in nats per text.
    pub(super) losses: Vec<f32>,
    /// Index of each image's file; `None` if it is generated.
    pub(super) files: Vec<Option<usize>>,
}

impl StepGradients {
    /// Computes the gradients of parts.
    ///
    /// # Errors
    ///
    /// If the device fails.
    pub(super) fn compute(
        network: &Network,
        parts: Vec<PreparedPart>,
        batcher: &Batcher,
        threads: Option<&ThreadPool>,
        device: &Device,
        done: f64,
    ) -> Result<Self> {
        // Each part has its own leaves: parts with shared leaves would be one graph, whose lock
        // backward holds while other parts wait, or wait for each other for ever.
        let (parts, files): (Vec<_>, Vec<_>) = parts
            .into_iter()
            .map(|part| stack(part, batcher, device))
            .map(|(batch, files)| ((network.clone().fork(device), batch), files))
            .unzip();
        let compute = |(network, batch): &(Network, Batch)| gradients(network, batch.clone());
        let outputs: Vec<_> = match threads {
            // A thread takes the same parts in every step: burn keeps the statistics of batch norm
            // for each thread, so they would depend on which thread is quicker.
            Some(threads) => {
                let count = threads.current_num_threads();
                let of_threads = threads.broadcast(|thread| {
                    let own = parts.iter().skip(thread.index()).step_by(count);
                    own.map(compute).collect::<Vec<_>>()
                });
                let mut of_threads: Vec<_> = of_threads.into_iter().map(Vec::into_iter).collect();
                let in_order = (0..parts.len()).filter_map(|part| of_threads[part % count].next());
                in_order.collect()
            }
            None => parts.iter().map(compute).collect(),
        };
        let mut computed = Self {
            done,
            files: files.concat(),
            ..Self::default()
        };
        for output in outputs {
            let (part, losses) = output?;
            computed.parts.push(part);
            computed.losses.extend(losses);
        }
        Ok(computed)
    }

    /// Adds the gradients of other parts of the step.
    pub fn extend(&mut self, other: Self) {
        self.parts.extend(other.parts);
        self.losses.extend(other.losses);
        self.files.extend(other.files);
    }

    /// The sum over the parts.
    pub(super) fn sum(parts: Vec<GradientsParams>, network: &Network) -> GradientsParams {
        let mut sum = GradientsAccumulator::new();
        for part in parts {
            sum.accumulate(network, part);
        }
        sum.grads()
    }
}

/// A part as a batch, and the files of its images.
pub(super) fn stack(
    part: PreparedPart,
    batcher: &Batcher,
    device: &Device,
) -> (Batch, Vec<Option<usize>>) {
    let (images, files) = part.into_iter().unzip();
    (batcher.stack(images, device), files)
}

/// The gradients of the mean text loss of a batch with teacher forcing, and the loss of each image:
/// `[batch]`. The input of the decoder is that of the batch.
pub(super) fn gradients(network: &Network, batch: Batch) -> Result<(GradientsParams, Vec<f32>)> {
    let features = network.encoder.forward(batch.images);
    let decoded = network.decoder.teacher_forced(features, batch.inputs);
    let losses = text_losses(decoded.logits, batch.targets);
    let gradients = GradientsParams::from_grads(losses.clone().mean().backward(), network);
    Ok((gradients, values(losses.without_autodiff())?))
}
