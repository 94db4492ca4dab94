//! The WebGPU device: opened once, and shared by all networks.

use std::cell::RefCell;
use std::rc::Rc;

use burn::tensor::Device;
use burn_wgpu::{WgpuInitError, WgpuSetup, wgpu};
use captcha_model::error::plain_cause;
use futures_util::FutureExt;
use futures_util::future::{LocalBoxFuture, Shared};
use futures_util::lock::Mutex;

use crate::adapter;

/// An opened device.
pub(crate) struct Gpu {
    /// burn's handle.
    pub(crate) device: Device,
    /// The name of the adapter.
    pub(crate) adapter: String,
    /// The same device, behind a lock for error scopes, which must close in reverse order.
    raw: Rc<Mutex<wgpu::Device>>,
}

type Opened = (Device, Rc<Mutex<wgpu::Device>>);
type Opening = Shared<LocalBoxFuture<'static, Result<Opened, String>>>;

thread_local! {
    // burn can open a device once in a module's life, so callers share it, also while it is being
    // opened. After the loss of the GPU a new module is needed.
    static GPU: RefCell<Option<Opening>> = const { RefCell::new(None) };
}

/// The device, or the reason why there is none.
pub(crate) async fn open() -> Result<Gpu, String> {
    // cubecl panics on an adapter that it cannot use.
    let adapter = adapter::usable_adapter().await?;
    let opening = GPU.with_borrow_mut(|gpu| {
        gpu.get_or_insert_with(|| connect().boxed_local().shared())
            .clone()
    });
    let opened = opening.clone().await;
    if opened.is_err() {
        // A later call tries again.
        GPU.with_borrow_mut(|gpu| gpu.take_if(|gpu| gpu.ptr_eq(&opening)));
    }
    let (device, raw) = opened?;
    Ok(Gpu {
        device,
        adapter,
        raw,
    })
}

async fn connect() -> Result<Opened, String> {
    let setup = Device::wgpu_options().init_with_setup_async().await;
    let (device, WgpuSetup { device: raw, .. }) = setup.map_err(|error| match error {
        WgpuInitError::AdapterUnavailable { .. } => adapter::NONE.into(),
        WgpuInitError::RequestDevice { message } => {
            format!(
                "the graphics adapter did not open ({})",
                plain_cause(&message)
            )
        }
        other => plain_cause(&other.to_string()),
    })?;
    Ok((device, Rc::new(Mutex::new(raw))))
}

impl Gpu {
    /// Runs `work` inside error scopes. Without them, an invalid shader is only logged (cubecl
    /// #1641), and its output is stale memory.
    ///
    /// # Errors
    ///
    /// The browser's message.
    pub(crate) async fn with_error_scope<T>(
        &self,
        work: impl Future<Output = T>,
    ) -> Result<T, String> {
        use wgpu::ErrorFilter::{Internal, OutOfMemory, Validation};

        let raw = self.raw.lock().await;
        let memory = raw.push_error_scope(OutOfMemory);
        // For a valid shader that cannot be compiled.
        let internal = raw.push_error_scope(Internal);
        let validation = raw.push_error_scope(Validation);
        let done = work.await;
        let errors = [
            validation.pop().await,
            internal.pop().await,
            memory.pop().await,
        ];
        match errors.into_iter().flatten().next() {
            None => Ok(done),
            Some(error) => Err(plain_cause(&error.to_string())),
        }
    }
}
