//! The class that JavaScript uses to fine-tune.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::{Context, ensure};
use burn::tensor::Device;
use captcha_evaluation::data::labels::{LabelledFile, composed};
use captcha_evaluation::data::splits::HashedFile;
use captcha_learning::finetune::images::{LabelledList, MIN_LABELS};
use captcha_learning::finetune::{
    End, FinetuneRecipe, Generated, Job, LabelledImages, Progress, Run, Steps,
};
use captcha_model::vocabulary::lowercase;
use captcha_model::weights::{Precision, save};
use captcha_model::{Network, Weights};
use captcha_wasm::LensError;
use js_sys::Uint8Array;
use serde::Serialize;
use serde_json::json;
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::{LearningError, sentence};
use crate::options::Options;
use crate::source::Memory;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &'static str = include_str!("types.d.ts");

/// Fine-tunes a network on labelled images, step by step, with the recipe of `captcha-lens finetune`.
/// It generates no images, as weights that know all characters of the labels do not need them.
#[wasm_bindgen]
pub struct Finetuning {
    job: Arc<Job>,
    plan: Plan,
    time_limit: Duration,
    /// The record of the initial weights.
    from: serde_json::Value,
    seed: u64,
    /// `None` before it starts and after it is finished.
    run: Option<Run>,
    steps: Steps,
}

/// `FinetuningPlan` of `types.d.ts`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Plan {
    alphabet: String,
    max_length: usize,
    input: [usize; 2],
    training: Vec<usize>,
    validation: Vec<usize>,
    available: usize,
    validation_labels: Vec<String>,
    notes: Vec<String>,
}

/// `FinetuningValidation` of `types.d.ts`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Validation {
    step: usize,
    training_loss: Option<f64>,
    validation_loss: f64,
    exact_matches: usize,
    seconds: f64,
}

/// `FinetuningStep` of `types.d.ts`.
#[derive(Serialize)]
struct Step {
    step: usize,
    done: f64,
    images: usize,
    loss: Option<f64>,
    seconds: f64,
    validation: Option<Validation>,
    end: Option<End>,
}

/// `FinetuningResult` of `types.d.ts`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Outcome {
    #[serde(with = "serde_wasm_bindgen::preserve")]
    weights: Uint8Array,
    end: End,
    exact_matches: usize,
    validation_images: usize,
    initial_share: f64,
    temperature: Option<f64>,
    history: Vec<Validation>,
}

#[wasm_bindgen]
impl Finetuning {
    /// Decodes and divides the images.
    ///
    /// @throws {LensError} `bad-argument`, `bad-weights`; `bad-images` if the images or their labels
    /// cannot be learned from.
    pub fn open(
        #[wasm_bindgen(unchecked_param_type = "FinetuningOptions")] options: JsValue,
    ) -> Result<Finetuning, JsValue> {
        Ok(Self::new(Options::parse(&options)?)?)
    }

    /// What follows from the images.
    #[wasm_bindgen(getter, unchecked_return_type = "FinetuningPlan")]
    pub fn plan(&self) -> Result<JsValue, JsValue> {
        Ok(to_object(&self.plan)?)
    }

    /// Starts the run with a first validation, or goes on with a saved one.
    ///
    /// @throws {LensError} `bad-images` if the saved run is of other images or options, or damaged.
    #[wasm_bindgen(unchecked_return_type = "FinetuningValidation[]")]
    pub fn start(&mut self, saved: Option<Vec<u8>>) -> Result<JsValue, JsValue> {
        let run = self.started(saved)?;
        let validations: Vec<_> = run.history().iter().map(Validation::from).collect();
        self.run = Some(run);
        Ok(to_object(&validations)?)
    }

    /// Learns from one batch.
    ///
    /// @throws {LensError} `bad-images`.
    #[wasm_bindgen(unchecked_return_type = "FinetuningStep")]
    pub fn advance(&mut self) -> Result<JsValue, JsValue> {
        Ok(to_object(&self.step()?)?)
    }

    /// Stops the clock of the run.
    pub fn pause(&mut self) {
        if let Some(run) = &mut self.run {
            run.clock.stop();
        }
    }

    /// Lets the clock of the run go on.
    pub fn resume(&mut self) {
        if let Some(run) = &mut self.run {
            run.clock.start();
        }
    }

    /// The run as bytes, for `start` after a reload.
    pub fn save(&self) -> Result<Vec<u8>, JsValue> {
        Ok(self.saved()?)
    }

    /// The weights so far: a safetensors file.
    pub fn weights(&self) -> Result<Vec<u8>, JsValue> {
        Ok(self.current_weights()?)
    }

    /// Ends the run, and gives the network that it keeps.
    #[wasm_bindgen(unchecked_return_type = "FinetuningResult")]
    pub fn finish(
        &mut self,
        #[wasm_bindgen(unchecked_param_type = "FinetuningEnd")] end: &str,
    ) -> Result<JsValue, JsValue> {
        Ok(to_object(&self.outcome(end)?)?)
    }
}

impl Finetuning {
    fn new(options: Options) -> Result<Self, LearningError> {
        let count = options.images.len();
        let mut places = BTreeMap::new();
        let (mut files, mut bytes) = (Vec::with_capacity(count), BTreeMap::new());
        for (index, image) in options.images.into_iter().enumerate() {
            let path = PathBuf::from(image.name);
            let label = composed(image.label.trim());
            let text = match options.ignore_case {
                true => lowercase(&label),
                false => label,
            };
            if places.insert(path.clone(), index).is_some() {
                let same = format!("two images have the name {}", path.display());
                return Err(LensError::BadArgument(same).into());
            }
            if !text.is_empty() {
                let path = path.clone();
                files.push(LabelledFile { path, text });
            }
            bytes.insert(path, image.bytes);
        }
        let (weights, seed) = (options.weights, options.seed);
        (|| {
            ensure!(
                !files.is_empty(),
                "no image has a label: label some images first"
            );
            let mut notes = Vec::new();
            if files.len() < count {
                notes.push(format!(
                    "{} of {count} images have no label and are left out",
                    count - files.len()
                ));
            }
            let list = LabelledList {
                place: "these images".into(),
                files,
                ordered: false,
                notes,
            };
            let all = LabelledImages::read(list, Arc::new(Memory(bytes)))?;
            let used = match options.labels {
                None => all.clone(),
                Some(labels) => {
                    let available = all.parts.train.len();
                    ensure!(
                        (MIN_LABELS..=available).contains(&labels),
                        "a learning curve with {labels} labels is not possible: the number must be \
                         between {MIN_LABELS} and {available}"
                    );
                    all.with_labels(labels)
                }
            };
            let of_characters = used.notes_on_characters(&weights.config.alphabet);
            let recipe = FinetuneRecipe::standard()?;
            let generated = Generated::default();
            let device = Device::flex();
            let job = Arc::new(Job::new(&used, &weights, recipe, generated, device, seed)?);
            let indices = |images: &[HashedFile]| {
                let indices = images.iter().map(|image| places[&image.file.path]);
                indices.collect()
            };
            let input = &job.config().input;
            Ok(Self {
                plan: Plan {
                    alphabet: used.alphabet.clone(),
                    max_length: used.max_length,
                    input: [input.height, input.width],
                    training: indices(&used.parts.train),
                    validation: indices(&all.parts.validation),
                    available: all.parts.train.len(),
                    validation_labels: (all.parts.validation.iter())
                        .map(|image| image.file.text.clone())
                        .collect(),
                    notes: (all.notes.iter().chain(&of_characters))
                        .map(|note| sentence(note))
                        .collect(),
                },
                time_limit: Duration::from_secs_f64(60.0 * options.minutes),
                from: weights.training.clone(),
                seed,
                run: None,
                steps: Steps::new(job.clone(), 0)?,
                job,
            })
        })()
        .map_err(LearningError::Images)
    }

    fn started(&mut self, saved: Option<Vec<u8>>) -> Result<Run, LearningError> {
        let (job, limit) = (self.job.clone(), Some(self.time_limit));
        let Some(bytes) = saved else {
            return Ok(Run::start(job, limit)?);
        };
        let run = Run::resume(job, limit, &bytes)?;
        self.steps = Steps::new(self.job.clone(), run.step())?;
        Ok(run)
    }

    fn step(&mut self) -> Result<Step, LearningError> {
        let run = self.run.as_mut().context(NOT_RUNNING)?;
        let validations = run.history().len();
        let end = if run.done() >= 1.0 {
            Some(End::TimeLimit)
        } else {
            let prepared = self.steps.next().context("the run has no more steps")??;
            run.advance(prepared)?
        };
        let validation = run.history().get(validations);
        let (_, batch) = self.job.size();
        Ok(Step {
            step: run.step(),
            done: run.done().min(1.0),
            images: run.step() * batch,
            loss: run.recent_loss(),
            seconds: run.clock.elapsed().as_secs_f64(),
            validation: validation.map(Validation::from),
            end,
        })
    }

    fn saved(&self) -> Result<Vec<u8>, LearningError> {
        Ok(self.run.as_ref().context(NOT_RUNNING)?.save()?)
    }

    fn current_weights(&self) -> Result<Vec<u8>, LearningError> {
        let run = self.run.as_ref().context(NOT_RUNNING)?;
        Ok(self.weights_of(run.average(), None)?)
    }

    fn outcome(&mut self, end: &str) -> Result<Outcome, LearningError> {
        let end: End = serde_json::from_value(json!(end))
            .map_err(|_| LensError::BadArgument("`end` is not an end of a run.".into()))?;
        let run = self.run.take().context(NOT_RUNNING)?;
        let fitted = run.finish(end, &AtomicBool::new(false))?;
        let temperature = self.job.temperature(&fitted.network)?;
        let bytes = self.weights_of(&fitted.network, temperature)?;
        Ok(Outcome {
            weights: bytes.as_slice().into(),
            end,
            exact_matches: fitted.exact_matches,
            validation_images: self.job.validation_images(),
            initial_share: fitted.initial_share,
            temperature,
            history: fitted.history.iter().map(Validation::from).collect(),
        })
    }

    fn weights_of(&self, network: &Network, temperature: Option<f64>) -> anyhow::Result<Vec<u8>> {
        let record = json!({
            "data": "labelled images in a browser",
            "seed": self.seed,
            "training_images": self.plan.training.len(),
            "version": env!("CARGO_PKG_VERSION"),
            "from": self.from,
        });
        let bytes = save(network, self.job.config(), &record, Precision::Half)?;
        let Some(temperature) = temperature else {
            return Ok(bytes);
        };
        let weights = Weights::from_bytes(bytes)?.with_temperature(temperature)?;
        Ok(weights.bytes().to_vec())
    }
}

const NOT_RUNNING: &str = "the run has not started or is finished";

impl From<&Progress> for Validation {
    fn from(progress: &Progress) -> Self {
        Self {
            step: progress.step,
            training_loss: progress.training_loss,
            validation_loss: progress.validation_loss,
            exact_matches: progress.exact_matches,
            seconds: progress.seconds,
        }
    }
}

/// A plain object of a value's fields, with `null` for missing ones.
fn to_object(value: &impl Serialize) -> Result<JsValue, LearningError> {
    Ok(value.serialize(&Serializer::new().serialize_missing_as_null(true))?)
}
