//! `captcha-lens recognize`: reads image files.

use std::borrow::Cow;
use std::io::{self, Write, stdout};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, anyhow};
use captcha_model::{Prediction, Recognizer};
use serde::Serialize;

use crate::folder::read_image;

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
        #[serde(skip_serializing_if = "Option::is_none")]
        code: Option<&'static str>,
    },
}

/// Reads images in the order given and prints each as it is read; one that cannot be read does
/// not keep the rest from being read. Says whether all were.
pub fn recognize(
    recognizer: &Recognizer,
    images: &[PathBuf],
    alternatives: usize,
    json: bool,
) -> Result<bool> {
    let mut all_read = true;
    for path in images {
        let started = Instant::now();
        let read = read_one(recognizer, path, alternatives);
        let milliseconds = started.elapsed().as_secs_f64() * 1e3;
        all_read &= read.is_ok();
        if json {
            let line = match read {
                Ok(prediction) => Line::Read {
                    path: path.to_string_lossy(),
                    code: prediction.text.is_empty().then_some("no-letters"),
                    prediction,
                    milliseconds,
                },
                Err(error) => Line::Failed {
                    path: path.to_string_lossy(),
                    code: error
                        .downcast_ref::<captcha_model::ModelError>()
                        .map(captcha_model::ModelError::code),
                    error: format!("{:#}", anyhow!(error)),
                },
            };
            writeln!(stdout(), "{}", serde_json::to_string(&line)?)?;
        } else {
            match read {
                Ok(prediction) => print_text(path, &prediction)?,
                Err(error) => eprintln!("{error:#}"),
            }
        }
    }
    Ok(all_read)
}

fn read_one(recognizer: &Recognizer, path: &Path, alternatives: usize) -> Result<Prediction> {
    let image = read_image(path)?;
    let predictions =
        pollster::block_on(recognizer.recognize(std::slice::from_ref(&image), alternatives))?;
    predictions.into_iter().next().context("no answer")
}

fn print_text(path: &Path, prediction: &Prediction) -> io::Result<()> {
    let line = |text: &str, confidence: f32| {
        let text = if text.is_empty() {
            "no letters found"
        } else {
            text
        };
        format!("{text} ({:.1} %)", 100.0 * confidence)
    };
    writeln!(
        stdout(),
        "{}: {}",
        path.display(),
        line(&prediction.text, prediction.confidence)
    )?;
    for alternative in &prediction.alternatives {
        writeln!(
            stdout(),
            "    {}",
            line(&alternative.text, alternative.confidence)
        )?;
    }
    Ok(())
}
