//! The command line.

pub mod commands;
pub mod generate;
pub mod info;
pub mod recognize;

use std::path::PathBuf;

use captcha_model::Recognizer;
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::data::folder::Part;
use crate::device::DeviceChoice;

/// The most alternatives that are looked for, as in the page.
const MAX_ALTERNATIVES: i64 = Recognizer::MAX_ALTERNATIVES as i64;

/// Trains, measures and uses the captcha-lens network.
///
/// For CAPTCHAs that you run or may test. Everything stays on this machine.
#[derive(Debug, Parser)]
#[command(name = "captcha-lens", version, propagate_version = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Train a network, or go on with a run.
    Train(TrainArgs),
    /// Measure how many images are read whole.
    Evaluate(EvaluateArgs),
    /// Make a weights file's confidence mean what it says.
    Calibrate(CalibrateArgs),
    /// Draw what runs learnt and how well their network reads.
    Figures(FiguresArgs),
    /// Read a folder of images and write a report on what they are worth.
    Audit(AuditArgs),
    /// Read images.
    Recognize(RecognizeArgs),
    /// Write labelled images.
    Generate(GenerateArgs),
    /// Write a checkpoint of a run as a weights file.
    Export(ExportArgs),
    /// Write the mean of several networks' weights.
    Average(AverageArgs),
    /// Say what a weights file holds.
    Info(InfoArgs),
}

/// Which weights, on which device.
#[derive(Args, Debug)]
pub struct NetworkArgs {
    /// Weights file; the shipped ones if not given.
    #[arg(long)]
    pub weights: Option<PathBuf>,
    /// Where to compute.
    #[arg(long, value_enum, default_value = "cpu")]
    pub device: DeviceChoice,
}

/// Arguments of `train`.
#[derive(Args, Debug)]
pub struct TrainArgs {
    /// compact, compact-continued, paper, or a file of that form.
    #[arg(long, default_value = "compact", conflicts_with = "resume")]
    pub preset: String,
    /// A labelled folder, or synth:words for fresh images.
    #[arg(long, default_value = "synth:words", conflicts_with = "resume")]
    pub data: String,
    /// The run's folder: checkpoints, metrics, and weights in the end.
    #[arg(long)]
    pub out: PathBuf,
    /// Go on with the run in --out from its last checkpoint, with the recipe it was begun with.
    #[arg(long)]
    pub resume: bool,
    /// Start from these weights instead of random ones.
    #[arg(long, conflicts_with = "resume")]
    pub from: Option<PathBuf>,
    /// Stop at the first epoch's end after so many minutes; --resume goes on.
    #[arg(long)]
    pub minutes: Option<f64>,
    /// Epochs in all, instead of the preset's.
    #[arg(long, conflicts_with = "resume")]
    pub epochs: Option<usize>,
    /// Where to compute.
    #[arg(long, value_enum, default_value = "auto")]
    pub device: DeviceChoice,
    /// GPUs to train on at once, or workers that share the CPU; each takes a batch a step.
    /// A run that goes on takes as many as it began with.
    #[arg(long)]
    pub devices: Option<usize>,
    /// Seed of images and network.
    #[arg(long, default_value_t = 1, conflicts_with = "resume")]
    pub seed: u64,
}

/// Arguments of `evaluate`.
#[derive(Args, Debug)]
pub struct EvaluateArgs {
    /// Weights and device.
    #[command(flatten)]
    pub network: NetworkArgs,
    /// A labelled folder; small and capital letters differ only where the network has both.
    #[arg(required_unless_present = "synth", conflicts_with = "synth")]
    pub folder: Option<PathBuf>,
    /// Which part of the folder.
    #[arg(long, value_enum, default_value = "all", conflicts_with = "synth")]
    pub part: Part,
    /// Fresh images of this style, words or waves, instead of a folder.
    #[arg(long, value_name = "STYLE")]
    pub synth: Option<String>,
    /// How many fresh images.
    #[arg(long, default_value_t = 20_000, conflicts_with = "folder")]
    pub count: u64,
    /// Seed of the fresh images, and of what --degraded does.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Fresh images of the words of this list (one a line) instead of the listed ones.
    #[arg(long, conflicts_with_all = ["random", "folder"])]
    pub words: Option<PathBuf>,
    /// Random strings instead of listed words.
    #[arg(long, conflicts_with = "folder")]
    pub random: bool,
    /// Faces of the fresh images.
    #[arg(long, value_enum, default_value = "trained", conflicts_with = "folder")]
    pub fonts: Fonts,
    /// Bend each image's face out of its shape.
    #[arg(long, conflicts_with = "folder")]
    pub bent: bool,
    /// Cut, scale and compress the images before they are read.
    #[arg(long)]
    pub degraded: bool,
    /// Also report the likeliest of ten answers that is in this list, if one is (one word a line, in any case).
    #[arg(long)]
    pub lexicon: Option<PathBuf>,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `calibrate`.
#[derive(Args, Debug)]
pub struct CalibrateArgs {
    /// Weights file; its temperature is changed in place, nothing else.
    pub weights: PathBuf,
    /// A labelled folder, or synth:STYLE for images of the generator's validation split.
    #[arg(long, default_value = "synth:words")]
    pub data: String,
    /// How many images.
    #[arg(long, default_value_t = 5_000)]
    pub count: usize,
    /// Seed of generated images.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Where to compute.
    #[arg(long, value_enum, default_value = "cpu")]
    pub device: DeviceChoice,
}

/// Arguments of `figures`.
#[derive(Args, Debug)]
pub struct FiguresArgs {
    /// Runs that followed one another, for the loss curve; without any there is none.
    pub runs: Vec<PathBuf>,
    /// Where to; a folder.
    #[arg(long)]
    pub out: PathBuf,
    /// Weights and device; the last run's weights if there is a run and none are named.
    #[command(flatten)]
    pub network: NetworkArgs,
    /// Style of the test images.
    #[arg(long, default_value = "words")]
    pub style: String,
    /// How many test images to measure on.
    #[arg(long, default_value_t = 20_000)]
    pub count: u64,
    /// Seed of the test images.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

/// Which faces a generator draws with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Fonts {
    /// Those of training.
    Trained,
    /// Those kept out of training.
    HeldOut,
    /// More of training, which no test is set in.
    More,
}

/// Arguments of `audit`.
#[derive(Args, Debug)]
pub struct AuditArgs {
    /// Weights and device.
    #[command(flatten)]
    pub network: NetworkArgs,
    /// The images, labelled by spec_train_val.txt, labels.csv, or their names (label.png,
    /// label_anything.png).
    pub folder: PathBuf,
    /// Take no labels: the report then holds readings only.
    #[arg(long)]
    pub unlabelled: bool,
    /// Take file names as labels even where they do not look like it.
    #[arg(long, conflicts_with = "unlabelled")]
    pub labelled: bool,
    /// The report: one HTML file that needs nothing else.
    #[arg(long, required_unless_present = "json")]
    pub report: Option<PathBuf>,
    /// Save the readings as JSON, to compare another audit with them.
    #[arg(long)]
    pub json: Option<PathBuf>,
    /// Show the difference to another folder of images, or to an audit saved by --json or the page,
    /// such as one with other weights.
    #[arg(long, value_name = "FOLDER|JSON")]
    pub compare: Option<PathBuf>,
    /// Replace a file that is there and is no report.
    #[arg(long)]
    pub force: bool,
}

/// Arguments of `recognize`.
#[derive(Args, Debug)]
pub struct RecognizeArgs {
    /// Weights and device.
    #[command(flatten)]
    pub network: NetworkArgs,
    /// Also give so many of the likeliest texts, at most 100; the answer is the first of them.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=MAX_ALTERNATIVES))]
    pub alternatives: u8,
    /// Print one JSON object a line, in the order given.
    #[arg(long)]
    pub json: bool,
    /// The images; - for standard input.
    #[arg(required = true, value_name = "IMAGE")]
    pub images: Vec<PathBuf>,
}

/// Arguments of `generate`.
#[derive(Args, Debug)]
pub struct GenerateArgs {
    /// The look: words or waves.
    #[arg(long, default_value = "words")]
    pub style: String,
    /// How many images.
    #[arg(long)]
    pub count: u64,
    /// Where to; a new folder.
    #[arg(long)]
    pub out: PathBuf,
    /// Same seed, same images.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// The images that evaluate --synth reads, which must not be learnt from, instead of others.
    #[arg(long)]
    pub test: bool,
    /// Words of this list (one a line) instead of the built-in one.
    #[arg(long, conflicts_with = "random")]
    pub words: Option<PathBuf>,
    /// Random strings instead of words.
    #[arg(long)]
    pub random: bool,
    /// Faces.
    #[arg(long, value_enum, default_value = "trained")]
    pub fonts: Fonts,
    /// Bend each image's face out of its shape.
    #[arg(long)]
    pub bent: bool,
}

/// Arguments of `export`.
#[derive(Args, Debug)]
pub struct ExportArgs {
    /// The run's folder.
    pub run: PathBuf,
    /// Which epoch; the best by validation if not given.
    #[arg(long)]
    pub epoch: Option<usize>,
}

/// Arguments of `average`.
#[derive(Args, Debug)]
pub struct AverageArgs {
    /// Weights files, each counting the same; smaller networks grow to the last one's shape.
    #[arg(required = true, num_args = 2.., value_name = "WEIGHTS")]
    pub weights: Vec<PathBuf>,
    /// Where to; not calibrated.
    #[arg(long)]
    pub out: PathBuf,
}

/// Arguments of `info`.
#[derive(Args, Debug)]
pub struct InfoArgs {
    /// Weights file; the shipped ones if not given.
    pub weights: Option<PathBuf>,
    /// Print one JSON object with the whole configuration and the whole record of training.
    #[arg(long)]
    pub json: bool,
}
