//! A run that a program starts through the library.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::sync::Arc;

use captcha_evaluation::device::DeviceChoice;
use captcha_evaluation::progress::Silent;
use captcha_learning::Session;
use captcha_model::ModelConfig;
use captcha_trainer::training::recipe::{Model, Recipe};
use captcha_trainer::training::run_folder::RunFolder;
use captcha_trainer::training::{RunConfig, RunRequest, start};
use tempfile::TempDir;

/// The compact preset with few filters and few images.
fn small_recipe() -> Recipe {
    let mut recipe = Recipe::load("compact").unwrap();
    let mut config = ModelConfig::compact();
    for block in &mut config.encoder.blocks {
        block.filters = 4;
    }
    recipe.model = Model::Custom(config);
    let training = &mut recipe.training;
    (training.epochs, training.batch) = (1, 4);
    (training.images_per_epoch, training.validation_images) = (8, 4);
    recipe
}

#[test]
fn start_trains_a_resolved_run() {
    let folder = TempDir::new().unwrap();
    let preset = folder.path().join("small.toml");
    fs::write(&preset, toml::to_string(&small_recipe()).unwrap()).unwrap();
    let run = folder.path().join("run");
    let request = RunRequest {
        preset: preset.to_str().unwrap().to_owned(),
        data: Some("synth:words".into()),
        folder: run.clone(),
        from: None,
        epochs: None,
        device: DeviceChoice::Cpu,
        devices: 1,
        seed: 1,
        command: "a test".into(),
    };
    let config = RunConfig::new(&request).unwrap();
    assert!(!run.exists(), "resolving a run writes nothing");
    let session = Session {
        time_limit: None,
        stop: Arc::default(),
        progress: Arc::new(Silent),
    };
    let outcome = start(config, session.clone()).unwrap();
    assert!(outcome.weights.is_file() && !outcome.interrupted);
    assert_eq!(outcome.epochs, 1);
    let provenance = RunFolder::open(&run).unwrap().provenance().unwrap();
    assert_eq!(provenance.command, "a test");
    let resumed = RunConfig::resume(&run, DeviceChoice::Cpu, None).unwrap();
    let error = start(resumed, session).unwrap_err().to_string();
    assert!(error.contains("already finished"), "{error}");
}
