//! Where the arithmetic runs, chosen at run time.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use anyhow::{Result, anyhow, bail, ensure};
use burn::tensor::Device;
#[cfg(feature = "gpu")]
use captcha_model::error::plain_cause;
use captcha_model::{Recognizer, Weights, golden};
use clap::ValueEnum;

/// What `--device` takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DeviceChoice {
    /// A GPU if there is one that works, else the CPU.
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
const MAX_DEVICES: usize = 64;

impl DeviceChoice {
    /// The device for a network's weights. A GPU is used only if it reads a test image as the CPU
    /// does; where `auto` finds none that does, the CPU is used, and standard error says why.
    ///
    /// # Errors
    ///
    /// If the device is not there or reads wrong; the message says what to use instead.
    pub fn open(self, weights: &Weights) -> Result<Device> {
        Ok(self.open_many(1, || Ok(weights.clone()))?.remove(0))
    }

    /// As [`DeviceChoice::open`], `count` devices of this kind; of the CPU, so many workers that
    /// share its cores.
    ///
    /// # Errors
    ///
    /// If there are not so many, or one reads wrong.
    pub fn open_many(
        self,
        count: usize,
        weights: impl Fn() -> Result<Weights>,
    ) -> Result<Vec<Device>> {
        ensure!(
            (1..=MAX_DEVICES).contains(&count),
            "between 1 and {MAX_DEVICES} devices can be used"
        );
        let open = |gpu| open_gpu(self, gpu);
        let (gpus, note) = choose(self, count, open, |gpu| check(&weights()?, gpu))?;
        if let Some(note) = note {
            eprintln!("note: {note}");
        }
        // Several workers on one CPU: not every operation of one keeps all cores busy.
        Ok(gpus.unwrap_or_else(|| vec![Device::flex(); count]))
    }
}

/// Which GPU is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gpu {
    /// The one that the driver prefers, software that poses as a GPU included.
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
    allow(dead_code, reason = "a build without GPUs has no driver that fails")
)]
enum OpenError {
    /// There is none of this kind.
    Missing(String),
    /// There is one, but its driver fails.
    Driver(String),
}

/// The GPUs to use, each opened once, or none for the CPU; and what the user should know.
fn choose<T>(
    choice: DeviceChoice,
    count: usize,
    mut open: impl FnMut(Gpu) -> Result<T, OpenError>,
    check: impl Fn(&T) -> Result<()>,
) -> Result<(Option<Vec<T>>, Option<String>)> {
    let kinds: &[fn(usize) -> Gpu] = match choice {
        DeviceChoice::Cpu => return Ok((None, None)),
        // Software that poses as a GPU is slower than the CPU backend: only on request.
        DeviceChoice::Auto => &[Gpu::Discrete, Gpu::Integrated],
        DeviceChoice::Wgpu | DeviceChoice::Vulkan if count == 1 => &[|_| Gpu::Default],
        DeviceChoice::Wgpu | DeviceChoice::Vulkan => &[Gpu::Discrete],
    };
    let mut causes = Vec::new();
    let mut found = None;
    for kind in kinds {
        match open(kind(0)) {
            Ok(gpu) => {
                found = Some((gpu, kind));
                break;
            }
            // Nobody expects a GPU behind `auto`.
            Err(OpenError::Missing(_)) if choice == DeviceChoice::Auto => {}
            Err(OpenError::Missing(cause) | OpenError::Driver(cause)) => causes.push(cause),
        }
    }
    let cause = (!causes.is_empty()).then(|| causes.join("; "));
    let Some((first, kind)) = found else {
        return match cause {
            Some(cause) if choice != DeviceChoice::Auto => {
                bail!("no GPU can be used: {cause}. Check its driver, or use --device cpu")
            }
            cause => Ok((
                None,
                cause.map(|cause| format!("no GPU can be used: {cause}. The CPU is used instead")),
            )),
        };
    };
    let mut gpus = vec![first];
    for index in 1..count {
        // Too few of them are an error with `auto`, too: the CPU would take days.
        gpus.push(open(kind(index)).map_err(|error| {
            let (OpenError::Missing(cause) | OpenError::Driver(cause)) = error;
            anyhow!(
                "{count} GPUs were asked for, but GPU {} cannot be used: {cause}. \
                 Use --devices {index}, or --device cpu",
                index + 1
            )
        })?);
    }
    for (index, gpu) in gpus.iter().enumerate() {
        match check(gpu) {
            Ok(()) => {}
            Err(error) if choice == DeviceChoice::Auto => {
                let note = format!(
                    "GPU {} is not used, since {error:#}. The CPU is used instead",
                    index + 1
                );
                return Ok((None, Some(note)));
            }
            Err(error) => bail!(
                "GPU {} cannot be trusted: {error:#}. Update its driver, or use --device cpu",
                index + 1
            ),
        }
    }
    let note = cause.map(|cause| format!("another GPU is used, since the first failed: {cause}"));
    Ok((Some(gpus), note))
}

/// Checks that a GPU reads as the CPU does.
fn check(weights: &Weights, gpu: &Device) -> Result<()> {
    let cpu = Recognizer::new(weights, &Device::flex())?;
    without_panic(|| {
        let tried = Recognizer::new(weights, gpu)?;
        Ok(pollster::block_on(golden::compare(&cpu, &tried))?)
    })
}

/// A panic as an error: graphics libraries panic where a driver does what they do not expect.
fn without_panic(work: impl FnOnce() -> Result<()>) -> Result<()> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| bail!("it broke down while it read a test image"))
}

#[cfg(feature = "gpu")]
fn open_gpu(choice: DeviceChoice, gpu: Gpu) -> Result<Device, OpenError> {
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
            OpenError::Missing(format!("the graphics driver offers no such {name}"))
        }
        WgpuInitError::RequestDevice { message } => OpenError::Driver(format!(
            "the graphics driver did not open the {name} ({})",
            plain_cause(&message)
        )),
        other => OpenError::Driver(plain_cause(&other.to_string())),
    })
}

#[cfg(not(feature = "gpu"))]
fn open_gpu(_: DeviceChoice, _: Gpu) -> Result<Device, OpenError> {
    Err(OpenError::Missing(
        "this captcha-lens was built without GPU support, which --features gpu adds".into(),
    ))
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    /// A machine's graphics cards and integrated GPUs, of which the `broken` do not open; what
    /// became of the choice, and what was opened for it.
    struct Machine {
        discrete: usize,
        integrated: usize,
        broken: &'static [Gpu],
        opened: RefCell<Vec<Gpu>>,
    }

    type Outcome = (Result<(Option<Vec<Gpu>>, Option<String>), String>, Vec<Gpu>);

    impl Machine {
        fn with(discrete: usize, integrated: usize, broken: &'static [Gpu]) -> Self {
            Self {
                discrete,
                integrated,
                broken,
                opened: RefCell::default(),
            }
        }

        /// As burn has it: a GPU opens once in a process.
        fn open(&self, gpu: Gpu) -> Result<Gpu, OpenError> {
            let there = match gpu {
                Gpu::Default => self.discrete + self.integrated > 0,
                Gpu::Discrete(index) => index < self.discrete,
                Gpu::Integrated(index) => index < self.integrated,
            };
            if !there {
                return Err(OpenError::Missing("no such GPU".into()));
            }
            if self.broken.contains(&gpu) || self.opened.borrow().contains(&gpu) {
                return Err(OpenError::Driver("the driver failed".into()));
            }
            self.opened.borrow_mut().push(gpu);
            Ok(gpu)
        }

        fn choose(self, choice: DeviceChoice, count: usize) -> Outcome {
            self.choose_checked(choice, count, |_| Ok(()))
        }

        fn choose_checked(
            self,
            choice: DeviceChoice,
            count: usize,
            check: impl Fn(&Gpu) -> Result<()>,
        ) -> Outcome {
            let chosen = choose(choice, count, |gpu| self.open(gpu), check);
            (
                chosen.map_err(|error| format!("{error:#}")),
                self.opened.into_inner(),
            )
        }
    }

    #[test]
    fn auto_opens_a_graphics_card_once() {
        let (chosen, opened) = Machine::with(1, 1, &[]).choose(DeviceChoice::Auto, 1);
        assert_eq!(chosen, Ok((Some(vec![Gpu::Discrete(0)]), None)));
        assert_eq!(opened, [Gpu::Discrete(0)]);
    }

    #[test]
    fn auto_takes_an_integrated_gpu_where_there_is_no_card() {
        let (chosen, opened) = Machine::with(0, 1, &[]).choose(DeviceChoice::Auto, 1);
        assert_eq!(chosen, Ok((Some(vec![Gpu::Integrated(0)]), None)));
        assert_eq!(opened, [Gpu::Integrated(0)]);
    }

    #[test]
    fn auto_takes_the_cpu_where_there_is_no_gpu_and_never_software() {
        // Software is what `Default` may be.
        for count in [1, 2] {
            let asked = RefCell::new(Vec::new());
            let chosen = choose(
                DeviceChoice::Auto,
                count,
                |gpu| -> Result<Gpu, _> {
                    asked.borrow_mut().push(gpu);
                    Err(OpenError::Missing("none".into()))
                },
                |_| Ok(()),
            );
            assert_eq!(chosen.expect("the CPU is there"), (None, None));
            assert!(!asked.borrow().contains(&Gpu::Default));
        }
    }

    #[test]
    fn two_gpus_are_of_one_kind_and_both_opened_once() {
        let (chosen, opened) = Machine::with(2, 1, &[]).choose(DeviceChoice::Auto, 2);
        let both = vec![Gpu::Discrete(0), Gpu::Discrete(1)];
        assert_eq!(chosen, Ok((Some(both.clone()), None)));
        assert_eq!(opened, both);
        let (chosen, _) = Machine::with(2, 1, &[]).choose(DeviceChoice::Wgpu, 2);
        assert_eq!(chosen, Ok((Some(both), None)));
    }

    #[test]
    fn too_few_gpus_are_an_error_that_says_how_many_there_are() {
        for choice in [DeviceChoice::Auto, DeviceChoice::Wgpu, DeviceChoice::Vulkan] {
            let (chosen, _) = Machine::with(1, 1, &[]).choose(choice, 2);
            let error = chosen.expect_err("one is not two");
            assert!(error.contains("2 GPUs were asked for"), "{error}");
            assert!(error.contains("--devices 1"), "{error}");
        }
    }

    #[test]
    fn a_driver_that_fails_costs_auto_the_gpu_and_is_told() {
        let broken = &[Gpu::Discrete(0)];
        let (chosen, _) = Machine::with(1, 0, broken).choose(DeviceChoice::Auto, 1);
        let (gpus, note) = chosen.expect("the CPU is there");
        assert_eq!(gpus, None);
        let note = note.expect("a card that fails is told");
        assert!(
            note.contains("the driver failed. The CPU is used"),
            "{note}"
        );

        let (chosen, _) = Machine::with(1, 1, broken).choose(DeviceChoice::Auto, 1);
        let (gpus, note) = chosen.expect("the other GPU is there");
        assert_eq!(gpus, Some(vec![Gpu::Integrated(0)]));
        assert!(
            note.expect("a card that fails is told")
                .contains("another GPU")
        );
    }

    #[test]
    fn a_gpu_that_is_asked_for_and_does_not_open_is_an_error() {
        for choice in [DeviceChoice::Wgpu, DeviceChoice::Vulkan] {
            for machine in [
                Machine::with(0, 0, &[]),
                Machine::with(1, 0, &[Gpu::Default]),
            ] {
                let (chosen, _) = machine.choose(choice, 1);
                let error = chosen.expect_err("it was asked for");
                assert!(error.contains("--device cpu"), "{error}");
            }
        }
    }

    #[test]
    fn a_gpu_that_reads_wrong_is_not_used() {
        let wrong = |_: &Gpu| bail!("its answer differs");
        let (chosen, _) = Machine::with(1, 0, &[]).choose_checked(DeviceChoice::Auto, 1, wrong);
        let (gpus, note) = chosen.expect("the CPU is there");
        assert_eq!(gpus, None);
        assert!(note.expect("it is told").contains("its answer differs"));
        for choice in [DeviceChoice::Wgpu, DeviceChoice::Vulkan] {
            let (chosen, _) = Machine::with(1, 0, &[]).choose_checked(choice, 1, wrong);
            let error = chosen.expect_err("it was asked for");
            assert!(
                error.contains("cannot be trusted: its answer differs"),
                "{error}"
            );
        }
        // Nor where only the second does.
        let second = |gpu: &Gpu| match gpu {
            Gpu::Discrete(1) => bail!("its answer differs"),
            _ => Ok(()),
        };
        let (chosen, _) = Machine::with(2, 0, &[]).choose_checked(DeviceChoice::Wgpu, 2, second);
        assert!(chosen.expect_err("it was asked for").contains("GPU 2"));
    }

    #[test]
    fn the_cpu_opens_no_gpu() {
        let (chosen, opened) = Machine::with(1, 1, &[]).choose(DeviceChoice::Cpu, 2);
        assert_eq!((chosen, opened), (Ok((None, None)), vec![]));
    }

    #[test]
    fn a_panic_of_the_graphics_stack_is_an_error() {
        let error = without_panic(|| panic!("a driver bug")).expect_err("it panicked");
        assert!(error.to_string().contains("broke down"));
    }
}
