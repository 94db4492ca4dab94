//! From arguments to the functions that do the work.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use captcha_model::{Recognizer, Weights};
use captcha_synth::{FontSet, Generator, Split, Style, TextSource, listed_words, parse_words};

use crate::cli::{
    Cli, Command, EvaluateArgs, Fonts, GenerateArgs, NetworkArgs, RecognizeArgs, TrainArgs,
};
use crate::data::Source;
use crate::folder::{Folder, Part, labelled_files};
use crate::generated::Generated;
use crate::recipe::Recipe;
use crate::run::{Provenance, RunFolder};
use crate::train::{Training, export, read_weights, train};
use crate::{evaluate, generate, info, recognize};

/// The weights that ship with this version.
const SHIPPED_WEIGHTS: &[u8] = include_bytes!("../../../web/models/compact.safetensors");

/// Does what the command line says; `false` if it was done but something could not be read.
pub fn run(cli: Cli) -> Result<bool> {
    match cli.command {
        Command::Train(args) => run_train(&args)?,
        Command::Evaluate(args) => run_evaluate(&args)?,
        Command::Recognize(args) => return run_recognize(&args),
        Command::Generate(args) => run_generate(&args)?,
        Command::Export(args) => {
            let path = export(&RunFolder::open(&args.run)?, args.epoch)?;
            println!("{}", path.display());
        }
        Command::Info(args) => info::info(&weights(args.weights.as_deref())?)?,
    }
    Ok(true)
}

fn run_train(args: &TrainArgs) -> Result<()> {
    let run = if args.resume {
        RunFolder::open(&args.out)?
    } else {
        let mut recipe = Recipe::load(&args.preset)?;
        if let Some(epochs) = args.epochs {
            recipe.training.epochs = epochs;
        }
        let from = args.from.as_deref().map(read_weights).transpose()?;
        let provenance = Provenance {
            recipe,
            data: args.data.clone(),
            seed: args.seed,
            command: std::env::args()
                .skip(1)
                .fold("captcha-lens".into(), |all, one| all + " " + &one),
            version: env!("CARGO_PKG_VERSION").into(),
            from: from.map(|weights| weights.training),
        };
        RunFolder::create(&args.out, &provenance)?
    };
    let provenance = run.provenance()?;
    let (train_source, validation) = sources(&provenance)?;
    let minutes = |minutes: f64| Duration::try_from_secs_f64(60.0 * minutes);
    let training = Training {
        train: train_source,
        validation,
        provenance,
        from: args.from.clone(),
        devices: args.device.open_many(args.devices)?,
        limit: args
            .minutes
            .map(minutes)
            .transpose()
            .context("--minutes must not be negative")?,
    };
    let path = train(training, &run)?;
    println!("{}", path.display());
    Ok(())
}

/// Training and validation images of a run.
fn sources(provenance: &Provenance) -> Result<(Arc<dyn Source>, Arc<dyn Source>)> {
    let (recipe, seed) = (&provenance.recipe, provenance.seed);
    let options = &recipe.training;
    if let Some(style) = provenance.data.strip_prefix("synth:") {
        let style: Style = style.parse()?;
        let generator = |text, split| Generator::new(style, text, FontSet::Trained, split, seed);
        let texts = TextSource::Mixed {
            words: listed_words().iter().map(|&word| word.to_owned()).collect(),
            random_share: recipe.data.random_share as f32,
        };
        let train = generator(texts, Split::Train).with_blank_share(recipe.data.blank_share as f32);
        return Ok((
            Arc::new(Generated::new(train, options.images_per_epoch)),
            Arc::new(Generated::new(
                generator(TextSource::listed(), Split::Validation),
                options.validation_images,
            )),
        ));
    }
    let folder = Path::new(&provenance.data);
    let mut validation = labelled_files(folder, Part::Validation)?;
    validation.truncate(options.validation_images);
    Ok((
        Arc::new(Folder::new(labelled_files(folder, Part::Train)?, seed)),
        Arc::new(Folder::new(validation, seed)),
    ))
}

fn run_evaluate(args: &EvaluateArgs) -> Result<()> {
    let recognizer = recognizer(&args.network)?;
    let lexicon = args.lexicon.as_deref().map(read_words).transpose()?;
    let lexicon = lexicon.map(|words| words.into_iter().collect::<HashSet<_>>());
    let source: Box<dyn Source> = match (&args.synth, &args.folder) {
        (Some(style), _) => {
            ensure!(args.count > 0, "--count must be at least 1");
            let text = if args.random {
                TextSource::Random
            } else {
                TextSource::listed()
            };
            let generator = Generator::new(
                style.parse()?,
                text,
                fonts(args.fonts),
                Split::Test,
                args.seed,
            );
            Box::new(Generated::new(generator, args.count as usize))
        }
        (None, Some(folder)) => {
            Box::new(Folder::new(labelled_files(folder, args.part)?, args.seed))
        }
        (None, None) => bail!("name a labelled folder, or --synth STYLE"),
    };
    let score = evaluate::evaluate(&recognizer, source.as_ref(), lexicon.as_ref())?;
    if args.json {
        println!("{}", serde_json::to_string(&score)?);
    } else {
        println!("{score}");
    }
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
    let text = match &args.words {
        _ if args.random => TextSource::Random,
        Some(path) => TextSource::Words(read_words(path)?),
        None => TextSource::listed(),
    };
    let generator = Generator::new(
        args.style.parse()?,
        text,
        fonts(args.fonts),
        Split::Test,
        args.seed,
    );
    generate::generate(&generator, args.count, &args.out)
}

fn fonts(fonts: Fonts) -> FontSet {
    match fonts {
        Fonts::Trained => FontSet::Trained,
        Fonts::HeldOut => FontSet::HeldOut,
    }
}

fn read_words(path: &Path) -> Result<Vec<String>> {
    let place = || path.display().to_string();
    parse_words(&std::fs::read_to_string(path).with_context(place)?).with_context(place)
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
