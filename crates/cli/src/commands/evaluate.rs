//! `captcha-lens evaluate`

use std::collections::HashSet;
use std::io::{Write, stdout};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Result, bail, ensure};
use captcha_evaluation::data::Dataset;
use captcha_evaluation::data::augment::{AugmentStream, Augmented};
use captcha_evaluation::data::folder::FolderDataset;
use captcha_evaluation::data::label_check::labels_are_likely;
use captcha_evaluation::data::labels::composed;
use captcha_evaluation::data::splits::{LabelledFiles, Part, labelled_files};
use captcha_evaluation::evaluate::evaluate;
use captcha_evaluation::files::read_text;
use captcha_evaluation::score::Comparison;
use captcha_model::{ModelConfig, Vocabulary};
use clap::Args;
use clap::builder::PossibleValue;

use crate::args::{NetworkArgs, named, print_notes};
use crate::progress::TerminalProgress;
#[cfg(feature = "train")]
use crate::synthetic::{SyntheticArgs, dataset, looks_help, looks_parser};

/// Arguments of `evaluate`.
#[derive(Args, Debug)]
#[cfg_attr(
    feature = "train",
    command(
        mut_arg("words", |arg| arg.conflicts_with("folder")),
        mut_arg("random", |arg| arg.conflicts_with("folder")),
        mut_arg("alphabet", |arg| arg.conflicts_with("folder")),
        mut_arg("length", |arg| arg.conflicts_with("folder")),
        mut_arg("fonts", |arg| arg.conflicts_with("folder")),
        mut_arg("distorted", |arg| arg.conflicts_with("folder"))
    )
)]
pub(crate) struct EvaluateArgs {
    #[command(flatten)]
    network: NetworkArgs,
    /// A labelled folder. Upper and lower case differ only if the network has both.
    #[cfg_attr(
        feature = "train",
        arg(required_unless_present = "synth", conflicts_with = "synth")
    )]
    #[cfg_attr(not(feature = "train"), arg(required = true))]
    folder: Option<PathBuf>,
    /// Part of the folder.
    #[arg(long, default_value = "all", value_parser = named(PARTS.map(part_name)))]
    #[cfg_attr(feature = "train", arg(conflicts_with = "synth"))]
    part: Part,
    /// Evaluate on synthetic images instead of a folder.
    #[cfg(feature = "train")]
    #[arg(long, value_name = "LOOK", value_parser = looks_parser(), long_help = looks_help())]
    synth: Option<captcha_trainer::data::synthetic::Looks>,
    /// Number of synthetic images.
    #[cfg(feature = "train")]
    #[arg(long, default_value_t = 20_000, conflicts_with = "folder")]
    count: u64,
    #[cfg(feature = "train")]
    #[command(flatten)]
    synthetic: SyntheticArgs,
    /// Seed of synthetic and of augmented images.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Randomly crop, resize and compress the images first.
    #[arg(long, alias = "degraded")]
    augmented: bool,
    /// Also report the accuracy with this list of words (one per line, in any case). Take the first
    /// of the ten most likely texts that is in the list; if none is, the most likely text.
    #[arg(long)]
    lexicon: Option<PathBuf>,
    /// Count an answer as correct if it differs from the label only in case.
    #[arg(long)]
    ignore_case: bool,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

const PARTS: [(Part, &str); 3] = [
    (Part::All, "all"),
    (Part::Train, "train"),
    (Part::Validation, "validation"),
];

fn part_name((part, name): (Part, &'static str)) -> (Part, PossibleValue) {
    (part, PossibleValue::new(name))
}

pub(crate) fn run(args: &EvaluateArgs) -> Result<()> {
    let recognizer = args.network.recognizer()?;
    let vocabulary = recognizer.config().vocabulary()?;
    let lexicon = args
        .lexicon
        .as_deref()
        .map(|path| read_lexicon(path, &vocabulary))
        .transpose()?;
    let share = if args.augmented { 1.0 } else { 0.0 };
    let images = images(args, recognizer.config())?;
    let images = Augmented::new(images, share, args.seed, AugmentStream::Test);
    let progress = TerminalProgress::new();
    let comparison = Comparison {
        lexicon: lexicon.as_ref(),
        ignore_case: args.ignore_case,
    };
    let score = evaluate(&recognizer, &images, &comparison, &progress)?;
    if args.json {
        writeln!(stdout(), "{}", serde_json::to_string(&score)?)?;
    } else {
        writeln!(stdout(), "{score}")?;
    }
    Ok(())
}

fn images(args: &EvaluateArgs, config: &ModelConfig) -> Result<Arc<dyn Dataset>> {
    #[cfg(feature = "train")]
    if let Some(looks) = &args.synth {
        let split = captcha_synth::Split::Test;
        let generator = args.synthetic.generator(looks, split, args.seed)?;
        return Ok(Arc::new(dataset(generator, args.count)?));
    }
    let Some(folder) = &args.folder else {
        bail!("name a labelled folder");
    };
    let LabelledFiles { files, notes } = labelled_files(folder, args.part, &config.vocabulary()?)?;
    print_notes(notes);
    if !labels_are_likely(folder, &files, config)? {
        eprintln!("the file names do not look like labels, but are used as labels");
    }
    Ok(Arc::new(FolderDataset::new(files, args.seed)))
}

/// The words of a list, in the network's case. Words that the network cannot write do not matter.
fn read_lexicon(path: &Path, vocabulary: &Vocabulary) -> Result<HashSet<String>> {
    let text = read_text(path)?;
    let words = text
        .lines()
        .map(|line| vocabulary.fold(&composed(line.trim())));
    let lexicon: HashSet<_> = words.filter(|word| !word.is_empty()).collect();
    ensure!(!lexicon.is_empty(), "{} contains no word", path.display());
    Ok(lexicon)
}
