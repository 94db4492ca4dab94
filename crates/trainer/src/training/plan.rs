//! Notes on a run before its start.

/// Fewer training images than this have little effect, except on weights that are trained for such
/// images.
const FEW_IMAGES: usize = 300;
const FEW_IMAGES_FROM_SCRATCH: usize = 5_000;
/// Fewer steps than this hardly change the weights, and batch norm's running statistics lag behind.
pub(crate) const FEW_STEPS: usize = 200;

/// A run before its start.
#[derive(Clone, Debug)]
pub struct RunPlan {
    /// Training images of a labelled folder; `None` for synthetic images.
    pub folder_images: Option<usize>,
    /// Whether the run starts from random weights.
    pub from_scratch: bool,
    /// Steps of the run.
    pub steps: usize,
    /// Warm-up steps in the preset.
    pub preset_warmup: usize,
    /// Warm-up steps of the run.
    pub warmup: usize,
    /// Number of workers on the CPU and of its cores; `None` on a GPU.
    pub cpu: Option<(usize, usize)>,
}

/// Notes for the user before a run starts.
pub fn notes_before_start(plan: &RunPlan) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(images) = plan.folder_images {
        if plan.from_scratch && images < FEW_IMAGES_FROM_SCRATCH {
            notes.push(format!(
                "{images} training images are few for a start from random weights, which takes \
                 thousands. Start from trained weights (--from), or add images"
            ));
        } else if images < FEW_IMAGES {
            notes.push(format!(
                "{images} training images are few; a few hundred give much better results"
            ));
        }
    }
    if plan.steps < FEW_STEPS {
        notes.push(format!(
            "this run takes {} steps, which are few: use more --epochs, or a preset with a smaller \
             batch or sampling_ratio",
            plan.steps
        ));
    }
    if plan.warmup < plan.preset_warmup {
        notes.push(format!(
            "the preset's warm-up of {} steps is too long for this run; it takes {} steps, a fifth \
             of the run",
            plan.preset_warmup, plan.warmup
        ));
    }
    if let Some((1, cores @ 2..)) = plan.cpu {
        notes.push(format!(
            "one worker uses little more than one of the {cores} cores; --devices {cores} uses all of \
             them, with a batch for each worker"
        ));
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_before_start_name_each_problem() {
        let fine = RunPlan {
            folder_images: Some(400),
            from_scratch: false,
            steps: 1_000,
            preset_warmup: 100,
            warmup: 100,
            cpu: Some((2, 2)),
        };
        assert_eq!(notes_before_start(&fine), [""; 0]);
        for (plan, word) in [
            (
                RunPlan {
                    folder_images: Some(115),
                    ..fine.clone()
                },
                "115 training images are few",
            ),
            (
                RunPlan {
                    from_scratch: true,
                    ..fine.clone()
                },
                "--from",
            ),
            (
                RunPlan {
                    steps: 40,
                    ..fine.clone()
                },
                "40 steps",
            ),
            (
                RunPlan {
                    preset_warmup: 300,
                    ..fine.clone()
                },
                "warm-up of 300 steps",
            ),
            (
                RunPlan {
                    cpu: Some((1, 2)),
                    ..fine.clone()
                },
                "--devices 2",
            ),
        ] {
            let notes = notes_before_start(&plan);
            assert!(notes.len() == 1 && notes[0].contains(word), "{notes:?}");
        }
        let synthetic = RunPlan {
            folder_images: None,
            from_scratch: true,
            ..fine
        };
        assert_eq!(notes_before_start(&synthetic), [""; 0]);
    }
}
