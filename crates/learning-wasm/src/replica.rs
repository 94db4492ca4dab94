//! The class that JavaScript uses to compute a part of each step in another worker.

use burn::tensor::Device;
use captcha_learning::finetune::{PartResult, PartTask, ReplicaSetup};
use captcha_wasm::LensError;
use js_sys::{Array, Float32Array, Int32Array, Object, Reflect};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};

use crate::error::LearningError;

/// A copy of a network that is fine-tuned; it computes the gradients of a part of each step.
#[wasm_bindgen]
pub struct Replica(captcha_learning::finetune::Replica);

#[wasm_bindgen]
impl Replica {
    /// @param setup `Finetuning.replicaSetup`
    /// @throws {LensError} `bad-argument`
    pub fn open(setup: &str) -> Result<Replica, JsValue> {
        let setup: ReplicaSetup = serde_json::from_str(setup)
            .map_err(|error| LensError::BadArgument(format!("The setup is damaged: {error}.")))?;
        let replica = captcha_learning::finetune::Replica::new(&setup, &Device::flex());
        Ok(Self(replica.map_err(LearningError::Images)?))
    }

    /// Computes the gradients of a part.
    ///
    /// @throws {LensError} `bad-argument`; `bad-images` if the part is of another network.
    #[wasm_bindgen(unchecked_return_type = "PartResult")]
    pub fn compute(
        &mut self,
        #[wasm_bindgen(unchecked_param_type = "PartTask")] task: &JsValue,
    ) -> Result<JsValue, JsValue> {
        let result = self.0.compute(task_of(task)?);
        Ok(result_to_js(&result.map_err(LearningError::Images)?))
    }
}

/// `PartTask` of `types.d.ts`.
pub(crate) fn task_to_js(task: &PartTask) -> JsValue {
    object([
        ("weights", floats(&task.weights)),
        ("images", floats(&task.images)),
        (
            "shape",
            task.shape
                .iter()
                .map(|&n| JsValue::from(n as f64))
                .collect::<Array>()
                .into(),
        ),
        ("inputs", Int32Array::from(&task.inputs[..]).into()),
        ("targets", Int32Array::from(&task.targets[..]).into()),
    ])
}

fn task_of(task: &JsValue) -> Result<PartTask, LensError> {
    let shape: Vec<usize> = Array::from(&field(task, "shape"))
        .iter()
        .map(|number| number.as_f64().unwrap_or_default() as usize)
        .collect();
    Ok(PartTask {
        weights: array::<Float32Array>(task, "weights")?.to_vec(),
        images: array::<Float32Array>(task, "images")?.to_vec(),
        shape: shape
            .try_into()
            .map_err(|_| LensError::BadArgument("`shape` must be four numbers.".into()))?,
        inputs: array::<Int32Array>(task, "inputs")?.to_vec(),
        targets: array::<Int32Array>(task, "targets")?.to_vec(),
    })
}

/// `PartResult` of `types.d.ts`.
fn result_to_js(result: &PartResult) -> JsValue {
    object([
        ("gradients", floats(&result.gradients)),
        ("statistics", floats(&result.statistics)),
        ("losses", floats(&result.losses)),
    ])
}

pub(crate) fn result_of(result: &JsValue) -> Result<PartResult, LensError> {
    let floats = |name| Ok::<_, LensError>(array::<Float32Array>(result, name)?.to_vec());
    Ok(PartResult {
        gradients: floats("gradients")?,
        statistics: floats("statistics")?,
        losses: floats("losses")?,
    })
}

fn floats(values: &[f32]) -> JsValue {
    Float32Array::from(values).into()
}

fn object<const N: usize>(fields: [(&str, JsValue); N]) -> JsValue {
    let entries: Array = fields
        .into_iter()
        .map(|(name, value)| Array::of2(&name.into(), &value))
        .collect();
    // The entries are pairs, so that this cannot fail.
    Object::from_entries(&entries).map_or(JsValue::UNDEFINED, Into::into)
}

fn field(object: &JsValue, name: &str) -> JsValue {
    Reflect::get(object, &name.into()).unwrap_or(JsValue::UNDEFINED)
}

fn array<T: JsCast>(object: &JsValue, name: &str) -> Result<T, LensError> {
    let array = field(object, name).dyn_into();
    array.map_err(|_| LensError::BadArgument(format!("`{name}` must be a typed array.")))
}
