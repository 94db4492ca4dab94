//! The WebGPU device of this page: opened once, shared by everything that loads.

use std::rc::Rc;

use burn::tensor::Device;
use burn_wgpu::{WgpuInitError, WgpuSetup, wgpu};
use futures_util::FutureExt;
use futures_util::future::{LocalBoxFuture, Shared};
use futures_util::lock::Mutex;

use crate::adapter;

/// An opened device. Cloning it shares it.
#[derive(Clone)]
pub(crate) struct Gpu {
    /// burn's handle.
    pub(crate) device: Device,
    /// The adapter's name.
    pub(crate) adapter: String,
    /// The same device, for one error scope at a time: scopes must close in reverse order.
    raw: Rc<Mutex<wgpu::Device>>,
}

thread_local! {
    // burn opens a device once in a module's life, so whoever comes second, even while the first
    // still waits, shares its outcome. A lost GPU takes a new module.
    static GPU: Shared<LocalBoxFuture<'static, Result<Gpu, String>>> = connect().boxed_local().shared();
}

/// The device, or why there is none.
pub(crate) async fn open() -> Result<Gpu, String> {
    GPU.with(Shared::clone).await
}

async fn connect() -> Result<Gpu, String> {
    let setup = Device::wgpu_options().init_with_setup_async().await;
    let (device, WgpuSetup { device: raw, .. }) = setup.map_err(|error| match error {
        WgpuInitError::AdapterUnavailable { .. } => "the browser offers no graphics adapter".into(),
        other => other.to_string(),
    })?;
    Ok(Gpu {
        device,
        adapter: adapter::name().await,
        raw: Rc::new(Mutex::new(raw)),
    })
}

impl Gpu {
    /// Does some work and says what the browser objected to, if anything. Without this an invalid
    /// shader is only logged (cubecl #1641) and its output is whatever the memory held.
    pub(crate) async fn validated<T>(&self, work: impl Future<Output = T>) -> Result<T, String> {
        let raw = self.raw.lock().await;
        let memory = raw.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let validation = raw.push_error_scope(wgpu::ErrorFilter::Validation);
        let done = work.await;
        match (validation.pop().await, memory.pop().await) {
            (None, None) => Ok(done),
            (Some(error), _) | (_, Some(error)) => Err(error.to_string()),
        }
    }
}
