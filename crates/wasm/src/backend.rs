//! Where the network runs, and why.

use burn::tensor::Device;
use captcha_model::{ModelError, Recognizer, Weights};
use serde::Serialize;

use crate::error::LensError;
use crate::options::{Progress, Wish};
#[cfg(feature = "webgpu")]
use crate::webgpu::Gpu;

/// `Backend` of `types.d.ts`.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Backend {
    pub(crate) kind: Kind,
    /// The graphics adapter's name, or what computes on the CPU.
    pub(crate) adapter: String,
    /// Why not WebGPU, where the caller left the choice.
    pub(crate) reason: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    #[cfg(feature = "webgpu")]
    WebGpu,
    Cpu,
}

/// A network ready to read, and where it runs.
pub(crate) struct Engine {
    pub(crate) recognizer: Recognizer,
    pub(crate) backend: Backend,
    /// The device, if that is a GPU.
    #[cfg(feature = "webgpu")]
    gpu: Option<Gpu>,
}

impl Engine {
    /// Does some of the network's work and makes an error of whatever the browser objects to: more
    /// images at once or more alternatives take shaders and memory that no check before has seen.
    ///
    /// # Errors
    ///
    /// [`ModelError::DeviceLost`]
    pub(crate) async fn validated<T>(
        &self,
        work: impl Future<Output = Result<T, ModelError>>,
    ) -> Result<T, ModelError> {
        #[cfg(feature = "webgpu")]
        if let Some(gpu) = &self.gpu {
            return gpu.validated(work).await.map_err(ModelError::DeviceLost)?;
        }
        work.await
    }
}

/// Builds the network where the caller wishes it.
///
/// # Errors
///
/// [`LensError::NoWebGpu`] if WebGPU alone was asked for and does not work, and whatever building
/// the network on the CPU fails with.
pub(crate) async fn engine(
    weights: &Weights,
    wish: Wish,
    progress: &Progress,
) -> Result<Engine, LensError> {
    // The CPU's network is built in any case: it is what WebGPU is checked against.
    let cpu = Recognizer::new(weights, &Device::flex())?;
    progress.tell("network", 1.0);
    let reason = match wish {
        Wish::Cpu => None,
        Wish::Auto | Wish::WebGpu => match on_webgpu(weights, &cpu, progress).await {
            Ok(engine) => return Ok(engine),
            Err(why) if wish == Wish::WebGpu => return Err(LensError::NoWebGpu(why)),
            Err(why) => Some(why),
        },
    };
    let backend = Backend {
        kind: Kind::Cpu,
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
    progress.tell("device", 0.0);
    let gpu = crate::webgpu::open().await?;
    progress.tell("device", 1.0);
    progress.tell("check", 0.0);
    let recognizer = gpu
        .validated(async {
            let recognizer =
                Recognizer::new(weights, &gpu.device).map_err(|error| error.to_string())?;
            captcha_model::golden::compare(cpu, &recognizer)
                .await
                .map_err(|error| error.to_string())?;
            Ok::<_, String>(recognizer)
        })
        .await??;
    progress.tell("check", 1.0);
    let backend = Backend {
        kind: Kind::WebGpu,
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
