//! The choice of the backend.

use burn::tensor::Device;
use captcha_model::{ModelError, Recognizer, Weights};
use serde::Serialize;

use crate::error::LensError;
use crate::options::{BackendPreference, Progress};
#[cfg(feature = "webgpu")]
use crate::webgpu::Gpu;

/// `Backend` of `types.d.ts`.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Backend {
    pub(crate) kind: BackendKind,
    /// The name of the graphics adapter, or the CPU's instruction set.
    pub(crate) adapter: String,
    /// The reason for the CPU if the preference was `auto`.
    pub(crate) reason: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum BackendKind {
    #[cfg(feature = "webgpu")]
    WebGpu,
    Cpu,
}

/// A loaded network and its backend.
pub(crate) struct Engine {
    pub(crate) recognizer: Recognizer,
    pub(crate) backend: Backend,
    /// The device, if it is a GPU.
    #[cfg(feature = "webgpu")]
    gpu: Option<Gpu>,
}

impl Engine {
    /// Runs `work` inside WebGPU error scopes and turns the browser's errors into
    /// [`ModelError::DeviceLost`]. Every call needs it: a new batch size or beam width compiles new
    /// shaders and takes more memory.
    pub(crate) async fn with_error_scope<T>(
        &self,
        work: impl Future<Output = Result<T, ModelError>>,
    ) -> Result<T, ModelError> {
        #[cfg(feature = "webgpu")]
        if let Some(gpu) = &self.gpu {
            return gpu
                .with_error_scope(work)
                .await
                .map_err(ModelError::DeviceLost)?;
        }
        work.await
    }
}

/// Builds the network on the preferred backend.
///
/// # Errors
///
/// [`LensError::NoWebGpu`] if WebGPU was required and does not work, and the errors of building the
/// network on the CPU.
pub(crate) async fn engine(
    weights: &Weights,
    preference: BackendPreference,
    progress: &Progress,
) -> Result<Engine, LensError> {
    // WebGPU is checked against the CPU, so the network is built there in any case.
    let cpu = Recognizer::new(weights, &Device::flex())?;
    progress.report("network", 1.0);
    let reason = match preference {
        BackendPreference::Cpu => None,
        BackendPreference::Auto | BackendPreference::WebGpu => {
            match on_webgpu(weights, &cpu, progress).await {
                Ok(engine) => return Ok(engine),
                Err(why) if preference == BackendPreference::WebGpu => {
                    return Err(LensError::NoWebGpu(why));
                }
                Err(why) => Some(why),
            }
        }
    };
    let backend = Backend {
        kind: BackendKind::Cpu,
        adapter: "WebAssembly SIMD".into(),
        reason,
    };
    Ok(Engine {
        recognizer: cpu,
        backend,
        #[cfg(feature = "webgpu")]
        gpu: None,
    })
}

#[cfg(feature = "webgpu")]
async fn on_webgpu(
    weights: &Weights,
    cpu: &Recognizer,
    progress: &Progress,
) -> Result<Engine, String> {
    progress.report("device", 0.0);
    let gpu = crate::webgpu::open().await?;
    progress.report("device", 1.0);
    progress.report("check", 0.0);
    let recognizer = gpu
        .with_error_scope(async {
            let recognizer =
                Recognizer::new(weights, &gpu.device).map_err(|error| error.to_string())?;
            captcha_model::golden::compare(cpu, &recognizer)
                .await
                .map_err(|error| error.to_string())?;
            Ok::<_, String>(recognizer)
        })
        .await??;
    progress.report("check", 1.0);
    let backend = Backend {
        kind: BackendKind::WebGpu,
        adapter: gpu.adapter.clone(),
        reason: None,
    };
    Ok(Engine {
        recognizer,
        backend,
        gpu: Some(gpu),
    })
}

#[cfg(not(feature = "webgpu"))]
async fn on_webgpu(_: &Weights, _: &Recognizer, _: &Progress) -> Result<Engine, String> {
    Err("this build has no WebGPU".into())
}
