//! GPUs and how they are opened.

use burn::tensor::Device;
#[cfg(feature = "gpu")]
use captcha_model::error::plain_cause;

use super::choice::DeviceChoice;

/// A GPU of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gpu {
    /// The GPU that the driver prefers; it may be a software renderer.
    Default,
    /// The nth graphics card.
    Discrete(usize),
    /// The nth GPU that is part of a processor.
    Integrated(usize),
}

/// Why a GPU did not open.
#[derive(Debug)]
#[cfg_attr(
    not(feature = "gpu"),
    allow(dead_code, reason = "without GPU support no driver can fail")
)]
pub(super) enum OpenError {
    /// There is no GPU of this kind.
    Missing(String),
    /// The driver fails.
    Driver(String),
}

/// Opens a GPU; burn can open each GPU only once in a process.
#[cfg(feature = "gpu")]
pub(super) fn open_gpu(choice: DeviceChoice, gpu: Gpu) -> Result<Device, OpenError> {
    use burn::tensor::DeviceKind;
    use burn::tensor::wgpu::{WgpuBackend, WgpuInitError};

    let api = match choice {
        DeviceChoice::Vulkan => WgpuBackend::Vulkan,
        _ => WgpuBackend::Auto,
    };
    let (kind, name) = match gpu {
        Gpu::Default => (DeviceKind::DefaultDevice, "GPU"),
        Gpu::Discrete(index) => (DeviceKind::DiscreteGpu(index), "graphics card"),
        Gpu::Integrated(index) => (DeviceKind::IntegratedGpu(index), "integrated GPU"),
    };
    let options = Device::wgpu_options().device_kind(kind).graphics_api(api);
    options.init().map_err(|error| match error {
        WgpuInitError::AdapterUnavailable { .. } => {
            OpenError::Missing(format!("the graphics driver has no {name}"))
        }
        WgpuInitError::RequestDevice { message } => OpenError::Driver(format!(
            "the graphics driver did not open the {name} ({})",
            plain_cause(&message)
        )),
        other => OpenError::Driver(plain_cause(&other.to_string())),
    })
}

/// Without GPU support no GPU can be opened.
#[cfg(not(feature = "gpu"))]
pub(super) fn open_gpu(_: DeviceChoice, _: Gpu) -> Result<Device, OpenError> {
    Err(OpenError::Missing(
        "this captcha-lens was built without GPU support (--features gpu)".into(),
    ))
}
