//! Selection of GPUs.

use anyhow::{Result, anyhow, bail};

use super::choice::DeviceChoice;
use super::gpu::{Gpu, OpenError};

/// The selected GPUs.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Selected<T> {
    /// The GPUs; `None` for the CPU.
    pub(super) gpus: Option<Vec<T>>,
    /// What the user should know of the choice.
    pub(super) note: Option<String>,
}

impl<T> Selected<T> {
    fn cpu(note: Option<String>) -> Self {
        Self { gpus: None, note }
    }
}

/// Selects `count` GPUs of one kind, or the CPU. `open` is called once for each GPU; `check` says
/// whether an open GPU is correct.
pub(super) fn select<T>(
    choice: DeviceChoice,
    count: usize,
    mut open: impl FnMut(Gpu) -> Result<T, OpenError>,
    check: impl Fn(&T) -> Result<()>,
) -> Result<Selected<T>> {
    let kinds: &[fn(usize) -> Gpu] = match choice {
        DeviceChoice::Cpu => return Ok(Selected::cpu(None)),
        // A software renderer is slower than the CPU backend, so it is used only on request.
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
            // With `auto`, a missing GPU is not worth a note.
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
            cause => Ok(Selected::cpu(cause.map(|cause| {
                format!("no GPU can be used: {cause}. The CPU is used instead")
            }))),
        };
    };
    let mut gpus = vec![first];
    for index in 1..count {
        // Too few GPUs are an error even with `auto`, because the CPU would take days.
        gpus.push(open(kind(index)).map_err(|error| {
            let (OpenError::Missing(cause) | OpenError::Driver(cause)) = error;
            anyhow!(
                "{count} GPUs are required, but GPU {} cannot be used: {cause}. Use --devices {index}, \
                 or --device cpu",
                index + 1
            )
        })?);
    }
    for (index, gpu) in gpus.iter().enumerate() {
        match check(gpu) {
            Ok(()) => {}
            Err(error) if choice == DeviceChoice::Auto => {
                let note = format!(
                    "GPU {} is not used, because {error:#}. The CPU is used instead",
                    index + 1
                );
                return Ok(Selected::cpu(Some(note)));
            }
            Err(error) => bail!(
                "GPU {} cannot be trusted: {error:#}. Update its driver, or use --device cpu",
                index + 1
            ),
        }
    }
    let note =
        cause.map(|cause| format!("another GPU is used, because the first one failed: {cause}"));
    Ok(Selected {
        gpus: Some(gpus),
        note,
    })
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    /// A machine with graphics cards and integrated GPUs. The `broken` GPUs cannot be opened.
    struct Machine {
        discrete: usize,
        integrated: usize,
        broken: &'static [Gpu],
        opened: RefCell<Vec<Gpu>>,
    }

    /// The selection or the error, and the GPUs that were opened.
    type Outcome = (Result<Selected<Gpu>, String>, Vec<Gpu>);

    impl Machine {
        fn with(discrete: usize, integrated: usize, broken: &'static [Gpu]) -> Self {
            Self {
                discrete,
                integrated,
                broken,
                opened: RefCell::default(),
            }
        }

        /// Opens a GPU once, like burn.
        fn open(&self, gpu: Gpu) -> Result<Gpu, OpenError> {
            let exists = match gpu {
                Gpu::Default => self.discrete + self.integrated > 0,
                Gpu::Discrete(index) => index < self.discrete,
                Gpu::Integrated(index) => index < self.integrated,
            };
            if !exists {
                return Err(OpenError::Missing("no such GPU".into()));
            }
            if self.broken.contains(&gpu) || self.opened.borrow().contains(&gpu) {
                return Err(OpenError::Driver("the driver failed".into()));
            }
            self.opened.borrow_mut().push(gpu);
            Ok(gpu)
        }

        fn select(self, choice: DeviceChoice, count: usize) -> Outcome {
            self.select_checked(choice, count, |_| Ok(()))
        }

        fn select_checked(
            self,
            choice: DeviceChoice,
            count: usize,
            check: impl Fn(&Gpu) -> Result<()>,
        ) -> Outcome {
            let selected = select(choice, count, |gpu| self.open(gpu), check);
            (
                selected.map_err(|error| format!("{error:#}")),
                self.opened.into_inner(),
            )
        }
    }

    fn gpus(gpus: Vec<Gpu>) -> Selected<Gpu> {
        Selected {
            gpus: Some(gpus),
            note: None,
        }
    }

    #[test]
    fn select_auto_opens_a_graphics_card_once() {
        let (selected, opened) = Machine::with(1, 1, &[]).select(DeviceChoice::Auto, 1);
        assert_eq!(selected, Ok(gpus(vec![Gpu::Discrete(0)])));
        assert_eq!(opened, [Gpu::Discrete(0)]);
    }

    #[test]
    fn select_auto_without_card_takes_an_integrated_gpu() {
        let (selected, opened) = Machine::with(0, 1, &[]).select(DeviceChoice::Auto, 1);
        assert_eq!(selected, Ok(gpus(vec![Gpu::Integrated(0)])));
        assert_eq!(opened, [Gpu::Integrated(0)]);
    }

    #[test]
    fn select_auto_without_gpu_takes_the_cpu_and_never_software() {
        // `Default` may be a software renderer.
        for count in [1, 2] {
            let requested = RefCell::new(Vec::new());
            let selected = select(
                DeviceChoice::Auto,
                count,
                |gpu| -> Result<Gpu, _> {
                    requested.borrow_mut().push(gpu);
                    Err(OpenError::Missing("none".into()))
                },
                |_| Ok(()),
            );
            assert_eq!(selected.expect("the CPU exists"), Selected::cpu(None));
            assert!(!requested.borrow().contains(&Gpu::Default));
        }
    }

    #[test]
    fn select_two_gpus_opens_each_of_one_kind_once() {
        let (selected, opened) = Machine::with(2, 1, &[]).select(DeviceChoice::Auto, 2);
        let both = vec![Gpu::Discrete(0), Gpu::Discrete(1)];
        assert_eq!(selected, Ok(gpus(both.clone())));
        assert_eq!(opened, both);
        let (selected, _) = Machine::with(2, 1, &[]).select(DeviceChoice::Wgpu, 2);
        assert_eq!(selected, Ok(gpus(both)));
    }

    #[test]
    fn select_more_gpus_than_exist_fails_with_their_number() {
        for choice in [DeviceChoice::Auto, DeviceChoice::Wgpu, DeviceChoice::Vulkan] {
            let (selected, _) = Machine::with(1, 1, &[]).select(choice, 2);
            let error = selected.expect_err("one is not two");
            assert!(error.contains("2 GPUs are required"), "{error}");
            assert!(error.contains("--devices 1"), "{error}");
        }
    }

    #[test]
    fn select_auto_reports_a_failing_driver() {
        let broken = &[Gpu::Discrete(0)];
        let (selected, _) = Machine::with(1, 0, broken).select(DeviceChoice::Auto, 1);
        let Selected { gpus, note } = selected.expect("the CPU exists");
        assert_eq!(gpus, None);
        let note = note.expect("a failing card is reported");
        assert!(
            note.contains("the driver failed. The CPU is used"),
            "{note}"
        );

        let (selected, _) = Machine::with(1, 1, broken).select(DeviceChoice::Auto, 1);
        let Selected { gpus, note } = selected.expect("the other GPU exists");
        assert_eq!(gpus, Some(vec![Gpu::Integrated(0)]));
        assert!(
            note.expect("a failing card is reported")
                .contains("another GPU")
        );
    }

    #[test]
    fn select_requested_gpu_that_does_not_open_fails() {
        for choice in [DeviceChoice::Wgpu, DeviceChoice::Vulkan] {
            for machine in [
                Machine::with(0, 0, &[]),
                Machine::with(1, 0, &[Gpu::Default]),
            ] {
                let (selected, _) = machine.select(choice, 1);
                let error = selected.expect_err("it was requested");
                assert!(error.contains("--device cpu"), "{error}");
            }
        }
    }

    #[test]
    fn select_rejects_a_gpu_with_wrong_answers() {
        let wrong = |_: &Gpu| bail!("its answer differs");
        let (selected, _) = Machine::with(1, 0, &[]).select_checked(DeviceChoice::Auto, 1, wrong);
        let Selected { gpus, note } = selected.expect("the CPU exists");
        assert_eq!(gpus, None);
        assert!(note.expect("it is reported").contains("its answer differs"));
        for choice in [DeviceChoice::Wgpu, DeviceChoice::Vulkan] {
            let (selected, _) = Machine::with(1, 0, &[]).select_checked(choice, 1, wrong);
            let error = selected.expect_err("it was requested");
            assert!(
                error.contains("cannot be trusted: its answer differs"),
                "{error}"
            );
        }
        // One wrong GPU of two is enough.
        let second = |gpu: &Gpu| match gpu {
            Gpu::Discrete(1) => bail!("its answer differs"),
            _ => Ok(()),
        };
        let (selected, _) = Machine::with(2, 0, &[]).select_checked(DeviceChoice::Wgpu, 2, second);
        assert!(selected.expect_err("it was requested").contains("GPU 2"));
    }

    #[test]
    fn select_cpu_opens_no_gpu() {
        let (selected, opened) = Machine::with(1, 1, &[]).select(DeviceChoice::Cpu, 2);
        assert_eq!((selected, opened), (Ok(Selected::cpu(None)), vec![]));
    }
}
