//! The resolved configuration of a run.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use burn::tensor::Device;
use captcha_evaluation::device::DeviceChoice;
use captcha_evaluation::weights_file::read_weights;
use captcha_model::{ModelConfig, Weights};

use crate::data::run_data::{DataSource, RunData};
use crate::training::plan::{RunPlan, notes_before_start};
use crate::training::provenance::Provenance;
use crate::training::recipe::{Recipe, TrainingRecipe};
use crate::training::run_folder::{RunFolder, RunLock};
use crate::training::schedule::{fitting_warmup, steps};
use crate::weights::transfer::widen_and_deepen;
use captcha_learning::weights::alphabet::with_alphabet;

/// A new run as a user asks for it.
#[derive(Clone, Debug)]
pub struct RunRequest {
    /// Name of a preset, or path of a file.
    pub preset: String,
    /// A labelled folder, or `synth:LOOKS`; `None` for the preset's looks.
    pub data: Option<String>,
    /// The folder of the run; it must be empty or missing.
    pub folder: PathBuf,
    /// Weights to start from; `None` for random ones.
    pub from: Option<PathBuf>,
    /// Number of epochs; `None` for the preset's.
    pub epochs: Option<usize>,
    /// The device.
    pub device: DeviceChoice,
    /// Number of devices.
    pub devices: usize,
    /// Seed of the images and the network.
    pub seed: u64,
    /// The command, for the record.
    pub command: String,
}

/// A run with all of its values resolved. [`start`](crate::training::start::start) runs it.
pub struct RunConfig {
    pub(super) target: Target,
    pub(super) provenance: Provenance,
    pub(super) network: ModelConfig,
    pub(super) initial_weights: Option<Weights>,
    pub(super) data: RunData,
    pub(super) device: DeviceChoice,
    pub(super) devices: usize,
    pub(super) notes: Vec<String>,
}

/// The folder that a run is written to.
pub(super) enum Target {
    /// A folder to be made.
    New(PathBuf),
    /// The folder of a run to be resumed.
    Existing(RunFolder, RunLock),
}

impl RunConfig {
    /// Resolves a new run. Writes nothing.
    ///
    /// # Errors
    ///
    /// If the preset, the weights or the data cannot be used.
    pub fn new(request: &RunRequest) -> Result<Self> {
        let mut recipe = Recipe::load(&request.preset)?;
        if let Some(epochs) = request.epochs {
            recipe.training.epochs = epochs;
            recipe.check()?;
        }
        let network = recipe.model()?;
        let read = request.from.as_deref().map(read_weights).transpose()?;
        let unwritten = read.as_ref().map(|weights| {
            let known = weights.config.alphabet.chars();
            let unwritten = known.filter(|&one| !network.alphabet.contains(one));
            unwritten.collect::<String>()
        });
        let initial_weights = read
            .map(|weights| initial_weights(weights, &network, request.seed))
            .transpose()
            .with_context(|| from_name(request))?;
        ensure!(
            initial_weights.is_some() || !recipe.training.fixed_norm,
            "fixed_norm keeps the statistics of the initial weights: name them with --from"
        );
        let named = request.data.clone();
        let data_name = named.unwrap_or_else(|| format!("synth:{}", recipe.data.looks));
        if let Some(looks) = data_name.strip_prefix("synth:") {
            recipe.data.looks = looks.to_owned();
        }
        let before = initial_weights.as_ref().map(|weights| &weights.training);
        let first_image = before.map_or(0, |record| {
            Provenance::images_seen_before(record, &data_name, request.seed)
        });
        let source = DataSource::parse(&data_name)?;
        let data = RunData::new(&source, &recipe, &network, request.seed, first_image)?;
        let mut notes = data.notes.clone();
        notes.extend(
            unwritten
                .filter(|characters| !characters.is_empty())
                .map(|characters| {
                    format!(
                        "the weights know {characters}, which the preset's network does not write"
                    )
                }),
        );
        let from_scratch = initial_weights.is_none();
        notes.extend(fit(&mut recipe.training, request, &data, from_scratch));
        let folder = match &source {
            DataSource::Folder(folder) => std::path::absolute(folder).ok(),
            DataSource::Synthetic(_) => None,
        };
        let provenance = Provenance {
            recipe,
            network: Some(network.clone()),
            data: data_name,
            folder: folder.and_then(|folder| folder.to_str().map(str::to_owned)),
            images: data.list.as_ref().map(|list| list.digest()).transpose()?,
            seed: request.seed,
            first_image,
            devices: Some(request.devices),
            command: request.command.clone(),
            version: env!("CARGO_PKG_VERSION").into(),
            from: before.cloned(),
        };
        Ok(Self {
            target: Target::New(request.folder.clone()),
            provenance,
            network,
            initial_weights,
            data,
            device: request.device,
            devices: request.devices,
            notes,
        })
    }

    /// Resolves the continuation of a run from its last checkpoint, and locks its folder.
    ///
    /// # Errors
    ///
    /// If the run cannot be read, another process trains in its folder, its data has changed, or
    /// `devices` differs from the run's number of devices.
    pub fn resume(folder: &Path, device: DeviceChoice, devices: Option<usize>) -> Result<Self> {
        let run = RunFolder::open(folder)?;
        let lock = run.lock()?;
        let (provenance, initial_weights) = (run.provenance()?, run.initial_weights()?);
        let network = provenance.model()?;
        let count = devices.or(provenance.devices).unwrap_or(1);
        ensure!(
            provenance.devices.is_none_or(|started| started == count),
            "the run was started with --devices {}, and its schedule depends on it: omit --devices",
            provenance.devices.unwrap_or_default()
        );
        let source = match &provenance.folder {
            Some(folder) => DataSource::Folder(folder.into()),
            None => DataSource::parse(&provenance.data)?,
        };
        let Provenance {
            recipe,
            seed,
            first_image,
            ..
        } = &provenance;
        let data = RunData::new(&source, recipe, &network, *seed, *first_image)?;
        if let Some(list) = &data.list {
            run.check_images(&provenance, list)?;
        }
        Ok(Self {
            target: Target::Existing(run, lock),
            notes: data.notes.clone(),
            provenance,
            network,
            initial_weights,
            data,
            device,
            devices: count,
        })
    }
}

/// Fits epoch and warm-up of a recipe to the data. Gives notes for the user.
fn fit(
    recipe: &mut TrainingRecipe,
    request: &RunRequest,
    data: &RunData,
    from_scratch: bool,
) -> Vec<String> {
    // An epoch of a labelled folder has all its images, whatever the preset says.
    recipe.images_per_epoch = data.train.len();
    let steps = steps(recipe, data.train.len(), request.devices);
    let preset_warmup = recipe.warmup_steps;
    // The record contains the used value, so that a resumed run has the same schedule.
    recipe.warmup_steps = fitting_warmup(recipe, steps);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let is_cpu = request.device == DeviceChoice::Cpu || !cfg!(feature = "gpu");
    notes_before_start(&RunPlan {
        folder_images: data.list.is_some().then(|| data.train.len()),
        from_scratch,
        steps,
        preset_warmup,
        warmup: recipe.warmup_steps,
        cpu: is_cpu.then_some((request.devices, cores)),
    })
}

fn from_name(request: &RunRequest) -> String {
    let path = request.from.as_deref().unwrap_or(Path::new(""));
    path.display().to_string()
}

/// Transfers weights to `network` if theirs differs in alphabet, text length or input, or is smaller.
fn initial_weights(weights: Weights, network: &ModelConfig, seed: u64) -> Result<Weights> {
    Device::flex().seed(seed); // for the random values of new filters
    let mut same_structure = weights.config.clone();
    same_structure.alphabet.clone_from(&network.alphabet);
    same_structure.max_length = network.max_length;
    same_structure.encoder.positions = network.encoder.positions;
    if same_structure.encoder.unshuffle == network.encoder.unshuffle {
        let (input, wanted) = (&mut same_structure.input, &network.input);
        (input.height, input.width) = (wanted.height, wanted.width);
        input.proportions = wanted.proportions;
    }
    let weights = if same_structure == weights.config {
        weights
    } else {
        with_alphabet(&weights, &same_structure)?
    };
    if weights.config == *network {
        return Ok(weights);
    }
    widen_and_deepen(&weights, network)
}
