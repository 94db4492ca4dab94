//! Benchmark of a training step: two workers with 16 images each, as in the recipe of `compact`.
//! `tests/compare/training.py` measures the same step in PyTorch.

use burn::module::Module;
use burn::optim::GradientsAccumulator;
use burn::tensor::{Device, Distribution, Int, Tensor};
use burn::train::TrainStep;
use captcha_learning::data::batch::Batch;
use captcha_model::{ModelConfig, Vocabulary};
use captcha_trainer::training::model::TrainingModel;
use captcha_trainer::training::optimizer::optimizer;
use captcha_trainer::training::recipe::Recipe;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rayon::prelude::*;

/// Workers, each with a batch of its own.
const WORKERS: usize = 2;

fn step(criterion: &mut Criterion) {
    let device = Device::flex().autodiff();
    let config = ModelConfig::compact();
    let mut recipe = Recipe::load("compact").expect("a preset").training;
    recipe.character_map_weight = 0.0;
    let mut model = TrainingModel::new(&config, &recipe, &device).expect("a valid network");
    let mut optimizer = optimizer(&recipe).expect("a valid recipe");
    let (images, steps) = (recipe.batch, config.steps());
    let [channels, rows, cols] = config.input_shape();
    let first = Vocabulary::FIRST_CHARACTER;
    let end = first + config.alphabet.len();
    let characters = Distribution::Uniform(first as f64, end as f64);
    let texts: Tensor<2, Int> = Tensor::<2>::random([images, steps], characters, &device).int();
    let batch = Batch {
        images: Tensor::random(
            [images, channels, rows, cols],
            Distribution::Uniform(0.0, 1.0),
            &device,
        ),
        inputs: texts.clone(),
        targets: texts,
        character_map: None,
        boxes: None,
    };
    let mut group = criterion.benchmark_group("training step");
    group
        .throughput(Throughput::Elements((WORKERS * images) as u64))
        .sample_size(20);
    group.bench_function("compact", |bencher| {
        bencher.iter(|| {
            let workers = (0..WORKERS).into_par_iter().with_max_len(1);
            let outputs: Vec<_> = workers
                .map(|_| TrainStep::step(&model.clone().fork(&device), batch.clone()))
                .collect();
            let mut gradients = GradientsAccumulator::new();
            for output in outputs {
                gradients.accumulate(&model, output.grads);
            }
            model = optimizer.step(recipe.learning_rate, model.clone(), gradients.grads());
        });
    });
    group.finish();
}

criterion_group!(benches, step);
criterion_main!(benches);
