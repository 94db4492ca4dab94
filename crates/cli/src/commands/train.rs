//! `captcha-lens train`

use std::io::{Write, stdout};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::{Context, Result};
use captcha_evaluation::device::DeviceChoice;
use captcha_evaluation::wording::plural;
use captcha_learning::Session;
use captcha_trainer::training::recipe::Recipe;
use captcha_trainer::training::{RunConfig, RunRequest, start};
use clap::Args;
use signal_hook::consts::SIGINT;
use signal_hook::flag;

use crate::args::{command_line, device_parser};
use crate::progress::TerminalProgress;

/// Arguments of `train`.
#[derive(Args, Debug)]
pub(crate) struct TrainArgs {
    #[arg(long, default_value = "compact", conflicts_with = "resume", help = preset_help())]
    preset: String,
    /// A labelled folder, or synth:LOOKS for synthetic images: a look, or several with their shares,
    /// such as synth:random=5,words=2,built-in=3. By default the preset's looks.
    #[arg(long, conflicts_with = "resume")]
    data: Option<String>,
    /// Folder of the run, for checkpoints, metrics and the weights.
    #[arg(long)]
    out: PathBuf,
    /// Resume the run in --out from its last checkpoint, with its own recipe.
    #[arg(long)]
    resume: bool,
    /// Start from these weights instead of random ones.
    #[arg(long, conflicts_with = "resume")]
    from: Option<PathBuf>,
    /// Stop after this many minutes, at the end of the epoch; --resume continues.
    #[arg(long)]
    minutes: Option<f64>,
    /// Number of epochs, instead of the preset's.
    #[arg(long, conflicts_with = "resume")]
    epochs: Option<usize>,
    /// Device to run on.
    #[arg(long, default_value = "auto", value_parser = device_parser())]
    device: DeviceChoice,
    /// Number of GPUs, or of workers that share the CPU; each takes a batch in a step. A resumed
    /// run uses the same number of devices.
    #[arg(long)]
    devices: Option<usize>,
    /// Seed of the images and the network.
    #[arg(long, default_value_t = 1, conflicts_with = "resume")]
    seed: u64,
}

fn preset_help() -> String {
    let names = Recipe::preset_names().join(", ");
    format!("{names}, or a file in the same format")
}

/// Gives `false` if the run was interrupted.
pub(crate) fn run(args: &TrainArgs) -> Result<bool> {
    let session = Session {
        time_limit: args
            .minutes
            .map(|minutes| Duration::try_from_secs_f64(60.0 * minutes))
            .transpose()
            .context("--minutes must be a number of minutes, zero or more")?,
        stop: stop_on_ctrl_c()?,
        progress: Arc::new(TerminalProgress::new()),
    };
    let config = if args.resume {
        RunConfig::resume(&args.out, args.device, args.devices)?
    } else {
        RunConfig::new(&RunRequest {
            preset: args.preset.clone(),
            data: args.data.clone(),
            folder: args.out.clone(),
            from: args.from.clone(),
            epochs: args.epochs,
            device: args.device,
            devices: args.devices.unwrap_or(1),
            seed: args.seed,
            command: command_line(),
        })?
    };
    let outcome = start(config, session)?;
    if outcome.interrupted {
        eprintln!(
            "Stopped. {} finished {} saved; the current one is not. Continue with: captcha-lens \
             train --out {} --resume",
            outcome.epochs,
            plural(outcome.epochs, "epoch is", "epochs are"),
            args.out.display()
        );
    }
    writeln!(stdout(), "{}", outcome.weights.display())?;
    Ok(!outcome.interrupted)
}

/// A flag that the first Ctrl-C sets to stop the run; the second one ends the process.
pub(crate) fn stop_on_ctrl_c() -> Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    flag::register_conditional_shutdown(SIGINT, 130, stop.clone())
        .and_then(|_| flag::register(SIGINT, stop.clone()))
        .context("cannot handle Ctrl-C")?;
    Ok(stop)
}
