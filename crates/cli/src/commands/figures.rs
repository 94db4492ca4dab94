//! `captcha-lens figures`

use std::io::{Write, stdout};
use std::path::PathBuf;

use anyhow::Result;
use captcha_evaluation::evaluate::evaluate;
use captcha_evaluation::score::Comparison;
use captcha_model::Recognizer;
use captcha_synth::{FontSet, Split};
use captcha_trainer::data::synthetic::Looks;
use captcha_trainer::figures::Figures;
use captcha_trainer::training::run_folder::RunFolder;
use clap::Args;

use crate::args::{NetworkArgs, read_or_built_in};
use crate::progress::TerminalProgress;
use crate::synthetic::{dataset, looks_help, looks_parser};

/// Arguments of `figures`.
#[derive(Args, Debug)]
pub(crate) struct FiguresArgs {
    /// Run folders, in order, for the loss curve (optional).
    runs: Vec<PathBuf>,
    /// Folder of the figures.
    #[arg(long)]
    out: PathBuf,
    #[command(flatten)]
    network: NetworkArgs,
    #[arg(
        long,
        visible_alias = "look",
        value_name = "LOOK",
        default_value = "words",
        value_parser = looks_parser(),
        help = looks_help()
    )]
    style: Looks,
    /// Number of test images.
    #[arg(long, default_value_t = 20_000)]
    count: u64,
    /// Seed of the test images.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

pub(crate) fn run(args: &FiguresArgs) -> Result<()> {
    let generator = args.style.generator(FontSet::Train, Split::Test, args.seed);
    let images = dataset(generator, args.count)?;
    let runs = args
        .runs
        .iter()
        .map(|run| RunFolder::open(run))
        .collect::<Result<Vec<_>>>()?;
    // The weights of the last run, unless others are named.
    let last = runs.last().map(RunFolder::weights);
    let weights = read_or_built_in(args.network.weights.as_deref().or(last.as_deref()))?;
    let recognizer = Recognizer::new(&weights, &args.network.device.open(&weights)?)?;
    let figures = Figures::new(&args.out)?;
    if !runs.is_empty() {
        figures.loss(&runs)?;
    }
    figures.samples(&recognizer, &images)?;
    figures.attention(&recognizer, &images)?;
    let score = evaluate(
        &recognizer,
        &images,
        &Comparison::default(),
        &TerminalProgress::new(),
    )?;
    figures.score(&score)?;
    writeln!(stdout(), "{score}")?;
    Ok(())
}
