//! The devices that a user can ask for.

use std::fmt;
use std::str::FromStr;

use anyhow::{Error, anyhow};

/// The device that a user asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceChoice {
    /// A GPU if one works, else the CPU.
    Auto,
    /// The CPU (burn's flex backend, with SIMD).
    Cpu,
    /// A GPU through the graphics API that wgpu prefers.
    Wgpu,
    /// A GPU through Vulkan, with SPIR-V shaders.
    Vulkan,
}

impl DeviceChoice {
    /// All choices.
    pub const ALL: [Self; 4] = [Self::Auto, Self::Cpu, Self::Wgpu, Self::Vulkan];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Cpu => "cpu",
            Self::Wgpu => "wgpu",
            Self::Vulkan => "vulkan",
        }
    }

    /// Describes the device.
    pub fn description(self) -> &'static str {
        match self {
            Self::Auto => "A GPU if one works, else the CPU",
            Self::Cpu => "The CPU",
            Self::Wgpu => "A GPU through the graphics API that wgpu prefers",
            Self::Vulkan => "A GPU through Vulkan",
        }
    }
}

impl fmt::Display for DeviceChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for DeviceChoice {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        let mut all = Self::ALL.into_iter();
        all.find(|choice| choice.name() == name)
            .ok_or_else(|| anyhow!("there is no device {name:?}"))
    }
}
