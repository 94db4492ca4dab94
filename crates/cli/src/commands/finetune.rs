//! `captcha-lens finetune`

use std::fs;
use std::io::{Write, stdout};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use captcha_evaluation::device::DeviceChoice;
use captcha_learning::Session;
use captcha_learning::finetune::End;
use captcha_learning::finetune::recipe::FinetuneRecipe;
use captcha_trainer::finetune::learning_curve::{check_curve, learning_curve};
use captcha_trainer::finetune::{FinetuneRequest, finetune};
use clap::Args;

use crate::args::{command_line, device_parser, read_or_built_in};
use crate::commands::train::stop_on_ctrl_c;
use crate::learning_curve::parse_counts;
use crate::progress::TerminalProgress;

/// Arguments of `finetune`.
#[derive(Args, Debug)]
pub(crate) struct FinetuneArgs {
    /// A labelled folder: labels.csv (file,label), or images named LABEL.png or LABEL_anything.png.
    folder: PathBuf,
    /// Folder of the results: weights.safetensors, finetune.json and images.csv.
    #[arg(long)]
    out: PathBuf,
    /// Weights to start from: a file, or the name of built-in ones, compact or general.
    #[arg(long, default_value = "general")]
    from: PathBuf,
    /// Time limit of the training in minutes. Checking the labels follows and takes seconds.
    #[arg(long, default_value_t = 10.0)]
    minutes: f64,
    /// Treat small and capital letters as the same; the network writes small letters.
    #[arg(long)]
    ignore_case: bool,
    /// Seed of the order and the variants of the images.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Device to run on.
    #[arg(long, default_value = "auto", value_parser = device_parser())]
    device: DeviceChoice,
    /// A recipe file instead of the built-in recipe, for experiments.
    #[arg(long)]
    recipe: Option<PathBuf>,
    /// Also fine-tune with fewer labels, such as 25,50,100,200,400, and measure each on the same
    /// held-out images: how many labelled images an attacker needs. --minutes limits each run.
    // With the full path, clap takes the whole list from the parser instead of one option for each.
    #[arg(long, value_parser = parse_counts, value_name = "NUMBERS")]
    learning_curve: Option<std::vec::Vec<usize>>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Gives `false` if the run was interrupted.
pub(crate) fn run(args: &FinetuneArgs) -> Result<bool> {
    let time_limit = Duration::try_from_secs_f64(60.0 * args.minutes)
        .context("--minutes must be a number of minutes, zero or more")?;
    let recipe = match &args.recipe {
        Some(path) => {
            let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
            FinetuneRecipe::parse(&text).with_context(|| path.display().to_string())?
        }
        None => FinetuneRecipe::standard()?,
    };
    let session = Session {
        time_limit: Some(time_limit),
        stop: stop_on_ctrl_c()?,
        progress: Arc::new(TerminalProgress::new()),
    };
    let request = FinetuneRequest {
        folder: args.folder.clone(),
        out: args.out.clone(),
        from: read_or_built_in(Some(&args.from))?,
        recipe,
        ignore_case: args.ignore_case,
        device: args.device,
        seed: args.seed,
        command: command_line(),
    };
    let counts = args.learning_curve.as_deref().unwrap_or_default();
    check_curve(&request, counts)?;
    let report = finetune(&request, &session)?;
    let interrupted = report.end == End::Interrupted;
    let curve = if counts.is_empty() || interrupted {
        None
    } else {
        Some(learning_curve(&request, counts, &session)?)
    };
    if args.json {
        let mut json = serde_json::to_value(&report)?;
        json["learning_curve"] = serde_json::to_value(&curve)?;
        writeln!(stdout(), "{json}")?;
    } else {
        write!(stdout(), "{report}")?;
        if let Some(curve) = &curve {
            writeln!(stdout(), "{curve}")?;
            for sentence in curve.sentences() {
                writeln!(stdout(), "{sentence}")?;
            }
        }
        let weights = args.out.join("weights.safetensors");
        writeln!(stdout(), "{}", weights.display())?;
    }
    Ok(!interrupted)
}
