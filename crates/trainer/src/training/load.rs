//! Loads checkpoints, also those of earlier versions.

use std::fmt::Debug;
use std::path::Path;

use anyhow::{Result, anyhow};
use burn::lr_scheduler::LrSchedulerRecord;
use burn::module::Module;
use burn::nn::Linear;
use burn::optim::OptimizerRecord;
use burn::store::ModuleRecord;
use burn::tensor::Device;
use captcha_evaluation::output::write_file;
use captcha_model::Network;

use crate::training::model::TrainingModel;
use crate::training::provenance::Provenance;
use crate::training::run_folder::RunFolder;

/// The model of earlier versions, whose auxiliary head had another name.
#[derive(Module, Debug)]
struct EarlierModel {
    network: Network,
    letter_map: Option<Linear>,
}

/// Prepares a checkpoint for burn-train, which panics if it cannot read a part: checks all parts,
/// and rewrites a model of an earlier version.
///
/// # Errors
///
/// If a part cannot be read or written.
pub(super) fn prepare_checkpoint(
    run: &RunFolder,
    provenance: &Provenance,
    epoch: usize,
) -> Result<()> {
    let path = run.checkpoint("model", epoch);
    let (model, is_earlier) = load(&path, provenance)?;
    if is_earlier {
        let bytes = model.into_record().into_bytes();
        write_file(&path, &bytes.map_err(|error| unreadable(&path, error))?)?;
    }
    let (optimizer, scheduler) = (
        run.checkpoint("optim", epoch),
        run.checkpoint("scheduler", epoch),
    );
    OptimizerRecord::load(&optimizer).map_err(|error| unreadable(&optimizer, error))?;
    LrSchedulerRecord::load(&scheduler).map_err(|error| unreadable(&scheduler, error))?;
    Ok(())
}

/// The model at the end of an epoch.
///
/// # Errors
///
/// If it cannot be read.
pub(super) fn load_model(
    run: &RunFolder,
    provenance: &Provenance,
    epoch: usize,
) -> Result<TrainingModel> {
    Ok(load(&run.checkpoint("model", epoch), provenance)?.0)
}

/// The model in a file, and whether an earlier version wrote it.
fn load(path: &Path, provenance: &Provenance) -> Result<(TrainingModel, bool)> {
    let record = ModuleRecord::load(path).map_err(|error| unreadable(path, error))?;
    let options = &provenance.recipe.training;
    let mut model = TrainingModel::new(&provenance.model()?, options, &Device::flex())?;
    if let Ok(model) = model.clone().try_load_record(record.clone()) {
        return Ok((model, false));
    }
    let earlier = EarlierModel {
        network: model.network,
        letter_map: model.character_map,
    };
    let earlier = earlier.try_load_record(record).map_err(|_| {
        anyhow!(
            "checkpoint {} was made with a different network; use the version that started the run",
            path.display()
        )
    })?;
    (model.network, model.character_map) = (earlier.network, earlier.letter_map);
    Ok((model, true))
}

fn unreadable(checkpoint: &Path, error: impl Debug) -> anyhow::Error {
    anyhow!(
        "cannot read checkpoint {}: {error:?}; delete the files of this epoch to continue from the \
         previous one",
        checkpoint.display()
    )
}

#[cfg(test)]
mod tests {
    use burn::tensor::Tensor;
    use captcha_model::ModelConfig;
    use tempfile::TempDir;

    use super::*;
    use crate::training::recipe::{Model, Recipe};

    #[test]
    fn load_reads_the_model_of_an_earlier_version() {
        let mut recipe = Recipe::load("compact").expect("a preset");
        let mut config = ModelConfig::compact();
        for block in &mut config.encoder.blocks {
            block.filters = 4;
        }
        recipe.model = Model::Custom(config.clone());
        let device = Device::flex();
        let written = TrainingModel::new(&config, &recipe.training, &device).expect("a model");
        let earlier = EarlierModel {
            network: written.network.clone(),
            letter_map: written.character_map.clone(),
        };
        let folder = TempDir::new().expect("a folder");
        let path = folder.path().join("model.bpk");
        earlier.into_record().save(&path).expect("it is written");
        let provenance = Provenance {
            recipe,
            network: None,
            data: String::new(),
            folder: None,
            images: None,
            seed: 1,
            first_image: 0,
            devices: None,
            command: String::new(),
            version: String::new(),
            from: None,
        };
        let (read, is_earlier) = load(&path, &provenance).expect("it is read");
        assert!(is_earlier);
        let weight = |model: TrainingModel| -> Tensor<2> {
            model.character_map.expect("an auxiliary head").weight.val()
        };
        assert_eq!(
            weight(read).into_data(),
            weight(written.clone()).into_data()
        );
        written.into_record().save(&path).expect("it is written");
        assert!(!load(&path, &provenance).expect("it is read").1);
    }
}
