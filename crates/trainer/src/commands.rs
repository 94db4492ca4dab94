//! From arguments to the functions that do the work.

use std::collections::HashSet;
use std::io::{Write, stdout};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use captcha_model::{Recognizer, Vocabulary, Weights};
use captcha_synth::{FontSet, Generator, Split, TextSource, parse_words};

use crate::cli::{
    AverageArgs, CalibrateArgs, Cli, Command, EvaluateArgs, FiguresArgs, Fonts, GenerateArgs,
    NetworkArgs, RecognizeArgs, TrainArgs,
};
use crate::data::Source;
use crate::degrade::Degraded;
use crate::figures::Figures;
use crate::folder::{Folder, labelled_files, labels_are_likely, read_text};
use crate::generated::Generated;
use crate::run::{RunFolder, command_line};
use crate::sources::{new_run, sources, validation};
use crate::train::{Training, export, read_weights, train, write_weights};
use crate::{audit, average, calibrate, evaluate, generate, info, recognize};

/// The weights that ship with this version.
const SHIPPED_WEIGHTS: &[u8] = include_bytes!("../../../web/models/compact.safetensors");

/// Does what the command line says; `false` if it was done but an image of `recognize`, or every
/// image of `audit`, could not be read.
pub fn run(cli: Cli) -> Result<bool> {
    match cli.command {
        Command::Train(args) => run_train(&args)?,
        Command::Evaluate(args) => run_evaluate(&args)?,
        Command::Calibrate(args) => run_calibrate(&args)?,
        Command::Figures(args) => run_figures(&args)?,
        Command::Audit(args) => return audit::run(&args, &recognizer(&args.network)?),
        Command::Recognize(args) => return run_recognize(&args),
        Command::Generate(args) => run_generate(&args)?,
        Command::Export(args) => {
            let path = export(&RunFolder::open(&args.run)?, args.epoch)?;
            writeln!(stdout(), "{}", path.display())?;
        }
        Command::Average(args) => run_average(&args)?,
        Command::Info(args) => info::info(&weights(args.weights.as_deref())?)?,
    }
    Ok(true)
}

fn run_train(args: &TrainArgs) -> Result<()> {
    let begun = args
        .resume
        .then(|| RunFolder::open(&args.out))
        .transpose()?;
    let (mut provenance, start) = match &begun {
        Some(run) => (run.provenance()?, run.start()?),
        None => new_run(args)?,
    };
    let devices = args.devices.or(provenance.devices).unwrap_or(1);
    ensure!(
        provenance.devices.is_none_or(|begun| begun == devices),
        "the run was begun with --devices {}, which its schedule counts on: leave --devices out",
        provenance.devices.unwrap_or_default()
    );
    provenance.devices = Some(devices);
    let (train_source, validation) = sources(&provenance)?;
    // A labelled folder's epoch is the folder, whatever the recipe says; the record says it too.
    provenance.recipe.training.images_per_epoch = train_source.len();
    let training = Training {
        train: train_source,
        validation,
        provenance,
        start,
        devices: args.device.open_many(devices)?,
        limit: args
            .minutes
            .map(|minutes| Duration::try_from_secs_f64(60.0 * minutes))
            .transpose()
            .context("--minutes must be a number of minutes, zero or more")?,
    };
    // Last, so that a mistake in any argument leaves no run behind.
    let run = match begun {
        Some(run) => run,
        None => RunFolder::create(&args.out, &training.provenance, training.start.as_ref())?,
    };
    let path = train(training, &run)?;
    writeln!(stdout(), "{}", path.display())?;
    Ok(())
}

fn run_calibrate(args: &CalibrateArgs) -> Result<()> {
    let weights = read_weights(&args.weights)?;
    let images = validation(&args.data, args.seed, args.count, &weights.config)?;
    let found = calibrate::calibrate(&weights, images.as_ref(), &args.device.open()?)?;
    if found.is_at_a_bound() {
        eprintln!(
            "warning: the temperature lies at an end of what is searched, so it says little: \
             take more images, or weights that read better"
        );
    }
    let weights = weights.with_temperature(found.temperature)?;
    write_weights(&args.weights, &weights)?;
    writeln!(
        stdout(),
        "temperature {:.3}: loss of the right text {:.4} -> {:.4}",
        found.temperature,
        found.loss_before,
        found.loss_after
    )?;
    Ok(())
}

fn run_evaluate(args: &EvaluateArgs) -> Result<()> {
    let recognizer = recognizer(&args.network)?;
    let vocabulary = recognizer.config().vocabulary()?;
    let lexicon = args
        .lexicon
        .as_deref()
        .map(|path| read_lexicon(path, &vocabulary))
        .transpose()?;
    let source: Arc<dyn Source> = match (&args.synth, &args.folder) {
        (Some(style), _) => {
            let text = texts(args.random, args.words.as_deref())?;
            let generator = test_generator(style, text, fonts(args.fonts), args.seed)?;
            let generator = generator.with_bent_share(share(args.bent));
            Arc::new(test_images(generator, args.count)?)
        }
        (None, Some(folder)) => {
            let files = labelled_files(folder, args.part, &vocabulary)?;
            if !labels_are_likely(folder, &files, &vocabulary) {
                eprintln!("the file names do not look like labels, but are taken as such");
            }
            Arc::new(Folder::new(files, args.seed))
        }
        (None, None) => bail!("name a labelled folder, or --synth STYLE"),
    };
    let source = Degraded::new(source, share(args.degraded).into(), args.seed);
    let score = evaluate::evaluate(&recognizer, &source, lexicon.as_ref())?;
    if args.json {
        writeln!(stdout(), "{}", serde_json::to_string(&score)?)?;
    } else {
        writeln!(stdout(), "{score}")?;
    }
    Ok(())
}

/// Fresh images, of the test split.
fn test_generator(style: &str, text: TextSource, fonts: FontSet, seed: u64) -> Result<Generator> {
    let style = style.parse()?;
    Ok(Generator::new(style, text, fonts, Split::Test, seed))
}

/// All or none.
fn share(all: bool) -> f32 {
    f32::from(u8::from(all))
}

fn test_images(generator: Generator, count: u64) -> Result<Generated> {
    ensure!(count > 0, "--count must be at least 1");
    Ok(Generated::new(generator, count as usize))
}

fn run_figures(args: &FiguresArgs) -> Result<()> {
    let words = TextSource::listed();
    let generator = test_generator(&args.style, words, FontSet::Trained, args.seed)?;
    let source = test_images(generator, args.count)?;
    let runs = args
        .runs
        .iter()
        .map(|run| RunFolder::open(run))
        .collect::<Result<Vec<_>>>()?;
    let own = runs.last().map(RunFolder::weights);
    let weights = weights(args.network.weights.as_deref().or(own.as_deref()))?;
    let recognizer = Recognizer::new(&weights, &args.network.device.open()?)?;
    let figures = Figures::new(&args.out)?;
    if !runs.is_empty() {
        figures.loss(&runs)?;
    }
    figures.samples(&recognizer, &source)?;
    figures.attention(&recognizer, &source)?;
    let score = evaluate::evaluate(&recognizer, &source, None)?;
    figures.score(&score)?;
    writeln!(stdout(), "{score}")?;
    Ok(())
}

fn run_recognize(args: &RecognizeArgs) -> Result<bool> {
    let recognizer = recognizer(&args.network)?;
    recognize::recognize(
        &recognizer,
        &args.images,
        usize::from(args.alternatives),
        args.json,
    )
}

fn run_generate(args: &GenerateArgs) -> Result<()> {
    let text = texts(args.random, args.words.as_deref())?;
    let split = if args.test { Split::Test } else { Split::Set };
    let style = args.style.parse()?;
    let generator = Generator::new(style, text, fonts(args.fonts), split, args.seed)
        .with_bent_share(share(args.bent));
    generate::generate(&generator, args.count, &args.out)
}

fn run_average(args: &AverageArgs) -> Result<()> {
    let all = args.weights.iter().map(|path| read_weights(path));
    let mean = average::average(&all.collect::<Result<Vec<_>>>()?, &command_line())?;
    write_weights(&args.out, &mean)?;
    writeln!(stdout(), "{}", args.out.display())?;
    Ok(())
}

/// Random strings, the words of a file, or the listed ones.
fn texts(random: bool, words: Option<&Path>) -> Result<TextSource> {
    Ok(match words {
        _ if random => TextSource::Random,
        Some(path) => TextSource::Words(read_words(path)?),
        None => TextSource::listed(),
    })
}

fn fonts(fonts: Fonts) -> FontSet {
    match fonts {
        Fonts::Trained => FontSet::Trained,
        Fonts::HeldOut => FontSet::HeldOut,
        Fonts::More => FontSet::More,
    }
}

fn read_words(path: &Path) -> Result<Vec<String>> {
    let place = || path.display().to_string();
    parse_words(&std::fs::read_to_string(path).with_context(place)?).with_context(place)
}

/// The words of a list, in the network's letters; those that it cannot write are no harm.
fn read_lexicon(path: &Path, vocabulary: &Vocabulary) -> Result<HashSet<String>> {
    let text = read_text(path)?;
    let words = text.lines().map(|line| vocabulary.fold(line.trim()));
    let lexicon: HashSet<_> = words.filter(|word| !word.is_empty()).collect();
    ensure!(!lexicon.is_empty(), "{} holds no word", path.display());
    Ok(lexicon)
}

fn weights(path: Option<&Path>) -> Result<Weights> {
    match path {
        Some(path) => read_weights(path),
        None => Ok(Weights::from_bytes(SHIPPED_WEIGHTS.to_vec())?),
    }
}

fn recognizer(args: &NetworkArgs) -> Result<Recognizer> {
    Ok(Recognizer::new(
        &weights(args.weights.as_deref())?,
        &args.device.open()?,
    )?)
}
