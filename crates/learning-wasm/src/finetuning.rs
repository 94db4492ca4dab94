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
use captcha_learning::finetune::gradients::StepGradients;
use captcha_learning::finetune::images::{LabelledList, MIN_LABELS};
use captcha_learning::finetune::job::PreparedPart;
use captcha_learning::finetune::{
    End, FinetuneRecipe, Generated, Job, LabelledImages, PartTask, ReplicaSetup, Run, Steps,
};
use captcha_model::vocabulary::lowercase;
use captcha_model::weights::{Precision, save};
use captcha_model::{Network, Weights};
use captcha_wasm::LensError;
use js_sys::Array;
use serde_json::json;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::answers::{Outcome, Plan, Step, Validation, to_object};
use crate::error::{LearningError, sentence};
use crate::options::Options;
use crate::replica::{result_of, task_to_js};
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
    /// The parts of the next step that the run computes, and those that replicas compute.
    own: Vec<PreparedPart>,
    given: Vec<PreparedPart>,
    /// The gradients of the parts of the next step that are computed.
    computed: Option<StepGradients>,
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

    /// What `Replica.open` takes.
    #[wasm_bindgen(getter, js_name = replicaSetup)]
    pub fn replica_setup(&self) -> Result<String, JsValue> {
        let setup = serde_json::to_string(&ReplicaSetup::of(&self.job));
        Ok(setup.map_err(|error| LearningError::Images(error.into()))?)
    }

    /// Prepares the next step, and gives a part of it to each of so many replicas, as far as there are
    /// parts.
    ///
    /// @throws {LensError} `bad-images`.
    #[wasm_bindgen(unchecked_return_type = "PartTask[]")]
    pub fn share(&mut self, replicas: usize) -> Result<Array, JsValue> {
        let tasks = self.shared(replicas)?;
        Ok(tasks.iter().map(task_to_js).collect())
    }

    /// Computes the parts of the step that no replica has.
    ///
    /// @throws {LensError} `bad-images`.
    pub fn compute(&mut self) -> Result<(), JsValue> {
        Ok(self.computed()?)
    }

    /// Learns from one batch: ends the step that `share` has prepared, or makes a whole one.
    ///
    /// @param results of the replicas, in the order of their tasks; `null` where a replica has failed
    /// @throws {LensError} `bad-argument`, `bad-images`.
    #[wasm_bindgen(unchecked_return_type = "FinetuningStep")]
    pub fn advance(
        &mut self,
        #[wasm_bindgen(unchecked_param_type = "(PartResult | null)[]")] results: Array,
    ) -> Result<JsValue, JsValue> {
        Ok(to_object(&self.step(&results)?)?)
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
                own: Vec::new(),
                given: Vec::new(),
                computed: None,
                job,
            })
        })()
        .map_err(LearningError::Images)
    }

    fn started(&mut self, saved: Option<Vec<u8>>) -> Result<Run, LearningError> {
        let (job, limit) = (self.job.clone(), Some(self.time_limit));
        self.forget_step();
        let Some(bytes) = saved else {
            return Ok(Run::start(job, limit)?);
        };
        let run = Run::resume(job, limit, &bytes)?;
        self.steps = Steps::new(self.job.clone(), run.step())?;
        Ok(run)
    }

    /// Prepares the parts of the next step unless it is prepared. Gives whether there is one: after
    /// the time limit there is none.
    fn prepare(&mut self) -> Result<bool, LearningError> {
        if self.own.is_empty() && self.computed.is_none() {
            let run = self.run.as_ref().context(NOT_RUNNING)?;
            if run.done() >= 1.0 {
                return Ok(false);
            }
            let parts = self.steps.next().context("the run has no more steps")?;
            self.own = parts?;
        }
        Ok(true)
    }

    fn shared(&mut self, replicas: usize) -> Result<Vec<PartTask>, LearningError> {
        if !self.prepare()? {
            return Ok(Vec::new());
        }
        // The run keeps a part, and what it has computed already.
        let kept = self.own.len().saturating_sub(replicas).max(1);
        if kept < self.own.len() {
            self.given = self.own.split_off(kept);
        }
        let run = self.run.as_ref().context(NOT_RUNNING)?;
        let tasks = self.given.iter().map(|part| run.task(part.clone()));
        Ok(tasks.collect::<anyhow::Result<_>>()?)
    }

    fn computed(&mut self) -> Result<(), LearningError> {
        if self.prepare()? && self.computed.is_none() {
            let run = self.run.as_ref().context(NOT_RUNNING)?;
            self.computed = Some(run.gradients(std::mem::take(&mut self.own))?);
        }
        Ok(())
    }

    fn step(&mut self, results: &Array) -> Result<Step, LearningError> {
        let run = self.run.as_ref().context(NOT_RUNNING)?;
        let validations = run.history().len();
        self.computed()?;
        let run = self.run.as_mut().context(NOT_RUNNING)?;
        let end = match self.computed.take() {
            None => Some(End::TimeLimit),
            Some(mut gradients) => {
                for (index, part) in std::mem::take(&mut self.given).into_iter().enumerate() {
                    let result = results.get(index as u32);
                    let result = result.is_object().then(|| result_of(&result)).transpose()?;
                    let received = result.map(|result| run.received(&part, result));
                    // Without a usable result, the run computes the part.
                    gradients.extend(match received {
                        Some(Ok(received)) => received,
                        Some(Err(_)) | None => run.gradients(vec![part])?,
                    });
                }
                run.apply(gradients)?
            }
        };
        let run = self.run.as_ref().context(NOT_RUNNING)?;
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

    /// Forgets a step that has begun.
    fn forget_step(&mut self) {
        (self.own, self.given) = (Vec::new(), Vec::new());
        self.computed = None;
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
        self.forget_step();
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
