//! From arguments to the functions that do the work.

use std::collections::HashSet;
use std::io::{Write, stdout};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use captcha_model::{Recognizer, Vocabulary, Weights};
use captcha_synth::{FontSet, Generator, Split, TextSource, parse_words};
use chrono::Utc;

use crate::audit::Unread;
use crate::cli::{
    AuditArgs, AverageArgs, CalibrateArgs, Cli, Command, EvaluateArgs, FiguresArgs, Fonts,
    GenerateArgs, NetworkArgs, RecognizeArgs, TrainArgs,
};
use crate::data::Source;
use crate::degrade::Degraded;
use crate::figures::Figures;
use crate::folder::{
    Folder, Labelled, Part, image_files, labelled_files, labels_are_likely, read_text,
};
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
        Command::Audit(args) => return run_audit(&args),
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
            if !labels_are_likely(folder, &files) {
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

fn run_audit(args: &AuditArgs) -> Result<bool> {
    let recognizer = recognizer(&args.network)?;
    let vocabulary = recognizer.config().vocabulary()?;
    // Now rather than when all has been read.
    let place = args.report.parent().filter(|place| *place != Path::new(""));
    ensure!(
        place.is_none_or(Path::is_dir) && !args.report.is_dir(),
        "the report cannot be written to {}: name a file in a folder that is there",
        args.report.display()
    );
    let files = unread(args, &vocabulary)?;
    let audit = audit::audit(&recognizer, &args.folder, &files)?;
    let folder = args.folder.canonicalize();
    let name = folder.as_deref().ok().and_then(Path::file_name);
    let title = name.map_or("Audit".into(), |name| {
        format!("Audit of {}", name.to_string_lossy())
    });
    let weights = args.network.weights.as_deref();
    let about = [
        (
            "Read by",
            format!("captcha-lens {}", env!("CARGO_PKG_VERSION")),
        ),
        (
            "Weights",
            weights
                .and_then(Path::file_name)
                .map_or("the shipped ones".into(), |name| {
                    name.to_string_lossy().into_owned()
                }),
        ),
        ("Device", args.network.device.to_string()),
        ("Date", Utc::now().date_naive().to_string()),
    ];
    std::fs::write(&args.report, audit.html(&title, &about)?)
        .with_context(|| format!("cannot write {}", args.report.display()))?;
    let (images, failed) = audit.counts();
    let tally = audit.tally();
    if tally.images > 0 {
        let (low, high) = tally.interval();
        writeln!(
            stdout(),
            "read whole: {} of {} ({:.1} %; 95 % interval {:.1} to {:.1} %)",
            tally.exact,
            tally.images,
            100.0 * tally.accuracy(),
            100.0 * low,
            100.0 * high
        )?;
    } else {
        writeln!(stdout(), "read: {} of {images}", images - failed)?;
    }
    if failed > 0 {
        eprintln!("{failed} of {images} files could not be read; the report names them");
    }
    writeln!(stdout(), "{}", args.report.display())?;
    Ok(failed < images)
}

/// All images of a folder, as the page takes them: those without a label, too.
fn unread(args: &AuditArgs, vocabulary: &Vocabulary) -> Result<Vec<Unread>> {
    let mut files = Vec::new();
    if !args.unlabelled {
        let labelled = labelled_files(&args.folder, Part::All, vocabulary)?;
        let likely = args.labelled || labels_are_likely(&args.folder, &labelled);
        if !likely {
            writeln!(
                stdout(),
                "the file names do not look like labels, so the report holds readings only; \
                 --labelled takes them as labels all the same"
            )?;
        }
        let label = |file: Labelled| (file.path, Some(file.text).filter(|_| likely));
        files.extend(labelled.into_iter().map(label));
    }
    let labelled = files.len();
    let known: HashSet<PathBuf> = files.iter().map(|(path, _)| path.clone()).collect();
    let images = image_files(&args.folder)?;
    let others = images.into_iter().filter(|path| !known.contains(path));
    files.extend(others.map(|path| (path, None)));
    ensure!(
        !files.is_empty(),
        "{} holds no image",
        args.folder.display()
    );
    let unlabelled = files.len() - labelled;
    if unlabelled > 0 && !args.unlabelled {
        writeln!(
            stdout(),
            "{unlabelled} of {} images have no label, so they are read only",
            files.len()
        )?;
    }
    Ok(files)
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
