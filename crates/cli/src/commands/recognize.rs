//! `captcha-lens recognize`

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read, Write, stdin, stdout};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Result;
use captcha_model::image::{MAX_BYTES, RgbImage, decode_image};
use captcha_model::{ModelError, Prediction, Recognizer};
use clap::Args;
use serde::Serialize;

use crate::args::NetworkArgs;

const MAX_ALTERNATIVES: i64 = Recognizer::MAX_ALTERNATIVES as i64;

/// Below this confidence, an answer is marked as unsure.
const UNSURE: f32 = 0.5;
/// Below this confidence, the network is probably not trained for the image.
const UNLIKELY: f32 = 0.1;

/// Arguments of `recognize`.
#[derive(Args, Debug)]
pub(crate) struct RecognizeArgs {
    #[command(flatten)]
    network: NetworkArgs,
    /// Also print the N most likely texts (0 to 100), the answer first.
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=MAX_ALTERNATIVES))]
    alternatives: u8,
    /// Print one JSON object per line, in the order of the images.
    #[arg(long)]
    json: bool,
    /// Images; - for standard input.
    #[arg(required = true, value_name = "IMAGE")]
    images: Vec<PathBuf>,
}

/// A line of `--json`.
#[derive(Serialize)]
#[serde(untagged)]
enum Line<'a> {
    Read {
        path: Cow<'a, str>,
        #[serde(flatten)]
        prediction: Prediction,
        milliseconds: f64,
        #[serde(skip_serializing_if = "Option::is_none")]
        code: Option<&'static str>,
    },
    Failed {
        path: Cow<'a, str>,
        error: String,
        code: &'static str,
    },
}

/// Why an image could not be recognized.
#[derive(Debug, thiserror::Error)]
enum Failure {
    /// The file cannot be opened.
    #[error("The file cannot be read: {0}.")]
    File(#[from] io::Error),
    /// It is a folder.
    #[error("This is a folder. Name its images, or use `captcha-lens audit`.")]
    Folder,
    /// It is not an image, or the network failed.
    #[error(transparent)]
    Model(#[from] ModelError),
}

impl Failure {
    fn code(&self) -> &'static str {
        match self {
            Self::File(_) | Self::Folder => "unreadable-file",
            Self::Model(error) => error.code(),
        }
    }
}

/// Prints each prediction as soon as it is known. Gives `false` if an image could not be
/// recognized.
pub(crate) fn run(args: &RecognizeArgs) -> Result<bool> {
    let recognizer = args.network.recognizer()?;
    let alternatives = usize::from(args.alternatives);
    let mut all_read = true;
    for path in &args.images {
        if path.to_str().is_none() {
            let shown = shown(path);
            eprintln!("note: the file name {shown} is not UTF-8; invalid bytes are replaced");
        }
        let started = Instant::now();
        let result = recognize(&recognizer, path, alternatives);
        let milliseconds = started.elapsed().as_secs_f64() * 1e3;
        all_read &= result.is_ok();
        if args.json {
            let path = path.to_string_lossy();
            let line = match result {
                Ok(prediction) => Line::Read {
                    path,
                    code: prediction.text.is_empty().then_some("no-characters"),
                    prediction,
                    milliseconds,
                },
                Err(error) => Line::Failed {
                    path,
                    code: error.code(),
                    error: error.to_string(),
                },
            };
            writeln!(stdout(), "{}", serde_json::to_string(&line)?)?;
        } else {
            match result {
                Ok(prediction) => writeln!(stdout(), "{}: {}", shown(path), text(&prediction))?,
                Err(error) => eprintln!("{}: {error}", shown(path)),
            }
        }
    }
    Ok(all_read)
}

fn recognize(
    recognizer: &Recognizer,
    path: &Path,
    alternatives: usize,
) -> Result<Prediction, Failure> {
    let image = read_image(path)?;
    let read = recognizer.recognize(std::slice::from_ref(&image), alternatives);
    let prediction = pollster::block_on(read)?.into_iter().next();
    Ok(prediction.ok_or_else(|| ModelError::DeviceLost("it gave no answer".into()))?)
}

/// Reads an image file, or standard input.
fn read_image(path: &Path) -> Result<RgbImage, Failure> {
    if path.is_dir() {
        return Err(Failure::Folder);
    }
    let input: Box<dyn Read> = match path == Path::new("-") {
        true => Box::new(stdin().lock()),
        false => Box::new(File::open(path)?),
    };
    let mut bytes = Vec::new();
    // One byte more than the limit, so that the decoder reports a file that is too large.
    input.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(decode_image(&bytes)?)
}

/// A path for the terminal, with its control characters escaped.
fn shown(path: &Path) -> String {
    let is_control =
        |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let path = path.to_string_lossy();
    path.chars().fold(String::new(), |mut shown, c| {
        match is_control(c) {
            true => shown.extend(c.escape_default()),
            false => shown.push(c),
        }
        shown
    })
}

/// A prediction as text, with a line for each alternative.
fn text(prediction: &Prediction) -> String {
    let percent = |confidence: f32| format!("{:.1}%", 100.0 * confidence);
    let confidence = prediction.confidence;
    let sure = percent(confidence);
    let mut text = match prediction.text.as_str() {
        "" if prediction.blank => "no characters, the image is blank".into(),
        "" => "no characters recognized, but the image is not blank".into(),
        text if confidence < UNLIKELY => format!(
            "{text} ({sure}, probably not a text CAPTCHA of the kind that this model recognizes)"
        ),
        text if confidence < UNSURE => format!("{text} ({sure}, unsure)"),
        text => format!("{text} ({sure})"),
    };
    for alternative in &prediction.alternatives {
        let other = match alternative.text.as_str() {
            "" => "no characters",
            other => other,
        };
        text += &format!("\n    {other} ({})", percent(alternative.confidence));
    }
    text
}

#[cfg(test)]
mod tests {
    use captcha_model::{Alternative, Grid};

    use super::*;

    fn answer(word: &str, confidence: f32, blank: bool) -> String {
        let alternative = |text: &str, confidence| Alternative {
            text: text.into(),
            confidence,
        };
        text(&Prediction {
            text: word.into(),
            confidence,
            characters: Vec::new(),
            grid: Grid { rows: 1, cols: 1 },
            blank,
            alternatives: match blank {
                true => Vec::new(),
                false => vec![alternative(word, confidence), alternative("", 0.01)],
            },
        })
    }

    #[test]
    fn text_marks_unsure_answers() {
        assert!(answer("house", 0.99, false).starts_with("house (99.0%)\n"));
        assert!(answer("house", 0.49, false).starts_with("house (49.0%, unsure)\n"));
        let noise = answer("hamed", 0.003, false);
        assert!(
            noise.starts_with("hamed (0.3%, probably not a text CAPTCHA"),
            "{noise}"
        );
    }

    #[test]
    fn text_without_characters_has_no_percentage() {
        assert_eq!(answer("", 0.999, true), "no characters, the image is blank");
        let missed = answer("", 0.999, false);
        let first = missed.lines().next();
        let expected = "no characters recognized, but the image is not blank";
        assert_eq!(first, Some(expected));
        assert!(missed.ends_with("\n    no characters (1.0%)"), "{missed}");
    }

    #[test]
    fn shown_escapes_control_characters() {
        let path = Path::new("a\u{1b}[31m\nb\u{202e}gnp.png");
        assert_eq!(shown(path), "a\\u{1b}[31m\\nb\\u{202e}gnp.png");
        assert_eq!(shown(Path::new("größe 字.png")), "größe 字.png");
    }
}
