//! From arguments to the functions that do the work.

use std::collections::HashSet;
use std::io::{Write, stdout};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use burn::module::Module;
use burn::tensor::Device;
use captcha_model::weights::{Precision, save};
use captcha_model::{ModelConfig, Recognizer, Vocabulary, Weights};
use captcha_synth::{FontSet, Generator, Split, TextSource, parse_words};
use signal_hook::consts::SIGINT;
use signal_hook::flag;

use super::{generate, info, recognize};
use crate::cli::{
    AverageArgs, CalibrateArgs, Cli, Command, EvaluateArgs, FiguresArgs, Fonts, GenerateArgs,
    NetworkArgs, RecognizeArgs, TrainArgs,
};
use crate::data::Source;
use crate::data::augment::Degraded;
use crate::data::folder::{Folder, labelled_files, labels_are_likely, read_text};
use crate::data::synthetic::Generated;
use crate::device::DeviceChoice;
use crate::evaluation;
use crate::files::check_space;
use crate::report::audit;
use crate::report::figures::Figures;
use crate::training::checkpoints::at_once;
use crate::training::diagnosis::{Plan, before};
use crate::training::run_folder::{Provenance, RunFolder, command_line};
use crate::training::schedule::{fitting_warmup, steps};
use crate::training::start::{new_run, sources, validation};
use crate::training::{Training, export, read_weights, train, write_weights};
use crate::weights::{average, calibrate};

/// The weights that ship with this version.
const SHIPPED_WEIGHTS: &[u8] = include_bytes!("../../../../web/models/compact.safetensors");

/// Does what the command line says; `false` if it was done but an image of `recognize`, or every
/// image of `audit`, could not be read, or if `train` was interrupted.
pub fn run(cli: Cli) -> Result<bool> {
    match cli.command {
        Command::Train(args) => return run_train(&args),
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
        Command::Info(args) => info::info(&weights(args.weights.as_deref())?, args.json)?,
    }
    Ok(true)
}

/// `false` if the run was interrupted.
fn run_train(args: &TrainArgs) -> Result<bool> {
    let begun = if args.resume {
        let run = RunFolder::open(&args.out)?;
        let lock = run.lock()?;
        Some((run, lock))
    } else {
        None
    };
    let (mut provenance, start) = match &begun {
        Some((run, _)) => (run.provenance()?, run.start()?),
        None => new_run(args)?,
    };
    let devices = args.devices.or(provenance.devices).unwrap_or(1);
    ensure!(
        provenance.devices.is_none_or(|begun| begun == devices),
        "the run was begun with --devices {}, which its schedule counts on: leave --devices out",
        provenance.devices.unwrap_or_default()
    );
    provenance.devices = Some(devices);
    let images = sources(&provenance)?;
    let mut notes = images.notes;
    // A labelled folder's epoch is the folder, whatever the recipe says; the record says it too.
    provenance.recipe.training.images_per_epoch = images.train.len();
    match (&begun, &images.list) {
        (Some((run, _)), Some(list)) => run.check_images(&provenance, list)?,
        (None, Some(list)) => provenance.images = Some(list.digest()?),
        _ => {}
    }
    if begun.is_none() {
        notes.extend(plan(
            &mut provenance,
            &images.train,
            start.is_none(),
            args.device,
        ));
    }
    let devices = args.device.open_many(devices, || match &start {
        Some(weights) => Ok(weights.clone()),
        None => fresh(&provenance.model()?),
    })?;
    let training = Training {
        train: images.train,
        validation: images.validation,
        provenance,
        start,
        devices,
        limit: args
            .minutes
            .map(|minutes| Duration::try_from_secs_f64(60.0 * minutes))
            .transpose()
            .context("--minutes must be a number of minutes, zero or more")?,
        stop: stop_on_ctrl_c()?,
    };
    let there = match &begun {
        Some((run, _)) => run.epochs()?.len(),
        None => 0,
    };
    check_room(&args.out, &training.provenance, there)?;
    // Last, so that a mistake in any argument leaves no run behind.
    let (run, _lock) = match begun {
        Some(run) => run,
        None => RunFolder::create(
            &args.out,
            &training.provenance,
            training.start.as_ref(),
            images.list.as_ref(),
        )?,
    };
    for note in notes {
        eprintln!("note: {note}");
    }
    let outcome = train(training, &run)?;
    for (index, finding) in outcome.findings.iter().enumerate() {
        let kind = if index == 0 { "note" } else { "warning" };
        eprintln!("{kind}: {finding}");
    }
    if outcome.interrupted {
        eprintln!(
            "stopped; {} epochs are kept, the one that was not finished is lost; go on with: \
             captcha-lens train --out {} --resume",
            outcome.epochs,
            args.out.display()
        );
    }
    writeln!(stdout(), "{}", outcome.weights.display())?;
    Ok(!outcome.interrupted)
}

/// Fits a new run's warm-up to its length; what a person should know of the run.
fn plan(
    provenance: &mut Provenance,
    train: &Arc<dyn Source>,
    from_scratch: bool,
    device: DeviceChoice,
) -> Vec<String> {
    let devices = provenance.devices.unwrap_or(1);
    let folder_images = provenance.images.is_some().then(|| train.len());
    let options = &mut provenance.recipe.training;
    let steps = steps(options, train.len(), devices);
    let wanted_warmup = options.warmup_steps;
    // The record holds what is used, so that a resumed run has the same course.
    options.warmup_steps = fitting_warmup(options, steps);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let is_cpu = device == DeviceChoice::Cpu || !cfg!(feature = "gpu");
    before(&Plan {
        folder_images,
        from_scratch,
        steps,
        wanted_warmup,
        warmup: options.warmup_steps,
        cpu: is_cpu.then_some((devices, cores)),
    })
}

/// Checks that a run's checkpoints will find room: better now than when an epoch is done.
fn check_room(out: &Path, provenance: &Provenance, there: usize) -> Result<()> {
    let network = provenance.model()?.init(&Device::flex())?;
    // The weights and two means of the optimizer, 4 bytes a number.
    let checkpoint = 12 * network.num_params() as u64;
    let at_once = at_once(provenance.recipe.training.epochs);
    check_space(out, checkpoint * at_once.saturating_sub(there) as u64)
}

/// A flag that the first Ctrl-C sets, to end the run in order; the second ends it at once.
fn stop_on_ctrl_c() -> Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    flag::register_conditional_shutdown(SIGINT, 130, stop.clone())
        .and_then(|_| flag::register(SIGINT, stop.clone()))
        .context("Ctrl-C cannot be listened to")?;
    Ok(stop)
}

fn run_calibrate(args: &CalibrateArgs) -> Result<()> {
    let weights = read_weights(&args.weights)?;
    let images = validation(&args.data, args.seed, args.count, &weights.config)?;
    let device = args.device.open(&weights)?;
    let found = calibrate::calibrate(&weights, images.as_ref(), &device)?;
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
        "temperature {:.3}, fitted to {} images: loss of the right text {:.4} -> {:.4}",
        found.temperature,
        found.images,
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
            let generator = generator.with_distortion_share(share(args.bent));
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
    let score = evaluation::evaluate(&recognizer, &source, lexicon.as_ref())?;
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
    let generator = test_generator(&args.style, words, FontSet::Train, args.seed)?;
    let source = test_images(generator, args.count)?;
    let runs = args
        .runs
        .iter()
        .map(|run| RunFolder::open(run))
        .collect::<Result<Vec<_>>>()?;
    let own = runs.last().map(RunFolder::weights);
    let weights = weights(args.network.weights.as_deref().or(own.as_deref()))?;
    let recognizer = Recognizer::new(&weights, &args.network.device.open(&weights)?)?;
    let figures = Figures::new(&args.out)?;
    if !runs.is_empty() {
        figures.loss(&runs)?;
    }
    figures.samples(&recognizer, &source)?;
    figures.attention(&recognizer, &source)?;
    let score = evaluation::evaluate(&recognizer, &source, None)?;
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
    let split = if args.test {
        Split::Test
    } else {
        Split::Export
    };
    let style = args.style.parse()?;
    let generator = Generator::new(style, text, fonts(args.fonts), split, args.seed)
        .with_distortion_share(share(args.bent));
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
        Fonts::Trained => FontSet::Train,
        Fonts::HeldOut => FontSet::HeldOut,
        Fonts::More => FontSet::Extra,
    }
}

fn read_words(path: &Path) -> Result<Vec<String>> {
    let place = || path.display().to_string();
    parse_words(&std::fs::read_to_string(path).with_context(place)?).with_context(place)
}

/// The words of a list, in the network's characters; those that it cannot write are no harm.
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

/// A network that has learnt nothing.
fn fresh(config: &ModelConfig) -> Result<Weights> {
    let network = config.init(&Device::flex())?;
    let record = serde_json::Value::Null;
    let bytes = save(&network, config, &record, Precision::Full)?;
    Ok(Weights::from_bytes(bytes)?)
}

fn recognizer(args: &NetworkArgs) -> Result<Recognizer> {
    let weights = weights(args.weights.as_deref())?;
    Ok(Recognizer::new(&weights, &args.device.open(&weights)?)?)
}
