//! `captcha-lens recognize`: reads image files.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read, Write, stdin, stdout};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Result;
use captcha_model::image::{MAX_BYTES, RgbImage, decode_image};
use captcha_model::{ModelError, Prediction, Recognizer};
use serde::Serialize;

/// Below this confidence an answer is unsure.
const UNSURE: f32 = 0.5;
/// Below this one the image is probably none that the network was trained for.
const UNLIKELY: f32 = 0.1;

/// One line of `--json`.
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

/// Why an image was not read.
#[derive(Debug, thiserror::Error)]
enum Failure {
    /// The file cannot be opened.
    #[error("The file cannot be read: {0}.")]
    File(#[from] io::Error),
    /// It is a folder.
    #[error("This is a folder. Name its images, or use `captcha-lens audit`.")]
    Folder,
    /// It is no image, or the network failed.
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

/// Reads images in the order given and prints each as it is read; one that cannot be read does
/// not keep the rest from being read. `-` is standard input. Says whether all were.
pub fn recognize(
    recognizer: &Recognizer,
    images: &[PathBuf],
    alternatives: usize,
    json: bool,
) -> Result<bool> {
    let mut all_read = true;
    for path in images {
        if path.to_str().is_none() {
            let shown = shown(path);
            eprintln!("note: the file name {shown} is not UTF-8 and is printed with replacements");
        }
        let started = Instant::now();
        let read = read_one(recognizer, path, alternatives);
        let milliseconds = started.elapsed().as_secs_f64() * 1e3;
        all_read &= read.is_ok();
        if json {
            let path = path.to_string_lossy();
            let line = match read {
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
            match read {
                Ok(prediction) => writeln!(stdout(), "{}: {}", shown(path), text(&prediction))?,
                Err(error) => eprintln!("{}: {error}", shown(path)),
            }
        }
    }
    Ok(all_read)
}

fn read_one(
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
    // A byte more than may be, so that the decoder says what is wrong.
    input.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(decode_image(&bytes)?)
}

/// A path for a terminal, in which a file name's control characters would do what they say.
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

/// An answer for people, its alternatives a line each.
fn text(prediction: &Prediction) -> String {
    let percent = |confidence: f32| format!("{:.1} %", 100.0 * confidence);
    let confidence = prediction.confidence;
    let sure = percent(confidence);
    let mut text = match prediction.text.as_str() {
        "" if prediction.blank => "no characters, the image is blank".into(),
        "" => "no characters recognised, but the image is not blank".into(),
        text if confidence < UNLIKELY => format!(
            "{text} ({sure}, probably not a text CAPTCHA of the kind that this model reads)"
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
    fn what_is_unsure_is_said_to_be() {
        assert!(answer("house", 0.99, false).starts_with("house (99.0 %)\n"));
        assert!(answer("house", 0.49, false).starts_with("house (49.0 %, unsure)\n"));
        let noise = answer("hamed", 0.003, false);
        assert!(
            noise.starts_with("hamed (0.3 %, probably not a text CAPTCHA"),
            "{noise}"
        );
    }

    #[test]
    fn no_characters_have_no_percentage() {
        assert_eq!(answer("", 0.999, true), "no characters, the image is blank");
        let missed = answer("", 0.999, false);
        let first = missed.lines().next();
        let expected = "no characters recognised, but the image is not blank";
        assert_eq!(first, Some(expected));
        assert!(missed.ends_with("\n    no characters (1.0 %)"), "{missed}");
    }

    #[test]
    fn a_file_name_does_nothing_to_the_terminal() {
        let path = Path::new("a\u{1b}[31m\nb\u{202e}gnp.png");
        assert_eq!(shown(path), "a\\u{1b}[31m\\nb\\u{202e}gnp.png");
        assert_eq!(shown(Path::new("größe 字.png")), "größe 字.png");
    }
}
