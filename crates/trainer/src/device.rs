//! Where the arithmetic runs, chosen at run time.

use std::fmt;

#[cfg(feature = "gpu")]
use anyhow::Context;
use anyhow::{Result, ensure};
use burn::tensor::Device;
use clap::ValueEnum;

/// What `--device` takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DeviceChoice {
    /// A GPU if there is one, else the CPU.
    Auto,
    /// The CPU (burn's flex backend, with SIMD).
    Cpu,
    /// A GPU through whichever driver interface wgpu prefers.
    Wgpu,
    /// A GPU through Vulkan, with SPIR-V shaders.
    Vulkan,
}

/// As on the command line.
impl fmt::Display for DeviceChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.to_possible_value().ok_or(fmt::Error)?;
        f.write_str(value.get_name())
    }
}

/// Devices that a run can have at most.
const MOST_DEVICES: usize = 64;

impl DeviceChoice {
    /// The device.
    ///
    /// # Errors
    ///
    /// If it is not there; the message says what to use instead.
    pub fn open(self) -> Result<Device> {
        Ok(self.open_many(1)?.remove(0))
    }

    /// `count` devices of this kind; of the CPU, so many workers that share its cores.
    ///
    /// # Errors
    ///
    /// If there are not so many.
    pub fn open_many(self, count: usize) -> Result<Vec<Device>> {
        ensure!(
            (1..=MOST_DEVICES).contains(&count),
            "between 1 and {MOST_DEVICES} devices can be used"
        );
        match self {
            // Several workers on one CPU: not every operation of one keeps all cores busy.
            Self::Cpu => Ok(vec![Device::flex(); count]),
            // Where there is a GPU, too few of them are an error: the CPU would take days.
            Self::Auto if gpus(self, 1).is_ok() => gpus(self, count),
            Self::Auto => Self::Cpu.open_many(count),
            Self::Wgpu | Self::Vulkan => gpus(self, count),
        }
    }
}

#[cfg(feature = "gpu")]
fn gpus(choice: DeviceChoice, count: usize) -> Result<Vec<Device>> {
    use burn::tensor::DeviceKind;
    use burn::tensor::wgpu::WgpuBackend;

    let api = match choice {
        DeviceChoice::Vulkan => WgpuBackend::Vulkan,
        _ => WgpuBackend::Auto,
    };
    let open = |kind| {
        Device::wgpu_options()
            .device_kind(kind)
            .graphics_api(api)
            .init()
    };
    (0..count)
        .map(|index| match choice {
            // Software that poses as a GPU is slower than the CPU backend: only on request.
            DeviceChoice::Auto => open(DeviceKind::DiscreteGpu(index))
                .or_else(|_| open(DeviceKind::IntegratedGpu(index))),
            _ if count == 1 => open(DeviceKind::DefaultDevice),
            _ => open(DeviceKind::DiscreteGpu(index)),
        })
        .enumerate()
        .map(|(index, device)| {
            device.with_context(|| {
                format!("GPU {index} cannot be used; check its driver, or use --device cpu")
            })
        })
        .collect()
}

#[cfg(not(feature = "gpu"))]
fn gpus(_choice: DeviceChoice, _count: usize) -> Result<Vec<Device>> {
    anyhow::bail!(
        "this captcha-lens was built without GPU support; use --device cpu, or build it with --features gpu"
    )
}
