//! Data-parallel training across threads or processes that share no memory, such as the workers of a
//! browser: a replica of the network computes the gradients of a part of a step.

use std::collections::VecDeque;

use anyhow::{Result, anyhow, ensure};
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Int, Tensor, TensorData};
use captcha_model::{ModelConfig, Network};
use serde::{Deserialize, Serialize};

use crate::data::batch::Batch;
use crate::finetune::gradients::gradients;
use crate::finetune::job::Job;
use crate::finetune::validate::values;
use crate::norm::{fix_norm, running_statistics};

/// What a replica needs once.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ReplicaSetup {
    config: ModelConfig,
    fixed_norm: bool,
}

impl ReplicaSetup {
    /// The setup of the replicas of a job's runs.
    pub fn of(job: &Job) -> Self {
        Self {
            config: job.config.clone(),
            fixed_norm: job.fixed_norm,
        }
    }
}

/// What a replica needs for a part of a step.
#[derive(Clone, Debug, PartialEq)]
pub struct PartTask {
    /// Parameters and batch norm's statistics, in the order of the network.
    pub weights: Vec<f32>,
    /// Preprocessed images: `[batch, channels, height, width]`, flat.
    pub images: Vec<f32>,
    /// Shape of the images.
    pub shape: [usize; 4],
    /// Input of the decoder: `[batch, steps]`, flat.
    pub inputs: Vec<i32>,
    /// Expected output of the decoder: `[batch, steps]`, flat.
    pub targets: Vec<i32>,
}

/// What a replica has computed.
#[derive(Clone, Debug, PartialEq)]
pub struct PartResult {
    /// The gradient of each parameter, in the order of the network.
    pub gradients: Vec<f32>,
    /// Batch norm's statistics after the part.
    pub statistics: Vec<f32>,
    /// The loss of each image, in nats per text: `[batch]`.
    pub losses: Vec<f32>,
}

/// A copy of the network of a run.
pub struct Replica {
    network: Network,
    device: Device,
    /// Number of its weights, as in [`PartTask`].
    weights: usize,
}

impl Replica {
    /// A replica on a device. The device has no autodiff; the replica adds it.
    ///
    /// # Errors
    ///
    /// If the configuration is not valid.
    pub fn new(setup: &ReplicaSetup, device: &Device) -> Result<Self> {
        let device = device.clone().autodiff();
        let mut network = setup.config.init(&device)?;
        if setup.fixed_norm {
            fix_norm(&mut network);
        }
        Ok(Self {
            weights: weights(&network).len(),
            network,
            device,
        })
    }

    /// The gradients of a part.
    ///
    /// # Errors
    ///
    /// If the task is of another network, or the device fails.
    pub fn compute(&mut self, task: PartTask) -> Result<PartResult> {
        let given = task.weights.len();
        ensure!(
            given == self.weights,
            "the task has {given} weights, the network {}",
            self.weights
        );
        let [batch, ..] = task.shape;
        let steps = task.inputs.len() / batch.max(1);
        let tokens = |tokens: Vec<i32>| -> Result<Tensor<2, Int>> {
            ensure!(
                tokens.len() == batch * steps,
                "the texts of the task have different lengths"
            );
            let tokens = TensorData::new(tokens, [batch, steps]);
            Ok(Tensor::from_data(tokens, &self.device))
        };
        ensure!(
            batch > 0 && task.images.len() == task.shape.iter().product::<usize>(),
            "the images of the task have another shape"
        );
        let batch = Batch {
            images: Tensor::from_data(TensorData::new(task.images, task.shape), &self.device),
            inputs: tokens(task.inputs)?,
            targets: tokens(task.targets)?,
            character_map: None,
            boxes: None,
        };
        let mut load = Load(task.weights.into());
        self.network = self.network.clone().map(&mut load);
        let (gradients, losses) = gradients(&self.network, batch)?;
        let mut flat = Flatten {
            gradients: &gradients,
            values: Vec::new(),
        };
        self.network.visit(&mut flat);
        let statistics = running_statistics(&self.network);
        Ok(PartResult {
            gradients: flat.values,
            statistics: statistics
                .flat_map(|statistic| values(statistic.value_sync()))
                .flatten()
                .collect(),
            losses,
        })
    }
}

/// The task of a part for a replica of a network.
///
/// # Errors
///
/// If the device fails.
pub(super) fn task(network: &Network, batch: Batch) -> Result<PartTask> {
    let shape = batch.images.dims();
    let tokens = |tokens: Tensor<2, Int>| {
        let data = tokens
            .try_into_data()
            .map_err(|error| anyhow!("{error:?}"))?;
        let tokens = data.convert::<i32>().try_into_vec();
        tokens.map_err(|error| anyhow!("{error:?}"))
    };
    Ok(PartTask {
        weights: weights(network),
        images: values(batch.images.without_autodiff().flatten(0, 3))?,
        shape,
        inputs: tokens(batch.inputs)?,
        targets: tokens(batch.targets)?,
    })
}

/// Takes over the result of a replica: gives the gradients. Batch norm's statistics become the mean
/// of the network's and the replica's, as for parts on threads.
///
/// # Errors
///
/// If the result is of another network.
pub(super) fn received(
    network: &Network,
    fixed_norm: bool,
    result: PartResult,
) -> Result<GradientsParams> {
    let statistics = running_statistics(network).map(|statistic| statistic.value().dims()[0]);
    ensure!(
        result.gradients.len() == trainable(network)
            && result.statistics.len() == statistics.sum::<usize>(),
        "the result is of another network"
    );
    let mut found = Unflatten {
        values: result.gradients.into(),
        gradients: GradientsParams::new(),
    };
    network.visit(&mut found);
    if !fixed_norm {
        let mut rest = result.statistics.as_slice();
        for statistic in running_statistics(network) {
            // `valid` synchronizes what other threads have computed; `value_sync` does so only if
            // this thread has computed a part.
            let own = Tensor::from_inner(statistic.valid().value());
            let (values, tail) = rest.split_at(own.dims()[0]);
            rest = tail;
            let other = Tensor::from_floats(values, &own.device());
            statistic.update(own.add(other).mul_scalar(0.5));
        }
    }
    Ok(found.gradients)
}

/// The values of all parameters and batch norm's statistics.
fn weights(network: &Network) -> Vec<f32> {
    struct Collect(Vec<f32>);
    impl ModuleVisitor for Collect {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.0.extend(flat(param.val()));
        }
    }
    let mut all = Collect(Vec::new());
    // `valid` synchronizes the statistics.
    network.valid().visit(&mut all);
    all.0
}

/// The number of values of all parameters that have gradients.
fn trainable(network: &Network) -> usize {
    struct Count(usize);
    impl ModuleVisitor for Count {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let tensor = param.val();
            if tensor.is_require_grad() {
                self.0 += tensor.shape().num_elements();
            }
        }
    }
    let mut all = Count(0);
    network.visit(&mut all);
    all.0
}

fn flat<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    // Flex has the values in memory; a read that fails gives too few, which is an error later.
    values(tensor.reshape([-1])).unwrap_or_default()
}

/// Sets all parameters and statistics to values.
struct Load(VecDeque<f32>);

impl ModuleMapper for Load {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        param.map(|tensor| {
            let shape = tensor.dims();
            let count = shape.iter().product::<usize>();
            let values: Vec<f32> = self.0.drain(..count).collect();
            let loaded = Tensor::from_data(TensorData::new(values, shape), &tensor.device());
            loaded.set_require_grad(tensor.is_require_grad())
        })
    }
}

/// Collects the gradients of parameters; zeros for one without.
struct Flatten<'a> {
    gradients: &'a GradientsParams,
    values: Vec<f32>,
}

impl ModuleVisitor for Flatten<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let tensor = param.val();
        if tensor.is_require_grad() {
            match self.gradients.get::<D>(param.id) {
                Some(gradient) => self.values.extend(flat(gradient)),
                None => self.values.extend(vec![0.0; tensor.shape().num_elements()]),
            }
        }
    }
}

/// Assigns gradients to parameters, in the order of [`Flatten`].
struct Unflatten {
    values: VecDeque<f32>,
    gradients: GradientsParams,
}

impl ModuleVisitor for Unflatten {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let tensor = param.val();
        let count = tensor.shape().num_elements();
        if tensor.is_require_grad() && count <= self.values.len() {
            let values: Vec<f32> = self.values.drain(..count).collect();
            let values = TensorData::new(values, tensor.dims());
            let device = tensor.without_autodiff().device();
            let gradient = Tensor::<D>::from_data(values, &device);
            self.gradients.register(param.id, gradient);
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Distribution;
    use captcha_model::Vocabulary;

    use super::*;

    fn random_batch(config: &ModelConfig, device: &Device) -> Batch {
        let [channels, rows, cols] = config.input_shape();
        let character = Vocabulary::FIRST_CHARACTER as i32;
        let texts = Tensor::full([2, 3], character, device);
        Batch {
            images: Tensor::random([2, channels, rows, cols], Distribution::Default, device),
            inputs: texts.clone(),
            targets: texts,
            character_map: None,
            boxes: None,
        }
    }

    #[test]
    fn statistics_are_the_mean_of_own_part_and_replica() {
        let config = ModelConfig::compact();
        let device = Device::flex();
        let setup = ReplicaSetup {
            config: config.clone(),
            fixed_norm: false,
        };
        let mut replica = Replica::new(&setup, &device).expect("a valid configuration");
        let autodiff = device.autodiff();
        let network = config.init(&autodiff).expect("a valid configuration");
        let [own, other] = [(); 2].map(|()| random_batch(&config, &autodiff));
        let mut computed = |batch: &Batch| {
            let task = task(&network, batch.clone()).expect("a task");
            replica.compute(task).expect("a result")
        };
        let (expected, result) = (computed(&own), computed(&other));
        let mean = expected.statistics.iter().zip(&result.statistics);
        let mean: Vec<f32> = mean.map(|(own, other)| (own + other) / 2.0).collect();
        // As with a thread pool, another thread computes the own part.
        std::thread::scope(|scope| {
            let part = scope.spawn(|| gradients(&network, own).map(|_| ()));
            part.join().expect("no panic").expect("gradients");
        });
        received(&network, false, result).expect("a result of this network");
        let found = network.valid();
        let found = running_statistics(&found).flat_map(|statistic| flat(statistic.value()));
        for (found, mean) in found.zip(mean) {
            assert!(
                (found - mean).abs() < 1e-4 * mean.abs().max(1.0),
                "{found}, {mean}"
            );
        }
    }
}
